/**
 * When a round over the bulk persons begins. An import names the same persons again and again: evaluated whenever
 * there is a moment, each would be evaluated several times while it runs, and hold it up.
 */
import { performance } from 'node:perf_hooks'
import type { BulkPlace } from './due.ts'

/** While more is coming, rounds begin at least this long after one another … */
const LEAST_REST_MS = 30_000
/** … and rest this many times as long as the last one took, so that a long import is seen to grow. */
const REST_SHARE = 4

export class BulkTurns implements BulkPlace {
  after = 0
  readonly #tick: () => number
  #begun = 0
  #ended = Number.NEGATIVE_INFINITY
  #took = 0

  /** `tick` gives milliseconds that never go back. */
  constructor(tick: () => number = () => performance.now()) {
    this.#tick = tick
  }

  mayBegin(moreIsComing: boolean): boolean {
    const now = this.#tick()
    if (moreIsComing && now - this.#ended < Math.max(LEAST_REST_MS, this.#took * REST_SHARE)) return false
    this.#begun = now
    return true
  }

  end(): void {
    this.#ended = this.#tick()
    this.#took = this.#ended - this.#begun
  }
}
