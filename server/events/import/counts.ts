import type { ImportCounts, RejectReason } from '../../../contract/import.ts'

export function noCounts(): ImportCounts {
  return {
    read: 0,
    accepted: 0,
    rejected: 0,
    reasons: {},
    created: 0,
    changed: 0,
    unchanged: 0,
    merged: 0,
    reviews: 0,
    orders: 0,
    ordersWithoutBuyer: 0,
    rowsWithoutBuyer: 0,
    people: 0,
    peopleCreated: 0,
    storesCreated: 0,
    staffUnknown: 0,
    invalidPhones: 0,
    kept: 0,
  }
}

/** The sum of two. */
export function addCounts(a: ImportCounts, b: ImportCounts): ImportCounts {
  const sum = { ...a, reasons: { ...a.reasons } }
  for (const key of Object.keys(b) as (keyof ImportCounts)[]) {
    if (key !== 'reasons') sum[key] += b[key]
  }
  for (const [reason, count] of Object.entries(b.reasons) as [RejectReason, number][]) {
    sum.reasons[reason] = (sum.reasons[reason] ?? 0) + count
  }
  return sum
}

/** Counts one rejected row. */
export function countRejected(counts: ImportCounts, reason: RejectReason): void {
  counts.rejected += 1
  counts.reasons[reason] = (counts.reasons[reason] ?? 0) + 1
}
