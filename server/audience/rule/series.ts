/**
 * The rows of one person that a filter lets through, each with its time and one number: the amount of a purchase, the
 * property of an event, or a number that stands for a value that is to be told from others.
 *
 * Always true: ascending in time, and only rows at or before now. Leaves with the same filter and number share one.
 */
import type { EventMeasure, Measure } from '../../../contract/rule-parts.ts'
import type { PersonFacts } from '../facts/person-facts.ts'

/** Puts the person's rows at or before `now` into an empty series. */
export type Fill = (facts: PersonFacts, now: number, series: Series) => void

export class Series {
  length = 0
  #at = new Float64Array(16)
  #value = new Float64Array(16)

  clear(): void {
    this.length = 0
  }

  push(at: number, value: number): void {
    if (this.length === this.#at.length) {
      this.#at = doubled(this.#at)
      this.#value = doubled(this.#value)
    }
    this.#at[this.length] = at
    this.#value[this.length] = value
    this.length += 1
  }

  /** No number beyond the end: what stands there is somebody else's. */
  atOf(index: number): number {
    return index < this.length ? (this.#at[index] ?? Number.NaN) : Number.NaN
  }

  valueOf(index: number): number {
    return this.#value[index] ?? Number.NaN
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

function doubled(full: Float64Array): Float64Array<ArrayBuffer> {
  const next = new Float64Array(full.length * 2)
  next.set(full)
  return next
}

/** Numbers for texts, equal ones for equal texts, until they are forgotten. */
export class Numbering {
  readonly #known = new Map<string, number>()

  of(text: string): number {
    let number = this.#known.get(text)
    if (number === undefined) {
      number = this.#known.size
      this.#known.set(text, number)
    }
    return number
  }

  clear(): void {
    this.#known.clear()
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
