import { beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { newId } from '../platform/ids.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { append, turnSeen } from './append.ts'
import { type NewEvent, readLog, START } from './log.ts'

const at = new Date('2026-03-01T02:00:00Z')
const how = { lane: 'live', source: 'test', receivedAt: at } as const
let db: Database

beforeAll(async () => {
  db = await testDatabase()
})

function event(id = newId(at), personId = 1): NewEvent {
  return {
    id,
    type: 'page_viewed',
    profileId: personId,
    personId,
    at,
    data: { page: '首页\t"\\', dwellSeconds: null },
  }
}

test('what is appended is read back as it was, in order', async () => {
  const events = [event(), event(), event()]
  await db.transaction((tx) => append(tx, events, how))
  // Other databases of the server may hold the horizon for a moment: what was written is readable soon, not at once.
  const read = () => readLog(db, { lane: 'live', after: START, limit: 10 })
  await expect.poll(async () => (await read()).length, { timeout: 120_000 }).toBe(3)
  expect((await read()).map(({ xid: _, seq: __, ...rest }) => rest)).toEqual(
    events.map((one) => ({ ...one, lane: 'live', source: 'test', receivedAt: at })),
  )
  expect(await readLog(db, { lane: 'bulk', after: START, limit: 10 })).toEqual([])
})

test('an event that its source sends again is written once, over a turn of the tables too', async () => {
  const one = event()
  const append1 = () => db.transaction((tx) => append(tx, [one, one], { ...how, dedupe: true }))
  expect(await append1()).toEqual({ written: 1, repeated: 1 })
  expect(await append1()).toEqual({ written: 0, repeated: 2 })
  const inDays = (days: number) => new Date(at.getTime() + days * 86_400_000)
  expect(await turnSeen(db, at)).toBe(false)
  expect(await turnSeen(db, inDays(29))).toBe(false)
  expect(await turnSeen(db, inDays(31))).toBe(true)
  expect(await append1()).toEqual({ written: 0, repeated: 2 })
  expect(await turnSeen(db, inDays(62))).toBe(true)
  expect(await append1()).toEqual({ written: 1, repeated: 1 })
})

test('eight writers that bring the same events at once, while the tables turn, write each once', async () => {
  const events = Array.from({ length: 300 }, () => event())
  const shuffled = () => [...events].sort(() => Math.random() - 0.5)
  let day = 100
  const turning = new AbortController()
  const turner = (async () => {
    while (!turning.signal.aborted) {
      day += 31
      // One turn at most may fall into the test: what was forgotten is rightly written again.
      if (day < 140) await turnSeen(db, new Date(at.getTime() + day * 86_400_000))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  const writes = await Promise.all(
    Array.from({ length: 8 }, async () => {
      let written = 0
      const mine = shuffled()
      for (let from = 0; from < mine.length; from += 50) {
        const part = mine.slice(from, from + 50)
        written += (await db.transaction((tx) => append(tx, part, { ...how, dedupe: true }))).written
      }
      return written
    }),
  )
  turning.abort()
  await turner
  expect(writes.reduce((sum, written) => sum + written, 0)).toBe(events.length)
  const { rows } = await db.row<{ rows: number }>(
    sql`select count(*) as rows from event_log where id = any(${events.map((one) => one.id)}::uuid[])`,
  )
  expect(rows).toBe(events.length)
})

test('partitions are made on demand by several writers at once', async () => {
  const days = Array.from({ length: 6 }, (_, index) => new Date(Date.UTC(2027, 0, 1 + index, 12)))
  await Promise.all(
    [...days, ...days].map((receivedAt) =>
      db.transaction((tx) => append(tx, [event()], { ...how, receivedAt })),
    ),
  )
  const rows = await db.rows<{ day: string; rows: number }>(
    sql`select day, count(*) as rows from event_log where day >= '2027-01-01' group by day order by day`,
  )
  expect(rows).toEqual(days.map((day) => ({ day: day.toISOString().slice(0, 10), rows: 2 })))
})
