import { expect, test } from 'vitest'
import { restAfter } from './loop.ts'

test('a loop that finds nothing looks less often by and by, at least every second', () => {
  expect([1, 8, 9, 10].map((round) => restAfter(round, 100))).toEqual([100, 100, 125, 156.25])
  expect([15, 16, 1000].map((round) => Math.round(restAfter(round, 100)))).toEqual([477, 500, 500])
  expect(restAfter(1000, 250)).toBe(1000)
  expect(restAfter(1000, 60_000)).toBe(60_000)
})
