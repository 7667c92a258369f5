import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { KeySet } from './key-set.ts'

test('tells of every key what a set tells', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 3000 }), (keys) => {
      const own = new KeySet()
      const usual = new Set<string>()
      for (const key of keys) {
        expect(own.has(key)).toBe(usual.has(key))
        expect(own.add(key)).toBe(!usual.has(key))
        usual.add(key)
        expect(own.size).toBe(usual.size)
      }
    }),
    { numRuns: 30 },
  )
})

test('holds what it was given through every growth', () => {
  const keys = new KeySet()
  for (let n = 0; n < 20_000; n += 1) expect(keys.add(`buyer ${n}`)).toBe(true)
  for (let n = 0; n < 20_000; n += 1) expect(keys.add(`buyer ${n}`)).toBe(false)
  expect(keys.size).toBe(20_000)
  expect(keys.has('buyer 20000')).toBe(false)
})
