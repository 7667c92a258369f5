import { describe, expect, test } from 'vitest'
import { compileRules } from '../server/audience/rule/compile.ts'
import { aPerson, aRule, definitionsOf } from '../test/support/audience.ts'
import { anInstant, STORES } from '../test/support/audience-parts.ts'
import { fc } from '../test/support/fast-check.ts'
import { keyOf, MAX_RULE_DEPTH, MAX_RULE_NODES, needsOf, nodesOf, Rule } from './rule.ts'
import { findingsOf } from './rule-check.ts'
import { costOf, costWarning } from './rule-cost.ts'
import { sentence } from './rule-sentence.ts'

const orders = (more: object) => ({
  kind: 'orders',
  measure: { of: 'count' },
  compare: { op: 'ge', value: 1 },
  ...more,
})

const events = (filter: object, more: object = {}) => ({
  kind: 'events',
  filter,
  compare: { op: 'ge', value: 1 },
  ...more,
})

describe('a rule from outside', () => {
  test('goes through unchanged once its defaults stand in it', () => {
    fc.assert(
      fc.property(aRule([1, 2]), (rule) => {
        const read = Rule.parse(rule)
        expect(Rule.parse(JSON.parse(JSON.stringify(read)))).toEqual(read)
        expect([...nodesOf(read)].length).toBe([...nodesOf(rule)].length)
      }),
    )
  })

  test('is refused beyond the depth and the number of conditions', () => {
    let deep: unknown = { kind: 'one_time_buyer' }
    for (let level = 1; level < MAX_RULE_DEPTH; level += 1) deep = { kind: 'not', rule: deep }
    expect(Rule.safeParse(deep).success).toBe(true)
    expect(Rule.safeParse({ kind: 'not', rule: deep }).success).toBe(false)
    const wide = (count: number) => ({
      kind: 'all',
      rules: Array.from({ length: 5 }, () => ({
        kind: 'any',
        rules: Array.from({ length: count }, () => ({ kind: 'one_time_buyer' })),
      })),
    })
    expect(Rule.safeParse(wide((MAX_RULE_NODES - 6) / 5 - 1)).success).toBe(true)
    expect(Rule.safeParse(wide(MAX_RULE_NODES / 5)).success).toBe(false)
  })

  test.each([
    [null],
    [{}],
    [{ kind: 'tag', tags: [] }],
    [{ kind: 'attribute', attribute: "x' or 1", op: 'known' }],
    [orders({ window: { kind: 'rolling', days: 0 } })],
    [{ kind: 'cycle', multiple: { op: 'ge', value: 1 }, atLeast: 1 }],
    [{ kind: 'date', attribute: 'gender', test: { op: 'coming', withinDays: 3 } }],
    [{ kind: 'attribute', attribute: 'gender', op: 'compare', compare: { op: 'ge', value: 1 } }],
    [{ kind: 'coupon', states: [] }],
  ])('that is none is refused: %j', (given) => expect(Rule.safeParse(given).success).toBe(false))

  test.each<[string, unknown, string]>([
    [
      'a filter that says nothing of the event',
      events({ event: 'visited_store', channels: ['wecom'] }),
      'rules.0.filter.channels',
    ],
    [
      'no property to add up',
      { ...events({ event: 'tracked' }), measure: { of: 'sum', property: '' } },
      'rules.0.measure.property',
    ],
    ['no kind of event', events({ event: 'order_recorded' }), 'rules.0.filter.event'],
    ['a kind that is none', { kind: 'evnets' }, 'rules.0.kind'],
  ])('is refused where it is wrong: %s', (_, leaf, path) => {
    const read = Rule.safeParse({ kind: 'all', rules: [leaf] })
    expect(read.error?.issues[0]?.path.join('.')).toBe(path)
  })

  test('has the same key whatever the order of its fields', () => {
    expect(keyOf({ a: 1, b: [2, { d: 3, c: undefined }] })).toBe(keyOf({ b: [2, { d: 3 }], a: 1 }))
  })

  test('tells what it refers to', () => {
    const rule = Rule.parse({
      kind: 'all',
      rules: [
        { kind: 'segment', segment: 4 },
        { kind: 'not', rule: { kind: 'tag', tags: [7, 8] } },
        { kind: 's_tag', group: 1, values: [2, null] },
        orders({ filter: { channels: ['小程序'] } }),
        { kind: 'rfm_group', groups: ['lost'] },
      ],
    })
    expect(needsOf(rule)).toEqual({
      segments: [4],
      tags: [7, 8, 2],
      groups: [1],
      rfm: true,
      stores: [],
      channels: ['小程序'],
    })
  })
})

