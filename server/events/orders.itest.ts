import { beforeAll, expect, test } from 'vitest'
import type { OrderState } from '../../contract/events.ts'
import { testDatabase } from '../../test/support/database.ts'
import { fc } from '../../test/support/fast-check.ts'
import { lineOf, orderOf } from '../../test/support/orders.ts'
import type { Database } from '../platform/postgres/database.ts'
import { readHorizon } from '../platform/postgres/horizon.ts'
import { sql } from '../platform/postgres/sql.ts'
import { type LoggedEvent, readLog, START } from './log.ts'
import type { OrderDocument, RefundDocument } from './order-state.ts'
import { ordersOf, orderTotals, recordOrders, recordRefunds, removeOrders } from './orders.ts'

const receivedAt = new Date('2026-03-01T02:00:00Z')
const how = { lane: 'live', source: 'test', receivedAt } as const
let db: Database
/** For the same story told another way: ties between equal revisions are decided by the state's digest, ids included. */
let second: Database

beforeAll(async () => {
  db = await testDatabase({ max: 12 })
  second = await testDatabase({ max: 4 })
})

function order(externalId: string, more: Partial<OrderState> = {}): OrderState {
  return orderOf(externalId, '2026-02-01T08:00:00.000Z', 10_000, {
    source: 'erp',
    paidAt: '2026-02-01T08:05:00.000Z',
    lines: [lineOf('a', 4000), lineOf('b', 3000, { quantity: 2, costCents: 1000 })],
    ...more,
  })
}

function document(
  externalId: string,
  more: Partial<OrderState> = {},
  buyer: number | null = 1,
  revision?: number,
): OrderDocument {
  return {
    profileId: buyer,
    personId: buyer,
    order: order(externalId, more),
    ...(revision !== undefined && { revision }),
  }
}

const record = (...documents: OrderDocument[]) => db.transaction((tx) => recordOrders(tx, documents, how))
const refund = (...refunds: RefundDocument[]) => db.transaction((tx) => recordRefunds(tx, refunds, how))

async function told(externalId: string): Promise<LoggedEvent[]> {
  while ((await readHorizon(db)).holder) await new Promise((resolve) => setTimeout(resolve, 5))
  const events = await readLog(db, { lane: 'live', after: START, limit: 1_000_000 })
  return events.filter((event) => (event.data['order'] as OrderState).externalId === externalId)
}

test('an order that is recorded again as it stands writes nothing', async () => {
  const [first] = await record(document('same'))
  expect(first?.outcome).toBe('created')
  const [again] = await record(document('same'))
  expect(again).toMatchObject({ outcome: 'unchanged', orderId: first?.orderId, previous: undefined })
  expect(await told('same')).toHaveLength(1)
})

test('a state that stands is not waited for: whoever holds the order does not hold up a file that comes again', async () => {
  await record(document('held'))
  const [again] = await db.transaction(async (tx) => {
    await tx.run(sql`select from document where external_id = 'held' for update`)
    return record(document('held'))
  })
  expect(again?.outcome).toBe('unchanged')
})

test('a change is a new version with the whole state, and tells what stood before', async () => {
  await record(document('change'))
  const [changed] = await record(document('change', { refundedCents: 3000, coupon: 'spring' }))
  expect(changed).toMatchObject({
    outcome: 'changed',
    previous: { profileId: 1, order: { refundedCents: 0 } },
  })
  const events = await told('change')
  expect(events.map((event) => event.data['version'])).toEqual([1, 2])
  expect(events[1]?.data).toMatchObject({
    deleted: false,
    order: { refundedCents: 3000, coupon: 'spring', lines: [{ sku: 'a' }, { sku: 'b' }] },
  })
  if (!changed?.previous) throw new Error('nothing to go back to')
  const back = changed.previous
  await db.transaction((tx) => recordOrders(tx, [back], { ...how, force: true }))
  expect((await ordersOf(db, [1], 100)).find((each) => each.externalId === 'change')).toMatchObject({
    refundedCents: 0,
    coupon: null,
    version: 3,
  })
})

