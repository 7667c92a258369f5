/**
 * Who answers the ranges of a recompute: threads where the base is large, so that reading, deciding and comparing use
 * every processor and the thread that serves pages does none of it; this thread where starting others takes longer.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { ClickHouse, ClickHouseOptions } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { PersonRange } from '../facts/store-columns.ts'
import type { Evaluator } from '../rule/compile.ts'
import type { Definitions } from '../rule/definitions.ts'
import { answerPart, answerRange, type RangeAnswer, type RangePart } from './range.ts'

export type Answering = {
  /** So many ranges are worked on at once. */
  readonly atOnce: number
  /** Errors: those of the stores. */
  answer(range: PersonRange, asked: Asked): Promise<RangeAnswer>
  answerPart(range: PersonRange, asked: AskedPart): Promise<RangePart>
  close(): Promise<void>
}

export type Asked = { evaluator: Evaluator; now: number }
/** About the `concerned` segments alone, by the evaluator of that part. */
export type AskedPart = Asked & { concerned: ReadonlySet<number> }

/** What a thread is told when it starts, and for each range: the definitions where they are others than for the last. */
export type ThreadData = { url: string; clickhouse: ClickHouseOptions }
export type ToThread = {
  number: number
  range: PersonRange
  now: number
  concerned: ReadonlySet<number> | undefined
  definitions?: Definitions
}
export type FromThread = { number: number; answer?: RangeAnswer | RangePart; failed?: string }

/** Starting threads takes as long as answering for so many persons. */
const THREADS_FROM = 40_000
const MOST_THREADS = 4
const YOUNG_MB = 32

/** For a base, or what is left of it, of so many persons. */
export function openAnswering(db: Database, clickhouse: ClickHouse, persons: number): Answering {
  const here: Answering = {
    atOnce: 1,
    answer: (range, asked) => answerRange(db, clickhouse, range, asked),
    answerPart: (range, asked) => answerPart(db, clickhouse, range, asked),
    close: async () => undefined,
  }
  return persons < THREADS_FROM ? here : threads(db, clickhouse, here)
}

function threads(db: Database, clickhouse: ClickHouse, here: Answering): Answering {
  const data: ThreadData = { url: db.url, clickhouse: clickhouse.options }
  const count = Math.max(1, Math.min(MOST_THREADS, availableParallelism()))
  const all = Array.from({ length: count }, () => new Thread(data))
  let turn = 0
  let closed = false
  /** By the next thread. What a thread could not answer is answered here: then an error is that of the store itself. */
  const by = <Found>(
    ask: (thread: Thread) => Promise<Found>,
    otherwise: () => Promise<Found>,
  ): Promise<Found> => {
    const thread = all[turn % count] as Thread
    turn += 1
    return ask(thread).catch((error: unknown) => {
      if (closed) throw error
      return otherwise()
    })
  }
  return {
    atOnce: count,
    answer: (range, asked) =>
      by(
        (thread) => thread.ask<RangeAnswer>(range, asked),
        () => here.answer(range, asked),
      ),
    answerPart: (range, asked) =>
      by(
        (thread) => thread.ask<RangePart>(range, asked),
        () => here.answerPart(range, asked),
      ),
    async close() {
      closed = true
      await Promise.all(all.map((thread) => thread.close()))
    },
  }
}

const FILE = new URL('./range-worker.ts', import.meta.url)

class Thread {
  readonly #worker: Worker
  readonly #open = new Map<number, PromiseWithResolvers<RangeAnswer | RangePart>>()
  #asked = 0
  #definitions: Definitions | undefined
  #ended: Error | undefined

  constructor(data: ThreadData) {
    this.#worker = new Worker(FILE, {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => this.#end(new Error('a thread of the recompute ended')))
  }

  /** What is found is a part where one is asked for. */
  ask<Found extends RangeAnswer | RangePart>(
    range: PersonRange,
    { evaluator, now, concerned }: Asked & Partial<AskedPart>,
  ): Promise<Found> {
    if (this.#ended) return Promise.reject(this.#ended)
    const { definitions } = evaluator
    this.#asked += 1
    const waiting = Promise.withResolvers<RangeAnswer | RangePart>()
    this.#open.set(this.#asked, waiting)
    const known = this.#definitions === definitions
    this.#definitions = definitions
    const message: ToThread = { number: this.#asked, range, now, concerned, ...(!known && { definitions }) }
    this.#worker.postMessage(message)
    return waiting.promise as Promise<Found>
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #hear({ number, answer, failed }: FromThread): void {
    const waiting = this.#open.get(number)
    this.#open.delete(number)
    if (answer) waiting?.resolve(answer)
    else waiting?.reject(new Error(failed ?? 'no answer'))
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const waiting of this.#open.values()) waiting.reject(error)
    this.#open.clear()
  }
}
