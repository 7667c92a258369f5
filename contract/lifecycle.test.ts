import { describe, expect, test } from 'vitest'
import { fc } from '../test/support/fast-check.ts'
import {
  aiplOf,
  bandOf,
  daysText,
  defaultEdges,
  type Edges,
  interactionSilentOf,
  joinRecencyOf,
  lifecycleName,
  lifecycleOf,
  lifecycleStates,
  medianGap,
  nextEdge,
  orderStageOf,
  ownCycleOf,
} from './lifecycle.ts'

describe('the bands of the life cycle', () => {
  test.each([
    [0, 'active'],
    [89, 'active'],
    [90, 'silent'],
    [179, 'silent'],
    [180, 'near_sleep'],
    [364, 'near_sleep'],
    [365, 'hibernating'],
    [730, 'hibernating'],
    [731, 'lost'],
  ])('day %i since the last purchase is %s', (days, state) => {
    expect(lifecycleOf(days, 5, defaultEdges)).toBe(state)
  })

  test('whoever never bought stands by the same edges since joining, also on day 730', () => {
    const states = [0, 90, 180, 365, 730, 731].map((days) => lifecycleOf(null, days, defaultEdges))
    expect(states).toEqual(['never_1', 'never_2', 'never_3', 'never_4', 'never_4', 'never_5'])
    expect(lifecycleOf(null, null, defaultEdges)).toBe('never_undated')
  })

  test('the next edge is the first day on which the band is another one', () => {
    const edges: fc.Arbitrary<Edges> = fc
      .uniqueArray(fc.integer({ min: 1, max: 900 }), { minLength: 4, maxLength: 4 })
      .map((days) => days.sort((left, right) => left - right) as Edges)
    fc.assert(
      fc.property(edges, fc.integer({ min: -5, max: 1000 }), (given, days) => {
        const next = nextEdge(days, given)
        for (let day = days; day < Math.min(next ?? 2000, 2000); day += 1) {
          expect(bandOf(day, given)).toBe(bandOf(days, given))
        }
        if (next !== undefined) expect(bandOf(next, given)).toBeGreaterThan(bandOf(days, given))
      }),
    )
  })

  test('every state has a name in both languages, those who never bought with their days', () => {
    for (const state of lifecycleStates) {
      expect(lifecycleName(state, 'zh')).not.toBe('')
      expect(lifecycleName(state, 'en')).not.toBe('')
    }
    expect(lifecycleName('never_2', 'zh')).toBe('无消费会员(注册90–179 天)')
    expect(daysText(3, defaultEdges, 'en')).toBe('365–730 days')
  })
})

test('the own cycle scales the bands to the median gap, and is unknown before the second day with a purchase', () => {
  expect(medianGap([10])).toBeNull()
  expect(medianGap([10, 10])).toBeNull()
  expect(medianGap([0, 10, 40])).toBe(20)
  expect(medianGap([0, 10, 40, 41])).toBe(10)
  expect(ownCycleOf(5, null)).toBe('unknown')
  expect(ownCycleOf(null, 5)).toBe('unknown')
  expect([19, 20, 39, 40, 80, 160, 161].map((days) => ownCycleOf(days, 10))).toEqual([
    'active',
    'silent',
    'silent',
    'near_sleep',
    'hibernating',
    'hibernating',
    'lost',
  ])
})

test('joining: 30 days are new, 90 days recent-new, then historical', () => {
  expect([0, 30, 31, 90, 91, null].map((days) => joinRecencyOf(days))).toEqual([
    'new',
    'new',
    'recent_new',
    'recent_new',
    'historical',
    'unknown',
  ])
})

test('stages by number of purchases: new, first, 1→2, 2→3, more', () => {
  expect([0, 1, 2, 3, 4, 50].map(orderStageOf)).toEqual([
    'new',
    'first_purchase',
    'one_to_two',
    'two_to_three',
    'more',
    'more',
  ])
})

test('from awareness to loyalty', () => {
  const person = { purchases: 0, lifecycle: 'never_1' as const, joined: false, interacted: false }
  expect(aiplOf(person)).toBe('awareness')
  expect(aiplOf({ ...person, interacted: true })).toBe('interest')
  expect(aiplOf({ ...person, purchases: 1, lifecycle: 'active' })).toBe('purchase')
  expect(aiplOf({ ...person, purchases: 3, lifecycle: 'active' })).toBe('loyalty')
  expect(aiplOf({ ...person, purchases: 3, lifecycle: 'silent' })).toBe('purchase')
})

test('silent in conversation is another thing than silent in buying: it counts from the last exchange, else from joining', () => {
  expect(interactionSilentOf(89, 500)).toBe(false)
  expect(interactionSilentOf(90, 10)).toBe(true)
  expect(interactionSilentOf(null, 10)).toBe(false)
  expect(interactionSilentOf(null, null)).toBe(true)
})
