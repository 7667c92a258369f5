/** Random rules and persons that meet each other often: few stores, few categories, times close to the edges of days. */

import {
  aiplStages,
  joinRecencies,
  lifecycleStates,
  orderStages,
  ownCycleStates,
} from '../../contract/lifecycle.ts'
import { rfmGroups } from '../../contract/rfm.ts'
import type { Leaf, Rule } from '../../contract/rule.ts'
import type { Measure } from '../../contract/rule-parts.ts'
import {
  byTime,
  type Claim,
  lineCents,
  type PersonFacts,
  type Purchase,
} from '../../server/audience/facts/person-facts.ts'
import type { Definitions } from '../../server/audience/rule/definitions.ts'
import { aHistoryLeaf, anEvent, aWindowOfAll } from './audience-events.ts'
import {
  aFilter,
  anInstant,
  CATEGORIES,
  CHANNELS,
  compareWith,
  DAY,
  SKUS,
  STORES,
  subset,
} from './audience-parts.ts'
import { fc } from './fast-check.ts'

const aLine = fc
  .record({
    sku: fc.constantFrom(...SKUS),
    category: fc.constantFrom(...CATEGORIES),
    quantity: fc.constantFrom(1000, 2000, 500, 3000),
    price: fc.integer({ min: 0, max: 20_000 }),
    discount: fc.constantFrom(0, 0, 100, 555),
  })
  .map(({ price, ...line }) => ({ ...line, amount: lineCents(line.quantity, price) - line.discount }))

/** `ahead` days in the future at most, `back` days in the past at most. */
export const aPurchase = (ahead: number, back = 900): fc.Arbitrary<Purchase> =>
  fc
    .record({
      at: fc.oneof(
        { weight: 3, arbitrary: anInstant(back, ahead) },
        { weight: 2, arbitrary: anInstant(40, ahead) },
      ),
      id: fc.uuid(),
      refunded: fc.constantFrom(0, 0, 0, 1),
      discount: fc.constantFrom(0, 250),
      store: fc.constantFrom(...STORES, ''),
      channel: fc.constantFrom(...CHANNELS),
      side: fc.constantFrom('online', 'offline', ''),
      campaign: fc.constantFrom('618', ''),
      coupon: fc.boolean(),
      lines: fc.array(aLine, { minLength: 1, maxLength: 3 }),
    })
    .map(({ refunded, ...purchase }) => {
      const amount = purchase.lines.reduce((sum, line) => sum + line.amount, 0)
      return {
        ...purchase,
        seller: '',
        amount: Math.max(amount - (refunded && amount > 1 ? 1 : 0), 0),
        quantity: purchase.lines.reduce((sum, line) => sum + line.quantity, 0),
      }
    })

const aClaim: fc.Arbitrary<Claim> = fc
  .record({
    group: fc.constantFrom(1, 2),
    pick: fc.integer({ min: 0, max: 2 }),
    origin: fc.constantFrom('manual' as const, 'synced' as const),
    at: anInstant(100),
  })
  .map(({ group, pick, origin, at }) => ({
    group,
    tag: group === 1 ? ([1, 2, 4][pick] ?? 1) : ([7, 8, 8][pick] ?? 7),
    origin,
    producer: origin === 'manual' ? 'guide' : 'system',
    at,
  }))

const aBirthday = fc.option(
  fc.oneof(
    fc
      .constantFrom('1990-02-29', '1988-06-15', '1999-06-20', '2000-12-30', '1970-01-01', '0000-06-16')
      .map((text) => (text === '1990-02-29' ? '1992-02-29' : text)),
    fc.integer({ min: 0, max: 20_000 }).map((day) => new Date(day * DAY).toISOString().slice(0, 10)),
  ),
  { nil: null },
)

