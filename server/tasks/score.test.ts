import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { scoreOf } from './score.ts'

test('everything in time is 100, half of it late is 75, nothing done is 0, nothing due is no score', () => {
  expect(scoreOf({ done: 4, doneLate: 0, late: 0 })).toBe(100)
  expect(scoreOf({ done: 2, doneLate: 2, late: 0 })).toBe(75)
  expect(scoreOf({ done: 0, doneLate: 0, late: 3 })).toBe(0)
  expect(scoreOf({ done: 0, doneLate: 0, late: 0 })).toBeNull()
})

test('finishing one more late task never lowers the score', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.integer({ min: 1, max: 50 }), (done, doneLate, late) => {
      const before = scoreOf({ done, doneLate, late }) ?? 0
      const after = scoreOf({ done, doneLate: doneLate + 1, late: late - 1 }) ?? 0
      expect(after).toBeGreaterThanOrEqual(before)
    }),
  )
})
