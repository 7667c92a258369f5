/** Coupons of one person as they stand now, folded from events with absolute values. */
import type { Leaf } from '../../../contract/rule.ts'
import { type HistoryTable, property } from '../facts/history-table.ts'
import type { LeafReader, Sitting } from './bench.ts'
import { rollingMs } from './windows.ts'

type CouponLeaf = Extract<Leaf, { kind: 'coupon' }>

const NEVER = Number.POSITIVE_INFINITY

/** Value: how many match. The verdict can turn where one runs out, or comes close enough to it. */
export function couponReader(leaf: CouponLeaf): LeafReader {
  const kinds = leaf.kinds && new Set(leaf.kinds)
  const span = leaf.expiresWithinDays === undefined ? undefined : rollingMs(leaf.expiresWithinDays)
  const nothing = { value: 0, verdict: leaf.atLeast <= 0, next: NEVER }
  return ({ sitting, place, now }) => {
    const coupons = standing(sitting, place, now)
    if (coupons === undefined) return nothing
    const { table, rows } = coupons
    const [kindOf, stateOf] = [table.text(property('kind')), table.text('detail')]
    const expiry = table.number(property('expiresAt'))
    let value = 0
    let next = NEVER
    for (const row of rows) {
      const kind = kindOf.keys[kindOf.codes[row] ?? 0] ?? ''
      if (kinds && !kinds.has(kind)) continue
      const told = expiry[row] ?? Number.NaN
      const expires = Number.isNaN(told) ? NEVER : told
      const detail = stateOf.keys[stateOf.codes[row] ?? 0] ?? ''
      const waits = detail === 'received' && expires > now
      const state = detail === 'received' && !waits ? 'expired' : detail
      const close = span === undefined || (waits && expires - span <= now)
      if (close && leaf.states.some((wanted) => wanted === state)) value += 1
      if (!waits) continue
      next = Math.min(next, expires)
      if (span !== undefined && !close) next = Math.min(next, expires - span)
    }
    return { value, verdict: value >= leaf.atLeast, next }
  }
}

type Coupons = { table: HistoryTable; rows: Iterable<number> }

/** The last that was told of each coupon of a person until now. */
function standing({ group: { events } }: Sitting, place: number, now: number): Coupons | undefined {
  const last = new Map<number, number>()
  let any = false
  const types = events.text('type')
  const subjects = events.text('subject')
  for (let row = events.starts[place] ?? 0; row < (events.starts[place + 1] ?? 0); row += 1) {
    if (types.keys[types.codes[row] ?? 0] !== 'coupon_changed') continue
    any = true
    if ((events.at[row] ?? 0) > now) break
    last.set(subjects.codes[row] ?? 0, row)
  }
  return any ? { table: events, rows: last.values() } : undefined
}
