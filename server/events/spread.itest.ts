/** Everything that reads and writes the projection, over distributed tables: the same answers as over plain ones. */
import { beforeAll, expect, test } from 'vitest'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import { lineOf, orderOf } from '../../test/support/orders.ts'
import { spreadTables } from '../../test/support/spread-tables.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { idOf } from '../platform/ids.ts'
import { type LeaseToken, takeLease } from '../platform/jobs/lease.ts'
import type { Database } from '../platform/postgres/database.ts'
import { append } from './append.ts'
import { purchaseColumns } from './columns-of.ts'
import { hasCaughtUp, registerConsumers } from './consumers.ts'
import { lanes, type NewEvent } from './log.ts'
import { moveMisplaced } from './move-rows.ts'
import { recordOrders } from './orders.ts'
import { PROJECT, projectOnce } from './project.ts'
import { placement, rowsOf } from './rows-of.ts'

const at = new Date('2026-03-01T02:00:00Z')
const how = { lane: 'live' as const, source: 'test', receivedAt: at }
const PEOPLE = [1, 2, 3, 4]
type Side = { db: Database; clickhouse: ClickHouse; token: LeaseToken }
let plain: Side
let spread: Side

beforeAll(async () => {
  plain = await side(await testClickHouse())
  spread = await side(await spreadTables(await testClickHouse()))
})

async function side(clickhouse: ClickHouse): Promise<Side> {
  const db = await testDatabase()
  await registerConsumers(db, [PROJECT])
  const token = await takeLease(db, PROJECT, 600_000)
  if (!token) throw new Error('the lease is held')
  return { db, clickhouse, token }
}

test('rows that are projected twice, moved to another person and back, and deleted, answer alike', async () => {
  await both(async (to) => {
    for (const person of PEOPLE) await happen(to, person)
    await project(to)
  })
  await both((to) => merge(to, 'persons_merged'))
  await both((to) => project(to))
  await both(async ({ db, clickhouse, token }) => {
    expect(await moveMisplaced(db, clickhouse, { token })).toBeGreaterThan(0)
  })
  await both(async (to) => {
    await happen(to, 2, 'later')
    await project(to)
  })
  await both((to) => merge(to, 'merge_undone'))
  await both(async (to) => {
    await project(to)
    while ((await moveMisplaced(to.db, to.clickhouse, { token: to.token })) > 0);
  })
  const [rows] = await spread.clickhouse.rows<{ rows: number }>('select count() as rows from events_local')
  expect(rows?.rows).toBeGreaterThan(PEOPLE.length)
  await both(({ clickhouse }) => clickhouse.remove('orders', 'person_id = {person:Int32}', { person: 3 }))
  await both(({ clickhouse }) => clickhouse.truncate('order_lines'))
})

async function both(work: (to: Side) => Promise<void>): Promise<void> {
  await work(plain)
  await work(spread)
  expect(await answers(spread)).toEqual(await answers(plain))
}

async function happen({ db }: Side, person: number, more = 'first'): Promise<void> {
  const event: NewEvent = {
    id: idOf('event', person, more),
    type: 'page_viewed',
    profileId: person,
    personId: person,
    at,
    data: { page: more, dwellSeconds: null },
  }
  await db.transaction((tx) => append(tx, [event], how))
  const order = orderOf(`${person}-${more}`, at, 1000 * person, {
    lines: [lineOf('A', 600 * person), lineOf('B', 400 * person)],
  })
  await db.transaction((tx) => recordOrders(tx, [{ profileId: person, personId: person, order }], how))
}

async function merge({ db }: Side, type: 'persons_merged' | 'merge_undone'): Promise<void> {
  const side = type === 'persons_merged' ? { absorbedPersonId: 2 } : { restoredPersonId: 2 }
  const data = { mergeId: idOf('merge'), keptPersonId: 1, profileIds: [2], ...side }
  const event: NewEvent = { id: idOf(type), type, profileId: null, personId: null, at, data }
  await db.transaction((tx) => append(tx, [event], how))
}

async function project({ db, clickhouse, token }: Side): Promise<void> {
  while (!(await hasCaughtUp(db, PROJECT)))
    for (const lane of lanes) await projectOnce(db, clickhouse, { lane, token, now: at, batch: 3 })
}

/** By every way of reading: some persons, everybody in order, and SQL over the base with versions folded and lines joined. */
async function answers({ db, clickhouse }: Side): Promise<unknown> {
  const people = await rowsOf(clickhouse, db, PEOPLE, { lines: true, events: ['page_viewed'] })
  const { columns, standing } = await purchaseColumns(clickhouse, { from: 1, before: 1000 }, ['store'])
  const stores = columns.texts('f_store')
  const streamed = [...standing].map((row) => [
    columns.numbers('person')[row],
    columns.numbers('amount')[row],
    stores.keys[stores.codes[row] ?? 0],
  ])
  const { person, counts, params } = await placement(db)
  const sums = await clickhouse.rows(
    `select ${person} as owner, toString(sum(total)) as spent, toString(sum(pieces)) as pieces
    from orders final left join (
      select person_id as line_person, order_id as line_order, sum(quantity) as pieces
      from order_lines final where purchase = 1 group by line_person, line_order
    ) lines on line_person = orders.person_id and line_order = orders.id
    where purchase = 1 and ${counts} group by owner order by owner`,
    params,
  )
  return { people: [...people], streamed, sums }
}
