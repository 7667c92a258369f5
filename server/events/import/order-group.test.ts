import { describe, expect, test } from 'vitest'
import type { Mapping } from '../../../contract/import.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { Columns } from './columns.ts'
import { isRejected, type OrderPlan, planOrders, type Rejected } from './order-group.ts'
import { type OrderRow, orderKey, packOrder, readOrderRow, unpackOrder } from './order-row.ts'
import type { Cell } from './row.ts'

const HEADINGS = [
  'orderNo',
  'refundOf',
  'phone',
  'memberNo',
  'orderedAt',
  'paidAt',
  'status',
  'total',
  'discount',
  'refunded',
  'sku',
  'quantity',
  'price',
  'lineTotal',
  'lineDiscount',
  'lineRefunded',
  'refundedQuantity',
] as const
type Given = Partial<Record<(typeof HEADINGS)[number], Cell>>

/** Rows with exactly the columns that they fill. */
function rowsOf(given: readonly Given[]): OrderRow[] {
  const used = HEADINGS.filter((heading) => given.some((row) => heading in row))
  const mapping: Mapping = { columns: used.map((field) => ({ heading: field, field })), defaults: {} }
  const columns = new Columns(used, mapping, { zone: 'Asia/Shanghai', latest: new Date('2026-01-01') })
  return given.map((row, index) => {
    const cells = used.map((heading) => row[heading] ?? null)
    columns.enter({ number: index + 2, cells })
    const read = readOrderRow(columns, index + 2, {})
    expect(columns.faults).toEqual([])
    return read
  })
}

function plansOf(given: readonly Given[]): (OrderPlan | Rejected)[] {
  const lines = rowsOf(given)
    .map((row) => packOrder(orderKey(row), row))
    .sort()
  const groups = Map.groupBy(lines.map(unpackOrder), ({ key }) => key)
  return [...groups].flatMap(([key, group]) =>
    planOrders(
      key,
      group.map(({ row }) => row),
    ),
  )
}

function only(given: readonly Given[]): OrderPlan {
  const [plan, ...others] = plansOf(given)
  if (!plan || isRejected(plan) || others.length > 0) throw new Error(JSON.stringify(plan))
  return plan
}

const base: Given = { orderNo: 'A1', orderedAt: '2025-01-02 10:00', sku: 'S1', quantity: '2', price: '10.00' }

