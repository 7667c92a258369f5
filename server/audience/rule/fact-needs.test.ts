import { expect, test } from 'vitest'
import { Rule } from '../../../contract/rule.ts'
import { factNeedsOf, sinceOf } from './fact-needs.ts'
import { ZoneDays } from './zone-days.ts'

const compare = { op: 'ge', value: 1 }
const needs = (...rules: unknown[]) => {
  const { events, windows, ...more } = factNeedsOf(rules.map((rule) => Rule.parse(rule)))
  return { ...more, events: Object.fromEntries(events), windows: Object.fromEntries(windows) }
}
/** Of everybody states are asked for, and so every purchase. */
const nothing = {
  states: true,
  purchases: true,
  attributes: [],
  birthday: false,
  tags: false,
  purchase: [],
  lines: false,
  events: {},
  windows: {},
  event: [],
  texts: [],
  numbers: [],
}
const event = (filter: object, more: object = {}) => ({ kind: 'events', filter, compare, ...more })

test('rules without events ask for none, and those that look at lines say so', () => {
  expect(needs({ kind: 'one_time_buyer' }, { kind: 'orders', measure: { of: 'count' }, compare })).toEqual(
    nothing,
  )
  const lines = [
    { kind: 'orders', measure: { of: 'count' }, compare, filter: { skus: ['a'] } },
    { kind: 'orders', compare, measure: { of: 'distinct', by: 'category' } },
    { kind: 'lifecycle', states: ['lost'], category: 'shoes' },
    {
      kind: 'sequence',
      first: { of: 'purchase', filter: { categories: ['shoes'] } },
      second: { of: 'purchase' },
      withinDays: 3,
    },
  ]
  for (const rule of lines) expect(needs(rule)).toEqual({ ...nothing, lines: true })
  expect(needs({ kind: 'orders', compare, measure: { of: 'distinct', by: 'store' } })).toEqual({
    ...nothing,
    purchase: ['store'],
  })
})

test('a type is asked for with its names as long as every rule names them', () => {
  const named = event({ event: 'tracked', names: ['b', 'a'] })
  expect(needs(named, event({ event: 'tracked', names: ['c'] })).events).toEqual({ tracked: ['a', 'b', 'c'] })
  expect(needs(named, event({ event: 'tracked' })).events).toEqual({ tracked: undefined })
  expect(needs(event({ event: 'tracked' }), named).events).toEqual({ tracked: undefined })
  expect(needs(event({ event: 'touch_held_out' }), event({ event: 'touch_dropped' })).events).toEqual({
    touch_decided: ['dropped', 'held_out'],
  })
})

test('properties are asked for as texts, as numbers or as both, wherever they stand in the rule', () => {
  const test = (property: string, op: string) => ({
    property,
    op,
    ...(op === 'compare' && { compare }),
    ...(op === 'in' && { values: ['x'] }),
  })
  const filter = {
    event: 'tracked',
    names: ['a'],
    properties: [test('size', 'in'), test('price', 'compare'), test('colour', 'known')],
  }
  const since = {
    kind: 'since',
    anchor: {
      at: 'last',
      what: { of: 'event', filter: { event: 'page_viewed', properties: [test('page id', 'in')] } },
    },
  }
  expect(
    needs({
      kind: 'not',
      rule: {
        kind: 'any',
        rules: [event(filter, { measure: { of: 'distinct', property: 'sku' }, window: since })],
      },
    }),
  ).toEqual({
    ...nothing,
    events: { tracked: ['a'], page_viewed: undefined },
    texts: ['colour', 'page id', 'size', 'sku'],
    numbers: ['colour', 'page id', 'price', 'size', 'sku'],
  })
  expect(needs({ kind: 'coupon', states: ['used'] })).toEqual({
    ...nothing,
    events: { coupon_changed: undefined },
    event: ['subject'],
    texts: ['kind'],
    numbers: ['expiresAt'],
  })
})

