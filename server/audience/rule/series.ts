/**
 * The rows of persons that a filter lets through, each with its time and one number: the amount of a purchase, the
 * property of an event, or a number that stands for a value that is to be told from others. Rows of many persons are
 * kept one after the other, and those of one of them are looked at.
 *
 * Always true: ascending in time, and only rows at or before now. Leaves with the same filter and number share one.
 */
import type { EventMeasure, Measure } from '../../../contract/rule-parts.ts'
import type { Group, HistoryTable } from '../facts/history-table.ts'

/** Puts the rows at or before `now` of everybody in the group into an empty series, person after person. */
export type Fill = (group: Group, now: number, series: Series) => void

/** The number of each row: a column, or what gives one for a row, several, or none. */
export type ValuesOf = (table: HistoryTable) => Float64Array | ((row: number) => number | readonly number[])
/** The row has no number and is passed over. */
export const NONE = Number.NaN

/** `kept`: 1 for each row that is let through; undefined where all are. */
export function pushRows(
  { starts, at }: HistoryTable,
  now: number,
  kept: Uint8Array | undefined,
  series: Series,
  values: Float64Array | ((row: number) => number | readonly number[]),
): void {
  for (let place = 0; place + 1 < starts.length; place += 1) {
    series.begin()
    const end = starts[place + 1] ?? 0
    for (let row = starts[place] ?? 0; row < end; row += 1) {
      const moment = at[row] ?? Number.NaN
      if (moment > now) break
      if (kept !== undefined && kept[row] === 0) continue
      if (typeof values !== 'function') series.push(moment, values[row] ?? 0)
      else pushValue(series, moment, values(row))
    }
  }
}

function pushValue(series: Series, at: number, value: number | readonly number[]): void {
  if (typeof value !== 'number') for (const one of value) series.push(at, one)
  else if (!Number.isNaN(value)) series.push(at, value)
}

export class Series {
  /** How many rows the person who is looked at has. */
  length = 0
  /** Where they begin. */
  #base = 0
  #end = 0
  #at = new Float64Array(16)
  #value = new Float64Array(16)
  #starts = new Int32Array(16)
  #persons = 0

  /** Forgets everybody. */
  clear(): void {
    this.length = 0
    this.#base = 0
    this.#end = 0
    this.#persons = 0
  }

  /** What is pushed from now on is of the next person, who is the one that is looked at. */
  begin(): void {
    if (this.#persons === this.#starts.length) {
      const more = new Int32Array(this.#persons * 2)
      more.set(this.#starts)
      this.#starts = more
    }
    this.#starts[this.#persons] = this.#end
    this.#persons += 1
    this.#base = this.#end
    this.length = 0
  }

  /** Looks at the person of that number, counted from 0 in the order in which they began. */
  lookAt(person: number): void {
    this.#base = this.#starts[person] ?? 0
    const end = person + 1 < this.#persons ? (this.#starts[person + 1] ?? 0) : this.#end
    this.length = end - this.#base
  }

  push(at: number, value: number): void {
    if (this.#end === this.#at.length) {
      this.#at = doubled(this.#at)
      this.#value = doubled(this.#value)
    }
    this.#at[this.#end] = at
    this.#value[this.#end] = value
    this.#end += 1
    this.length += 1
  }

  /** No number beyond the end: what stands there is somebody else's. */
  atOf(index: number): number {
    return index < this.length ? (this.#at[this.#base + index] ?? Number.NaN) : Number.NaN
  }

  valueOf(index: number): number {
    return this.#value[this.#base + index] ?? Number.NaN
  }

  /** The first place whose time is greater than `ms` (or not less, with `orEqual`). */
  firstAfter(ms: number, orEqual = false): number {
    const at = this.#at
    let low = this.#base
    let high = low + this.length
    while (low < high) {
      const middle = (low + high) >> 1
      const moment = at[middle] ?? Number.NaN
      if (orEqual ? moment >= ms : moment > ms) high = middle
      else low = middle + 1
    }
    return low - this.#base
  }
}

function doubled(full: Float64Array): Float64Array<ArrayBuffer> {
  const next = new Float64Array(full.length * 2)
  next.set(full)
  return next
}

/** Numbers for values, equal ones for equal values. */
export class Numbering<T> {
  readonly #known = new Map<T, number>()

  of(value: T): number {
    let number = this.#known.get(value)
    if (number === undefined) {
      number = this.#known.size
      this.#known.set(value, number)
    }
    return number
  }
}

export type Fold = 'count' | 'distinct' | 'sum' | 'avg' | 'min' | 'max' | 'first' | 'last' | Age
export type Age = 'days_since_first' | 'days_since_last'

/** How the rows of a series become one number. `scale`: how many units of the series make one of the rule. */
export type Aggregate = { fold: Fold; scale: 1 | 1000 }

/** Pieces and numbers of properties are counted in thousandths, money in cents. */
export function aggregateOf(measure: Measure | EventMeasure): Aggregate {
  if (measure.of === 'distinct_days') return { fold: 'distinct', scale: 1 }
  const inThousandths = 'field' in measure ? measure.field === 'quantity' : 'property' in measure
  return { fold: measure.of, scale: inThousandths && measure.of !== 'distinct' ? 1000 : 1 }
}
