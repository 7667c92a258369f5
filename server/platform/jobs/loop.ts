/** A piece of work that one process at a time repeats for ever under a lease. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../postgres/database.ts'
import { type Held, LeaseLost, type LeaseTimes, withLease } from './lease.ts'

export type Loop = {
  /** Name of the lease. */
  name: string
  /** Rest after a round that found nothing to do; after several such rounds up to `LONGER` times as long. */
  restMs: number
  /**
   * One round; how much was done. More than 0 and the next round follows at once. The signal of `held` ends with the
   * lease or with the process: long work looks at it between two steps and throws its reason.
   */
  work(held: Held): Promise<number>
  /**
   * Rounds begin at least `ms` apart, except after one that did `full` or more: of a stream of single things each round
   * takes what has come meanwhile, instead of one thing.
   */
  pace?: { ms: number; full: number }
  /** After the last round under a lease: gives back what only its holder may have open. */
  end?(): Promise<void>
  onError?(error: unknown): void
} & LeaseTimes

/** Looking often costs: fifteen loops that find nothing kept a quarter of a processor busy. */
const LONGER = 5
/** Each empty round rests longer than the one before, by this factor, beginning with the … */
const GROWTH = 1.25
/** … so many-th, so that what follows from one another goes on at the usual pace. */
const PATIENT_ROUNDS = 8
const STANDBY_MS = 1000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/** Repeats `work` until `stop` is aborted; resolves when the last round has ended and the lease is back. Never rejects. */
export async function keepWorking(db: Database, loop: Loop, stop: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS
  while (!stop.aborted) {
    try {
      await withLease(
        db,
        loop.name,
        async (lease) => {
          const held = { ...lease, signal: AbortSignal.any([stop, lease.signal]) }
          try {
            for (let empty = 0; !held.signal.aborted; ) {
              const begun = performance.now()
              const done = await loop.work(held)
              pauseMs = FIRST_PAUSE_MS
              empty = done === 0 ? empty + 1 : 0
              if (done === 0) await rest(restAfter(empty, loop.restMs), held.signal)
              else if (loop.pace && done < loop.pace.full) {
                const left = loop.pace.ms - (performance.now() - begun)
                if (left > 1) await rest(left, held.signal)
              }
            }
          } finally {
            await loop.end?.()
          }
        },
        loop,
      )
      await rest(Math.min(STANDBY_MS, (loop.leaseMs ?? STANDBY_MS * 2) / 2), stop)
    } catch (error) {
      // What the work throws because it is told to end is no failure.
      if (!(error instanceof LeaseLost) && !stop.aborted) loop.onError?.(error)
      await rest(pauseMs, stop)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }
}

/** Milliseconds to rest after so many rounds in a row that found nothing. Longer rests than a second are long enough. */
export function restAfter(empty: number, restMs: number): number {
  const grown = restMs * Math.min(LONGER, GROWTH ** Math.max(0, empty - PATIENT_ROUNDS))
  return Math.max(restMs, Math.min(grown, STANDBY_MS))
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
