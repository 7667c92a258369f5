import { describe, expect, test } from 'vitest'
import type { Leaf } from '../../../contract/rule.ts'
import { anOrdersLeaf, aPurchase } from '../../../test/support/audience.ts'
import { anInstant, NOW } from '../../../test/support/audience-parts.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { groupOf } from '../facts/history-table.ts'
import { byTime, type PersonFacts, type Purchase } from '../facts/person-facts.ts'
import { nextFlip, type Reading, readMeasured } from './measured.ts'
import { purchaseFill } from './order-series.ts'
import { aggregateOf, Series } from './series.ts'
import { rollingMs } from './windows.ts'
import { ZoneDays } from './zone-days.ts'

type OrdersLeaf = Extract<Leaf, { kind: 'orders' }>

const DAY = 86_400_000
const blank: PersonFacts = {
  personId: 1,
  attributes: new Map(),
  birthday: null,
  lunar: false,
  joinedAt: null,
  tags: [],
  claims: [],
  purchases: [],
  events: [],
  lastInteractionAt: null,
}

function read(leaf: OrdersLeaf, purchases: readonly Purchase[], now: number, days: ZoneDays) {
  const series = new Series()
  purchaseFill(leaf.filter, leaf.measure, days)(groupOf([{ ...blank, purchases }]), now, series)
  const question = { ...aggregateOf(leaf.measure), window: leaf.window, compare: leaf.compare }
  const reading: Reading = { value: null, verdict: false, next: 0 }
  readMeasured(question, series, { now, days, anchor: null }, reading)
  return reading
}

/** Every instant after `now` at which something could turn: rows leaving, and each midnight; and just before each. */
function* momentsOf(
  leaf: OrdersLeaf,
  purchases: readonly Purchase[],
  now: number,
  end: number,
  days: ZoneDays,
) {
  if (leaf.window.kind === 'rolling') {
    for (const { at } of purchases) yield at + rollingMs(leaf.window.days)
  }
  for (let day = days.of(now) + 1; days.start(day) < end; day += 1) yield days.start(day)
}

describe.each(['Asia/Shanghai', 'America/New_York'])('in %s', (zone) => {
  const days = new ZoneDays(zone)

  test('a verdict stands until the moment that was foretold, at every instant where it could turn', () => {
    fc.assert(
      fc.property(
        anOrdersLeaf(false),
        fc.array(aPurchase(0, 60), { minLength: 2, maxLength: 6 }),
        anInstant(20, 60),
        (leaf, unsorted, now) => {
          const orders = leaf as OrdersLeaf
          const purchases = unsorted.filter(({ at }) => at <= now).sort(byTime)
          const { verdict, next } = read(orders, purchases, now, days)
          const end = Math.min(next, now + 150 * DAY)
          for (const at of momentsOf(orders, purchases, now, end, days)) {
            if (at > now && at < end && read(orders, purchases, at, days).verdict !== verdict) {
              throw new Error(`turns at ${new Date(at).toISOString()}, foretold ${next}`)
            }
          }
        },
      ),
      { numRuns: 2500 },
    )
  })
})

test('the moment is exact where rows leave a rolling window', () => {
  const leaf: OrdersLeaf = {
    kind: 'orders',
    measure: { of: 'sum', field: 'amount' },
    filter: {},
    window: { kind: 'rolling', days: 30 },
    compare: { op: 'ge', value: 300 },
  }
  const purchases = [100, 100, 200, 100].map((amount, index) => purchase(NOW - (20 - index) * DAY, amount))
  const days = new ZoneDays('Asia/Shanghai')
  // 500 → 400 → 300 stays, → 100 turns when the third leaves.
  expect(read(leaf, purchases, NOW, days)).toEqual({ value: 500, verdict: true, next: NOW + 12 * DAY })
})

test('the next number that compares differently', () => {
  expect(nextFlip(3, { op: 'ge', value: 10 })).toBe(10)
  expect(nextFlip(3, { op: 'gt', value: 10 })).toBe(11)
  expect(nextFlip(3, { op: 'le', value: 3 })).toBe(4)
  expect(nextFlip(3, { op: 'eq', value: 3.5 })).toBeUndefined()
  expect(nextFlip(3, { op: 'between', from: 5, to: 6 })).toBe(5)
  expect(nextFlip(5, { op: 'between', from: 5, to: 6 })).toBe(7)
  expect(nextFlip(8, { op: 'between', from: 5, to: 6 })).toBeUndefined()
})

function purchase(at: number, amount: number): Purchase {
  return {
    at,
    id: String(at),
    amount,
    discount: 0,
    quantity: 1000,
    store: '',
    seller: '',
    channel: '',
    side: '',
    campaign: '',
    coupon: false,
    lines: [],
  }
}