/** `ahead`: how many days in the future purchases may lie. Persons have the ids 1, 2, 3, … */
export const aPerson = ({
  ahead = 0,
}: {
  ahead?: number
} = {}): fc.Arbitrary<Omit<PersonFacts, 'personId'>> =>
  fc
    .record({
      gender: fc.constantFrom('female', 'male', undefined),
      city: fc.constantFrom('杭州', '上海', undefined),
      size: fc.constantFrom('M', 'L', undefined),
      store: fc.constantFrom(...STORES, undefined),
      spend: fc.constantFrom('12.50', '-3', '0', '1e3', ' 7', '1,000', undefined),
      since: fc.constantFrom(
        '2026-06-15',
        '2026/6/17',
        '2026年5月1日',
        '2026-02-30',
        '2026-06-01T23:59',
        '15.6.2026',
        undefined,
      ),
      birthday: aBirthday,
      lunar: fc.boolean(),
      joinedAt: fc.option(fc.oneof(anInstant(900), anInstant(95)), { nil: null }),
      tags: fc.subarray([101, 102]),
      claims: fc.uniqueArray(aClaim, { maxLength: 4, selector: (claim) => `${claim.group} ${claim.origin}` }),
      purchases: fc.array(aPurchase(ahead), { maxLength: 8 }),
      events: fc.array(anEvent(ahead), { maxLength: 12 }),
      lastInteractionAt: fc.option(anInstant(200, ahead), { nil: null }),
    })
    .map(({ gender, city, size, store, spend, since, purchases, events, ...rest }) => ({
      ...rest,
      events: [...events].sort(byTime),
      attributes: new Map(
        Object.entries({
          kind: 'member',
          gender,
          city,
          'custom.size': size,
          'custom.spend': spend,
          'custom.since': since,
          home_store: store,
        }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
      ),
      purchases: [...purchases].sort(byTime),
    }))

const aMeasure: fc.Arbitrary<Measure> = fc.oneof(
  fc.constantFrom(
    { of: 'count' as const },
    { of: 'days_since_first' as const },
    { of: 'days_since_last' as const },
  ),
  fc.record({
    of: fc.constantFrom('sum' as const, 'avg', 'min', 'max', 'first', 'last'),
    field: fc.constantFrom('amount' as const, 'quantity', 'discount'),
  }),
  fc.record({
    of: fc.constant('distinct' as const),
    by: fc.constantFrom('sku' as const, 'category', 'store', 'day'),
  }),
) as fc.Arbitrary<Measure>

export const anOrdersLeaf = (joining = true): fc.Arbitrary<Leaf> =>
  fc.tuple(aMeasure, aFilter, aWindowOfAll(joining)).chain(([measure, filter, window]) => {
    const field = 'field' in measure ? measure.field : measure.of
    const values = {
      amount: [0, 5000, 9999.5, 20_000],
      quantity: [0.5, 1, 2, 3.5],
      discount: [0, 100, 250],
      count: [0, 1, 2, 3],
      distinct: [0, 1, 2, 3],
      days_since_first: [0, 1, 30, 90],
      days_since_last: [0, 1, 30, 90],
    }[field]
    return compareWith(values).map((compare) => ({
      kind: 'orders' as const,
      measure,
      filter,
      window,
      compare,
    }))
  })

const aScore = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))

const anAttributeLeaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({
    kind: fc.constant('attribute' as const),
    attribute: fc.constantFrom('city' as const, 'custom.size', 'custom.since'),
    op: fc.constantFrom('contains' as const, 'starts_with', 'ends_with'),
    values: subset(['州', '上', 'M', '2026', '1日', '%', '_']),
  }),
  compareWith([-3, 0, 12.5, 1000]).map((compare) => ({
    kind: 'attribute' as const,
    attribute: 'custom.spend',
    op: 'compare' as const,
    compare,
  })),
  fc
    .tuple(
      fc.constantFrom('joined' as const, 'birthday', 'custom.since', 'custom.size'),
      fc.oneof(
        compareWith([-2, 0, 1, 30, 10_000]).map((compare) => ({ op: 'days_since' as const, compare })),
        fc.constantFrom(0, 1, 30).map((withinDays) => ({ op: 'coming' as const, withinDays })),
        fc.record({
          op: fc.constant('within' as const),
          from: fc.constantFrom(null, '1990-01-01', '2026-03-02'),
          to: fc.constantFrom(null, '1999-12-31', '2026-06-15'),
        }),
      ),
    )
    .map(([attribute, test]) => ({ kind: 'date' as const, attribute, test })),
)

/** `joining`: also windows since joining, which have no SQL. */
type Drawn = { joining?: boolean }

