/** A hundred segments as brands have them, over some seventy distinct conditions. */
import type { Leaf, Rule } from '../contract/rule.ts'
import { keyOf, nodesOf, Rule as RuleSchema } from '../contract/rule.ts'
import { TAGS } from './large-base.ts'

type Given = Record<string, unknown>

const attribute = (name: string, ...values: string[]): Given => ({
  kind: 'attribute',
  attribute: name,
  op: 'in',
  values,
})
const rolling = (days: number): Given => ({ kind: 'rolling', days })
const ge = (value: number): Given => ({ op: 'ge', value })
const orders = (measure: Given, window: Given, compare: Given, filter: Given = {}): Given => ({
  kind: 'orders',
  measure,
  filter,
  window,
  compare,
})
const events = (filter: Given, window: Given, compare: Given, measure: Given = { of: 'count' }): Given => ({
  kind: 'events',
  filter,
  measure,
  window,
  compare,
})
const tracked = (name: string, more: Given = {}): Given => ({ event: 'tracked', names: [name], ...more })
const shoes = { properties: [{ property: 'category', op: 'in', values: ['shoes', '童装'] }] }
const purchase = { of: 'purchase' }
const did = (filter: Given): Given => ({ of: 'event', filter })
const sequence = (first: Given, second: Given, withinDays: number, happened: boolean): Given => ({
  kind: 'sequence',
  first,
  second,
  withinDays,
  happened,
  window: rolling(30),
})
const amount = { of: 'sum', field: 'amount' }
const count = { of: 'count' }

/** Of the person and of states. */
const standing: Given[] = [
  attribute('gender', 'female'),
  attribute('gender', 'male'),
  attribute('city', '杭州'),
  attribute('city', '上海', '北京'),
  attribute('source', 'guide_recruited'),
  attribute('wecom', 'followed'),
  attribute('phone', 'mobile'),
  attribute('custom.size', 'M', 'L'),
  { kind: 'attribute', attribute: 'occupation', op: 'known' },
  { kind: 'age', compare: { op: 'between', from: 25, to: 35 } },
  { kind: 'birthday', withinDays: 7 },
  { kind: 'birthday', withinDays: 30 },
  { kind: 'joined', daysAgo: { op: 'le', value: 30 } },
  { kind: 'joined', daysAgo: ge(365) },
  { kind: 'tag', tags: [TAGS[0]] },
  { kind: 'tag', tags: [TAGS[1], TAGS[2]], match: 'any' },
  { kind: 'lifecycle', states: ['active'] },
  { kind: 'lifecycle', states: ['silent', 'near_sleep'] },
  { kind: 'lifecycle', states: ['hibernating', 'lost'] },
  { kind: 'own_cycle', states: ['silent', 'near_sleep'] },
  { kind: 'order_stage', stages: ['first_purchase'] },
  { kind: 'order_stage', stages: ['one_to_two', 'two_to_three'] },
  { kind: 'aipl', stages: ['loyalty'] },
  { kind: 'join_recency', recencies: ['new'] },
  { kind: 'one_time_buyer' },
  { kind: 'interaction_silent' },
  { kind: 'rfm_group', groups: ['champions', 'at_risk'] },
  { kind: 'rfm_score', r: [4, 5] },
  { kind: 'cycle', multiple: ge(1.5), atLeast: 3 },
  { kind: 'sample', salt: 'bench', per10000: 1000 },
]

