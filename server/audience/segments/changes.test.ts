import { describe, expect, test } from 'vitest'
import type { Leaf, Rule } from '../../../contract/rule.ts'
import { actsText } from '../../../contract/rule-act.ts'
import { valueText } from '../../../contract/rule-value.ts'
import { aPerson, aRule, definitionsOf } from '../../../test/support/audience.ts'
import { aHistoryLeaf } from '../../../test/support/audience-events.ts'
import { anInstant, DAY, NOW } from '../../../test/support/audience-parts.ts'
import { fc } from '../../../test/support/fast-check.ts'
import type { PersonFacts, Purchase } from '../facts/person-facts.ts'
import { compileRules, type Evaluator } from '../rule/compile.ts'
import { changesOf, done } from './changes.ts'

const zones = ['Asia/Shanghai', 'America/New_York']

/** Doing what is said turns the condition; what is said of time is the first moment at which it turns. */
function expectTrue(
  evaluator: Evaluator,
  rule: Rule,
  facts: PersonFacts,
  now: number,
  places: readonly number[],
) {
  const present = evaluator.explain(rule, facts, now)
  const changes = changesOf(evaluator, rule, facts, now)
  const of = (then: typeof present, path: string) => then.leaves.find((leaf) => leaf.path === path)?.verdict
  for (const leaf of present.leaves) {
    const change = changes.leaves.get(leaf.path)
    if (change?.acts) {
      const { after, at } = done(facts, change.acts, now)
      const then = evaluator.explain(rule, after, at)
      expect(of(then, leaf.path)).toBe(!leaf.verdict)
      expect(then.verdict !== present.verdict).toBe(change.alone)
      expect(actsText(change.acts, { lang: 'zh', names: {} })).not.toBe('')
    }
    if (change?.byTime === undefined) continue
    expect(change.byTime).toBeGreaterThan(now)
    expect(of(evaluator.explain(rule, facts, change.byTime), leaf.path)).toBe(!leaf.verdict)
    for (const place of [...places, 1]) {
      const before = Math.floor(now + place * (change.byTime - 1 - now))
      expect(of(evaluator.explain(rule, facts, before), leaf.path)).toBe(leaf.verdict)
    }
  }
  if (changes.byTime === undefined) return
  expect(evaluator.explain(rule, facts, changes.byTime).verdict).toBe(!present.verdict)
  expect(evaluator.explain(rule, facts, changes.byTime - 1).verdict).toBe(present.verdict)
}

describe.each(zones)('in %s', (zone) => {
  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })

  test('doing what is said, or waiting until then, changes what was said', () => {
    fc.assert(
      fc.property(aRule(), aPerson({ ahead: 5 }), anInstant(250, 60), places, (rule, person, now, within) => {
        const evaluator = compileRules(definitionsOf(zone, [rule]))
        expectTrue(evaluator, rule, { ...person, personId: 1 }, now, within)
      }),
      { numRuns: 150 },
    )
  })

  test('also of events, sequences and coupons', () => {
    fc.assert(
      fc.property(aHistoryLeaf(true), aPerson(), anInstant(15, 40), places, (leaf, person, now, within) => {
        const evaluator = compileRules(definitionsOf(zone, [leaf]))
        expectTrue(evaluator, leaf, { ...person, personId: 1 }, now, within)
      }),
      { numRuns: 150 },
    )
  })
})

const NOBODY: PersonFacts = {
  personId: 1,
  attributes: new Map(),
  birthday: null,
  lunar: false,
  joinedAt: NOW - 400 * DAY,
  tags: [],
  claims: [],
  purchases: [],
  events: [],
  lastInteractionAt: null,
}

