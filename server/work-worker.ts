/**
 * The thread of the work loops in `start`: what waits in it never holds a page or a door up. Its first message tells it
 * to stop: the loops finish their round, give their leases back, and the thread ends. What it tells are the runs of its
 * loops, gathered for a second.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { isCrowded } from './events/events.ts'
import { runLoops } from './loop.ts'
import { loopsOf } from './loops.ts'
import { openBusinessClock } from './org/org.ts'
import { armCrashPoint } from './platform/crash.ts'
import type { LoopRun } from './platform/http/metrics.ts'
import { openLog } from './platform/logging/log.ts'
import { spareMemory } from './platform/spare-memory.ts'
import { systemClock } from './platform/time/clock.ts'
import { thisMachine } from './platform/time/machine.ts'
import { openPlace, type WorkPlace } from './work-place.ts'

const TELL_MS = 1000

const place = workerData as WorkPlace
const stop = new AbortController()
parentPort?.once('message', () => stop.abort())

let runs: LoopRun[] = []
function tell(): void {
  if (runs.length > 0) parentPort?.postMessage(runs)
  runs = []
}

armCrashPoint(place.crashPoint)
const log = openLog(place.log)
const stores = await openPlace(place, log)
try {
  const clock = await openBusinessClock(stores.db, systemClock, thisMachine())
  const spare = spareMemory({ heaps: place.heaps, thread: 1 })
  const telling = setInterval(tell, TELL_MS)
  try {
    await runLoops(
      {
        db: stores.db,
        clock,
        disk: stores.disk,
        log,
        metrics: { loop: (seen) => runs.push(seen) },
        crowded: () => isCrowded(place.doors),
      },
      loopsOf({ stores, clock }),
      stop.signal,
    )
  } finally {
    clearInterval(telling)
    clock.stop()
    spare.stop()
  }
} finally {
  await stores.close()
  tell()
  parentPort?.close()
}
