/**
 * What was taken and is not yet durable: a bounded queue before a writer, so that many small requests share a
 * transaction; with more writers than one the next is under way while one waits for the disk, where enough waits to be
 * worth a transaction. Batches are taken in order of arrival; who waits for each answer before sending on has his events
 * in that order.
 *
 * Always true: `offer` answers when what was offered is committed, and throws when nothing of it is. At most
 * `mostEvents` and `mostBytes` wait; what comes beyond is refused at once.
 */
import { isPostgresAway } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import type { Parcel, Written } from './write.ts'

export type QueueLimits = {
  mostEvents: number
  mostBytes: number
  batchEvents: number
  writers: number
  /** Events that wait before another writer begins beside one that is at work. */
  besideEvents: number
}
export const queueLimits: QueueLimits = {
  mostEvents: 40_000,
  mostBytes: 64 * 1024 * 1024,
  batchEvents: 4000,
  writers: 2,
  besideEvents: 500,
}

const RETRY_AFTER_SECONDS = 1
const AWAY_RETRY_SECONDS = 2

type Offered = {
  parcel: Parcel
  bytes: number
  done: (written: Written) => void
  failed: (error: unknown) => void
}

/** What other threads see: how many events wait, and a level that rises with batches of many requests. */
export type QueueState = Int32Array
const EVENTS = 0
const PRESSED = 1

const CROWDED_EVENTS = 500
/** Many who send one by one never let many events wait, but their requests do. A batch of at least so many … */
const CROWDED_REQUESTS = 24
/** … raises the level by two, a smaller one lowers it by one. Two thousand a second, evenly spread, are smaller ones. */
const CROWDED_LEVEL = 8
const HIGHEST_LEVEL = 16
/** When nothing came for so long nobody is crowded; shorter gaps are the time that clients take to send on. */
const CALM_MS = 250

/**
 * After a batch of at least so many requests the next one waits until as many are there again, since whoever was
 * answered sends on: a transaction costs as much as some fifty events.
 */
const GATHERED_REQUESTS = 8
/** It waits so long at most. */
const GATHER_MS = 4

/** Whether more comes than can be written at once: then what can wait lets the doors go first. */
export function isCrowded(state: QueueState): boolean {
  return Atomics.load(state, EVENTS) >= CROWDED_EVENTS || Atomics.load(state, PRESSED) >= CROWDED_LEVEL
}

export type IntakeQueue = ReturnType<typeof openQueue>

/** A queue over `write`, which commits parcels together or not at all. */
export function openQueue(write: (parcels: readonly Parcel[]) => Promise<Written>, limits = queueLimits) {
  const waiting: Offered[] = []
  const state: QueueState = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
  let bytes = 0
  /** Of those that count as `depth`, the ones that no writer has taken yet. */
  let waitingEvents = 0
  const running = new Set<Promise<void>>()
  let atWork = 0
  let calm: NodeJS.Timeout | undefined
  let gathering: { requests: number; end(): void } | undefined
  let closed = false

  const depth = (): number => Atomics.load(state, EVENTS)

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = take()
      try {
        const written = await write(batch.map(({ parcel }) => parcel))
        for (const one of batch) one.done(written)
      } catch (error) {
        if (batch.length === 1 || isPostgresAway(error)) for (const one of batch) one.failed(answerFor(error))
        else await oneByOne(batch)
      }
      for (const one of batch) release(one)
      press(batch.length)
      if (batch.length >= GATHERED_REQUESTS && !closed && !gathering)
        await gathered(batch.length + waiting.length)
    }
    // In the same step as the look at the queue: whoever offers now must find nobody at work.
    atWork -= 1
    if (atWork === 0) calm = setTimeout(() => Atomics.store(state, PRESSED, 0), CALM_MS).unref()
  }

  function press(requests: number): void {
    const level = Atomics.load(state, PRESSED) + (requests < CROWDED_REQUESTS ? -1 : 2)
    Atomics.store(state, PRESSED, Math.min(HIGHEST_LEVEL, Math.max(0, level)))
  }

  /** Resolves when so many requests wait, or some milliseconds later. */
  function gathered(requests: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        gathering = undefined
        resolve()
      }
      const timer = setTimeout(end, GATHER_MS)
      gathering = { requests, end }
    })
  }

  /** Something waits now: who begins with it? */
  function arrange(): void {
    if (gathering) {
      if (waiting.length >= gathering.requests || waitingEvents >= limits.batchEvents) gathering.end()
    } else if (atWork === 0) begin()
    else if (atWork < limits.writers && waitingEvents >= limits.besideEvents) begin()
  }

  function begin(): void {
    clearTimeout(calm)
    atWork += 1
    const one = run()
    running.add(one)
    void one.finally(() => running.delete(one))
  }

  /** Something in the batch cannot be written: only that is refused. */
  async function oneByOne(batch: readonly Offered[]): Promise<void> {
    for (const one of batch) {
      try {
        one.done(await write([one.parcel]))
      } catch (error) {
        one.failed(answerFor(error))
      }
    }
  }

  function take(): Offered[] {
    let count = 0
    let size = 0
    while (size < waiting.length && count < limits.batchEvents) {
      count += waiting[size]?.parcel.told.length ?? 0
      size += 1
    }
    waitingEvents -= count
    return waiting.splice(0, size)
  }

  function release({ parcel, bytes: own }: Offered): void {
    Atomics.sub(state, EVENTS, parcel.told.length)
    bytes -= own
  }

  return {
    /** Errors: `too_many` with `retryAfterSeconds` where the queue is full, `unavailable`. */
    offer(parcel: Parcel, size: number): Promise<Written> {
      if (closed)
        throw new Problem('unavailable', 'The program is stopping.', {
          details: { retryAfterSeconds: AWAY_RETRY_SECONDS },
        })
      if (depth() + parcel.told.length > limits.mostEvents || bytes + size > limits.mostBytes) throw full()
      Atomics.add(state, EVENTS, parcel.told.length)
      bytes += size
      return new Promise((done, failed) => {
        waiting.push({ parcel, bytes: size, done, failed })
        waitingEvents += parcel.told.length
        arrange()
      })
    },
    /** Errors: `too_many` where bodies of `size` bytes in all are more than may be held: asked before one is read. */
    refuseBeyond(size: number): void {
      if (size > limits.mostBytes || depth() >= limits.mostEvents) throw full()
    },
    depth,
    state,
    /** Takes no more, and waits for what was taken. */
    async close(): Promise<void> {
      closed = true
      await Promise.all(running)
    },
  }
}

function full(): Problem {
  return new Problem('too_many', 'More events wait than can be written just now. Send these again.', {
    details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
  })
}

function answerFor(error: unknown): unknown {
  if (!isPostgresAway(error)) return error
  return new Problem('unavailable', 'PostgreSQL is away for a moment. Send these events again.', {
    details: { retryAfterSeconds: AWAY_RETRY_SECONDS },
  })
}
