import { expect, test } from 'vitest'
import { normaliseEmail, normaliseName, phonesInRemark } from './normalise.ts'

test('e-mails are compared without case, and impossible ones are invalid', () => {
  expect(normaliseEmail(' Li.Si@Example.COM ')).toEqual({
    value: 'li.si@example.com',
    valid: true,
    form: null,
  })
  expect(normaliseEmail('li.si@')?.valid).toBe(false)
  expect(normaliseEmail('a@b')?.valid).toBe(false)
  expect(normaliseEmail('')).toBeUndefined()
})

test('names lose stray blanks and invisible signs, and stand-ins are no names', () => {
  expect(normaliseName('　张　三\u200b ')).toBe('张 三')
  expect(normaliseName('ＡＢＣ')).toBe('ABC')
  expect(normaliseName('无')).toBeUndefined()
  expect(normaliseName(' ')).toBeUndefined()
})

test('phones in a remark are found among other digits', () => {
  expect(phonesInRemark('李姐 138-1234-5679 尺码38，生日0812')).toEqual(['+8613812345679'])
  expect(phonesInRemark('订单 20240101138123456790001')).toEqual([])
})
