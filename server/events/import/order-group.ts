/**
 * All rows of one order to what they say about it. Pure.
 *
 * Refunds come in four forms: own columns (absolute), rows with a negative quantity within the order, documents of their
 * own that name the order, and cancel invoices 'C536379' of 536379. The first two are part of the order's state; the
 * others are refunds listed apart. A cancel invoice whose original nobody knows stands for itself, as a negative order
 * that is no purchase, so that sums of money stay right.
 */

import type { OrderLine, OrderState } from '../../../contract/events.ts'
import type { RejectReason } from '../../../contract/import.ts'
import { instant } from '../../platform/time/clock.ts'
import { times, toCents } from './money.ts'
import { type BuyerPart, cancelled, type OrderRow } from './order-row.ts'
import type { OrderStatus } from './words.ts'

export type OrderDraft = {
  externalId: string
  buyer: BuyerPart[]
  store: { code: string | null; name: string | null }
  seller: { code: string | null; name: string | null }
  state: Omit<OrderState, 'source' | 'externalId' | 'storeId' | 'sellerId'>
}

export type RefundDraft = {
  /** Number of the refund within its order. */
  id: string
  at: string
  refundedCents: number
  lines: { sku: string; refundedCents: number }[]
  /** What stands for itself where the order is not known; null: the refund waits for its order. */
  alone: OrderDraft | null
}

export type OrderPlan = {
  externalId: string
  rows: readonly OrderRow[]
  order: OrderDraft | null
  refunds: RefundDraft[]
}

export type Rejected = { rows: readonly OrderRow[]; field: string; reason: RejectReason }

export const MAX_LINES = 2000

/** Plans for the rows of one key, or why they cannot go in. */
export function planOrders(key: string, rows: readonly OrderRow[]): (OrderPlan | Rejected)[] {
  if (!key.startsWith('~')) return [planOrder(key, rows)]
  return rows.map((row, index) => planOrder(`row:${key.slice(1)}:${index + 1}`, [row]))
}

export function isRejected(plan: OrderPlan | Rejected): plan is Rejected {
  return 'reason' in plan
}

function planOrder(externalId: string, rows: readonly OrderRow[]): OrderPlan | Rejected {
  const own: OrderRow[] = []
  const apart = new Map<string, OrderRow[]>()
  for (const row of rows) {
    const refundNo = row.refundOf === null ? creditNo(row) : refundId(row)
    if (refundNo === undefined) own.push(row)
    else apart.set(refundNo, [...(apart.get(refundNo) ?? []), row])
  }
  const refunds: RefundDraft[] = []
  for (const [id, credit] of apart) {
    const refund = refundDraft(id, credit)
    if ('reason' in refund) return refund
    refunds.push(refund)
  }
  if (own.length === 0) return { externalId, rows, order: null, refunds }
  const order = draft(externalId, own)
  return 'reason' in order ? order : { externalId, rows, order, refunds }
}

function creditNo(row: OrderRow): string | undefined {
  return row.orderNo !== null && cancelled(row.orderNo) !== undefined ? row.orderNo : undefined
}

/** A refund row without a number of its own is known by what it says. */
function refundId(row: OrderRow): string {
  return row.orderNo ?? `at ${timeOf(row)}`
}

function refundDraft(id: string, rows: readonly OrderRow[]): RefundDraft | Rejected {
  const alone = draft(id, rows)
  if ('reason' in alone) return alone
  const bySku = new Map<string, number>()
  let refundedCents = 0
  for (const row of rows) {
    const cents = Math.abs(lineCents(row) ?? (row.refunded === null ? 0 : toCents(row.refunded)))
    refundedCents += cents
    const sku = skuOf(row)
    if (sku !== '') bySku.set(sku, (bySku.get(sku) ?? 0) + cents)
  }
  const first = rows[0]
  const stated = first?.total ?? first?.refunded ?? null
  if (rows.length === 1 && refundedCents === 0 && stated !== null) refundedCents = Math.abs(toCents(stated))
  return {
    id,
    at: iso(Math.min(...rows.map(timeOf))),
    refundedCents,
    lines: [...bySku].map(([sku, cents]) => ({ sku, refundedCents: cents })),
    alone: first?.refundOf === null ? alone : null,
  }
}

