/** Running all work loops until told to stop. */
import type { BusinessClock } from './org/org.ts'
import type { Disk } from './platform/disk.ts'
import type { Metrics } from './platform/http/metrics.ts'
import { keepWorking, type Loop as Repeated } from './platform/jobs/loop.ts'
import type { Log } from './platform/logging/log.ts'
import type { Database } from './platform/postgres/database.ts'
import { yieldTo } from './yield.ts'

/** `acts`: it steps journeys or sends, and stands still while time cannot be trusted or the disk is nearly full. */
export type Loop = Repeated & { acts?: boolean }

export type LoopParts = {
  db: Database
  clock: BusinessClock
  disk: Disk
  log: Log
  metrics: Pick<Metrics, 'loop'>
  /** Whether more waits at the doors than can be written at once: work that can wait then takes turns with it. */
  crowded?: () => boolean
}

/** Runs every loop until `stop` is aborted; resolves when the last round has ended and all leases are back. */
export async function runLoops(parts: LoopParts, loops: readonly Loop[], stop: AbortSignal): Promise<void> {
  const { db, clock, disk, log, metrics } = parts
  const mayAct = () => clock.trouble() === undefined && disk.trouble() === undefined
  await Promise.all(
    loops.map((loop) =>
      keepWorking(
        db,
        {
          ...loop,
          async work(held) {
            if (loop.acts === true && !mayAct()) return 0
            const started = performance.now()
            const done = await loop.work(held)
            const took = performance.now() - started
            metrics.loop({ loop: loop.name, seconds: took / 1000, failed: false })
            if (done > 0 && parts.crowded?.() === true)
              await yieldTo(parts.crowded, { took, signal: held.signal })
            return done
          },
          onError(error) {
            metrics.loop({ loop: loop.name, seconds: 0, failed: true })
            loop.onError?.(error)
            log.error({ event: 'loop.failed', loop: loop.name, err: error })
          },
        },
        stop,
      ),
    ),
  )
}