describe('orders from rows', () => {
  test('lines add up, with their discounts', () => {
    const plan = only([
      { ...base, lineDiscount: '1' },
      { ...base, sku: 'S2', quantity: '1', price: '5.005', lineDiscount: null },
    ])
    expect(plan.order?.state).toMatchObject({
      totalCents: 1900 + 501,
      discountCents: 100,
      refundedCents: 0,
      status: 'paid',
      paidAt: '2025-01-02T02:00:00.000Z',
    })
    expect(plan.order?.state.lines).toMatchObject([
      { sku: 'S1', quantity: 2, priceCents: 1000, discountCents: 100 },
      { sku: 'S2', quantity: 1, priceCents: 501 },
    ])
  })

  test('a total on every row is the total of the order, not a sum', () => {
    expect(
      only([
        { ...base, total: '25' },
        { ...base, sku: 'S2', total: '25' },
      ]).order?.state.totalCents,
    ).toBe(2500)
  })

  test('rows of one order that contradict each other are refused together', () => {
    expect(
      plansOf([
        { ...base, total: '25' },
        { ...base, total: '26' },
      ]),
    ).toMatchObject([{ reason: 'order_disagrees', field: 'total', rows: [{}, {}] }])
    expect(
      plansOf([
        { ...base, memberNo: 'M1' },
        { ...base, memberNo: 'M2' },
      ]),
    ).toMatchObject([{ reason: 'order_disagrees', field: 'memberNo' }])
    expect(
      only([
        { ...base, memberNo: 'M1' },
        { ...base, memberNo: null },
      ]).order?.buyer,
    ).toEqual([['number', 'M1']])
  })

  test('a negative quantity takes from the line of the same goods', () => {
    const { order } = only([base, { ...base, quantity: '-1' }])
    expect(order?.state).toMatchObject({ totalCents: 2000, refundedCents: 1000, status: 'paid' })
    expect(order?.state.lines).toMatchObject([{ sku: 'S1', quantity: 2, refundedCents: 1000 }])
  })

  test('a negative line without such goods reduces the total', () => {
    const { order } = only([base, { ...base, sku: 'DISCOUNT', quantity: '-1', price: '3' }])
    expect(order?.state).toMatchObject({ totalCents: 1700, refundedCents: 0 })
    expect(order?.state.lines).toHaveLength(2)
  })

  test('own refund columns are absolute', () => {
    expect(only([{ ...base, refunded: '5' }]).order?.state.refundedCents).toBe(500)
    expect(
      only([
        { ...base, lineRefunded: '5' },
        { ...base, sku: 'S2', lineRefunded: '1' },
      ]).order?.state.refundedCents,
    ).toBe(600)
    expect(only([{ ...base, refundedQuantity: '1' }]).order?.state.refundedCents).toBe(1000)
    expect(only([{ ...base, status: '全额退款' }]).order?.state).toMatchObject({
      status: 'refunded',
      refundedCents: 2000,
    })
  })

  test('a cancel invoice is a refund of its original, and stands for itself where that is not known', () => {
    const [plan] = plansOf([
      { ...base, orderNo: '536379' },
      { ...base, orderNo: 'C536379', quantity: '-2' },
    ])
    expect(plan).toMatchObject({
      externalId: '536379',
      order: { state: { totalCents: 2000, refundedCents: 0 } },
      refunds: [{ id: 'C536379', refundedCents: 2000, lines: [{ sku: 'S1', refundedCents: 2000 }] }],
    })
    const lone = only([{ ...base, orderNo: 'C536380', quantity: '-2' }])
    expect(lone).toMatchObject({
      externalId: '536380',
      order: null,
      refunds: [
        {
          alone: {
            externalId: 'C536380',
            state: { totalCents: -2000, refundedCents: 0, status: 'refunded' },
          },
        },
      ],
    })
  })

  test('a refund that names its order waits for it', () => {
    const plan = only([{ ...base, orderNo: 'R9', refundOf: 'A1', quantity: '1' }])
    expect(plan).toMatchObject({
      externalId: 'A1',
      order: null,
      refunds: [{ id: 'R9', refundedCents: 1000, alone: null }],
    })
  })

  test('unpaid and cancelled orders are no purchases', () => {
    expect(only([{ ...base, paidAt: null, status: '待付款' }]).order?.state).toMatchObject({
      status: 'placed',
      paidAt: null,
    })
    expect(only([{ ...base, status: '交易关闭' }]).order?.state).toMatchObject({
      status: 'cancelled',
      paidAt: null,
    })
    expect(only([{ ...base, paidAt: '2025-01-02 10:05' }]).order?.state.paidAt).toBe(
      '2025-01-02T02:05:00.000Z',
    )
    const [paid, unpaid] = plansOf([
      { ...base, paidAt: '2025-01-02 10:05' },
      { ...base, orderNo: 'A2', paidAt: null },
    ])
    expect([paid, unpaid]).toMatchObject([
      { order: { state: { status: 'paid' } } },
      { order: { state: { status: 'placed' } } },
    ])
  })

  test('rows without a number are orders of their own, told apart by what they say and how often', () => {
    const rows: Given[] = [
      { memberNo: '1', orderedAt: '19970112', total: '12.00' },
      { memberNo: '1', orderedAt: '19970112', total: '12.00' },
      { memberNo: '1', orderedAt: '19970112', total: '77.00' },
    ]
    const ids = plansOf(rows).map((plan) => (isRejected(plan) ? '' : plan.externalId))
    expect(new Set(ids).size).toBe(3)
    expect(
      plansOf([...rows].reverse())
        .map((plan) => (isRejected(plan) ? '' : plan.externalId))
        .sort(),
    ).toEqual([...ids].sort())
  })

  test('an order with thousands of lines is refused', () => {
    expect(plansOf(Array.from({ length: 2001 }, (_, n) => ({ ...base, sku: `S${n}` })))).toMatchObject([
      { reason: 'too_many_lines' },
    ])
  })

  test('what comes out does not depend on the order of the rows', () => {
    const row = fc.record({
      orderNo: fc.constantFrom('A1', 'A2', 'C1234', '1234'),
      orderedAt: fc.constantFrom('2025-01-02 10:00', '2025-01-02 10:01'),
      sku: fc.constantFrom('S1', 'S2', null),
      quantity: fc.integer({ min: -3, max: 3 }).map(String),
      price: fc.integer({ min: 0, max: 500 }).map((cents) => (cents / 100).toFixed(2)),
      memberNo: fc.constantFrom('M1', null),
    })
    const shuffled = fc
      .array(row, { maxLength: 12 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })))
    fc.assert(
      fc.property(shuffled, ([rows, again]) => {
        expect(stripped(plansOf(again))).toEqual(stripped(plansOf(rows)))
      }),
    )
  })

  test('no money is lost: totals less refunds are the sum of the rows', () => {
    const row = fc.record({
      orderNo: fc.constantFrom('A1', 'A2', 'A3'),
      orderedAt: fc.constant('2025-01-02 10:00'),
      sku: fc.constantFrom('S1', 'S2', 'S3'),
      quantity: fc.integer({ min: 1, max: 5 }).map(String),
      price: fc.integer({ min: 0, max: 500 }).map((cents) => (cents / 100).toFixed(2)),
    })
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 10 }),
        fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
        (rows, back) => {
          const given = rows.flatMap((one, index) =>
            back[index] ? [one, { ...one, quantity: `-${one.quantity}` }] : [one],
          )
          const expected = given.reduce(
            (sum, one) => sum + Number(one.quantity) * Math.round(Number(one.price) * 100),
            0,
          )
          const net = plansOf(given).reduce((sum, plan) => {
            if (isRejected(plan) || !plan.order) throw new Error('refused')
            return sum + plan.order.state.totalCents - plan.order.state.refundedCents
          }, 0)
          expect(net).toBe(expected)
        },
      ),
    )
  })
})

function stripped(plans: readonly (OrderPlan | Rejected)[]): unknown {
  const text = JSON.stringify(plans, (key, value: unknown) =>
    key === 'number' || key === 'rows' ? undefined : value,
  )
  return JSON.parse(text)
}
