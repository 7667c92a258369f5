import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { newId } from '../platform/ids.ts'
import { LeaseLost, takeLease } from '../platform/jobs/lease.ts'
import type { Database } from '../platform/postgres/database.ts'
import { readHorizon } from '../platform/postgres/horizon.ts'
import { sql } from '../platform/postgres/sql.ts'
import { append } from './append.ts'
import {
  hasCaughtUp,
  moveOn,
  positionOf,
  readLag,
  registerConsumers,
  runConsumer,
  takeBatch,
} from './consumers.ts'
import { type Lane, type NewEvent, readLog, START } from './log.ts'

const at = new Date('2026-03-01T02:00:00Z')
let db: Database

beforeAll(async () => {
  db = await testDatabase({ max: 16 })
})

function events(count: number, person = 1): NewEvent[] {
  return Array.from({ length: count }, () => ({
    id: newId(at),
    type: 'page_viewed' as const,
    profileId: person,
    personId: person,
    at,
    data: { page: 'p', dwellSeconds: null },
  }))
}

function write(count: number, lane: Lane = 'live', source = 'test') {
  return db.transaction((tx) => append(tx, events(count), { lane, source, receivedAt: at }))
}

async function token(name: string) {
  const taken = await takeLease(db, name)
  if (!taken) throw new Error('the lease is held')
  return taken
}

test('four writers that pause before they commit lose nothing to one reader', async () => {
  const held = await token('reader')
  let writing = true
  const written: string[] = []
  const writer = async () => {
    for (let round = 0; round < 60; round += 1) {
      const mine = events(1 + Math.floor(Math.random() * 5))
      await db.transaction(async (tx) => {
        await append(tx, mine, { lane: 'live', source: 'writers', receivedAt: at })
        await sleep(Math.random() < 0.2 ? Math.random() * 40 : 0)
      })
      written.push(...mine.map((event) => event.id))
    }
  }
  const read: string[] = []
  const readOnce = () =>
    runConsumer(db, {
      name: 'reader',
      lane: 'live',
      token: held,
      now: at,
      batch: 7,
      async handle(_, batch) {
        read.push(...batch.filter((event) => event.source === 'writers').map((event) => event.id))
      },
    })
  const reader = (async () => {
    while (writing) await readOnce()
    while (!(await hasCaughtUp(db, 'reader'))) await readOnce()
  })()
  // What a reader by sequence alone would lose shows that the test can fail.
  const naive = new Set<string>()
  let last = 0
  const naiveReader = (async () => {
    while (writing) {
      const rows = await db.rows<{ id: string; seq: number }>(
        sql`select id, seq from event_log where seq > ${last} and source = 'writers' order by seq limit 7`,
      )
      for (const row of rows) naive.add(row.id)
      last = rows.at(-1)?.seq ?? last
    }
  })()
  await Promise.all([writer(), writer(), writer(), writer()])
  writing = false
  await Promise.all([reader, naiveReader])
  expect(read.toSorted()).toEqual(written.toSorted())
  expect(naive.size).toBeLessThan(written.length)
})

test('the order within a transaction, and of one writer, is the order of the log', async () => {
  const mine = [events(3, 77), events(3, 77), events(3, 77)]
  for (const some of mine) {
    await db.transaction((tx) => append(tx, some, { lane: 'bulk', source: 'ordered', receivedAt: at }))
  }
  const read = await settled('bulk')
  expect(read.filter((event) => event.source === 'ordered').map((event) => event.id)).toEqual(
    mine.flat().map((event) => event.id),
  )
})

async function settled(lane: Lane) {
  // Another test's database shares the server's transaction numbers: its open transactions hold the horizon.
  while ((await readHorizon(db)).holder) await sleep(10)
  return readLog(db, { lane, after: START, limit: 100_000 })
}

test('a large backlog of the bulk lane does not delay a live event', async () => {
  for (let round = 0; round < 10; round += 1) await write(2000, 'bulk', 'backlog')
  await write(1, 'live', 'urgent')
  await settled('live')
  const held = await token('lanes')
  let found = false
  let batches = 0
  while (!found) {
    const done = await runConsumer(db, {
      name: 'lanes',
      lane: 'live',
      token: held,
      now: at,
      batch: 5000,
      async handle(_, batch) {
        batches += 1
        expect(batch.every((event) => event.lane === 'live')).toBe(true)
        found = batch.some((event) => event.source === 'urgent')
      },
    })
    if (done === 0) await sleep(10)
  }
  expect(batches).toBe(1)
})

