import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { openBlindIndex } from '../../platform/crypto/blind-index.ts'
import { flatten, idText, labelOf, MOST_PROPERTIES } from './properties.ts'

const index = openBlindIndex(Buffer.alloc(32, 7))
const hidden = (kind: string, value: string): string =>
  `#${kind}:${index.digest(kind, '', value).toString('hex')}`

test('nested properties stand under their path, lists as JSON, nulls nowhere', () => {
  const { properties } = flatten(
    {
      price: 12.5,
      on: true,
      sku: 'A',
      address2: { city: '杭州', geo: { lat: 1 } },
      tags: ['a', 'b'],
      none: null,
      gone: undefined,
      bad: Number.NaN,
    },
    index,
  )
  expect(properties).toEqual({
    price: 12.5,
    on: true,
    sku: 'A',
    'address2.city': '杭州',
    'address2.geo.lat': 1,
    tags: '["a","b"]',
  })
})

test('a phone is hidden under whatever name and in whatever form it comes, and told once as a hint', () => {
  const { properties, found, flags } = flatten(
    {
      Mobile_Phone: '138 1234 5678',
      note: '请打 +8613812345678 找我',
      raw: 13812345678,
      list: ['13812345678'],
    },
    index,
  )
  const phone = hidden('phone', '+8613812345678')
  expect(properties).toEqual({
    Mobile_Phone: phone,
    note: `请打 ${phone} 找我`,
    raw: phone,
    list: JSON.stringify([phone]),
  })
  expect(found.map(({ kind, hint }) => [kind, hint])).toEqual(
    Array.from({ length: 4 }, () => ['phone', true]),
  )
  expect(flags).toEqual(['hidden'])
})

test('e-mails, identity cards, names, addresses and network addresses are hidden', () => {
  const { properties } = flatten(
    {
      url: 'https://a.example/?m=Zhang.San@Example.com',
      card: '11010519491231002X',
      ip: '8.8.8.8',
      realName: '张三',
      收货地址: '文一西路',
    },
    index,
  )
  const text = JSON.stringify(properties)
  for (const clear of ['Zhang', 'Example.com', '11010519491231002X', '8.8.8.8', '张三', '文一西路'])
    expect(text).not.toContain(clear)
  expect(text).toContain(hidden('email', 'zhang.san@example.com'))
})

test('nothing personal hides in names of fields, in lists, between signs, or in wide digits', () => {
  const phone = hidden('phone', '+8613812345678')
  const { properties } = flatten(
    {
      13812345678: 1,
      'user 13812345678': { city: '杭州' },
      note: '138 1234 5678 或 138-1234-5678 或 １３８１２３４５６７８',
      numbers: [13812345678, { deep: [13812345678] }],
      姓名: ['张三'],
      buyers: [{ realName: '李四', sku: 'A' }],
      receiver: { name: '王五' },
      product: { name: '毛巾' },
    },
    index,
  )
  const text = JSON.stringify(properties)
  for (const clear of ['1234', '１３８', '张三', '李四', '王五']) expect(text).not.toContain(clear)
  expect(properties).toMatchObject({
    [phone]: 1,
    [`user ${phone}.city`]: '杭州',
    note: `${phone} 或 ${phone} 或 ${phone}`,
    'product.name': '毛巾',
  })
  expect(properties['buyers']).toContain('"sku":"A"')
  expect(labelOf('看了 13812345678', index)).toBe(`看了 ${phone}`)
})

test('ids are whole or none: two that begin alike never become one', () => {
  expect([idText(' M1 '), idText(7), idText(''), idText({}), idText('x'.repeat(201))]).toEqual([
    'M1',
    '7',
    undefined,
    undefined,
    undefined,
  ])
})

test('numbers that are no phones stay: times in milliseconds, order numbers, prices', () => {
  const given = {
    at: 1_772_000_000_000,
    order: '2026030112345678901',
    price: 0.1,
    seconds: 1_772_000_000,
    code: '88001234567',
  }
  expect(flatten(given, index).properties).toEqual(given)
})

test('what is too much is cut, and said so', () => {
  const many = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`p${at}`, at]))
  const left = flatten(many, index)
  expect(Object.keys(left.properties)).toHaveLength(MOST_PROPERTIES)
  expect(left.flags).toEqual(['left_out'])
  const long = flatten({ text: '字'.repeat(1500) }, index)
  expect(String(long.properties['text'])).toHaveLength(1000)
  expect(long.flags).toEqual(['cut'])
})

test('no mobile number gets through inside a text', () => {
  const phone = fc
    .tuple(fc.constantFrom('3', '5', '7', '8', '9'), fc.stringMatching(/^\d{9}$/))
    .map(([second, rest]) => `1${second}${rest}`)
  fc.assert(
    fc.property(
      phone,
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      (number, before, after) => {
        fc.pre(!/\d$/.test(before) && !/^\d/.test(after))
        const { properties } = flatten(
          { note: `${before}${number}${after}`, deep: { list: [number] } },
          index,
        )
        expect(JSON.stringify(properties)).not.toContain(number)
      },
    ),
  )
})
