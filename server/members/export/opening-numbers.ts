/**
 * Who opens the numbers of an export: threads beside the one that makes the file where there are many, since opening takes
 * longer than all the rest; the thread of the file itself where starting others would.
 */
import type { KeyObject } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { ExportPage, Open, SealedNumbers } from './export-rows.ts'

export type OpeningNumbers = {
  /** So many pages are worth reading before the first of them is asked back. */
  readonly ahead: number
  /** The page with its numbers written, or as it is where the thread of the file is to write them. Answers may be waited for in any order. */
  open(page: ExportPage): Promise<ExportPage>
  stop(): Promise<void>
}

/** What a thread is told when it starts, and what it answers for each page, in their order. */
export type NumbersOrder = { wrapping: KeyObject; open: Open }
export type FromNumbers = { numbers: Uint8Array } | { failed: string }

/** Starting a thread takes as long as opening so many. */
const THREADS_FROM = 5000
const MOST_THREADS = 3

/** For an export of about so many numbers. */
export function openingNumbers(numbers: number, order: NumbersOrder): OpeningNumbers {
  if (numbers < THREADS_FROM)
    return { ahead: 0, open: (page) => Promise.resolve(page), stop: async () => undefined }
  const count = Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1))
  const threads = Array.from({ length: count }, () => startThread(order))
  let turn = 0
  return {
    ahead: count + 1,
    async open(page) {
      const thread = threads[turn % count]
      if (!thread || page.numbers === undefined || page.numbers instanceof Uint8Array) return page
      turn += 1
      return { ...page, numbers: await thread.open(page.numbers) }
    },
    async stop() {
      await Promise.all(threads.map((thread) => thread.stop()))
    },
  }
}

const FILE = new URL(`./numbers-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

function startThread(order: NumbersOrder): {
  open(sealed: SealedNumbers): Promise<Uint8Array>
  stop(): Promise<void>
} {
  const worker = new Worker(FILE, { workerData: order })
  const waiting: PromiseWithResolvers<Uint8Array>[] = []
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    for (const one of waiting.splice(0)) one.reject(ended)
  }
  worker.on('message', (message: FromNumbers) => {
    const first = waiting.shift()
    if ('numbers' in message) first?.resolve(message.numbers)
    else first?.reject(new Error(message.failed))
  })
  worker.on('error', (error) => end(error instanceof Error ? error : new Error(String(error))))
  worker.on('exit', () => end(new Error('a thread that opens numbers ended')))
  return {
    open(sealed) {
      if (ended) return Promise.reject(ended)
      const one = Promise.withResolvers<Uint8Array>()
      waiting.push(one)
      worker.postMessage(sealed)
      return one.promise
    },
    async stop() {
      await worker.terminate()
    },
  }
}
