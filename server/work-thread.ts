/**
 * Keeps the thread of the work loops (work-worker.ts) alive: one that ends without being told to is started again,
 * later each time. Nothing is lost by it: every effect stands in a transaction under a lease, and the leases of the
 * thread that ended pass to the next one when they run out.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { LoopRun, Metrics } from './platform/http/metrics.ts'
import type { Log } from './platform/logging/log.ts'
import type { WorkPlace } from './work-place.ts'

const FILE = new URL('./work-worker.ts', import.meta.url)
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** One that worked for so long was well: the pauses begin anew. */
const WELL_MS = 60_000

export type WorkThread = {
  /** Resolves when the loops have finished their round and the thread has ended. */
  stop(): Promise<void>
}

export function startWorkThread(
  place: WorkPlace,
  { metrics, log, file = FILE }: { metrics: Pick<Metrics, 'loop'>; log: Log; file?: URL },
): WorkThread {
  const stopping = new AbortController()
  let present: Worker | undefined

  function live(): Promise<void> {
    const worker = new Worker(file, { workerData: place })
    present = worker
    worker.on('message', (runs: readonly LoopRun[]) => {
      for (const run of runs) metrics.loop(run)
    })
    worker.on('error', (err) => log.error({ event: 'work.failed', err }))
    return new Promise((resolve) => worker.once('exit', () => resolve()))
  }

  async function keepAlive(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!stopping.signal.aborted) {
      const begun = performance.now()
      await live()
      present = undefined
      if (stopping.signal.aborted) return
      if (performance.now() - begun > WELL_MS) pauseMs = FIRST_PAUSE_MS
      log.warn({ event: 'work.begins_again', afterMs: pauseMs })
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }

  const ended = keepAlive()
  return {
    async stop() {
      stopping.abort()
      present?.postMessage('stop')
      await ended
    },
  }
}
