import { describe, expect, test } from 'vitest'
import { Rule } from '../../../contract/rule.ts'
import { definitionsOf } from '../../../test/support/audience.ts'
import type { PersonEvent, PersonFacts, Purchase } from '../facts/person-facts.ts'
import { compileRules } from './compile.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Noon of 1 March 2026 in Shanghai; what happens is counted in days from it. */
const START = Date.parse('2026-03-01T12:00:00+08:00')
const at = (days: number): number => START + days * DAY
const midnight = (day: string): number => Date.parse(`${day}T00:00:00+08:00`)
const days = (ms: number): number | null => (Number.isFinite(ms) ? (ms - START) / DAY : null)

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

function buy(day: number, more: Partial<Purchase> = {}): Purchase {
  const line = { sku: 'a', category: 'shoes', quantity: 1000, amount: 10_000, discount: 0 }
  const what = { amount: 10_000, discount: 0, quantity: 1000, lines: [line], coupon: false }
  const where = { store: '', seller: '', channel: '', side: '', campaign: '' }
  return { at: at(day), id: `o${day}`, ...what, ...where, ...more }
}

function does(day: number, type: PersonEvent['type'], more: Partial<PersonEvent> = {}): PersonEvent {
  const none = { detail: '', channel: '', store: '', subject: '', texts: {}, numbers: {} }
  return { at: at(day), id: `e${day}`, type, ...none, ...more }
}

/** Value, verdict and when it turns, in days from the start; and that it does turn then, by asking the function. */
function ask(rule: unknown, facts: Partial<PersonFacts>, day: number) {
  const parsed = Rule.parse(rule)
  const evaluator = compileRules(definitionsOf('Asia/Shanghai', [parsed]))
  const person = { ...blank, ...facts }
  const { verdict, leaves } = evaluator.explain(parsed, person, at(day))
  const next = leaves[0]?.next ?? Number.NaN
  const turns = Number.isFinite(next) ? evaluator.explain(parsed, person, next).verdict !== verdict : null
  return { value: leaves[0]?.value, verdict, next: days(next), turns }
}

const cart = { of: 'event', filter: { event: 'tracked', names: ['cart'] } }
const purchase = { of: 'purchase' }
const put = (day: number): PersonEvent => does(day, 'tracked', { detail: 'cart' })

describe('one after the other', () => {
  const within3 = { kind: 'sequence', first: cart, second: purchase, withinDays: 3 }
  const not3 = { ...within3, happened: false }

  test('that the second did not come is known when its days are over, exactly', () => {
    const facts = { events: [put(0)] }
    expect(ask(not3, facts, 1)).toEqual({ value: 0, verdict: false, next: 3, turns: true })
    expect(ask(not3, facts, 3)).toEqual({ value: 1, verdict: true, next: null, turns: null })
  })

  test.each([
    ['comes in time', 2.999, true],
    ['comes when the days are over', 3, false],
    ['came at the same instant', 0, false],
    ['came before', -1, false],
  ])('the second %s', (_, day, followed) => {
    const facts = { events: [put(0)], purchases: [buy(day)] }
    expect(ask(within3, facts, 10).verdict).toBe(followed)
    expect(ask(not3, facts, 10).verdict).toBe(!followed)
  })

  test('any, the first or the last of those in the window', () => {
    const facts = { events: [put(0), put(5)], purchases: [buy(6)] }
    const verdicts = (['any', 'first', 'last'] as const).map((which) => [
      ask({ ...within3, which }, facts, 10).verdict,
      ask({ ...not3, which }, facts, 10).verdict,
    ])
    expect(verdicts).toEqual([
      [true, true],
      [false, true],
      [true, false],
    ])
  })

  test('a window lets go of the first, and the answer turns at that instant', () => {
    const rolling = { ...not3, window: { kind: 'rolling', days: 7 } }
    const facts = { events: [put(0), put(1)] }
    expect(ask(rolling, facts, 4)).toEqual({ value: 2, verdict: true, next: 8, turns: true })
    const month = { ...within3, window: { kind: 'calendar', unit: 'month' } }
    const bought = { events: [put(0)], purchases: [buy(1)] }
    expect(ask(month, bought, 2)).toMatchObject({
      verdict: true,
      next: days(midnight('2026-04-01')),
      turns: true,
    })
  })

  test('what somebody else did before is not taken for the second', () => {
    const rule = Rule.parse(not3)
    const evaluator = compileRules(definitionsOf('Asia/Shanghai', [rule]))
    const busy = { ...blank, events: [put(0)], purchases: [buy(1), buy(2)] }
    expect(evaluator.evaluate(busy, at(9)).segments).toEqual([])
    expect(evaluator.evaluate({ ...blank, events: [put(0)] }, at(9)).segments).toEqual([1])
  })
})

