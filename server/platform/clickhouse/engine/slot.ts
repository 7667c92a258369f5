/** One session as the front sees it: free, or busy with one job; in a thread of its own or in this one. */
import { Worker } from 'node:worker_threads'
import { ClickHouseException } from './exception.ts'
import type { FromSession, Job, SessionSettings, Summary, ToSession } from './job.ts'
import { holdSession } from './session.ts'

export type Sink = (chunk: Uint8Array) => Promise<void>

export type Slot = {
  readonly busy: boolean
  /** Marks it as lent; `run` must follow. */
  reserve(): void
  /** The file is loaded (before that nothing may change the process' rights). */
  readonly loaded: Promise<void>
  /** Opens the first session; resolves to the engine's version. */
  open(settings: SessionSettings): Promise<string>
  /** Runs one job; resolves when a fresh session is open again, `answer` as soon as the statement has ended. */
  run(job: Job, sink: Sink): { answer: Promise<Summary>; free: Promise<void> }
  /** The running job stops at the next chunk. */
  cancel(): void
  close(): Promise<void>
}

const FILE = new URL(`./session-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/**
 * `thread`: for statements that are streamed. `here`: saves 22 MB, for inserts, DDL and KILL, which chDB runs on
 * libuv's pool from the start. `onBroken` is called when no session can be held any more: the process must end then.
 */
export function startSlot(where: 'thread' | 'here', onBroken: (reason: string) => void): Slot {
  const loaded = Promise.withResolvers<void>()
  let opened = Promise.withResolvers<string>()
  let current: { sink: Sink; answer: PromiseWithResolvers<Summary> } | undefined
  let closing = false
  let busy = false

  const fail = (reason: string) => {
    if (closing) return
    current?.answer.reject(new ClickHouseException(`Code: 236. DB::Exception: ${reason} (ABORTED)`))
    opened.reject(new Error(reason))
    onBroken(reason)
  }
  const hear = (message: FromSession) => {
    if ('loaded' in message) loaded.resolve()
    else if ('ready' in message) opened.resolve(message.version)
    else if ('chunk' in message) void pass(message.chunk)
    else if ('done' in message) current?.answer.resolve(message.done)
    else if ('failed' in message) current?.answer.reject(new ClickHouseException(message.failed))
    else fail(message.broken)
  }
  const { tell, ended } = where === 'thread' ? inThread(hear, fail) : inThisThread(hear)

  let passing = Promise.resolve()
  function pass(chunk: Uint8Array): Promise<void> {
    const to = current
    passing = passing
      .then(() => to?.sink(chunk))
      .then(
        () => tell({ taken: true }),
        () => tell({ cancel: true }),
      )
    return passing
  }

  return {
    get busy() {
      return busy
    },
    loaded: loaded.promise,
    reserve() {
      busy = true
    },
    open(settings) {
      tell({ open: settings })
      return opened.promise
    },
    run(job, sink) {
      opened = Promise.withResolvers()
      const answer = Promise.withResolvers<Summary>()
      current = { sink, answer }
      passing = Promise.resolve()
      tell({ run: job })
      const free = opened.promise.then(() => {
        busy = false
        current = undefined
      })
      return { answer: answer.promise.then((summary) => passing.then(() => summary)), free }
    },
    cancel: () => tell({ cancel: true }),
    async close() {
      closing = true
      tell({ close: true })
      await ended
    },
  }
}

type Link = { tell(message: ToSession): void; ended: Promise<void> }

function inThread(hear: (message: FromSession) => void, fail: (reason: string) => void): Link {
  const worker = new Worker(FILE)
  const ended = Promise.withResolvers<void>()
  worker.on('message', hear)
  worker.on('error', (error) => fail(error instanceof Error ? error.message : String(error)))
  worker.on('exit', () => {
    ended.resolve()
    fail('a session thread ended')
  })
  return { tell: (message) => worker.postMessage(message), ended: ended.promise }
}

function inThisThread(hear: (message: FromSession) => void): Link {
  const ended = Promise.withResolvers<void>()
  // Later, as a message would come: a caller first finishes what it is doing.
  const receive = holdSession((message) => setImmediate(hear, message), ended.resolve)
  setImmediate(hear, { loaded: true })
  return { tell: (message) => setImmediate(receive, message), ended: ended.promise }
}
