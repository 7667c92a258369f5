import { expect, test } from 'vitest'
import { heard } from '../../platform/postgres/database.ts'
import type { EventSource } from './event-source.ts'
import { isCrowded, openQueue } from './queue.ts'
import type { WaitingEvent } from './told.ts'
import type { Parcel, Written } from './write.ts'

const at = new Date('2026-03-02T02:00:00Z')
const source: EventSource = {
  id: '1',
  code: 'web',
  name: 'web',
  writeKey: 'k',
  origins: [],
  userIdKind: 'card',
  userIdScope: '',
  state: 'open',
  version: 1,
  createdAt: at,
}
const event = (id: string): WaitingEvent => ({ kind: 'event', id, at, who: [], type: 'tracked', json: '{}' })
const parcel = (...names: string[]): Parcel => ({ source, told: names.map(event), receivedAt: at })
const namesOf = (parcels: readonly Parcel[]): string[] =>
  parcels.flatMap(({ told }) => told.map(({ id }) => id))
const limits = { mostEvents: 6, mostBytes: 1000, batchEvents: 4, writers: 1, besideEvents: 1 }
const DONE: Written = { events: 0, repeated: 0, erased: 0 }

/** A writer that waits until it is let go, once for each call. */
function slowWriter() {
  const batches: string[][] = []
  const waiting: (() => void)[] = []
  return {
    batches,
    release: () => waiting.shift()?.(),
    async write(parcels: readonly Parcel[]): Promise<Written> {
      batches.push(namesOf(parcels))
      await new Promise<void>((resolve) => waiting.push(resolve))
      return DONE
    },
  }
}

test('what waits is written together, in order, and answered when it is written', async () => {
  const writer = slowWriter()
  const queue = openQueue(writer.write, limits)
  let answered = 0
  const all = [parcel('a'), parcel('b', 'c'), parcel('d')].map((one) =>
    queue.offer(one, 10).then(() => (answered += 1)),
  )
  await Promise.resolve()
  expect([writer.batches, answered]).toEqual([[['a']], 0])
  writer.release()
  await expect.poll(() => writer.batches).toEqual([['a'], ['b', 'c', 'd']])
  expect(answered).toBe(1)
  writer.release()
  await Promise.all(all)
  expect([answered, queue.depth()]).toEqual([3, 0])
})

test('beyond its bounds it takes nothing, and says when to come again', async () => {
  const writer = slowWriter()
  const queue = openQueue(writer.write, limits)
  const taken = [queue.offer(parcel('a', 'b', 'c'), 10), queue.offer(parcel('d', 'e', 'f'), 10)]
  expect(() => queue.offer(parcel('g'), 10)).toThrow(
    expect.objectContaining({ code: 'too_many', details: { retryAfterSeconds: 1 } }),
  )
  expect(() => queue.refuseBeyond(0)).toThrow(expect.objectContaining({ code: 'too_many' }))
  writer.release()
  await taken[0]
  await expect.poll(() => writer.batches).toHaveLength(2)
  writer.release()
  await taken[1]
  expect(() => queue.refuseBeyond(1001)).toThrow(expect.objectContaining({ code: 'too_many' }))
  expect(() => queue.refuseBeyond(1000)).not.toThrow()
})

test('while one batch waits for the disk the next is under way, up to the number of writers', async () => {
  const writer = slowWriter()
  const queue = openQueue(writer.write, { ...limits, writers: 2 })
  const all = ['a', 'b', 'c', 'd'].map((name) => queue.offer(parcel(name), 1))
  expect(writer.batches).toEqual([['a'], ['b']])
  writer.release()
  await expect.poll(() => writer.batches).toEqual([['a'], ['b'], ['c', 'd']])
  writer.release()
  writer.release()
  await Promise.all(all)
  expect(queue.depth()).toBe(0)
})