function bought(daysAgo: number, amount: number): Purchase {
  return {
    at: NOW - daysAgo * DAY,
    id: String(daysAgo),
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

function said(rule: Rule, purchases: Purchase[]) {
  const facts = { ...NOBODY, purchases: [...purchases].sort((left, right) => left.at - right.at) }
  const evaluator = compileRules(definitionsOf('Asia/Shanghai', [rule]))
  const changes = changesOf(evaluator, rule, facts, NOW)
  return [...changes.leaves.values()].map(({ acts, byTime, alone, needed }) => ({
    zh: acts && actsText(acts, { lang: 'zh', names: {} }),
    en: acts && actsText(acts, { lang: 'en', names: {} }),
    days: byTime === undefined ? undefined : (byTime - NOW) / DAY,
    alone,
    needed,
  }))
}

const orders = (measure: object, value: number, window: object = { kind: 'rolling', days: 30 }, op = 'ge') =>
  ({ kind: 'orders', measure, filter: {}, window, compare: { op, value } }) as Rule

test('what is missing is said in pieces and in money', () => {
  expect(said(orders({ of: 'count' }, 3), [bought(2, 100), bought(10, 100)])).toEqual([
    { zh: '再下 1 单', en: 'one more order', days: undefined, alone: true, needed: true },
  ])
  expect(said(orders({ of: 'sum', field: 'amount' }, 50_000), [bought(2, 18_000)])).toEqual([
    { zh: '再消费 320 元', en: '320 more spent', days: undefined, alone: true, needed: true },
  ])
  expect(said(orders({ of: 'max', field: 'amount' }, 50_000), [bought(2, 18_000)])[0]).toMatchObject({
    zh: '再下一单，金额至少 500 元',
    en: 'an order with an amount of at least 500',
  })
})

test('what would end it is said too, by an order or by time alone', () => {
  expect(said(orders({ of: 'count' }, 1), [bought(10, 100)])).toEqual([
    { zh: undefined, en: undefined, days: 20, alone: false, needed: true },
  ])
  expect(said(orders({ of: 'count' }, 0, { kind: 'rolling', days: 30 }, 'eq'), [])).toEqual([
    { zh: '再下 1 单', en: 'one more order', days: undefined, alone: true, needed: true },
  ])
  expect(said({ kind: 'lifecycle', states: ['silent'] }, [bought(100, 1)])[0]).toMatchObject({
    zh: '再下 1 单',
    alone: true,
  })
})

test('of two that are missing neither is enough alone, and of two ways one is needed', () => {
  const [one, other] = [orders({ of: 'count' }, 2), { kind: 'one_time_buyer' } as Rule]
  const both = said({ kind: 'all', rules: [one, orders({ of: 'sum', field: 'amount' }, 90_000)] }, [
    bought(1, 100),
  ])
  expect(both.map(({ alone, needed }) => [alone, needed])).toEqual([
    [false, true],
    [true, true],
  ])
  const either = said({ kind: 'any', rules: [one, other] }, [])
  expect(either.filter(({ needed }) => needed)).toHaveLength(1)
})

test('what nobody can do is not said: the past, a fixed draw, a rule of a tag', () => {
  const past = orders({ of: 'count' }, 1, { kind: 'absolute', from: '2020-01-01', to: '2020-12-31' })
  expect(said(past, [])[0]).toMatchObject({ zh: undefined, days: undefined })
  expect(said({ kind: 'sample', salt: 'a', per10000: 0 }, [])[0]).toMatchObject({
    zh: undefined,
    days: undefined,
  })
})

test('what a condition found is said in words', () => {
  const zh = { lang: 'zh', names: {} } as const
  const en = { lang: 'en', names: { tag: () => 'VIP' } } as const
  expect(valueText({ kind: 'lifecycle', states: ['active'] }, 'silent', zh)).toBe('沉默会员')
  expect(valueText(orders({ of: 'sum', field: 'amount' }, 1) as Leaf, 32_050, zh)).toBe('320.5 元')
  expect(valueText(orders({ of: 'days_since_last' }, 1) as Leaf, 12, en)).toBe('12 days')
  expect(valueText({ kind: 'attribute', attribute: 'gender', op: 'known' }, 'female', en)).toBe('female')
  expect(valueText({ kind: 's_tag', group: 1, values: [2] }, 2, en)).toBe('“VIP”')
  expect(valueText({ kind: 'rfm_score' }, '345', en)).toBe('R3 F4 M5')
  expect(valueText({ kind: 'age', compare: { op: 'ge', value: 1 } }, null, zh)).toBe('未知')
})