export const aLeaf = (segments: readonly number[] = [], { joining = true }: Drawn = {}): fc.Arbitrary<Leaf> =>
  fc.oneof(
    { weight: 8, arbitrary: anOrdersLeaf(joining) },
    { weight: 8, arbitrary: aHistoryLeaf(joining) },
    { weight: 3, arbitrary: anAttributeLeaf },
    compareWith([0.5, 1, 1.5, 2.25]).chain((multiple) =>
      fc.constantFrom(2, 3).map((atLeast) => ({ kind: 'cycle' as const, multiple, atLeast })),
    ),
    fc.record({
      kind: fc.constant('attribute' as const),
      attribute: fc.constantFrom('gender' as const, 'city', 'custom.size', 'occupation'),
      op: fc.constantFrom('in' as const, 'not_in'),
      values: subset(['female', '杭州', 'M']),
    }),
    fc.record({
      kind: fc.constant('attribute' as const),
      attribute: fc.constantFrom('gender' as const, 'home_store'),
      op: fc.constantFrom('known' as const, 'unknown'),
    }),
    fc.record({
      kind: fc.constant('tag' as const),
      tags: subset([101, 102, 103, 1, 7]),
      match: fc.constantFrom('any' as const, 'all'),
    }),
    fc.record({
      kind: fc.constant('s_tag' as const),
      group: fc.constant(1),
      values: subset([1, 2, 4, null]),
    }),
    fc.record({
      kind: fc.constant('s_tag' as const),
      group: fc.constant(2),
      values: subset([7, 8, null]),
    }),
    fc.record({ kind: fc.constant('lifecycle' as const), states: subset(lifecycleStates) }),
    fc.record({
      kind: fc.constant('lifecycle' as const),
      states: subset(lifecycleStates),
      category: fc.constantFrom('shoes', 'coats'),
    }),
    fc.record({ kind: fc.constant('own_cycle' as const), states: subset(ownCycleStates) }),
    fc.record({ kind: fc.constant('order_stage' as const), stages: subset(orderStages) }),
    fc.record({ kind: fc.constant('join_recency' as const), recencies: subset(joinRecencies) }),
    fc.record({ kind: fc.constant('aipl' as const), stages: subset(aiplStages) }),
    fc.constant({ kind: 'one_time_buyer' as const }),
    fc.constant({ kind: 'interaction_silent' as const }),
    fc.record({ kind: fc.constant('rfm_group' as const), groups: subset(rfmGroups) }),
    fc.record({ kind: fc.constant('rfm_score' as const), r: aScore, m: aScore }),
    compareWith([18, 26, 36]).map((compare) => ({ kind: 'age' as const, compare })),
    compareWith([0, 30, 60]).map((daysAgo) => ({ kind: 'joined' as const, daysAgo })),
    fc.constantFrom(0, 3, 30, 180).map((withinDays) => ({ kind: 'birthday' as const, withinDays })),
    fc.constantFrom(0, 3000, 10_000).map((per10000) => ({ kind: 'sample' as const, salt: 'x', per10000 })),
    ...segments.map((segment) => fc.constant({ kind: 'segment' as const, segment })),
  )

/** Purchases, events, coupons, attributes and dates: what does not stand on stored states, and has SQL. */
export const aStatelessLeaf: fc.Arbitrary<Leaf> = fc.oneof(
  anOrdersLeaf(false),
  { weight: 3, arbitrary: aHistoryLeaf(false) },
  anAttributeLeaf,
)

/** A tree over such leaves; `segments` may be referred to. */
export const aRule = (segments: readonly number[] = [], drawn: Drawn = {}): fc.Arbitrary<Rule> =>
  aRuleOf(aLeaf(segments, drawn))

export const aRuleOf = (leaf: fc.Arbitrary<Leaf>): fc.Arbitrary<Rule> =>
  fc.letrec<{ rule: Rule }>((tie) => ({
    rule: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      leaf,
      fc.array(tie('rule'), { maxLength: 3 }).map((rules): Rule => ({ kind: 'all', rules })),
      fc.array(tie('rule'), { maxLength: 3 }).map((rules): Rule => ({ kind: 'any', rules })),
      tie('rule').map((rule): Rule => ({ kind: 'not', rule })),
    ),
  })).rule

const tag = (
  id: number,
  group: number,
  level: 's' | 'b',
  more: Partial<Definitions['tags'][number]> = {},
) => ({
  id,
  name: `tag ${id}`,
  group,
  level,
  parent: null,
  position: id,
  rule: null,
  means: null,
  reading: 0,
  ...more,
})

/** Segments 1, 2, … with the given rules; tag 103 and value 4 of group 1 are automatic. */
export function definitionsOf(zone: string, rules: readonly Rule[], autoRule?: Rule): Definitions {
  const auto: Rule = autoRule ?? {
    kind: 'orders',
    measure: { of: 'count' },
    filter: { sides: ['offline'] },
    window: { kind: 'rolling', days: 90 },
    compare: { op: 'ge', value: 1 },
  }
  return {
    revision: 1,
    zone,
    bands: { brand: [90, 180, 365, 730], categories: { shoes: [30, 60, 90, 120] } },
    bandsReading: 0,
    cuts: { r: [31, 61.5, 121, 301], f: [2, 3, 4.5, 6], m: [5100, 9900, 20_100, 50_100] },
    cutsReading: 0,
    segments: rules.map((rule, index) => ({ id: index + 1, name: `segment ${index + 1}`, rule, reading: 0 })),
    tags: [
      tag(1, 1, 's'),
      tag(2, 1, 's', { parent: 1 }),
      tag(4, 1, 's', { rule: auto }),
      tag(7, 2, 's', { means: { attribute: 'gender', value: 'female' } }),
      tag(8, 2, 's', { means: { attribute: 'gender', value: 'male' } }),
      tag(101, 9, 'b'),
      tag(102, 9, 'b'),
      tag(103, 9, 'b', { rule: auto }),
    ],
  }
}
