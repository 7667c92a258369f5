import { beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { newId } from '../platform/ids.ts'
import { takeLease } from '../platform/jobs/lease.ts'
import type { Database } from '../platform/postgres/database.ts'
import { readHorizon } from '../platform/postgres/horizon.ts'
import { sql } from '../platform/postgres/sql.ts'
import { adoptLog } from './adopt-log.ts'
import { append } from './append.ts'
import { positionOf, registerConsumers, runConsumer } from './consumers.ts'
import { type Lane, readLog, START } from './log.ts'
import { isRebuilding } from './rebuild.ts'

const at = new Date('2026-03-01T02:00:00Z')
let db: Database

beforeAll(async () => {
  db = await testDatabase()
})

async function happen(lane: Lane, count = 1): Promise<string[]> {
  const events = Array.from({ length: count }, () => ({
    id: newId(at),
    type: 'page_viewed' as const,
    profileId: 1,
    personId: 1,
    at,
    data: {},
  }))
  await db.transaction((tx) => append(tx, events, { lane, source: 'test', receivedAt: at }))
  return events.map((event) => event.id)
}

async function ids(lane: Lane): Promise<string[]> {
  while ((await readHorizon(db)).holder) await new Promise((resolve) => setTimeout(resolve, 5))
  return (await readLog(db, { lane, after: START, limit: 1000 })).map((event) => event.id)
}

test('a log that was restored into another server is read on from where each consumer was', async () => {
  expect(await adoptLog(db, at)).toBe(false)
  await registerConsumers(db, ['half', 'none'])
  const token = await takeLease(db, 'half')
  if (!token) throw new Error('the lease is held')
  const live = [...(await happen('live', 3)), ...(await happen('live', 3))]
  const bulk = await happen('bulk', 2)
  live.push(...(await happen('live', 3)))
  await ids('live')
  const handled: string[] = []
  const handle = async (_: unknown, events: { id: string }[]) => {
    handled.push(...events.map((event) => event.id))
  }
  await runConsumer(db, { name: 'half', lane: 'live', token, now: at, batch: 4, handle })
  // As in a young server: what is in the log lies in its future.
  await db.run(sql`update event_log set xid = ((xid::text)::bigint + 1000000000)::text::xid8`)
  await db.run(sql`update consumer set xid = ((xid::text)::bigint + 1000000000)::text::xid8 where seq > 0`)
  expect(await ids('live')).toEqual([])
  expect(await adoptLog(db, at)).toBe(false)
  await db.run(sql`update log_server set system_identifier = 'another'`)
  expect(await adoptLog(db, at)).toBe(true)
  expect(await adoptLog(db, at)).toBe(false)
  expect(await ids('live')).toEqual(live)
  expect(await ids('bulk')).toEqual(bulk)
  expect(await isRebuilding(db)).toBe(true)
  expect(await positionOf(db, { name: 'none', lane: 'live' })).toEqual(START)

  live.push(...(await happen('live', 2)))
  await ids('live')
  while ((await runConsumer(db, { name: 'half', lane: 'live', token, now: at, batch: 4, handle })) > 0);
  expect(handled).toEqual(live)
})
