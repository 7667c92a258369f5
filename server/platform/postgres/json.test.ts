import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { jsonText } from './json.ts'

test('what jsonb refuses is taken out and nothing else changes', () => {
  expect(
    JSON.parse(jsonText({ a: 'x\u0000y', b: '\uD800', c: '\\u0000', d: '\\\\\u0000', e: '\u0001' })),
  ).toEqual({
    a: 'xy',
    b: '\uFFFD',
    c: '\\u0000',
    d: '\\\\',
    e: '\u0001',
  })
})

test('any text comes out well-formed, without U+0000', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom('\\', '\u0000', '\uD800', 'u0000', '"', '会')),
      (a, b) => {
        const text = a + b.join('')
        // Taking U+0000 out may bring two halves together; each half was already replaced then.
        const parsed = JSON.parse(jsonText(text)) as string
        expect(parsed.isWellFormed()).toBe(true)
        expect(parsed.includes('\u0000')).toBe(false)
        if (text.isWellFormed() && !text.includes('\u0000')) expect(parsed).toBe(text)
      },
    ),
  )
})