test('of some types alone a consumer gets the same events, in order, and comes as far as one that reads all', async () => {
  const held = await token('types')
  const types = ['page_viewed', 'member_replied', 'visited_store'] as const
  const written: NewEvent[] = []
  for (let round = 0; round < 12; round += 1) {
    const some = events(1 + ((round * 7) % 5)).map((event, place) => ({
      ...event,
      type: types[(round + place) % types.length] ?? 'page_viewed',
      data: { round, place },
    }))
    written.push(...some)
    await db.transaction((tx) => append(tx, some, { lane: 'live', source: 'types', receivedAt: at }))
  }
  const wanted = written.filter(({ type }) => type === 'member_replied')
  const given: unknown[] = []
  const seen: number[] = []
  const run = {
    name: 'types',
    lane: 'live',
    token: held,
    now: at,
    batch: 7,
    types: ['member_replied'],
  } as const
  const once = () =>
    runConsumer(db, {
      ...run,
      async handle(_, batch) {
        given.push(...batch.filter(({ source }) => source === 'types').map(({ id, data }) => ({ id, data })))
      },
    })
  await expect
    .poll(
      async () => {
        seen.push(await once())
        return given.length
      },
      { timeout: 60_000, interval: 1 },
    )
    .toBe(wanted.length)
  while ((await once()) > 0);
  expect(given).toEqual(wanted.map(({ id, data }) => ({ id, data })))
  expect(Math.max(...seen)).toBe(7)
  const left = await readLog(db, { lane: 'live', after: await positionOf(db, run), limit: 10 })
  expect(left).toEqual([])
})

test('a consumer goes only as far as the one that it waits for', async () => {
  const ahead = await token('ahead')
  const behind = await token('behind')
  await write(30)
  await settled('live')
  const run = (name: string, held: typeof ahead, batch: number, notBeyond?: string) =>
    runConsumer(db, {
      name,
      lane: 'live',
      token: held,
      now: at,
      batch,
      ...(notBeyond && { notBeyond }),
      handle: async () => undefined,
    })
  expect(await run('behind', behind, 100, 'ahead')).toBe(0)
  expect(await run('ahead', ahead, 10)).toBe(10)
  expect(await run('behind', behind, 100, 'ahead')).toBe(10)
  expect(await positionOf(db, { name: 'behind', lane: 'live' })).toEqual(
    await positionOf(db, { name: 'ahead', lane: 'live' }),
  )
})

test('a batch that was read before somebody else moved on is not handled twice', async () => {
  await write(5)
  await settled('live')
  const held = await token('twice')
  const first = await takeBatch(db, { name: 'twice', lane: 'live', limit: 3 })
  const second = await takeBatch(db, { name: 'twice', lane: 'live', limit: 3 })
  if (!first || !second) throw new Error('nothing to read')
  await db.transaction((tx) => moveOn(tx, first, held, at))
  await expect(db.transaction((tx) => moveOn(tx, second, held, at))).rejects.toThrow(LeaseLost)
})

test('what a handler wrote goes with its position: a failure leaves neither', async () => {
  await db.run(sql`create table noted (id uuid)`)
  await write(4)
  await settled('live')
  const held = await token('atomic')
  const run = (fails: boolean) =>
    runConsumer(db, {
      name: 'atomic',
      lane: 'live',
      token: held,
      now: at,
      batch: 10,
      async handle(tx, batch) {
        await tx.run(sql`insert into noted select unnest(${batch.map((event) => event.id)}::uuid[])`)
        if (fails) throw new Error('after writing')
      },
    })
  await expect(run(true)).rejects.toThrow('after writing')
  expect(await positionOf(db, { name: 'atomic', lane: 'live' })).toEqual(START)
  expect(await db.row(sql`select count(*) as rows from noted`)).toEqual({ rows: 0 })
  expect(await run(false)).toBe(10)
  expect(await db.row(sql`select count(*) as rows from noted`)).toEqual({ rows: 10 })
})

test('a transaction that stays open is named as the holder of the horizon, and consumers show how far behind they are', async () => {
  await registerConsumers(db, ['lagging'])
  const open = await db.connect()
  await open.query("set application_name = 'forgotten'; begin; select pg_current_xact_id()")
  await write(3, 'live')
  await sleep(50)
  // Somebody else's transaction may be older; ours becomes the oldest soon.
  let horizon = await readHorizon(db)
  while (horizon.holder?.program !== 'forgotten') {
    await sleep(10)
    horizon = await readHorizon(db)
  }
  expect(horizon.ageSeconds).toBeGreaterThan(0.04)
  await open.query('rollback')
  open.release()
  const lag = await readLag(db, new Date(at.getTime() + 90_000))
  const mine = lag.find((each) => each.name === 'lagging' && each.lane === 'live')
  expect(mine?.behind).toBeGreaterThanOrEqual(3)
  expect(mine?.seconds).toBe(90)
})
