/**
 * Aggregates over purchases or events: their value now, and the first moment at which the verdict can be another one.
 *
 * Always true: between now and that moment the verdict stays, as long as no event arrives. Rows leave a rolling window
 * at their time + N × 24 h (the window is open at its old end); a calendar window moves at the zone's midnights; counts
 * of days grow at midnight; a window since something stands still.
 */
import { type Compare, compares, comparesScaled, type Window } from '../../../contract/rule-parts.ts'
import type { Aggregate, Fold, Series } from './series.ts'
import { boundsOf, periodsOf, placesOf, rollingMs } from './windows.ts'
import type { ZoneDays } from './zone-days.ts'

/** One measure of a series: how it is folded, over which window, and compared with what (in units of the rule). */
export type Question = Aggregate & { window: Window; compare: Compare }
/** `value` in the unit of the rule (cents, pieces, days), null where there is none; `next` Infinity for never. */
export type Reading = { value: number | null; verdict: boolean; next: number }
/** When it is, in which zone, and where a window since something begins. */
export type When = { now: number; days: ZoneDays; anchor: number | null }

const NEVER = Number.POSITIVE_INFINITY
/** How many coming periods of a calendar window are looked at; the last one is an early answer, which is allowed. */
export const MAX_PERIODS = 40

export function readMeasured(question: Question, series: Series, when: When): Reading {
  const { now, days, anchor } = when
  const { low, high } = placesOf(series, boundsOf(question.window, now, days, anchor))
  const value = aggregate(question, series, low, high, when)
  const place = { low, high, verdict: judge(question, value, high - low) }
  const next = Math.min(nextByRows(question, series, place, when), nextByDays(question, series, place, when))
  return { value, verdict: place.verdict, next }
}

/** What is read where no row is left, and none can come back. */
export function readingWithoutRows(question: Question): Reading {
  return { value: valueOfNothing(question.fold), verdict: verdictWithoutRows(question), next: NEVER }
}

/** What is said of somebody without any row. */
export function verdictWithoutRows(question: Omit<Question, 'window'>): boolean {
  return judge(question, valueOfNothing(question.fold), 0)
}

function valueOfNothing(fold: Fold): number | null {
  return fold === 'count' || fold === 'sum' || fold === 'distinct' ? 0 : null
}

function aggregate(
  { fold, scale }: Aggregate,
  series: Series,
  low: number,
  high: number,
  { now, days }: When,
): number | null {
  if (fold === 'count') return high - low
  if (high === low) return valueOfNothing(fold)
  if (fold === 'days_since_first') return days.of(now) - days.of(series.atOf(low))
  if (fold === 'days_since_last') return days.of(now) - days.of(series.atOf(high - 1))
  if (fold === 'first') return series.valueOf(low) / scale
  if (fold === 'last') return series.valueOf(high - 1) / scale
  const folded = folding(fold)
  for (let index = low; index < high; index += 1) folded.add(series.valueOf(index))
  return folded.total(high - low) / scale
}

type Folding = { add(value: number): void; total(count: number): number }

/** Takes values in any order; `total` of those taken so far. */
function folding(fold: Exclude<Fold, 'first' | 'last' | 'days_since_first' | 'days_since_last'>): Folding {
  if (fold === 'distinct') {
    const seen = new Set<number>()
    return { add: (value) => seen.add(value), total: () => seen.size }
  }
  if (fold === 'count') return { add: () => undefined, total: (count) => count }
  let total: number | undefined
  return {
    add(value) {
      if (total === undefined) total = value
      else if (fold === 'min') total = Math.min(total, value)
      else if (fold === 'max') total = Math.max(total, value)
      else total += value
    },
    total: (count) => (fold === 'avg' ? (total ?? 0) / count : (total ?? 0)),
  }
}

