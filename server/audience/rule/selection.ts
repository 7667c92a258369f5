/** The purchases of one person that a filter lets through, and windows over them. */
import type { Measure, OrderFilter, Window } from '../../../contract/rule.ts'
import { numberOfDay } from '../../platform/time/zone.ts'
import type { Purchase } from '../facts/person-facts.ts'
import { periodStart, type ZoneDays } from './zone-days.ts'

export type Field = 'amount' | 'quantity' | 'discount'

/** Ascending in time; `at` and `value` have room for more than `length`. */
export class Selection {
  length = 0
  at = new Float64Array(16)
  value = new Float64Array(16)
  readonly #matches: (purchase: Purchase) => boolean
  readonly #valueOf: (purchase: Purchase) => number

  constructor(filter: OrderFilter, field: Field) {
    this.#matches = matcher(filter)
    this.#valueOf = lineMatcher(filter)
      ? lineValue(lineMatcher(filter) ?? (() => true), field)
      : (purchase) => purchase[field]
  }

  /** Fills it with the first `count` purchases. */
  fill(purchases: readonly Purchase[], count: number): void {
    if (this.at.length < count) {
      this.at = new Float64Array(count * 2)
      this.value = new Float64Array(count * 2)
    }
    let length = 0
    for (let index = 0; index < count; index += 1) {
      const purchase = purchases[index]
      if (purchase === undefined || !this.#matches(purchase)) continue
      this.at[length] = purchase.at
      this.value[length] = this.#valueOf(purchase)
      length += 1
    }
    this.length = length
  }

  atOf(index: number): number {
    return this.at[index] ?? Number.NaN
  }

  valueOf(index: number): number {
    return this.value[index] ?? Number.NaN
  }

  /** The first place whose time is greater than `ms` (or not less, with `orEqual`). */
  firstAfter(ms: number, orEqual = false): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >> 1
      const at = this.atOf(middle)
      if (orEqual ? at >= ms : at > ms) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Two leaves with the same filter and field share one selection. */
export function fieldOf(measure: Measure): Field {
  return 'field' in measure ? measure.field : 'amount'
}

function matcher(filter: OrderFilter): (purchase: Purchase) => boolean {
  const tests: ((purchase: Purchase) => boolean)[] = []
  const among = (values: readonly string[] | undefined, get: (purchase: Purchase) => string): void => {
    if (!values) return
    const set = new Set(values)
    tests.push((purchase) => set.has(get(purchase)))
  }
  among(filter.stores, (purchase) => purchase.store)
  among(filter.sellers, (purchase) => purchase.seller)
  among(filter.channels, (purchase) => purchase.channel)
  among(filter.sides, (purchase) => purchase.side)
  among(filter.campaigns, (purchase) => purchase.campaign)
  if (filter.withCoupon !== undefined) tests.push((purchase) => purchase.coupon === filter.withCoupon)
  const line = lineMatcher(filter)
  if (line) tests.push((purchase) => purchase.lines.some(line))
  const [first] = tests
  if (first === undefined) return () => true
  return tests.length === 1 ? first : (purchase) => tests.every((test) => test(purchase))
}

type LineTest = (line: Purchase['lines'][number]) => boolean

/** The test of single lines, where the filter looks at lines. */
export function lineMatcher({ categories, skus }: OrderFilter): LineTest | undefined {
  if (!categories && !skus) return undefined
  const inCategories = categories && new Set(categories)
  const inSkus = skus && new Set(skus)
  return (line) => (inCategories?.has(line.category) ?? true) && (inSkus?.has(line.sku) ?? true)
}

function lineValue(test: LineTest, field: Field): (purchase: Purchase) => number {
  return (purchase) => purchase.lines.reduce((sum, line) => (test(line) ? sum + line[field] : sum), 0)
}

/** Times t of a window: from < t or from ≤ t (see `inclusive`), and t < to. */
export type Bounds = { from: number; to: number; inclusive: boolean }

const DAY_MS = 86_400_000
export const rollingMs = (days: number): number => days * DAY_MS

/** Which times a window holds when it is `now`, `shift` periods from now for calendar windows. */
export function boundsOf(window: Window, now: number, days: ZoneDays, shift = 0): Bounds {
  switch (window.kind) {
    case 'ever':
      return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, inclusive: true }
    case 'rolling':
      return { from: now - rollingMs(window.days), to: Number.POSITIVE_INFINITY, inclusive: false }
    case 'absolute':
      return {
        from: days.start(numberOfDay(window.from)),
        to: days.start(numberOfDay(window.to) + 1),
        inclusive: true,
      }
    default: {
      const today = days.of(now)
      const last = shift - window.back
      return {
        from: days.start(periodStart(today, window.unit, last - window.count + 1)),
        to: days.start(periodStart(today, window.unit, last + 1)),
        inclusive: true,
      }
    }
  }
}

/** The places [low, high) of a selection that lie in the bounds. */
export function placesOf(selection: Selection, bounds: Bounds): { low: number; high: number } {
  const low = selection.firstAfter(bounds.from, bounds.inclusive)
  const high =
    bounds.to === Number.POSITIVE_INFINITY ? selection.length : selection.firstAfter(bounds.to, true)
  return { low, high: Math.max(low, high) }
}
