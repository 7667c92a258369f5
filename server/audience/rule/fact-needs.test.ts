import { expect, test } from 'vitest'
import { Rule } from '../../../contract/rule.ts'
import { factNeedsOf } from './fact-needs.ts'

const compare = { op: 'ge', value: 1 }
const needs = (...rules: unknown[]) => {
  const { events, ...more } = factNeedsOf(rules.map((rule) => Rule.parse(rule)))
  return { ...more, events: Object.fromEntries(events) }
}
const nothing = { lines: false, events: {}, texts: [], numbers: [] }
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
  expect(needs({ kind: 'orders', compare, measure: { of: 'distinct', by: 'store' } })).toEqual(nothing)
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
    lines: false,
    events: { tracked: ['a'], page_viewed: undefined },
    texts: ['colour', 'page id', 'size', 'sku'],
    numbers: ['colour', 'page id', 'price', 'size', 'sku'],
  })
  expect(needs({ kind: 'coupon', states: ['used'] })).toEqual({
    ...nothing,
    events: { coupon_changed: undefined },
    texts: ['kind'],
    numbers: ['expiresAt'],
  })
})
