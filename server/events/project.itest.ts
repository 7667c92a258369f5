import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OrderState } from '../../contract/events.ts'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import { lineOf, orderOf } from '../../test/support/orders.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { newId } from '../platform/ids.ts'
import { type LeaseToken, takeLease } from '../platform/jobs/lease.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { append } from './append.ts'
import { ArchiveBroken, archiveDays, dropArchivedDays, listDays } from './archive.ts'
import { hasCaughtUp, registerConsumers } from './consumers.ts'
import { type Lane, lanes, readLog, START } from './log.ts'
import { orderTotals, recordOrders, recordRefunds, removeOrders } from './orders.ts'
import { PROJECT, projectOnce } from './project.ts'
import { isRebuilding, rebuildClickHouse } from './rebuild.ts'
import { rowsOf } from './rows-of.ts'

const day = (number: number, hour = 12) => new Date(Date.UTC(2026, 2, number, hour))
let db: Database
let clickhouse: ClickHouse
let token: LeaseToken
let folder: string

beforeAll(async () => {
  db = await testDatabase()
  clickhouse = await testClickHouse()
  await registerConsumers(db, [PROJECT])
  const taken = await takeLease(db, PROJECT, 600_000)
  if (!taken) throw new Error('the lease is held')
  token = taken
  folder = await mkdtemp(join(tmpdir(), 'liuliang-archive-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function order(externalId: string, totalCents: number, lines = 1): OrderState {
  return orderOf(externalId, '1999-12-31T23:59:59.999Z', totalCents, {
    source: 'erp',
    paidAt: '2026-02-01T08:05:00.000Z',
    discountCents: 5,
    storeId: '01890000-0000-7000-8000-000000000001',
    channel: '门店',
    side: 'offline',
    lines: Array.from({ length: lines }, (_, index) =>
      lineOf(`s${index}`, 1999, {
        name: '连衣裙',
        category: '女装',
        quantity: 1.5,
        costCents: index === 0 ? null : 700,
      }),
    ),
  })
}

async function record(person: number | null, state: OrderState, lane: Lane = 'live', receivedAt = day(1)) {
  const document = { profileId: person, personId: person, order: state }
  await db.transaction((tx) => recordOrders(tx, [document], { lane, source: 'test', receivedAt }))
}

async function view(person: number, receivedAt = day(1), lane: Lane = 'live') {
  const event = {
    id: newId(receivedAt),
    type: 'page_viewed' as const,
    profileId: person,
    personId: person,
    at: receivedAt,
    data: { page: '首页', dwellSeconds: 3 },
  }
  await db.transaction((tx) => append(tx, [event], { lane, source: 'test', receivedAt }))
  return event
}

async function projectAll(batch = 1000): Promise<void> {
  while (!(await hasCaughtUp(db, PROJECT))) {
    let done = 0
    for (const lane of lanes) done += await projectOnce(db, clickhouse, { lane, token, now: day(20), batch })
    if (done === 0) await sleep(10)
  }
}

async function content() {
  return {
    events: await clickhouse.rows('select * except (placed, person_id, bulk), bulk from events order by all'),
    orders: await clickhouse.rows('select * except (placed) from orders final order by all'),
    lines: await clickhouse.rows('select * except (placed) from order_lines final order by all'),
  }
}

test('orders and events reach ClickHouse once, with their sums, and read back by person', async () => {
  await record(1, order('1', 12_345, 2))
  await record(1, order('2', 1, 1), 'bulk')
  await record(null, order('3', 99_999_999_99))
  const seen = await view(1)
  await record(1, { ...order('1', 12_345, 1), refundedCents: 45 })
  await db.transaction((tx) =>
    recordRefunds(
      tx,
      [
        {
          source: 'erp',
          externalId: 'r',
          orderExternalId: '2',
          at: '2026-02-02T00:00:00Z',
          refundedCents: 1,
          lines: [],
        },
      ],
      {
        lane: 'live',
        source: 'test',
        receivedAt: day(1),
      },
    ),
  )
  await projectAll(1)
  const people = await rowsOf(clickhouse, db, [1, 2], { lines: true, events: 'all' })
  expect(people.get(2)).toEqual({ orders: [], events: [] })
  const mine = people.get(1)
  expect(
    mine?.orders.map((each) => [
      each.totalCents,
      each.refundedCents,
      each.purchase,
      each.status,
      each.lines.length,
    ]),
  ).toEqual(
    expect.arrayContaining([
      [12_345, 45, true, 'paid', 1],
      [1, 1, false, 'refunded', 1],
    ]),
  )
  expect(mine?.orders).toHaveLength(2)
  expect(mine?.orders[0]).toMatchObject({
    at: Date.UTC(2026, 1, 1, 8, 5),
    store: '01890000-0000-7000-8000-000000000001',
    seller: '',
    channel: '门店',
    side: 'offline',
    discountCents: 5,
  })
  expect(mine?.orders[0]?.lines[0]).toEqual({
    sku: 's0',
    category: '女装',
    quantityMilli: 1500,
    priceCents: 1999,
    discountCents: 0,
    costCents: null,
    refundedCents: 0,
  })
  expect(mine?.events.map((each) => [each.id, each.type, each.detail, each.bulk])).toEqual([
    [seen.id, 'page_viewed', '首页', false],
  ])
  const [sums] = await clickhouse.rows<Record<string, number>>(
    'select count() as orders, toInt64(sum(total) * 100) as total, toInt64(sum(refunded) * 100) as refunded, countIf(person_id = 0) as anonymous from orders final',
    {},
    { settings: { output_format_json_quote_64bit_integers: 0 } },
  )
  const totals = await orderTotals(db)
  expect(sums).toEqual({
    orders: totals.orders,
    total: totals.totalCents,
    refunded: totals.refundedCents,
    anonymous: 1,
  })
})

test('a batch that was inserted and not accounted for is inserted no second time', async () => {
  await view(3)
  await record(3, order('again', 500, 3))
  await sleep(30)
  const from =
    (
      await db.rows<{ xid: string; seq: number }>(
        sql`select xid::text as xid, seq from consumer where name = ${PROJECT} and lane = 0`,
      )
    )[0] ?? START
  const next = () => readLog(db, { lane: 'live', after: from, limit: 100 })
  await expect.poll(async () => (await next()).length, { timeout: 120_000 }).toBe(2)
  const batch = await next()
  expect(await projectOnce(db, clickhouse, { lane: 'live', token, now: day(2) })).toBe(2)
  const before = await content()
  const last = batch.at(-1)
  // As after a crash between the inserts and the move: the bounds stand, the position does not.
  await db.run(
    sql`update consumer set xid = ${from.xid}::xid8, seq = ${from.seq} where name = ${PROJECT} and lane = 0`,
  )
  await db.run(sql`
    insert into projection_batch values (0, (select epoch from projection), ${from.xid}::xid8, ${from.seq}, ${last?.xid}::xid8, ${last?.seq})`)
  expect(await projectOnce(db, clickhouse, { lane: 'live', token, now: day(2), batch: 1 })).toBe(2)
  expect(await content()).toEqual(before)
  const [raw] = await clickhouse.rows<{ rows: number }>(
    'select count() as rows from events where person_id = 3',
  )
  expect(Number(raw?.rows)).toBe(1)
})

test('days that are over are archived, dropped when old and passed, and ClickHouse is made again from both', async () => {
  for (const number of [2, 3, 4, 12]) {
    await view(10 + number, day(number))
    await record(10 + number, order(`day-${number}`, number * 100, 2), 'bulk', day(number))
  }
  await record(13, order('day-2', 200, 1), 'live', day(12))
  await db.transaction((tx) =>
    removeOrders(tx, [{ source: 'erp', externalId: 'day-4' }], {
      lane: 'live',
      source: 'test',
      receivedAt: day(12),
    }),
  )
  const now = day(13)
  const archived = await archiveDays(db, { folder, now })
  expect(archived.map((each) => each.day)).toEqual([
    '2026-03-01',
    '2026-03-02',
    '2026-03-03',
    '2026-03-04',
    '2026-03-12',
  ])
  expect(await archiveDays(db, { folder, now })).toEqual([])
  // The first day is passed already, the others are not.
  expect(await dropArchivedDays(db, { folder, now })).toEqual(['2026-03-01'])
  await projectAll()
  const before = await content()
  expect(await dropArchivedDays(db, { folder, now })).toEqual(['2026-03-02', '2026-03-03', '2026-03-04'])
  // What arrives for a closed day goes to the first open one.
  await view(50, day(2))
  expect((await listDays(db)).map(({ day: each, state }) => [each, state])).toEqual([
    ['2026-03-01', 'dropped'],
    ['2026-03-02', 'dropped'],
    ['2026-03-03', 'dropped'],
    ['2026-03-04', 'dropped'],
    ['2026-03-12', 'archived'],
    ['2026-03-13', 'open'],
  ])
  await projectAll()
  const whole = await content()
  expect(whole.events.length).toBe(before.events.length + 1)
  while (!(await hasCaughtUp(db, PROJECT))) await sleep(10)
  const rebuilt = await rebuildClickHouse(db, clickhouse, { folder, token, now, sweep: async () => 0 })
  expect(rebuilt.days).toBe(4)
  expect(await isRebuilding(db)).toBe(false)
  expect(await content()).toEqual(whole)
  expect(await projectOnce(db, clickhouse, { lane: 'live', token, now })).toBe(0)
})

test('an archive that was changed is refused before anything is emptied, and its day is not dropped', async () => {
  await writeFile(join(folder, 'events-2026-03-03.ndjson.zst'), 'not what it was')
  const before = await content()
  await expect(
    rebuildClickHouse(db, clickhouse, { folder, token, now: day(14), sweep: async () => 0 }),
  ).rejects.toThrow(ArchiveBroken)
  expect(await content()).toEqual(before)
  await writeFile(join(folder, 'events-2026-03-12.ndjson.zst'), 'nor this')
  await expect(dropArchivedDays(db, { folder, now: day(25) })).rejects.toThrow(ArchiveBroken)
  expect((await listDays(db)).find((each) => each.day === '2026-03-12')?.state).toBe('archived')
})
