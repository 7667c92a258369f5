/** Stores that were moved to another server by a dump, as the next start finds them. */
import { expect, test } from 'vitest'
import {
  addOrders,
  addPersons,
  audienceWorld,
  projectAll,
  settleAll,
} from '../test/support/audience-world.ts'
import { testClickHouse } from '../test/support/clickhouse.ts'
import { countDue, createSegment, evaluateOnce, recompute, segmentMembers } from './audience/audience.ts'
import { isRebuilding, rebuildClickHouse } from './events/events.ts'
import { sql } from './platform/postgres/sql.ts'
import { prepareStores } from './prepare.ts'
import type { Stores } from './stores.ts'

const ZONE = 'Asia/Shanghai'
const now = new Date('2026-03-01T04:00:00Z')
/** Further than any test server comes. */
const AHEAD = 1_000_000_000

test('persons who waited to be evaluated when a dump was taken are evaluated on the server that it was restored into', async () => {
  const world = await audienceWorld()
  const { db, clickhouse } = world
  const { id } = await db.transaction((tx) =>
    createSegment(
      tx,
      { name: '活跃', description: '', rule: { kind: 'lifecycle', states: ['active'] } },
      { by: null, at: now },
    ),
  )
  const how = { token: world.evaluate, now, zone: ZONE }
  await recompute(db, clickhouse, { ...how, now: () => now })
  const stores = {
    ...world,
    masterKey: Buffer.alloc(32, 1),
    clickhouseOptions: (await testClickHouse()).options,
  } as unknown as Stores
  await prepareStores(stores)

  await addPersons(
    world,
    [1, 2, 3].map((personId) => ({ personId, joinedAt: now.getTime() })),
    now,
  )
  const purchase = {
    id: '',
    at: now.getTime() - 86_400_000,
    amount: 9900,
    quantity: 0,
    discount: 0,
    store: '',
    seller: '',
    channel: '',
    side: '',
    campaign: '',
    coupon: false,
    lines: [],
  }
  await addOrders(world, [{ personId: 1, purchase }], now)
  await addOrders(world, [{ personId: 2, purchase }], now, 'bulk')
  // Touched and noted, and ClickHouse has not read of it yet.
  const noted = async () => {
    await evaluateOnce(db, clickhouse, how)
    return countDue(db, now)
  }
  await expect.poll(noted).toEqual({
    live: 3,
    bulk: 1,
    time: 0,
  })

  // As in a young server: what was restored lies in its future.
  for (const table of ['event_log', 'consumer'])
    await db.run(
      table === 'event_log'
        ? sql`update event_log set xid = ((xid::text)::bigint + ${AHEAD}::bigint)::text::xid8`
        : sql`update consumer set xid = ((xid::text)::bigint + ${AHEAD}::bigint)::text::xid8 where seq > 0`,
    )
  await db.run(sql`
    update evaluation_due set first_xid = ((first_xid::text)::bigint + ${AHEAD}::bigint)::text::xid8,
      last_xid = ((last_xid::text)::bigint + ${AHEAD}::bigint)::text::xid8`)
  await db.run(sql`update log_server set system_identifier = 'another'`)

  await prepareStores(stores)
  expect(await isRebuilding(db)).toBe(true)
  await rebuildClickHouse(db, clickhouse, {
    folder: '/nowhere',
    token: world.project,
    now,
    sweep: async () => 0,
  })
  await projectAll(world, now)
  await settleAll(world, now)
  expect(await countDue(db, now)).toEqual({ live: 0, bulk: 0, time: 0 })
  expect(await segmentMembers(db, id, { limit: 10 })).toHaveLength(2)
})