test('another writer begins only where enough waits to be worth a transaction', async () => {
  const writer = slowWriter()
  const queue = openQueue(writer.write, { ...limits, writers: 2, besideEvents: 3 })
  const all = ['a', 'b', 'c'].map((name) => queue.offer(parcel(name), 1))
  expect(writer.batches).toEqual([['a']])
  all.push(queue.offer(parcel('d'), 1))
  expect(writer.batches).toEqual([['a'], ['b', 'c', 'd']])
  writer.release()
  writer.release()
  await Promise.all(all)
})

const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, place) => parcel(`e${from + place}`))
const wide = { ...limits, mostEvents: 1000, batchEvents: 100 }

test('after many requests the next batch waits until as many are there again', async () => {
  const writer = slowWriter()
  const queue = openQueue(writer.write, wide)
  const first = queue.offer(parcel('first'), 1)
  const second = many(0, 8).map((one) => queue.offer(one, 1))
  writer.release()
  await first
  await expect.poll(() => writer.batches).toHaveLength(2)
  const early = many(8, 3).map((one) => queue.offer(one, 1))
  writer.release()
  await Promise.all(second)
  expect(writer.batches).toHaveLength(2)
  const late = many(11, 8).map((one) => queue.offer(one, 1))
  await expect.poll(() => writer.batches).toHaveLength(3)
  expect(writer.batches[2]).toHaveLength(11)
  writer.release()
  await Promise.all([...early, ...late])
  expect(queue.depth()).toBe(0)
})

test('whoever waits with too few others is written some milliseconds later', async () => {
  const queue = openQueue(async () => DONE, wide)
  await Promise.all(many(0, 20).map((one) => queue.offer(one, 1)))
  await queue.offer(parcel('alone'), 1)
  expect(queue.depth()).toBe(0)
})

test('the doors are crowded while batch after batch has many requests, and at ease when they stop', async () => {
  const sizes: number[] = []
  const queue = openQueue(async (parcels) => {
    sizes.push(parcels.length)
    return DONE
  }, wide)
  const round = async (requests: number): Promise<void> => {
    await Promise.all(many(0, requests).map((one) => queue.offer(one, 1)))
  }
  for (let n = 0; n < 12; n += 1) await round(5)
  expect(isCrowded(queue.state)).toBe(false)
  for (let n = 0; n < 12 && !isCrowded(queue.state); n += 1) await round(40)
  expect(isCrowded(queue.state)).toBe(true)
  await expect.poll(() => isCrowded(queue.state)).toBe(false)
  expect(Math.max(...sizes)).toBe(40)
})

test('one request that cannot be written harms no other', async () => {
  const written: string[] = []
  const queue = openQueue(async (parcels) => {
    const names = namesOf(parcels)
    if (names.includes('poison')) throw new Error('cannot be written')
    written.push(...names)
    return DONE
  }, limits)
  const answers = await Promise.allSettled([
    queue.offer(parcel('first'), 1),
    queue.offer(parcel('a'), 1),
    queue.offer(parcel('poison'), 1),
    queue.offer(parcel('b'), 1),
  ])
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(written).toEqual(['first', 'a', 'b'])
})

test('while PostgreSQL is away everybody is told to come again, and nobody is tried one by one', async () => {
  let calls = 0
  const queue = openQueue(async () => {
    calls += 1
    return heard(Promise.reject(new Error('Connection terminated unexpectedly')))
  }, limits)
  const answers = await Promise.allSettled([
    queue.offer(parcel('a'), 1),
    queue.offer(parcel('b'), 1),
    queue.offer(parcel('c'), 1),
  ])
  expect(
    answers.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : one.status)),
  ).toEqual(['unavailable', 'unavailable', 'unavailable'])
  expect([calls, queue.depth()]).toEqual([2, 0])
})

test('closing waits for what was taken and takes no more', async () => {
  const writer = slowWriter()
  const queue = openQueue(writer.write, limits)
  const taken = queue.offer(parcel('a'), 1)
  const closed = queue.close()
  expect(() => queue.offer(parcel('b'), 1)).toThrow(expect.objectContaining({ code: 'unavailable' }))
  writer.release()
  await Promise.all([taken, closed])
  expect(writer.batches).toEqual([['a']])
})