test('of persons and purchases only what some rule looks at is asked for', () => {
  const filter = { sides: ['online'], withCoupon: true, amount: compare }
  expect(
    needs(
      { kind: 'attribute', attribute: 'custom.size', op: 'known' },
      { kind: 'date', attribute: 'custom.due', test: { op: 'days_since', compare } },
      { kind: 'date', attribute: 'joined', test: { op: 'days_since', compare } },
      { kind: 'not', rule: { kind: 'birthday', withinDays: 3 } },
      { kind: 'tag', tags: [1] },
      { kind: 'orders', measure: { of: 'sum', field: 'discount' }, compare, filter },
    ),
  ).toEqual({
    ...nothing,
    attributes: ['custom.due', 'custom.size'],
    birthday: true,
    tags: true,
    purchase: ['coupon', 'discount', 'side'],
  })
})

test('where only segments are asked for, states and purchases are read for whoever looks at them', () => {
  const asked = (...rules: unknown[]) => {
    const parsed = rules.map((rule) => Rule.parse(rule))
    const { states, purchases } = factNeedsOf(parsed, [], { statesAsked: true })
    return { states, purchases }
  }
  const bought = { of: 'purchase' }
  const viewed = { of: 'event', filter: { event: 'page_viewed' } }
  const neither = [
    { kind: 'sample', salt: 's', per10000: 500 },
    {
      kind: 'any',
      rules: [
        { kind: 'attribute', attribute: 'city', op: 'known' },
        { kind: 'tag', tags: [1] },
      ],
    },
    { kind: 'not', rule: event({ event: 'page_viewed' }) },
    { kind: 'sequence', first: viewed, second: viewed, withinDays: 3 },
    { kind: 'segment', segment: 3 },
  ]
  expect(asked(...neither)).toEqual({ states: false, purchases: false })
  const purchases = [
    { kind: 'orders', measure: { of: 'count' }, compare },
    { kind: 'sequence', first: viewed, second: bought, withinDays: 3 },
    event({ event: 'page_viewed' }, { window: { kind: 'since', anchor: { at: 'last', what: bought } } }),
  ]
  for (const rule of purchases) expect(asked(...neither, rule)).toEqual({ states: false, purchases: true })
  const states = [
    { kind: 'lifecycle', states: ['lost'] },
    { kind: 'one_time_buyer' },
    { kind: 'cycle', multiple: compare },
    { kind: 'interaction_silent' },
    { kind: 'rfm_score', r: [1, 2] },
  ]
  for (const rule of states) expect(asked(...neither, rule)).toEqual({ states: true, purchases: true })
})

test('events are read from when on some window holds them, and all of them where one has no beginning', () => {
  const now = Date.parse('2026-03-01T02:00:00Z')
  const days = new ZoneDays('Asia/Shanghai')
  const since = (...rules: unknown[]) =>
    Object.fromEntries(sinceOf(factNeedsOf(rules.map((rule) => Rule.parse(rule))), now, days))
  const rolling = event({ event: 'page_viewed' }, { window: { kind: 'rolling', days: 7 } })
  const month = event({ event: 'page_viewed' }, { window: { kind: 'calendar', unit: 'month', back: 1 } })
  expect(since(rolling)).toEqual({ page_viewed: now - 7 * 86_400_000 })
  expect(since(rolling, month)).toEqual({ page_viewed: Date.parse('2026-01-31T16:00:00Z') })
  expect(since(rolling, event({ event: 'page_viewed' }))).toEqual({})
  expect(since(event({ event: 'page_viewed' }), rolling)).toEqual({})
  const anchored = {
    kind: 'since',
    anchor: { at: 'first', what: { of: 'event', filter: { event: 'page_viewed' } } },
  }
  expect(since(rolling, event({ event: 'tracked' }, { window: anchored }))).toEqual({})
  expect(
    since({
      kind: 'sequence',
      first: { of: 'purchase' },
      second: { of: 'event', filter: { event: 'page_viewed' } },
      withinDays: 3,
      window: { kind: 'rolling', days: 30 },
    }),
  ).toEqual({ page_viewed: now - 30 * 86_400_000 })
})