function draft(externalId: string, rows: readonly OrderRow[]): OrderDraft | Rejected {
  const fault = disagreement(rows)
  if (fault !== undefined) return { rows, field: fault, reason: 'order_disagrees' }
  if (rows.length > MAX_LINES) return { rows, field: 'orderNo', reason: 'too_many_lines' }
  const money = settle(rows)
  const first = <F extends keyof OrderRow>(field: F): OrderRow[F] | null =>
    rows.find((row) => row[field] !== null)?.[field] ?? null
  const placedAt = Math.min(...rows.map((row) => row.orderedAt ?? row.paidAt ?? 0))
  const paid = rows.flatMap((row) => (row.paidAt === null ? [] : [row.paidAt]))
  const status = statusOf(rows, money.onlyReturns)
  const unpaid = status === 'placed' || (status === 'cancelled' && paid.length === 0)
  const paidAt = paid.length > 0 ? Math.min(...paid) : placedAt
  const refunded = status === 'refunded' && !money.onlyReturns && money.refundedCents === 0
  return {
    externalId,
    buyer: buyerOf(rows),
    store: { code: first('storeCode'), name: first('store') },
    seller: { code: first('sellerCode'), name: first('seller') },
    state: {
      placedAt: iso(placedAt),
      paidAt: unpaid ? null : iso(paidAt),
      status,
      totalCents: money.totalCents,
      refundedCents: refunded ? money.totalCents : money.refundedCents,
      discountCents: money.discountCents,
      channel: first('channel'),
      side: first('side'),
      campaign: first('campaign'),
      coupon: first('coupon'),
      lines: money.lines,
    },
  }
}

/** The field in which rows of one order contradict each other. */
function disagreement(rows: readonly OrderRow[]): string | undefined {
  if (rows.length === 1) return undefined
  for (const field of ['total', 'discount', 'refunded'] as const) {
    let seen: number | null = null
    for (const row of rows) {
      const value = row[field]
      if (value !== null && seen !== null && value !== seen) return field
      seen = value ?? seen
    }
  }
  const seen = new Map<string, string>()
  for (const row of rows) {
    for (const [kind, value] of row.buyer) {
      if (kind === 'name') continue
      if ((seen.get(kind) ?? value) !== value) return kind === 'number' ? 'memberNo' : kind
      seen.set(kind, value)
    }
  }
  return undefined
}

function statusOf(rows: readonly OrderRow[], onlyReturns: boolean): OrderStatus {
  if (onlyReturns) return 'refunded'
  const said = new Set(rows.map((row) => row.status).filter((status) => status !== null))
  if (said.size === 1) return [...said][0] ?? 'paid'
  if (said.size > 1) return said.has('paid') || said.has('refunded') ? 'paid' : 'placed'
  return rows.every((row) => row.unpaid) ? 'placed' : 'paid'
}

type Money = {
  lines: OrderLine[]
  totalCents: number
  refundedCents: number
  discountCents: number
  onlyReturns: boolean
}

/** Lines and sums. Rows with a negative quantity reduce the lines of the same goods; without such they stand for themselves. */
function settle(rows: readonly OrderRow[]): Money {
  const mixed = rows.some((row) => row.status !== rows[0]?.status)
  const counted = rows.filter((row) => !(mixed && row.status === 'cancelled'))
  const sold = counted.filter((row) => !isReturn(row))
  const returned = counted.filter(isReturn)
  const onlyReturns = sold.length === 0 && returned.length > 0
  const lines = sold.flatMap((row) => lineOf(row, rows.length === 1, mixed && row.status === 'refunded'))
  let refundedCents = 0
  for (const row of returned) {
    const cents = Math.abs(lineCents(row) ?? 0)
    const of = onlyReturns ? undefined : lines.filter((line) => line.sku !== '' && line.sku === skuOf(row))
    if (of === undefined || of.length === 0) {
      lines.push(...lineOf(row, rows.length === 1, false))
      continue
    }
    refundedCents += spread(of, cents)
  }
  refundedCents += lines.reduce((sum, line) => sum + line.refundedCents, 0)
  const worth = lines.reduce((sum, line) => sum + worthOf(line), 0)
  const stated = <F extends 'total' | 'discount' | 'refunded'>(field: F): number | undefined => {
    const value = rows.find((row) => row[field] !== null)?.[field]
    return value === null || value === undefined ? undefined : toCents(value)
  }
  const discount = stated('discount')
  const onLines = lines.reduce((sum, line) => sum + line.discountCents, 0)
  return {
    lines: lines.map(({ worthCents: _, ...line }) => line),
    totalCents: stated('total') ?? worth - (discount ?? 0),
    refundedCents: Math.abs(stated('refunded') ?? refundedCents),
    discountCents: discount ?? onLines,
    onlyReturns,
  }
}