test('another buyer or time takes the old row away first', async () => {
  await record(document('moves', {}, 1))
  await record(document('moves', {}, 2))
  await record(document('moves', { paidAt: '2026-02-02T00:00:00.000Z' }, 2))
  expect(
    (await told('moves')).map((event) => [
      event.personId,
      event.data['version'],
      event.data['deleted'],
      event.at.toISOString(),
    ]),
  ).toEqual([
    [1, 1, false, '2026-02-01T08:05:00.000Z'],
    [1, 2, true, '2026-02-01T08:05:00.000Z'],
    [2, 3, false, '2026-02-01T08:05:00.000Z'],
    [2, 4, true, '2026-02-01T08:05:00.000Z'],
    [2, 5, false, '2026-02-02T00:00:00.000Z'],
  ])
  expect((await ordersOf(db, [1], 100)).some((each) => each.externalId === 'moves')).toBe(false)
})

test('a refund that comes before its order waits for it', async () => {
  const given = {
    source: 'erp',
    externalId: 'r1',
    orderExternalId: 'early',
    at: '2026-02-03T00:00:00Z',
    refundedCents: 4000,
    lines: [{ sku: 'a', refundedCents: 4000 }],
  }
  expect(await refund(given)).toEqual({ changed: [], unchanged: 0 })
  expect(await told('early')).toEqual([])
  const [recorded] = await record(document('early', {}, 5))
  expect(recorded).toMatchObject({ outcome: 'created', previous: undefined })
  const [standing] = await ordersOf(db, [5], 1)
  expect(standing).toMatchObject({
    refundedCents: 4000,
    version: 1,
    lines: [{ refundedCents: 4000 }, { refundedCents: 0 }],
  })
  expect(await refund(given)).toEqual({ changed: [], unchanged: 1 })
  // The next export of the order knows nothing of the refund, which still counts.
  await record(document('early', { coupon: 'x' }, 5))
  expect((await ordersOf(db, [5], 1))[0]).toMatchObject({ refundedCents: 4000, coupon: 'x', version: 2 })
})

test('an order that is taken back counts nowhere, and comes back when it is recorded again', async () => {
  const before = await orderTotals(db)
  await record(document('undone', { totalCents: 777 }, null))
  expect(await orderTotals(db)).toMatchObject({
    orders: before.orders + 1,
    totalCents: before.totalCents + 777,
    withoutBuyer: before.withoutBuyer + 1,
  })
  const keys = [{ source: 'erp', externalId: 'undone' }]
  expect(await db.transaction((tx) => removeOrders(tx, keys, how))).toBe(1)
  expect(await db.transaction((tx) => removeOrders(tx, keys, how))).toBe(0)
  expect(await orderTotals(db)).toEqual(before)
  expect((await record(document('undone', { totalCents: 777 }, null)))[0]?.outcome).toBe('created')
  expect((await told('undone')).map((event) => [event.data['version'], event.data['deleted']])).toEqual([
    [1, false],
    [2, true],
    [3, false],
  ])
})

test('what PostgreSQL cannot store is taken out of texts', async () => {
  await record(document('strange\u0000', { campaign: 'a\u0000b\uD800c\td\\N\n"' }, 9))
  expect((await ordersOf(db, [9], 1))[0]).toMatchObject({
    externalId: 'strange',
    campaign: 'ab\uFFFDc\td\\N\n"',
  })
})

test('many who record the same orders and refunds at once end with one state each', async () => {
  const count = 60
  const documents = Array.from({ length: count }, (_, index) =>
    document(`race-${index}`, { totalCents: index * 100 }, 30, 1),
  )
  const newer = documents.map((each) => ({ ...each, revision: 2, order: { ...each.order, coupon: 'two' } }))
  const refunds = documents.map((each, index) => ({
    source: 'erp',
    externalId: 'r',
    orderExternalId: each.order.externalId,
    at: '2026-02-05T00:00:00Z',
    refundedCents: index,
    lines: [],
  }))
  const shuffled = <T>(items: T[]) =>
    items
      .map((item) => ({ item, by: Math.random() }))
      .sort((a, b) => a.by - b.by)
      .map(({ item }) => item)
  await Promise.all([
    ...[documents, newer, documents, newer].map((some) => record(...shuffled(some))),
    ...[refunds, refunds].map((some) => refund(...shuffled(some))),
  ])
  const standing = (await ordersOf(db, [30], 1000)).sort((a, b) => a.totalCents - b.totalCents)
  expect(standing.map((each) => [each.externalId, each.totalCents, each.refundedCents, each.coupon])).toEqual(
    documents.map((each, index) => [each.order.externalId, index * 100, index, 'two']),
  )
  expect(await lastTold('race-')).toEqual(
    standing.map((each) => [each.externalId, each.refundedCents]).sort(),
  )
})

