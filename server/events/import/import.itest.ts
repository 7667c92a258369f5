import { beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { fileOf, importWorld } from '../../../test/support/imports.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { type ImportFile, importFile } from './import-file.ts'

const db = await testDatabase()
const world = await importWorld(db)
await db.run(
  sql`insert into brand (name, zone, currency, created_at) values ('测试', 'Asia/Shanghai', 'CNY', ${world.clock.now()}) on conflict do nothing`,
)

beforeEach(async () => {
  await db.run(
    sql`truncate document, event_log, person, profile, identifier, import_run, import_chunk, store, staff cascade`,
  )
})

async function bring(name: string, content: string, more: Partial<ImportFile> = {}) {
  return importFile(world, { file: await fileOf(world, name, content), now: world.clock.now(), ...more })
}

const ORDERS = `订单号,手机号,下单时间,商品编码,商品名称,数量,单价,门店,导购
A1,13812345671,2025-01-02 10:00,S1,毛巾,2,¥10.00,万象城店,王芳
A2,13812345672,2025-01-03 11:00,S2,浴巾,1,"1,200.00",万象城店,王芳
A1,13812345671,2025-01-02 10:00,S2,浴巾,1,50,万象城店,王芳
A3,,2025-01-04,S1,毛巾,1,10,国贸店,李雷
A1,13812345671,2025-01-02 10:00,S1,毛巾,-1,10,万象城店,王芳
A4,13812345671,昨天,S1,毛巾,1,10,国贸店,李雷
`

test('orders of a file: lines that stand apart are one order, a bad row is told, the rest goes in', async () => {
  const { run } = await bring('orders.csv', ORDERS)
  expect(run).toMatchObject({ state: 'imported', kind: 'orders' })
  expect(run.counts).toMatchObject({
    read: 6,
    accepted: 5,
    rejected: 1,
    reasons: { not_a_date: 1 },
    created: 3,
    orders: 3,
    ordersWithoutBuyer: 1,
    people: 2,
    peopleCreated: 2,
    storesCreated: 2,
  })
  const rows = await db.rows<{ id: string; body: Record<string, unknown>; person: number | null }>(
    sql`select external_id as id, body, person_id as person from document where kind = 'order' order by 1`,
  )
  expect(
    rows.map((row) => [
      row.id,
      row.body['totalCents'],
      row.body['refundedCents'],
      row.body['paidAt'],
      row.person === null,
    ]),
  ).toEqual([
    ['A1', 7000, 1000, '2025-01-02T02:00:00.000Z', false],
    ['A2', 120000, 0, '2025-01-03T03:00:00.000Z', false],
    ['A3', 1000, 0, '2025-01-03T16:00:00.000Z', true],
  ])
})

test('the same file again changes nothing', async () => {
  await bring('orders.csv', ORDERS)
  const before = await db.rows(sql`select external_id, version, digest, body from document order by 1`)
  const events = await db.row(sql`select count(*) as n from event_log`)
  const { run } = await bring('orders.csv', ORDERS)
  expect(run.counts).toMatchObject({
    created: 0,
    changed: 0,
    unchanged: 3,
    peopleCreated: 0,
    storesCreated: 0,
  })
  expect(await db.rows(sql`select external_id, version, digest, body from document order by 1`)).toEqual(
    before,
  )
  expect(await db.row(sql`select count(*) as n from event_log`)).toEqual(events)
})
