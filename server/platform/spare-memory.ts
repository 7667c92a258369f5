/**
 * Gives memory back that V8 keeps after its heap was large for a while.
 *
 * V8 pools the pages of garbage it has collected and returns them to the system on a collection of last resort only
 * (seen with V8 13.6: 170 MB of a process whose heap was 50 MB, for ever). Such a collection takes some tenths of a
 * second, so it is made while the process has next to nothing to do.
 */
import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const LOOK_MS = 2000
/** Share of the time in which the process worked since the last look: below it nobody waits for it. */
const QUIET = 0.5
/** Below this it rests, … */
const AT_REST = 0.2
/** … and after so many looks of rest it has ended what made the heap large. */
const RESTED_LOOKS = 5
/** More than this beside the heap, above the least that was ever seen, is worth a collection. */
const WORTH_BYTES = 24 * 1024 ** 2

type Collect = (options: {
  type: 'major'
  execution: 'sync' | 'async'
  flavor?: 'last-resort'
}) => Promise<void> | undefined

/**
 * The heaps of the threads of this process in bytes, in memory that all of them see: the system tells the memory of the
 * process alone, and the heap of one thread is nothing that another could give back.
 */
export type Heaps = Float64Array
export const sharedHeaps = (threads: number): Heaps =>
  new Float64Array(new SharedArrayBuffer(threads * Float64Array.BYTES_PER_ELEMENT))

type Spare = { lookMs?: number; heaps?: Heaps; thread?: number }

/** Looks every few seconds until it is stopped; in each thread for itself, `thread` being its place in `heaps`. */
export function spareMemory({ lookMs = LOOK_MS, heaps = sharedHeaps(1), thread = 0 }: Spare = {}): {
  stop(): void
} {
  let worked = performance.eventLoopUtilization()
  let floor = Number.POSITIVE_INFINITY
  let least = Number.POSITIVE_INFINITY
  let rested = 0
  let wasBusy = false
  let collecting = false
  // Where nothing can be collected the memory stays as it is, which is no reason to end.
  const timer = setInterval(() => void look().catch(() => clearInterval(timer)), lookMs)
  timer.unref()

  async function look(): Promise<void> {
    if (collecting) return
    const { utilization } = performance.eventLoopUtilization(worked)
    worked = performance.eventLoopUtilization()
    const beside = bytesBesideHeaps()
    floor = Math.min(floor, beside)
    least = Math.min(least, beside)
    rested = utilization < AT_REST ? rested + 1 : 0
    wasBusy ||= utilization > QUIET
    // What a collection in the middle of work left may be spare by now.
    const ended = wasBusy && rested === RESTED_LOOKS
    if (utilization > QUIET || beside - (ended ? floor : least) < WORTH_BYTES) return
    if (ended) wasBusy = false
    collecting = true
    await giveBack()
    // What is still there is not V8's to give.
    least = Math.max(least, bytesBesideHeaps())
    collecting = false
  }

  function bytesBesideHeaps(): number {
    const { rss, heapTotal, external } = process.memoryUsage()
    heaps[thread] = heapTotal + external
    return rss - heaps.reduce((sum, one) => sum + one, 0)
  }

  return { stop: () => clearInterval(timer) }
}

async function giveBack(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  // The first leaves less to do for the second, during which everything stands still.
  await collect({ type: 'major', execution: 'async' })
  await collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
