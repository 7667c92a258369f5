import { beforeAll, expect, test } from 'vitest'
import { type Caller, type TestApp, testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

let db: Database
let app: TestApp
let key: Caller

beforeAll(async () => {
  db = await testDatabase()
  app = await testApp(db)
  key = await app.withKey(['orders:write', 'members:write', 'org:write'])
})

const order = {
  externalId: 'SO-1',
  buyer: [{ kind: 'card', value: 'M1' }],
  placedAt: '1970-01-02T10:00:00+08:00',
  paidAt: '1970-01-02T10:01:00+08:00',
  status: 'paid',
  totalCents: 5000,
  storeCode: 'S1',
  sellerCode: 'guide-1',
  lines: [{ sku: 'A', quantity: 2, priceCents: 2500 }],
}

async function send(path: string, body: unknown): Promise<unknown> {
  const { status, body: answer } = await key('POST', `/api/batch/${path}`, body)
  expect(status, JSON.stringify(answer)).toBe(200)
  return answer
}

test('orders count once by their id, change by their state, and go to whom their identifiers name', async () => {
  const batch = { source: 'erp', items: [order, { ...order, externalId: 'SO-2', buyer: null }] }
  expect(await send('orders', batch)).toEqual({
    items: [
      { externalId: 'SO-1', outcome: 'created' },
      { externalId: 'SO-2', outcome: 'created' },
    ],
  })
  expect(await send('orders', batch)).toEqual({
    items: [
      { externalId: 'SO-1', outcome: 'unchanged' },
      { externalId: 'SO-2', outcome: 'unchanged' },
    ],
  })
  expect(await send('orders', { source: 'erp', items: [{ ...order, refundedCents: 1000 }] })).toEqual({
    items: [{ externalId: 'SO-1', outcome: 'changed' }],
  })
  const [first, second] = await db.rows<{ person: number | null; refunded: number; store: string }>(sql`
    select d.person_id as person, d.refunded_cents as refunded, s.code as store
    from document d join store s on s.id = (d.body ->> 'storeId')::uuid where d.kind = 'order' order by external_id`)
  expect([first?.refunded, first?.store, second?.person]).toEqual([1000, 'S1', null])
  expect(
    await db.row(sql`select count(*)::int as n from event_log where type = 'order_recorded' and lane = 0`),
  ).toEqual({ n: 3 })
  // The member that is told of later is the one who bought.
  await send('members', {
    source: 'crm',
    items: [{ externalId: '1', identifiers: [{ kind: 'card', value: 'm1' }], name: '张三' }],
  })
  expect(
    await db.row(
      sql`select e.name from profile p join person e on e.id = p.person_id where p.id = ${first?.person ?? 0}`,
    ),
  ).toEqual({ name: '张三' })
})

test('history counts and sets nothing off: it goes by the lane of imports', async () => {
  await send('orders', { source: 'old', backfill: true, items: [order] })
  expect(
    await db.row(sql`select distinct lane from event_log where source = 'old' and type = 'order_recorded'`),
  ).toEqual({ lane: 1 })
})

test('refunds that are listed apart change their orders, also when they come first', async () => {
  const refund = {
    externalId: 'R-1',
    orderExternalId: 'SO-9',
    at: '2026-03-01T10:00:00+08:00',
    refundedCents: 5000,
  }
  expect(await send('refunds', { source: 'erp', items: [refund] })).toEqual({
    changedOrders: [],
    unchanged: 0,
  })
  await send('orders', { source: 'erp', items: [{ ...order, externalId: 'SO-9' }] })
  expect(
    await db.row(
      sql`select body ->> 'status' as status from document where external_id = 'SO-9' and kind = 'order'`,
    ),
  ).toEqual({ status: 'refunded' })
  expect(await send('refunds', { source: 'erp', items: [refund] })).toEqual({
    changedOrders: [],
    unchanged: 1,
  })
})

test('members are written by field, the later word wins, and the same again changes nothing', async () => {
  const member = {
    externalId: '7',
    at: '2026-03-01T00:00:00Z',
    identifiers: [{ kind: 'phone', value: '13812340987' }],
    name: '李四',
    joinedAt: '2025-01-02T10:00:00+08:00',
    homeStoreCode: 'S7',
    custom: { level: 'gold' },
    consents: [{ channel: 'sms', state: 'granted' }],
  }
  const outcome = async (more: object): Promise<unknown> =>
    (
      (await send('members', { source: 'crm', items: [{ ...member, ...more }] })) as {
        items: { outcome: string }[]
      }
    ).items[0]?.outcome
  expect(await outcome({})).toBe('created')
  expect(await outcome({})).toBe('unchanged')
  expect(await outcome({ at: '2026-02-01T00:00:00Z', name: '李旧' })).toBe('unchanged')
  expect(await outcome({ at: '2026-03-02T00:00:00Z', custom: { level: 'black' } })).toBe('changed')
  expect(
    await db.row(
      sql`select e.name, e.kind, e.attributes ->> 'custom.level' as level, e.consents ->> 'sms' as sms, s.code as store from person e join store s on s.id = e.home_store_id where e.name = '李四'`,
    ),
  ).toEqual({ name: '李四', kind: 'member', level: 'black', sms: 'granted', store: 'S7' })
})

test('products, stores, stock and footfall are kept up to date by their codes', async () => {
  const product = { sku: 'A', name: '裙', priceCents: 100 }
  expect(await send('products', { source: 'erp', items: [product] })).toEqual({
    created: 1,
    changed: 0,
    unchanged: 0,
  })
  expect(
    await send('products', {
      source: 'erp',
      items: [
        { ...product, priceCents: 200 },
        { ...product, sku: 'B' },
      ],
    }),
  ).toEqual({ created: 1, changed: 1, unchanged: 0 })
  expect(
    await send('stores', { source: 'erp', items: [{ code: 'S1', name: '西湖店', city: '杭州' }] }),
  ).toEqual({ created: 0, changed: 1, unchanged: 0 })
  const level = { storeCode: 'S1', sku: 'A', quantity: 5, at: '2026-03-01T10:00:00Z' }
  expect(
    await send('stock', {
      source: 'erp',
      items: [{ ...level, quantity: 4, at: '2026-03-01T11:00:00Z' }, level],
    }),
  ).toEqual({ created: 1, changed: 0, unchanged: 0 })
  expect(await send('stock', { source: 'erp', items: [level] })).toEqual({
    created: 0,
    changed: 0,
    unchanged: 1,
  })
  expect(await db.row(sql`select quantity::int as quantity from stock_level`)).toEqual({ quantity: 4 })
  const visitors = { storeCode: 'S1', day: '2026-03-01', entered: 10 }
  await send('footfall', { source: 'doors', items: [visitors] })
  expect(await send('footfall', { source: 'doors', items: [{ ...visitors, entered: 12 }] })).toEqual({
    created: 0,
    changed: 1,
    unchanged: 0,
  })
})

test('one bad item refuses the whole call, named by its place, and nothing is written', async () => {
  const before = await db.row(
    sql`select (select count(*) from document) as documents, (select count(*) from stock_level) as levels`,
  )
  const ask = async (path: string, body: unknown): Promise<unknown> => {
    const { status, body: answer } = await key('POST', `/api/batch/${path}`, body)
    return [status, (answer as { field?: string }).field]
  }
  const items = [
    { ...order, externalId: 'X1' },
    { ...order, externalId: 'X2', placedAt: '1969-12-31T00:00:00Z' },
  ]
  expect(await ask('orders', { source: 'erp', items })).toEqual([400, 'items.1.placedAt'])
  expect(
    await ask('stock', {
      source: 'erp',
      items: [
        { storeCode: 'S1', sku: 'Z', quantity: 1, at: '2026-03-01T10:00:00Z' },
        { storeCode: '无', sku: 'Z', quantity: 1, at: '2026-03-01T10:00:00Z' },
      ],
    }),
  ).toEqual([400, 'items.1.storeCode'])
  expect(await ask('members', { source: 'crm', items: [{ name: '无名' }] })).toEqual([400, 'items.0'])
  expect(
    await db.row(
      sql`select (select count(*) from document) as documents, (select count(*) from stock_level) as levels`,
    ),
  ).toEqual(before)
  expect(
    (
      await (
        await app.withKey(['members:read'])
      )('POST', '/api/batch/orders', { source: 'erp', items: [order] })
    ).status,
  ).toBe(403)
})

test('the API page shows an example of each', async () => {
  const { body } = await app.anonymous('GET', '/openapi.json')
  const text = JSON.stringify(body)
  for (const example of ['SO-1001', 'R-1', 'M0001', '西湖店', '4100']) expect(text).toContain(example)
})