async function lastTold(prefix: string): Promise<unknown[][]> {
  const rows = await db.rows<{ id: string; refunded: number }>(sql`
    select distinct on (data->'order'->>'externalId') data->'order'->>'externalId' as id, (data->'order'->>'refundedCents')::int as refunded
    from event_log where data->'order'->>'externalId' like ${`${prefix}%`}
    order by data->'order'->>'externalId', (data->>'version')::int desc`)
  return rows.map((row) => [row.id, row.refunded]).sort()
}

type Act =
  | { kind: 'order'; revision: number; buyer: number | null; total: number; lines: number; day: number }
  | { kind: 'refund'; id: number; revision: number; cents: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant('order' as const),
    revision: fc.integer({ min: 1, max: 6 }),
    buyer: fc.option(fc.integer({ min: 100, max: 102 })),
    total: fc.integer({ min: 0, max: 5000 }),
    lines: fc.integer({ min: 0, max: 2 }),
    day: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constant('refund' as const),
    id: fc.integer({ min: 1, max: 3 }),
    revision: fc.integer({ min: 1, max: 3 }),
    cents: fc.integer({ min: 0, max: 3000 }),
  }),
)

test('in whatever order states and refunds arrive, in whatever portions, the end is the same', async () => {
  let story = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 1, maxLength: 7 }),
      fc.array(fc.nat(), { minLength: 7, maxLength: 7 }),
      fc.boolean(),
      async (acts, keys, together) => {
        story += 1
        const id = `story-${story}`
        const shuffled = acts
          .map((each, index) => ({ each, by: keys[index] ?? 0 }))
          .sort((a, b) => a.by - b.by)
          .map(({ each }) => each)
        await tell(db, id, acts, false)
        await tell(second, id, shuffled, together)
        const [first, last] = await Promise.all([standing(db, id), standing(second, id)])
        expect(last).toEqual(first)
        expect(await folded(db, id)).toEqual(first)
        expect(await folded(second, id)).toEqual(first)
      },
    ),
    { numRuns: 40 },
  )
})

async function tell(
  where: Database,
  externalId: string,
  acts: readonly Act[],
  together: boolean,
): Promise<void> {
  const orders = acts.flatMap((each) =>
    each.kind === 'order'
      ? [
          document(
            externalId,
            {
              totalCents: each.total,
              lines: order('').lines.slice(0, each.lines),
              paidAt: `2026-02-0${each.day}T00:00:00.000Z`,
            },
            each.buyer,
            each.revision,
          ),
        ]
      : [],
  )
  const refunds = acts.flatMap((each) =>
    each.kind === 'refund'
      ? [
          {
            source: 'erp',
            externalId: String(each.id),
            orderExternalId: externalId,
            at: '2026-02-09T00:00:00Z',
            refundedCents: each.cents,
            lines: [{ sku: 'a', refundedCents: each.cents }],
            revision: each.revision,
          },
        ]
      : [],
  )
  if (together) {
    await where.transaction((tx) => recordRefunds(tx, refunds, how))
    await where.transaction((tx) => recordOrders(tx, orders, how))
    return
  }
  for (const each of acts) {
    if (each.kind === 'order') await where.transaction((tx) => recordOrders(tx, orders.splice(0, 1), how))
    else await where.transaction((tx) => recordRefunds(tx, refunds.splice(0, 1), how))
  }
}

async function standing(where: Database, externalId: string): Promise<unknown> {
  return (
    (await where.maybe(sql`
      select body - 'externalId' as body, profile_id as buyer from document
      where kind = 'order' and external_id = ${externalId} and not deleted`)) ?? null
  )
}

/** What somebody knows who has only read the log: the last version that is not deleted. */
async function folded(where: Database, externalId: string): Promise<unknown> {
  return (
    (await where.maybe(sql`
      select (data->'order') - 'externalId' as body, profile_id as buyer from event_log
      where data->'order'->>'externalId' = ${externalId} and not (data->>'deleted')::boolean
        and (data->>'version')::int = (
          select max((l.data->>'version')::int) from event_log l where l.data->'order'->>'externalId' = ${externalId})`)) ??
    null
  )
}