const bought: Given[] = [
  ...[7, 30, 60, 90, 180, 365].map((days, place) => orders(count, rolling(days), ge(1 + (place >> 1)))),
  ...[30, 90, 365].map((days) => orders(amount, rolling(days), ge(days * 200))),
  orders({ of: 'avg', field: 'amount' }, rolling(365), ge(15_000)),
  orders({ of: 'max', field: 'amount' }, { kind: 'ever' }, ge(50_000)),
  orders(count, { kind: 'ever' }, ge(5)),
  orders(amount, { kind: 'ever' }, ge(200_000)),
  orders({ of: 'days_since_last' }, { kind: 'ever' }, { op: 'le', value: 60 }, { sides: ['offline'] }),
  orders(count, { kind: 'calendar', unit: 'month', back: 1, count: 1 }, ge(1)),
  orders(amount, { kind: 'calendar', unit: 'quarter', back: 0, count: 1 }, ge(30_000)),
  orders(count, { kind: 'calendar', unit: 'year', back: 1, count: 1 }, ge(3)),
  orders(count, { kind: 'absolute', from: '2025-11-01', to: '2025-11-30' }, ge(1)),
  orders(count, rolling(90), ge(1), { channels: ['小程序'] }),
  orders(count, rolling(180), ge(2), { sides: ['online'] }),
  orders(count, rolling(365), ge(1), { withCoupon: true }),
  orders(count, rolling(365), ge(1), { amount: ge(30_000) }),
  orders({ of: 'distinct', by: 'day' }, { kind: 'ever' }, ge(4)),
  orders(count, rolling(365), ge(1), { campaigns: ['双11'] }),
  orders({ of: 'sum', field: 'discount' }, rolling(180), ge(2000)),
  orders(count, { kind: 'since', anchor: { at: 'joining' }, days: 30 }, ge(1)),
]

const happened: Given[] = [
  events({ event: 'page_viewed' }, rolling(7), ge(1)),
  events({ event: 'page_viewed' }, rolling(30), ge(3)),
  events({ event: 'page_viewed', names: ['cart'] }, rolling(14), ge(1)),
  events(tracked('Product Viewed'), rolling(14), ge(1)),
  events(tracked('Product Viewed', shoes), rolling(30), ge(1)),
  events(tracked('Product Added'), rolling(30), ge(1)),
  events(tracked('Product Added', shoes), rolling(90), ge(2)),
  events(tracked('Checkout Started'), rolling(60), ge(1)),
  events(tracked('Product Viewed'), rolling(30), ge(500), { of: 'sum', property: 'price' }),
  events(tracked('Product Viewed'), rolling(90), ge(2), { of: 'distinct', property: 'category' }),
  events({ event: 'visited_store' }, rolling(180), ge(1)),
  events({ event: 'member_replied' }, rolling(90), ge(1)),
  events({ event: 'touch_sent', channels: ['wecom'] }, rolling(30), ge(1)),
  events({ event: 'touch_sent' }, rolling(90), ge(3)),
  sequence(did(tracked('Product Added')), purchase, 3, true),
  sequence(did(tracked('Product Viewed')), purchase, 7, false),
  sequence(did({ event: 'touch_sent' }), purchase, 7, true),
  sequence(purchase, did({ event: 'page_viewed' }), 14, false),
  { kind: 'coupon', kinds: ['C10'], states: ['received'], expiresWithinDays: 7 },
  { kind: 'coupon', states: ['used'] },
]

const SEGMENTS = 100

/** Each condition as a segment of its own, and the rest put together of two or three. */
export function hundredSegments(): [string, Rule][] {
  const atoms = [...standing, ...bought, ...happened]
  const rules: Given[] = [...atoms]
  for (let n = 0; rules.length < SEGMENTS; n += 1) {
    const [one, two, three] = [
      standing[(n * 7) % standing.length],
      bought[(n * 5) % bought.length],
      happened[(n * 3) % happened.length],
    ]
    rules.push(
      n % 3 === 0
        ? { kind: 'all', rules: [one, two, { kind: 'not', rule: three }] }
        : { kind: n % 3 === 1 ? 'all' : 'any', rules: [two, three] },
    )
  }
  return rules.map((rule, place) => [`bench ${place + 1}`, RuleSchema.parse(rule)])
}

export function distinctConditions(rules: readonly Rule[]): number {
  const inner = new Set(['all', 'any', 'not'])
  const leaves = rules.flatMap((rule) => [...nodesOf(rule)].map(({ rule: node }) => node as Leaf))
  return new Set(leaves.filter(({ kind }) => !inner.has(kind)).map(keyOf)).size
}
