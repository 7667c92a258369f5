/**
 * Aggregates over purchases: their value now, and the first moment at which the verdict can be another one.
 *
 * Always true: between now and that moment the verdict stays, as long as no event arrives. Rows leave a rolling window
 * at their time + N × 24 h (the window is open at its old end); a calendar window moves at the zone's midnights; counts
 * of days grow at midnight.
 */
import { type Compare, compares, type Leaf, type Measure } from '../../../contract/rule.ts'
import { boundsOf, placesOf, rollingMs, type Selection } from './selection.ts'
import { periodStart, type ZoneDays } from './zone-days.ts'

export type OrdersLeaf = Extract<Leaf, { kind: 'orders' }>
/** `value` in the unit of the rule (cents, pieces, days), null where there is none; `next` Infinity for never. */
export type Reading = { value: number | null; verdict: boolean; next: number }

const NEVER = Number.POSITIVE_INFINITY
/** How many coming periods of a calendar window are looked at; the last one is an early answer, which is allowed. */
const MAX_PERIODS = 40

export function readOrders(leaf: OrdersLeaf, selection: Selection, now: number, days: ZoneDays): Reading {
  const { low, high } = placesOf(selection, boundsOf(leaf.window, now, days))
  const value = aggregate(leaf.measure, selection, low, high, now, days)
  const verdict = judge(leaf, value, high - low)
  const next = Math.min(
    nextByRows(leaf, selection, { low, high, now, verdict }, days),
    nextByDays(leaf, selection, { low, high, now, verdict }, days),
  )
  return { value, verdict, next }
}

/** What the leaf says of somebody without any purchase. */
export function verdictWithoutRows(leaf: OrdersLeaf): boolean {
  return judge(leaf, leaf.measure.of === 'count' || leaf.measure.of === 'sum' ? 0 : null, 0)
}

function aggregate(
  measure: Measure,
  selection: Selection,
  low: number,
  high: number,
  now: number,
  days: ZoneDays,
): number | null {
  if (measure.of === 'count') return high - low
  if (high === low) return measure.of === 'sum' ? 0 : null
  if (measure.of === 'days_since_first') return days.of(now) - days.of(selection.atOf(low))
  if (measure.of === 'days_since_last') return days.of(now) - days.of(selection.atOf(high - 1))
  const total = fold(measure.of as Folded, selection, low, high)
  return unscaled(measure, measure.of === 'avg' ? total / (high - low) : total)
}

type Folded = 'sum' | 'avg' | 'min' | 'max' | 'first' | 'last'

function fold(of: Folded, selection: Selection, low: number, high: number): number {
  if (of === 'first') return selection.valueOf(low)
  if (of === 'last') return selection.valueOf(high - 1)
  let total = selection.valueOf(low)
  for (let index = low + 1; index < high; index += 1) total = combine(of, total, selection.valueOf(index))
  return total
}

function combine(of: Folded, total: number, value: number): number {
  if (of === 'min') return Math.min(total, value)
  if (of === 'max') return Math.max(total, value)
  return total + value
}

/** Quantities are folded in thousandths. */
function unscaled(measure: Measure, value: number): number {
  return 'field' in measure && measure.field === 'quantity' ? value / 1000 : value
}

/** The comparison in whole numbers, as SQL makes it: an average compares the sum with the bound times the count. */
function judge(leaf: OrdersLeaf, value: number | null, count: number): boolean {
  if (value === null) return false
  const { measure, compare } = leaf
  if (!('field' in measure)) return compares(value, compare)
  const scale = measure.field === 'quantity' ? 1000 : 1
  const times = measure.of === 'avg' ? count : 1
  return compares(Math.round(value * scale * times), scaled(compare, scale * times))
}

function scaled(compare: Compare, by: number): Compare {
  if (compare.op === 'between') return { ...compare, from: compare.from * by, to: compare.to * by }
  return { ...compare, value: compare.value * by }
}