describe('later than the own rhythm', () => {
  const later = { kind: 'cycle', multiple: { op: 'ge', value: 1.5 } }
  // Gaps of 10, 20 and 30 days: the median is 20, one and a half of it 30.
  const purchases = [buy(0), buy(10), buy(30), buy(60)]

  test('turns at the midnight of the last purchase + k × the median gap', () => {
    expect(ask(later, { purchases }, 61)).toEqual({
      value: 0.05,
      verdict: false,
      next: days(midnight('2026-05-30')),
      turns: true,
    })
    expect(ask(later, { purchases }, 90)).toMatchObject({ value: 1.5, verdict: true, next: null })
  })

  test('is nothing that fewer purchases tell', () => {
    const twice = { purchases: purchases.slice(0, 2) }
    expect(ask(later, twice, 100)).toEqual({ value: null, verdict: false, next: null, turns: null })
    expect(ask({ ...later, atLeast: 2 }, twice, 100).verdict).toBe(true)
  })
})

describe('coupons', () => {
  const coupon = (day: number, detail: string, expires?: number): PersonEvent =>
    does(day, 'coupon_changed', {
      detail,
      subject: 'c1',
      texts: { kind: 'gift' },
      numbers: expires === undefined ? {} : { expiresAt: at(expires) },
    })
  const soon = { kind: 'coupon', states: ['received'], expiresWithinDays: 3 }
  const unused = { kind: 'coupon', states: ['received'] }
  const expired = { kind: 'coupon', states: ['expired'] }

  test('come close to their end, and run out, at those instants', () => {
    const facts = { events: [coupon(0, 'received', 10)] }
    expect(ask(soon, facts, 1)).toEqual({ value: 0, verdict: false, next: 7, turns: true })
    expect(ask(soon, facts, 7)).toEqual({ value: 1, verdict: true, next: 10, turns: true })
    expect(ask(unused, facts, 1)).toEqual({ value: 1, verdict: true, next: 10, turns: true })
    expect(ask(expired, facts, 1)).toEqual({ value: 0, verdict: false, next: 10, turns: true })
    expect(ask(expired, facts, 10)).toEqual({ value: 1, verdict: true, next: null, turns: null })
  })

  test('stand as was told last, and never run out where nothing was told of it', () => {
    expect(ask(unused, { events: [coupon(0, 'received')] }, 900)).toMatchObject({ verdict: true, next: null })
    const used = { events: [coupon(0, 'received', 10), coupon(2, 'used', 10)] }
    expect(ask(unused, used, 3)).toEqual({ value: 0, verdict: false, next: null, turns: null })
    expect(ask({ kind: 'coupon', kinds: ['other'], states: ['used'] }, used, 3).verdict).toBe(false)
    expect(ask({ kind: 'coupon', states: ['used'], atLeast: 2 }, used, 3)).toMatchObject({
      value: 1,
      verdict: false,
    })
  })
})

describe('dates', () => {
  const card = (text: string) => ({ attributes: new Map([['custom.card', text]]) })
  const coming = { kind: 'date', attribute: 'custom.card', test: { op: 'coming', withinDays: 7 } }

  test.each(['2026-03-20', '2026/3/20', '2026年3月20日', '2026-03-20 08:00', '2026.03.20'])(
    'are read: %s',
    (text) => {
      expect(ask(coming, card(text), 0)).toEqual({
        value: -19,
        verdict: false,
        next: days(midnight('2026-03-13')),
        turns: true,
      })
      expect(ask(coming, card(text), 14)).toMatchObject({
        verdict: true,
        next: days(midnight('2026-03-21')),
        turns: true,
      })
    },
  )

  test.each(['20-03-2026', '2026-13-01', '', 'soon', '2026-03-200'])('are none: %s', (text) => {
    expect(ask(coming, card(text), 0)).toEqual({ value: null, verdict: false, next: null, turns: null })
  })

  test('of joining, on some days', () => {
    const within = { op: 'within', from: '2026-03-01', to: null }
    const rule = { kind: 'date', attribute: 'joined', test: within }
    expect(ask(rule, { joinedAt: at(0) }, 400)).toMatchObject({ value: 400, verdict: true, next: null })
    expect(ask(rule, { joinedAt: at(-1) }, 400).verdict).toBe(false)
  })
})

