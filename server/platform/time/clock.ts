/** Where time comes from. Business code never asks; it is given `at` or `now`. */
export type Clock = { now(): Date }

export const systemClock: Clock = { now: () => new Date() }

/** A clock that tests and the demo move by hand. */
export class FixedClock implements Clock {
  #at: Date

  constructor(at: Date | string) {
    this.#at = new Date(at)
  }

  now(): Date {
    return new Date(this.#at)
  }

  set(at: Date | string): void {
    this.#at = new Date(at)
  }

  advance(span: { days?: number; hours?: number; minutes?: number; seconds?: number }): Date {
    const { days = 0, hours = 0, minutes = 0, seconds = 0 } = span
    this.#at = new Date(this.#at.getTime() + ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000)
    return this.now()
  }
}

/** A point in time that other code received as text or number. The one place where Date is parsed from epoch. */
export function instant(value: number | string): Date {
  const at = new Date(value)
  if (Number.isNaN(at.getTime())) throw new RangeError(`not a point in time: ${value}`)
  return at
}