/** The comparison in whole numbers, as SQL makes it: an average compares the sum with the bound times the count. */
function judge(
  { fold, scale, compare }: Omit<Question, 'window'>,
  value: number | null,
  count: number,
): boolean {
  if (value === null) return false
  if (fold === 'count' || fold === 'distinct' || isAge(fold)) return compares(value, compare)
  const times = fold === 'avg' ? count : 1
  return comparesScaled(Math.round(value * scale * times), compare, scale * times)
}

type Place = { low: number; high: number; verdict: boolean }

function nextByRows(question: Question, series: Series, place: Place, when: When): number {
  const { window } = question
  if (window.kind === 'rolling') {
    const leaves = firstLeaving(question, series, place)
    return leaves === undefined ? NEVER : series.atOf(leaves) + rollingMs(window.days)
  }
  return window.kind === 'calendar' ? nextByCalendar(question, window, series, place, when) : NEVER
}

/** The place of the first row that, once it and all before it have left, turns the verdict. */
function firstLeaving(question: Question, series: Series, { low, high, verdict }: Place): number | undefined {
  const { fold, scale } = question
  if (low === high) return undefined
  if (fold === 'days_since_first') return low
  if (fold === 'days_since_last' || fold === 'last') {
    return judge(question, null, 0) === verdict ? undefined : high - 1
  }
  // What is left from `start` on, folded from the end; rows of one instant leave together.
  let turning: number | undefined
  if (verdictWithoutRows(question) !== verdict) turning = high - 1
  const left = fold === 'first' ? undefined : folding(fold)
  for (let start = high - 1; start > low; start -= 1) {
    const value = series.valueOf(start)
    left?.add(value)
    if (series.atOf(start - 1) === series.atOf(start)) continue
    const total = (left ? left.total(high - start) : value) / scale
    if (judge(question, total, high - start) !== verdict) turning = start - 1
  }
  return turning
}

function nextByCalendar(
  question: Question,
  window: Extract<Window, { kind: 'calendar' }>,
  series: Series,
  place: Place,
  { now, days, anchor }: When,
): number {
  if (series.length === 0) return NEVER
  const periods = periodsOf(window, days.of(now), days)
  const lastAt = series.atOf(series.length - 1)
  for (let shift = 1; shift <= MAX_PERIODS; shift += 1) {
    const edge = periods.start(shift)
    const bounds = periods.bounds(shift)
    const { low, high } = placesOf(series, bounds)
    const value = aggregate(question, series, low, high, { now: edge, days, anchor })
    if (judge(question, value, high - low) !== place.verdict) return edge
    if (bounds.from > lastAt) return NEVER
    // Days since another first row turn at other midnights: look again at each edge.
    if (isAge(question.fold)) return edge
    if (shift === MAX_PERIODS) return edge
  }
  return NEVER
}

function isAge(fold: Fold): fold is 'days_since_first' | 'days_since_last' {
  return fold === 'days_since_first' || fold === 'days_since_last'
}

/** Days since the first or last row grow by one at each midnight. */
function nextByDays({ fold, compare }: Question, series: Series, place: Place, { now, days }: When): number {
  if (!isAge(fold) || place.low === place.high) return NEVER
  const from = days.of(series.atOf(fold === 'days_since_first' ? place.low : place.high - 1))
  const flip = nextFlip(days.of(now) - from, compare)
  return flip === undefined ? NEVER : days.start(from + flip)
}

/** The smallest whole number greater than `count` that compares differently; undefined for none. */
export function nextFlip(count: number, compare: Compare): number | undefined {
  if (compare.op !== 'between') return flipAt(count, compare, compare.value)
  return least(flipAt(count, compare, compare.from), flipAt(count, compare, compare.to))
}

/** A comparison turns at the first whole number that is not less than its bound, or at the one after the bound. */
function flipAt(count: number, compare: Compare, bound: number): number | undefined {
  const verdict = compares(count, compare)
  const at = Math.ceil(bound)
  if (at > count && compares(at, compare) !== verdict) return at
  const after = Math.floor(bound) + 1
  return after > count && compares(after, compare) !== verdict ? after : undefined
}

function least(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return Math.min(left, right)
}
