import { describe, expect, test } from 'vitest'
import { compileRules } from '../server/audience/rule/compile.ts'
import { aPerson, aRule, definitionsOf } from '../test/support/audience.ts'
import { anInstant } from '../test/support/audience-parts.ts'
import { fc } from '../test/support/fast-check.ts'
import { keyOf, MAX_RULE_DEPTH, MAX_RULE_NODES, needsOf, nodesOf, Rule } from './rule.ts'
import { findingsOf } from './rule-check.ts'
import { sentence } from './rule-sentence.ts'

const orders = (more: object) => ({
  kind: 'orders',
  measure: { of: 'count' },
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
  ])('that is none is refused: %j', (given) => expect(Rule.safeParse(given).success).toBe(false))

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
  const names = { tag: () => '爱跑步', segment: () => '老客', store: () => '西湖店' }

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