type Line = OrderLine & { worthCents: number }

function worthOf(line: Line): number {
  return line.worthCents
}

/** Puts a returned amount onto lines of the same goods; answers what they could not take. */
function spread(lines: Line[], cents: number): number {
  let left = cents
  for (const line of lines) {
    const share = Math.min(left, Math.max(0, line.worthCents - line.refundedCents))
    line.refundedCents += share
    left -= share
  }
  return left
}

/** No line where the row says nothing of goods. */
function lineOf(row: OrderRow, single: boolean, refunded: boolean): Line[] {
  if (
    row.sku === null &&
    row.product === null &&
    row.quantity === null &&
    row.lineTotal === null &&
    row.price === null
  ) {
    return []
  }
  const quantity = row.quantity ?? 1
  const total = lineCents(row) ?? (single && row.total !== null ? toCents(row.total) : 0)
  const each = quantity === 0 ? total : Math.round(total / quantity)
  const priceCents = row.price === null ? each : toCents(row.price)
  const returned =
    row.refundedQuantity === null || row.price === null ? 0 : times(row.refundedQuantity, row.price)
  const refundedCents = Math.abs(toCents(row.lineRefunded ?? returned))
  return [
    {
      sku: skuOf(row),
      name: row.product ?? '',
      category: row.category,
      quantity,
      priceCents,
      discountCents: row.lineDiscount === null ? 0 : Math.abs(toCents(row.lineDiscount)),
      costCents: row.cost === null ? null : toCents(row.cost),
      refundedCents: refunded && refundedCents === 0 ? Math.max(0, total) : refundedCents,
      worthCents: total,
    },
  ]
}

/** What the row's goods came to; undefined where the row does not say. */
function lineCents(row: OrderRow): number | undefined {
  if (row.lineTotal !== null) {
    // Some tills write the amount of a returned line without its sign.
    const cents = toCents(row.lineTotal)
    return row.quantity !== null && row.quantity < 0 ? -Math.abs(cents) : cents
  }
  if (row.price === null) return undefined
  return toCents(times(row.quantity ?? 1, row.price)) - Math.abs(toCents(row.lineDiscount ?? 0))
}

function isReturn(row: OrderRow): boolean {
  if (row.quantity !== null && row.quantity < 0) return true
  const cents = lineCents(row)
  if (cents !== undefined && cents !== 0) return cents < 0
  return row.total !== null && row.total < 0
}

function buyerOf(rows: readonly OrderRow[]): BuyerPart[] {
  const [only] = rows
  if (only && rows.length === 1) return only.buyer
  const parts = new Map<string, BuyerPart>()
  for (const part of rows.flatMap((row) => row.buyer)) if (!parts.has(part[0])) parts.set(part[0], part)
  return [...parts.values()]
}

function skuOf(row: OrderRow): string {
  return row.sku ?? ''
}

function timeOf(row: OrderRow): number {
  return row.paidAt ?? row.orderedAt ?? 0
}

let last = { ms: Number.NaN, text: '' }

/** Most orders are paid when they are placed: the same text, made once. */
function iso(ms: number): string {
  if (ms !== last.ms) last = { ms, text: instant(ms).toISOString() }
  return last.text
}
