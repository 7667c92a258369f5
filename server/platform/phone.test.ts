import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { normalisePhone } from './phone.ts'

const mobile = { value: '+8613812345679', valid: true, form: 'mobile' }

test.each([
  '13812345679',
  '１３８１２３４５６７９',
  '+86 138 1234 5679',
  '+8613812345679',
  '86-138-1234-5679',
  '0086 13812345679',
  '138-1234-5679',
  '(138) 1234-5679',
  "'13812345679",
  '13812345679.0',
  ' 138 1234　5679 ',
])('the phone %s is understood', (text) => {
  expect(normalisePhone(text)).toEqual(mobile)
})

test.each([
  '1381234567',
  '23812345679',
  '1.38E+10',
  '00000000000',
  'abc',
  '12345',
  '13800138000',
  '13500000000',
])('the phone %s is invalid and kept', (text) => {
  expect(normalisePhone(text)?.valid).toBe(false)
})

test('a fixed line is valid and no mobile', () => {
  expect(normalisePhone('010-62345678')).toEqual({ value: '+861062345678', valid: true, form: 'landline' })
})

test('a foreign number keeps its country', () => {
  expect(normalisePhone('+1 213 373 4253')?.value).toBe('+12133734253')
  expect(normalisePhone('0044 20 7946 0958')?.value).toBe('+442079460958')
})

test('an empty cell is no phone', () => {
  expect(normalisePhone('  ')).toBeUndefined()
  expect(normalisePhone('-')).toBeUndefined()
})

test('the short way and the full table agree on every Chinese mobile', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_300_000_0000, max: 1_999_999_9999 }), (number) => {
      const full = parsePhoneNumberFromString(String(number), 'CN')
      const short = normalisePhone(String(number))
      const placeholder = /^1\d\d(?:0{8}|12345678)$|^13800138000$/.test(String(number))
      expect(short?.valid).toBe(full?.isValid() === true && !placeholder)
      if (full?.isValid()) expect(short).toMatchObject({ value: full.number, form: 'mobile' })
    }),
    { numRuns: 3000 },
  )
})

test('writing a phone differently never makes another phone', () => {
  const digits = fc.integer({ min: 10_000_000, max: 99_999_999 })
  fc.assert(
    fc.property(
      digits,
      fc.constantFrom('', '+86', '86', '0086', '+86 '),
      fc.constantFrom('', ' ', '-'),
      (n, prefix, gap) => {
        const text = String(n)
        const written = `${prefix}139${gap}${text.slice(0, 4)}${gap}${text.slice(4)}`
        expect(normalisePhone(written)?.value).toBe(`+86139${text}`)
      },
    ),
  )
})