describe('windows since something', () => {
  const orders = (window: object, more: object = {}) => ({
    kind: 'orders',
    measure: { of: 'count' },
    compare: { op: 'ge', value: 1 },
    window: { kind: 'since', ...window },
    ...more,
  })

  test('begin at joining, with what was bought at that instant, and end after their days', () => {
    const facts = { joinedAt: at(0), purchases: [buy(-1), buy(0), buy(29.999), buy(30)] }
    expect(ask(orders({ anchor: { at: 'joining' } }), facts, 40).value).toBe(3)
    expect(ask(orders({ anchor: { at: 'joining' }, days: 30 }), facts, 40).value).toBe(2)
    expect(ask(orders({ anchor: { at: 'joining' } }), { ...facts, joinedAt: null }, 40).value).toBe(0)
  })

  test('begin after the first or last of something else, and after the first of the same', () => {
    const touch = { of: 'event', filter: { event: 'touch_delivered' } }
    const events = [does(1, 'touch_delivered'), does(5, 'touch_delivered')]
    const facts = { events, purchases: [buy(0), buy(2), buy(5), buy(6)] }
    expect(ask(orders({ anchor: { at: 'first', what: touch } }), facts, 9).value).toBe(3)
    expect(ask(orders({ anchor: { at: 'last', what: touch } }), facts, 9).value).toBe(1)
    expect(ask(orders({ anchor: { at: 'first', what: purchase } }), facts, 9).value).toBe(3)
    expect(ask(orders({ anchor: { at: 'first', what: touch } }), { ...facts, events: [] }, 9).value).toBe(0)
  })
})

test('different products, categories and days are counted once, those that are not known never', () => {
  const line = (sku: string, category: string) => ({ sku, category, quantity: 1000, amount: 1, discount: 0 })
  const purchases = [
    buy(0, { lines: [line('a', 'shoes'), line('b', 'shoes')], store: 's' }),
    buy(0.1, { lines: [line('a', 'shoes'), line('', '')] }),
    buy(3, { lines: [line('c', 'coats')], amount: 90_000 }),
  ]
  const of = (by: string, filter: object = {}) =>
    ask(
      { kind: 'orders', measure: { of: 'distinct', by }, filter, compare: { op: 'ge', value: 1 } },
      { purchases },
      5,
    ).value
  expect([of('sku'), of('category'), of('store'), of('day')]).toEqual([3, 2, 1, 2])
  expect(of('sku', { categories: ['shoes'] })).toBe(2)
  expect(of('sku', { amount: { op: 'ge', value: 50_000 } })).toBe(1)
})

test('S-level values are joined, met and taken away by all, any and not (TAG-14)', () => {
  const claim = (group: number, tag: number) =>
    ({ group, tag, origin: 'manual', producer: 'guide', at: 0 }) as const
  const value = (group: number, ...values: (number | null)[]) => ({ kind: 's_tag', group, values })
  const people = [[claim(1, 1), claim(2, 7)], [claim(1, 1), claim(2, 8)], [claim(1, 2)], []]
  const who = (rule: unknown): number[] =>
    people.flatMap((claims, place) => (ask(rule, { claims }, 0).verdict ? [place] : []))
  expect(who({ kind: 'any', rules: [value(1, 1), value(2, 8)] })).toEqual([0, 1, 2])
  expect(who({ kind: 'all', rules: [value(1, 1), value(2, 7)] })).toEqual([0])
  expect(who({ kind: 'all', rules: [value(1, 1), { kind: 'not', rule: value(2, 8) }] })).toEqual([0, 2])
  expect(who({ kind: 'all', rules: [value(1, null), value(2, null)] })).toEqual([3])
})
