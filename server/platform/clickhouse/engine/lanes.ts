/**
 * Who may use which session: 1 writer, 2 for pages, 1 for heavy work, 1 for KILL and health.
 * Always true: a lane's queue is first come, first served and bounded; a job that is aborted either leaves the
 * queue or is killed; what cannot be killed within two minutes ends the process, and the supervisor starts it anew.
 */
import { refusal } from './exception.ts'
import type { Job, SessionSettings, Summary } from './job.ts'
import { type Lane, lanes, SESSIONS } from './sessions.ts'
import { type Sink, type Slot, startSlot } from './slot.ts'

const PLACE = { write: 'here', page: 'thread', heavy: 'thread', control: 'here' } as const
const MAX_WAITING = 100
const KILL_AGAIN_MS = 250
const UNKILLABLE_MS = 120_000

export type Lanes = {
  readonly version: string
  /** Waits for a session of the lane, then runs. Rejects with a ClickHouseException. */
  run(lane: Lane, job: Job, sink: Sink, signal: AbortSignal): Promise<Summary>
  /** Jobs that run or wait, and sessions that are being opened again; KILLs not counted. */
  readonly load: number
  /** Only when nothing runs any more: chDB ends the process if a session is closed under its statement. */
  close(): Promise<void>
}

export type UnopenedLanes = { open(settings: SessionSettings): Promise<Lanes> }

type Waiting = { start(slot: Slot): void }

/** Starts the threads; nothing is opened yet, so that the process can still change its user. */
export async function startLanes(onBroken: (reason: string) => void): Promise<UnopenedLanes> {
  const slots = new Map<Lane, Slot[]>()
  for (const lane of lanes) {
    slots.set(
      lane,
      Array.from({ length: SESSIONS[lane] }, () => startSlot(PLACE[lane], onBroken)),
    )
  }
  const all = [...slots.values()].flat()
  await Promise.all(all.map((slot) => slot.loaded))
  return {
    async open(settings) {
      // One after the other: the first one creates and locks the directory.
      let version = ''
      for (const slot of all) version = await slot.open(settings)
      return operate(slots, version, onBroken)
    },
  }
}

function operate(slots: Map<Lane, Slot[]>, version: string, onBroken: (reason: string) => void): Lanes {
  const queues = new Map<Lane, Waiting[]>(lanes.map((lane) => [lane, []]))
  const running = new Set<string>()
  let load = 0

  function next(lane: Lane): void {
    const slot = slots.get(lane)?.find((each) => !each.busy)
    if (slot === undefined) return
    queues.get(lane)?.shift()?.start(slot)
  }

  function borrow(lane: Lane, signal: AbortSignal): Promise<Slot> {
    const queue = queues.get(lane) ?? []
    if (signal.aborted) return Promise.reject(gone())
    if (queue.length >= MAX_WAITING) {
      return Promise.reject(
        refusal(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `Too many statements wait in lane ${lane}.`),
      )
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        start(slot) {
          slot.reserve()
          signal.removeEventListener('abort', leave)
          resolve(slot)
        },
      }
      function leave(): void {
        queue.splice(queue.indexOf(waiting), 1)
        reject(gone())
      }
      signal.addEventListener('abort', leave, { once: true })
      queue.push(waiting)
      next(lane)
    })
  }

  async function run(lane: Lane, job: Job, sink: Sink, signal: AbortSignal): Promise<Summary> {
    if (running.has(job.queryId)) {
      throw refusal(
        216,
        'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING',
        `Query with id = ${job.queryId} is already running.`,
      )
    }
    running.add(job.queryId)
    if (lane !== 'control') load += 1
    try {
      const slot = await borrow(lane, signal)
      const { answer, free } = slot.run(job, sink)
      const stopKilling = killOnAbort(slot, job.queryId, signal, free)
      void free.then(
        () => next(lane),
        () => undefined,
      )
      return await answer.finally(stopKilling)
    } finally {
      running.delete(job.queryId)
      if (lane !== 'control') load -= 1
    }
  }

  /** KILL reaches only what has begun, so it is repeated until the statement has ended. */
  function killOnAbort(slot: Slot, queryId: string, signal: AbortSignal, free: Promise<void>): () => void {
    let timer: NodeJS.Timeout | undefined
    let over = false
    const deadline = { at: Number.POSITIVE_INFINITY }
    async function kill(): Promise<void> {
      if (over) return
      if (performance.now() > deadline.at)
        return onBroken(`a statement could not be killed in ${UNKILLABLE_MS} ms`)
      slot.cancel()
      await run('control', killing(queryId), async () => undefined, NEVER).catch(() => undefined)
      timer = setTimeout(() => void kill(), KILL_AGAIN_MS)
    }
    function begin(): void {
      deadline.at = performance.now() + UNKILLABLE_MS
      void kill()
    }
    function stop(): void {
      over = true
      clearTimeout(timer)
      signal.removeEventListener('abort', begin)
    }
    if (signal.aborted) begin()
    else signal.addEventListener('abort', begin, { once: true })
    void free.then(stop, stop)
    return stop
  }

  return {
    version,
    get load() {
      return (
        load +
        [...slots].filter(([lane, each]) => lane !== 'control' && each.some((slot) => slot.busy)).length
      )
    },
    run,
    close: async () => {
      await Promise.all([...slots.values()].flat().map((slot) => slot.close()))
    },
  }
}

const NEVER = new AbortController().signal
let kills = 0

function killing(queryId: string): Job {
  kills += 1
  return {
    queryId: `kill-${kills}`,
    prepare: '',
    statement: { kind: 'whole', sql: killStatement(queryId), format: 'Null' },
  }
}

/** chDB gives its own query ids; ours stands in the setting `log_comment`. */
function killStatement(queryId: string): string {
  const literal = queryId.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  return `kill query where Settings['log_comment'] = '${literal}' async`
}

function gone() {
  return refusal(394, 'QUERY_WAS_CANCELLED', 'The client went away.')
}
