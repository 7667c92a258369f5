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
import { answerRange, type RangeAnswer } from './range.ts'

export type Answering = {
  /** So many ranges are worked on at once. */
  readonly atOnce: number
  /** Errors: those of the stores. */
  answer(range: PersonRange, how: { evaluator: Evaluator; now: number }): Promise<RangeAnswer>
  close(): Promise<void>
}

/** What a thread is told when it starts, and for each range. */
export type ThreadData = { url: string; clickhouse: ClickHouseOptions }
export type ToThread = { number: number; range: PersonRange; now: number; definitions?: Definitions }
export type FromThread = { number: number; answer?: RangeAnswer; failed?: string }

/** Starting threads takes as long as answering for so many persons. */
const THREADS_FROM = 40_000
const MOST_THREADS = 4
const YOUNG_MB = 32

/** For a base, or what is left of it, of so many persons. */
export function openAnswering(db: Database, clickhouse: ClickHouse, persons: number): Answering {
  const here: Answering = {
    atOnce: 1,
    answer: (range, how) => answerRange(db, clickhouse, range, how),
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
  return {
    atOnce: count,
    async answer(range, how) {
      const thread = all[turn % count] as Thread
      turn += 1
      // What a thread could not answer is answered here: then an error is that of the store itself.
      return thread.answer(range, how).catch((error: unknown) => {
        if (closed) throw error
        return here.answer(range, how)
      })
    },
    async close() {
      closed = true
      await Promise.all(all.map((thread) => thread.close()))
    },
  }
}

const FILE = new URL('./range-worker.ts', import.meta.url)

class Thread {
  readonly #worker: Worker
  readonly #open = new Map<number, PromiseWithResolvers<RangeAnswer>>()
  #asked = 0
  #revision: number | undefined
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

  answer(
    range: PersonRange,
    { evaluator, now }: { evaluator: Evaluator; now: number },
  ): Promise<RangeAnswer> {
    if (this.#ended) return Promise.reject(this.#ended)
    const { definitions } = evaluator
    this.#asked += 1
    const waiting = Promise.withResolvers<RangeAnswer>()
    this.#open.set(this.#asked, waiting)
    const known = this.#revision === definitions.revision
    this.#revision = definitions.revision
    const message: ToThread = { number: this.#asked, range, now, ...(!known && { definitions }) }
    this.#worker.postMessage(message)
    return waiting.promise
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