describe('the sentence of a rule', () => {
  const names = {
    tag: () => '爱跑步',
    segment: () => '老客',
    store: () => '西湖店',
    journey: () => '生日祝福',
  }

  test.each<[unknown, string, string]>([
    [
      { kind: 'lifecycle', states: ['silent', 'near_sleep'] },
      '生命周期是沉默会员或濒临睡眠会员',
      'life cycle is Silent or Near sleep',
    ],
    [
      orders({
        window: { kind: 'rolling', days: 30 },
        measure: { of: 'sum', field: 'amount' },
        compare: { op: 'ge', value: 50_000 },
      }),
      '最近 30 天累计金额 ≥ 500 元',
      'total amount of purchases in the last 30 days ≥ 500',
    ],
    [
      {
        kind: 'all',
        rules: [
          { kind: 'tag', tags: [1] },
          {
            kind: 'any',
            rules: [
              { kind: 'segment', segment: 2 },
              { kind: 'birthday', withinDays: 7 },
            ],
          },
        ],
      },
      '有标签「爱跑步」,并且(属于人群「老客」,或者7 天内过生日)',
      'has the tag “爱跑步” and (is in the segment “老客” or has a birthday within 7 days)',
    ],
    [
      { kind: 'not', rule: { kind: 'attribute', attribute: 'gender', op: 'in', values: ['female'] } },
      '不满足「性别是女」',
      'not (gender is female)',
    ],
    [
      events(
        {
          event: 'tracked',
          names: ['add_to_cart'],
          properties: [
            { property: '尺码', op: 'contains', values: ['<script>', '𠮷'] },
            { property: 'price', op: 'compare', compare: { op: 'gt', value: 9.5 } },
          ],
        },
        { window: { kind: 'rolling', days: 7 }, measure: { of: 'sum', property: 'price' } },
      ),
      '最近 7 天自定义埋点事件(「add_to_cart」,尺码包含「<script>」或「𠮷」,price > 9.5)的累计 price ≥ 1',
      'total price of tracked event (“add_to_cart”, 尺码 contains “<script>” or “𠮷”, price > 9.5) in the last 7 days ≥ 1',
    ],
    [
      {
        kind: 'sequence',
        first: { of: 'event', filter: { event: 'touch_delivered', channels: ['sms'] } },
        second: { of: 'purchase', filter: { stores: [STORES[0]] } },
        withinDays: 3,
        happened: false,
        which: 'last',
      },
      '最近一次触达已送达(渠道「sms」)后 3 天内没有在门店「西湖店」的购买',
      'the last touch delivered (through “sms”) was not followed by purchase in the store “西湖店” within 3 days',
    ],
    [
      orders({
        measure: { of: 'distinct', by: 'category' },
        window: { kind: 'since', anchor: { at: 'joining' }, days: 30 },
        filter: { amount: { op: 'ge', value: 10_000 } },
      }),
      '入会之后 30 天内在单笔金额 ≥ 100 元的购买的不同品类数 ≥ 1',
      'number of different categories of purchases with an amount ≥ 100 within 30 days after joining ≥ 1',
    ],
    [
      events({ event: 'touch_held_out', journeys: [STORES[0]] }),
      '被留作对照组(SOP「生日祝福」)的次数 ≥ 1',
      'number of held out as a control (of the SOP “生日祝福”) ever ≥ 1',
    ],
    [
      { kind: 'cycle', multiple: { op: 'ge', value: 1.5 } },
      '距上次购买是自己常规间隔的倍数 ≥ 1.5(至少购买 3 次)',
      'time since the last purchase in multiples of the own usual gap ≥ 1.5 (at least 3 purchases)',
    ],
    [
      { kind: 'date', attribute: 'custom.结婚纪念日', test: { op: 'coming', withinDays: 7 } },
      '结婚纪念日在未来 7 天内',
      '结婚纪念日 is within the next 7 days',
    ],
    [
      { kind: 'coupon', kinds: ['满100减10'], states: ['received'], expiresWithinDays: 3 },
      '有至少 1 张未使用的「满100减10」券,3 天内到期',
      'has at least 1 unused “满100减10” coupon(s), running out within 3 days',
    ],
  ])('%j', (rule, zh, en) => {
    expect(sentence(Rule.parse(rule), 'zh', names)).toBe(zh)
    expect(sentence(Rule.parse(rule), 'en', names)).toBe(en)
  })

  test('every rule has one in both languages', () => {
    fc.assert(
      fc.property(aRule([1]), (rule) => {
        for (const lang of ['zh', 'en'] as const) {
          expect(sentence(rule, lang)).not.toMatch(/undefined|\[object|NaN/)
          expect(sentence(rule, lang).length).toBeGreaterThan(0)
        }
      }),
    )
  })
})

describe('what can be said of a rule without looking at anybody', () => {
  const count = (op: string, value: number) => orders({ compare: { op, value } })
  const reversed = { kind: 'absolute', from: '2026-02-01', to: '2026-01-01' }

  test.each<[string, unknown, string | undefined]>([
    [
      'never: at least five and at most two',
      { kind: 'all', rules: [count('ge', 5), count('le', 2)] },
      'never',
    ],
    ['never: fewer than no purchase', count('lt', 0), 'never'],
    ['always: no purchase or more', count('ge', 0), 'always'],
    [
      'never: two states at once',
      {
        kind: 'all',
        rules: [
          { kind: 'lifecycle', states: ['lost'] },
          { kind: 'lifecycle', states: ['active'] },
        ],
      },
      'never',
    ],
    [
      'never: a condition and its denial',
      { kind: 'all', rules: [{ kind: 'one_time_buyer' }, { kind: 'not', rule: { kind: 'one_time_buyer' } }] },
      'never',
    ],
    [
      'always: a condition or its denial',
      { kind: 'any', rules: [{ kind: 'one_time_buyer' }, { kind: 'not', rule: { kind: 'one_time_buyer' } }] },
      'always',
    ],
    [
      'never: a text and no value at once',
      events({
        event: 'tracked',
        properties: [
          { property: 'size', op: 'in', values: ['M'] },
          { property: 'size', op: 'unknown' },
        ],
      }),
      'never',
    ],
    [
      'always: fewer than one of what cannot be',
      {
        ...events({
          event: 'tracked',
          properties: [{ property: 'p', op: 'compare', compare: { op: 'between', from: 2, to: 1 } }],
        }),
        compare: { op: 'lt', value: 1 },
      },
      'always',
    ],
    ['never: days that end before they begin', orders({ window: reversed }), 'never'],
    ['never: used coupons that run out', { kind: 'coupon', states: ['used'], expiresWithinDays: 3 }, 'never'],
    [
      'never: a date on two days',
      {
        kind: 'all',
        rules: [
          { kind: 'date', attribute: 'custom.d', test: { op: 'within', from: '2026-02-01', to: null } },
          { kind: 'date', attribute: 'custom.d', test: { op: 'within', from: null, to: '2026-01-31' } },
        ],
      },
      'never',
    ],
    [
      'never: joined long ago and lately',
      {
        kind: 'all',
        rules: [
          { kind: 'joined', daysAgo: { op: 'gt', value: 30 } },
          { kind: 'date', attribute: 'joined', test: { op: 'days_since', compare: { op: 'lt', value: 30 } } },
        ],
      },
      'never',
    ],
    [
      'open: at least two and at most five',
      { kind: 'all', rules: [count('ge', 2), count('le', 5)] },
      undefined,
    ],
  ])('%s', (_, rule, verdict) => {
    expect(findingsOf(Rule.parse(rule)).find(({ path }) => path === '')?.verdict).toBe(verdict)
  })

  test('is never contradicted by a person', () => {
    fc.assert(
      fc.property(
        aRule(),
        fc.array(aPerson(), { minLength: 3, maxLength: 3 }),
        anInstant(200),
        (rule, people, now) => {
          const [finding] = findingsOf(rule).filter(({ path }) => path === '')
          if (!finding) return
          const evaluator = compileRules(definitionsOf('Asia/Shanghai', [rule]))
          for (const person of people) {
            const holds = evaluator.evaluate({ ...person, personId: 1 }, now).segments.includes(1)
            expect(holds).toBe(finding.verdict === 'always')
          }
        },
      ),
      { numRuns: 1500 },
    )
  })
})

describe('what a rule costs', () => {
  const sizes = {
    persons: 2_000_000,
    orders: 40_000_000,
    lines: 90_000_000,
    events: new Map([
      ['page_viewed', 120_000_000],
      ['touch_decided', 3_000_000],
    ]),
  }
  const cost = (rule: unknown) => costOf(Rule.parse(rule), sizes)

  test('is one row a person and every order, and beside them the lines and the types that are asked for, each once', () => {
    expect(cost({ kind: 'one_time_buyer' })).toEqual({ rows: 42_000_000, beside: [] })
    expect(cost(orders({ filter: { skus: ['a'] } })).rows).toBe(132_000_000)
    const touches = { of: 'event', filter: { event: 'touch_held_out' } }
    const rule = {
      kind: 'all',
      rules: [
        events({ event: 'page_viewed', names: ['新品'] }),
        events(
          { event: 'page_viewed' },
          { window: { kind: 'since', anchor: { at: 'last', what: touches } } },
        ),
        events({ event: 'touch_dropped' }),
      ],
    }
    expect(cost(rule)).toEqual({
      rows: 165_000_000,
      beside: [
        { source: 'page_viewed', rows: 120_000_000 },
        { source: 'touch_held_out', rows: 3_000_000 },
      ],
    })
  })

  test('is told where it is much, with what makes it so', () => {
    expect(costWarning(cost({ kind: 'one_time_buyer' }))).toBeUndefined()
    expect(costWarning(cost(events({ event: 'touch_dropped' })))).toBeUndefined()
    expect(costWarning(cost(events({ event: 'page_viewed' })))).toEqual({
      zh: '这个条件很费时：为所有会员计算一次要读约 1.6 亿行，最多的是浏览页面（1.2 亿行）。换用更少见的事件会快得多',
      en: 'This is costly: computing it for everybody reads about 162.0 million rows, most of them page view (120.0 million). A rarer event is much faster',
    })
  })
})
