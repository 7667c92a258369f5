/** What work loops are, and running them all until told to stop. */

import { businessTime, clockTrouble } from './org/org.ts'
import type { Metrics } from './platform/http/metrics.ts'
import type { Held } from './platform/jobs/lease.ts'
import { keepWorking } from './platform/jobs/loop.ts'
import type { Log } from './platform/logging/log.ts'
import type { Database } from './platform/postgres/database.ts'
import type { Clock } from './platform/time/clock.ts'

export type Loop = {
  /** Also the name of its lease: one process of all runs it. */
  name: string
  /** Rest after a round that found nothing to do. */
  everyMs: number
  /** It steps journeys or sends: it stands still while the clock of this machine lies behind. */
  acts?: boolean
  /** One round under the lease, with business time; how much was done (0: rest). */
  run(now: Date, held: Held): Promise<number>
}

export type LoopParts = {
  db: Database
  clock: Clock
  log: Log
  metrics: Metrics
  onClockTrouble(sentence: string | undefined): void
}

/** Runs every loop until `stop` is aborted; resolves when the last round has ended and all leases are back. */
export async function runLoops(parts: LoopParts, loops: readonly Loop[], stop: AbortSignal): Promise<void> {
  await Promise.all(
    loops.map((loop) =>
      keepWorking(
        parts.db,
        {
          name: loop.name,
          restMs: loop.everyMs,
          work: (held) => round(parts, loop, held),
          onError: (error) => {
            parts.metrics.loop({ loop: loop.name, seconds: 0, failed: true })
            if (!stop.aborted) parts.log.error({ event: 'loop.failed', loop: loop.name, err: error })
          },
        },
        stop,
      ),
    ),
  )
}

async function round(
  { db, clock, metrics, onClockTrouble }: LoopParts,
  loop: Loop,
  held: Held,
): Promise<number> {
  const time = await businessTime(db, clock)
  const trouble = clockTrouble(time)
  onClockTrouble(trouble)
  if (loop.acts === true && trouble !== undefined) return 0
  const started = performance.now()
  const done = await loop.run(time.now, held)
  metrics.loop({ loop: loop.name, seconds: (performance.now() - started) / 1000, failed: false })
  return done
}