type Place = { low: number; high: number; now: number; verdict: boolean }

function nextByRows(leaf: OrdersLeaf, selection: Selection, place: Place, days: ZoneDays): number {
  if (leaf.window.kind === 'rolling') {
    const leaves = firstLeaving(leaf, selection, place)
    return leaves === undefined ? NEVER : selection.atOf(leaves) + rollingMs(leaf.window.days)
  }
  return leaf.window.kind === 'calendar' ? nextByCalendar(leaf, selection, place, days) : NEVER
}

/** The place of the first row that, once it and all before it have left, turns the verdict. */
function firstLeaving(
  leaf: OrdersLeaf,
  selection: Selection,
  { low, high, verdict }: Place,
): number | undefined {
  const { measure } = leaf
  if (low === high) return undefined
  if (measure.of === 'days_since_first') return low
  if (measure.of === 'days_since_last' || measure.of === 'last') {
    return judge(leaf, null, 0) === verdict ? undefined : high - 1
  }
  // What is left from `start` on, folded from the end; rows of one instant leave together.
  let turning: number | undefined
  if (verdictWithoutRows(leaf) !== verdict) turning = high - 1
  let total = 0
  for (let start = high - 1; start > low; start -= 1) {
    const value = selection.valueOf(start)
    total = measure.of === 'first' || start === high - 1 ? value : combine(measure.of as Folded, total, value)
    if (selection.atOf(start - 1) === selection.atOf(start)) continue
    if (judge(leaf, leftValue(measure, total, high - start), high - start) !== verdict) turning = start - 1
  }
  return turning
}

function leftValue(measure: Measure, total: number, count: number): number {
  if (measure.of === 'count') return count
  return unscaled(measure, measure.of === 'avg' ? total / count : total)
}

function nextByCalendar(leaf: OrdersLeaf, selection: Selection, place: Place, days: ZoneDays): number {
  const { window } = leaf
  if (window.kind !== 'calendar' || selection.length === 0) return NEVER
  const today = days.of(place.now)
  const lastAt = selection.atOf(selection.length - 1)
  for (let shift = 1; shift <= MAX_PERIODS; shift += 1) {
    const edge = days.start(periodStart(today, window.unit, shift))
    const bounds = boundsOf(window, place.now, days, shift)
    const { low, high } = placesOf(selection, bounds)
    const value = aggregate(leaf.measure, selection, low, high, edge, days)
    if (judge(leaf, value, high - low) !== place.verdict) return edge
    if (bounds.from > lastAt) return NEVER
    // Days since another first row turn at other midnights: look again at each edge.
    if (isAge(leaf.measure)) return edge
    if (shift === MAX_PERIODS) return edge
  }
  return NEVER
}

function isAge({ of }: Measure): boolean {
  return of === 'days_since_first' || of === 'days_since_last'
}

/** Days since the first or last purchase grow by one at each midnight. */
function nextByDays(leaf: OrdersLeaf, selection: Selection, place: Place, days: ZoneDays): number {
  const { measure, compare } = leaf
  if (!isAge(measure)) return NEVER
  if (place.low === place.high) return NEVER
  const from = days.of(selection.atOf(measure.of === 'days_since_first' ? place.low : place.high - 1))
  const flip = nextFlip(days.of(place.now) - from, compare)
  return flip === undefined ? NEVER : days.start(from + flip)
}

/** The smallest whole number greater than `count` that compares differently; undefined for none. */
export function nextFlip(count: number, compare: Compare): number | undefined {
  const verdict = compares(count, compare)
  const bounds = compare.op === 'between' ? [compare.from, compare.to] : [compare.value]
  const candidates = bounds
    .flatMap((bound) => [Math.ceil(bound), Math.floor(bound) + 1])
    .filter((candidate) => candidate > count)
    .sort((left, right) => left - right)
  return candidates.find((candidate) => compares(candidate, compare) !== verdict)
}
