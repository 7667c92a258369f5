/** Coupons of one person as they stand now, folded from events with absolute values. */
import type { Leaf } from '../../../contract/rule.ts'
import type { PersonEvent } from '../facts/person-facts.ts'
import type { LeafReader } from './bench.ts'
import { rollingMs } from './windows.ts'

type CouponLeaf = Extract<Leaf, { kind: 'coupon' }>

const NEVER = Number.POSITIVE_INFINITY

/** Value: how many match. The verdict can turn where one runs out, or comes close enough to it. */
export function couponReader(leaf: CouponLeaf): LeafReader {
  const kinds = leaf.kinds && new Set(leaf.kinds)
  const span = leaf.expiresWithinDays === undefined ? undefined : rollingMs(leaf.expiresWithinDays)
  const nothing = { value: 0, verdict: leaf.atLeast <= 0, next: NEVER }
  return ({ facts, now }) => {
    if (!facts.events.some(isCoupon)) return nothing
    let value = 0
    let next = NEVER
    for (const coupon of standing(facts.events, now)) {
      if (kinds && !kinds.has(coupon.texts['kind'] ?? '')) continue
      const expires = coupon.numbers['expiresAt'] ?? NEVER
      const waits = coupon.detail === 'received' && expires > now
      const state = coupon.detail === 'received' && !waits ? 'expired' : coupon.detail
      const close = span === undefined || (waits && expires - span <= now)
      if (close && leaf.states.some((wanted) => wanted === state)) value += 1
      if (!waits) continue
      next = Math.min(next, expires)
      if (span !== undefined && !close) next = Math.min(next, expires - span)
    }
    return { value, verdict: value >= leaf.atLeast, next }
  }
}

const isCoupon = ({ type }: PersonEvent): boolean => type === 'coupon_changed'

/** The last that was told of each coupon until now. */
function standing(events: readonly PersonEvent[], now: number): Iterable<PersonEvent> {
  const last = new Map<string, PersonEvent>()
  for (const event of events) {
    if (event.at > now) break
    if (event.type === 'coupon_changed') last.set(event.subject, event)
  }
  return last.values()
}
