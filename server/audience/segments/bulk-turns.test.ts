import { expect, test } from 'vitest'
import { BulkTurns } from './bulk-turns.ts'

test('while an import runs, a round begins half a minute after the last, later where that one took long', () => {
  let now = 1000
  const turns = new BulkTurns(() => now)
  const begins = (after: number, coming: boolean): boolean => {
    now += after
    return turns.mayBegin(coming)
  }
  expect(begins(0, true)).toBe(true)
  now += 2000
  turns.end()
  expect([begins(1, true), begins(29_000, true), begins(999, true)]).toEqual([false, false, true])
  now += 20_000
  turns.end()
  expect([begins(79_999, true), begins(1, true)]).toEqual([false, true])
})

test('when nothing more is coming, a round begins at once', () => {
  const turns = new BulkTurns(() => 0)
  expect([turns.mayBegin(false), turns.mayBegin(false)]).toEqual([true, true])
  turns.end()
  expect([turns.mayBegin(true), turns.mayBegin(false)]).toEqual([false, true])
})
