/** A piece of work that one process at a time repeats for ever under a lease. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../postgres/database.ts'
import { type Held, LeaseLost, type LeaseTimes, withLease } from './lease.ts'

export type Loop = {
  /** Name of the lease. */
  name: string
  /** Rest after a round that found nothing to do. */
  restMs: number
  /**
   * One round; how much was done. More than 0 and the next round follows at once. The signal of `held` ends with the
   * lease or with the process: long work looks at it between two steps and throws its reason.
   */
  work(held: Held): Promise<number>
  /** After the last round under a lease: gives back what only its holder may have open. */
  end?(): Promise<void>
  onError?(error: unknown): void
} & LeaseTimes

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
            while (!held.signal.aborted) {
              const done = await loop.work(held)
              pauseMs = FIRST_PAUSE_MS
              if (done === 0) await rest(loop.restMs, held.signal)
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

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
