/**
 * Aggregates over purchases or events: their value now, and the first moment at which the verdict can be another one.
 *
 * Always true: between now and that moment the verdict stays, as long as no event arrives. Rows leave a rolling window
 * at their time + N × 24 h (the window is open at its old end); a calendar window moves at the zone's midnights; counts
 * of days grow at midnight; a window since something stands still.
 */
import { type Compare, compares, comparesScaled, type Window } from '../../../contract/rule-parts.ts'
import type { Aggregate, Fold, Series } from './series.ts'
import { type Bounds, boundsOf, type Periods, periodsOf, placesOf, rollingMs } from './windows.ts'
import type { ZoneDays } from './zone-days.ts'

/** One measure of a series: how it is folded, over which window, and compared with what (in units of the rule). */
export type Question = Aggregate & { window: Window; compare: Compare }
/** `value` in the unit of the rule (cents, pieces, days), null where there is none; `next` Infinity for never. */
export type Reading = { value: number | null; verdict: boolean; next: number }
/** When it is, in which zone, and where a window since something begins. */
export type When = { now: number; days: ZoneDays; anchor: number | null }
/** `bounds`: what the window holds now, the same for everybody; undefined for a window since something. */
type Asked = When & { bounds?: Bounds | undefined; periods?: Periods | undefined }

const NEVER = Number.POSITIVE_INFINITY
/** How many coming periods of a calendar window are looked at; the last one is an early answer, which is allowed. */
export const MAX_PERIODS = 40

/** Writes into `reading`. */
export function readMeasured(question: Question, series: Series, when: Asked, reading: Reading): void {
  const { window } = question
  const { from, to, inclusive } = when.bounds ?? boundsOf(window, when.now, when.days, when.anchor)
  const low = window.kind === 'ever' ? 0 : series.firstAfter(from, inclusive)
  const high = to === NEVER ? series.length : Math.max(low, series.firstAfter(to, true))
  const value = aggregate(question, series, low, high, when)
  const verdict = judge(question, value, high - low)
  reading.value = value
  reading.verdict = verdict
  reading.next = NEVER
  if (window.kind === 'rolling') reading.next = nextByLeaving(question, series, low, high, verdict)
  else if (window.kind === 'calendar') reading.next = nextByCalendar(question, window, series, verdict, when)
  if (isAge(question.fold)) {
    reading.next = Math.min(reading.next, nextByDays(question, series, low, high, when))
  }
}

/** Everything that is the same for everybody at that moment. */
export function askedAt({ window }: Question, now: number, days: ZoneDays): Asked {
  return {
    now,
    days,
    anchor: null,
    bounds: window.kind === 'since' ? undefined : boundsOf(window, now, days),
    periods: window.kind === 'calendar' ? periodsOf(window, days.of(now), days) : undefined,
  }
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
  if (fold === 'distinct') return distinctAmong(series, low, high)
  let total = series.valueOf(low)
  for (let index = low + 1; index < high; index += 1) total = folded(fold, total, series.valueOf(index))
  return (fold === 'avg' ? total / (high - low) : total) / scale
}

/** One value more; of an average the sum. */
function folded(fold: Fold, total: number, value: number): number {
  if (fold === 'min') return Math.min(total, value)
  return fold === 'max' ? Math.max(total, value) : total + value
}

/** Up to so many values are compared with each other, without a set. */
const FEW = 12
const seen = new Set<number>()

function distinctAmong(series: Series, low: number, high: number): number {
  if (high - low > FEW) {
    seen.clear()
    for (let index = low; index < high; index += 1) seen.add(series.valueOf(index))
    return seen.size
  }
  let count = 0
  for (let index = low; index < high; index += 1) if (!stands(series, index, low, index)) count += 1
  return count
}

/** Whether the value in that place stands among those in [low, high) too. */
function stands(series: Series, place: number, low: number, high: number): boolean {
  const value = series.valueOf(place)
  for (let index = low; index < high; index += 1) if (series.valueOf(index) === value) return true
  return false
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

/** When the first row leaves a rolling window that, once it and all before it have left, turns the verdict. */
function nextByLeaving(
  question: Question,
  series: Series,
  low: number,
  high: number,
  verdict: boolean,
): number {
  const { window } = question
  if (window.kind !== 'rolling' || low === high) return NEVER
  const leaves =
    question.fold === 'count'
      ? firstCounted(question, series, low, high, verdict)
      : firstLeaving(question, series, low, high, verdict)
  return leaves < 0 ? NEVER : series.atOf(leaves) + rollingMs(window.days)
}

/** Rows of one instant leave together. */
function firstCounted(
  { compare }: Question,
  series: Series,
  low: number,
  high: number,
  verdict: boolean,
): number {
  for (let last = low; last < high; last += 1) {
    if (compares(high - last - 1, compare) === verdict) continue
    if (last + 1 === high || series.atOf(last + 1) !== series.atOf(last)) return last
  }
  return -1
}

/** The place of that row; less than 0 for none. */
function firstLeaving(
  question: Question,
  series: Series,
  low: number,
  high: number,
  verdict: boolean,
): number {
  const { fold, scale } = question
  if (fold === 'days_since_first') return low
  if (fold === 'days_since_last' || fold === 'last')
    return judge(question, null, 0) === verdict ? -1 : high - 1
  // What is left from `start` on, folded from the end; rows of one instant leave together.
  let turning = verdictWithoutRows(question) === verdict ? -1 : high - 1
  let total = 0
  seen.clear()
  for (let start = high - 1; start > low; start -= 1) {
    const value = series.valueOf(start)
    if (fold === 'distinct') total = seen.add(value).size
    else total = start === high - 1 || fold === 'first' ? value : folded(fold, total, value)
    if (series.atOf(start - 1) === series.atOf(start)) continue
    const left = high - start
    if (judge(question, (fold === 'avg' ? total / left : total) / scale, left) !== verdict)
      turning = start - 1
  }
  return turning
}

function nextByCalendar(
  question: Question,
  window: Extract<Window, { kind: 'calendar' }>,
  series: Series,
  verdict: boolean,
  when: Asked,
): number {
  if (series.length === 0) return NEVER
  const { now, days, anchor } = when
  const periods = when.periods ?? periodsOf(window, days.of(now), days)
  const lastAt = series.atOf(series.length - 1)
  for (let shift = 1; shift <= MAX_PERIODS; shift += 1) {
    const edge = periods.start(shift)
    const bounds = periods.bounds(shift)
    const { low, high } = placesOf(series, bounds)
    const value = aggregate(question, series, low, high, { now: edge, days, anchor })
    if (judge(question, value, high - low) !== verdict) return edge
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
function nextByDays(
  { fold, compare }: Question,
  series: Series,
  low: number,
  high: number,
  { now, days }: When,
): number {
  if (low === high) return NEVER
  const from = days.of(series.atOf(fold === 'days_since_first' ? low : high - 1))
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
