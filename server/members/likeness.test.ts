import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { isAbsent, sharedData } from '../../test/support/shared-data.ts'
import { normalisePhone } from '../platform/phone.ts'
import { isProposal, jaroWinkler, keysOf, type Likely, likeness } from './likeness.ts'
import { pinyinOf } from './pinyin.ts'

const person = (more: Partial<Likely>): Likely => ({
  name: null,
  birthday: null,
  last4: null,
  city: null,
  address: null,
  ...more,
})

test('names are heard as they sound', () => {
  expect(pinyinOf('章珊')).toEqual(pinyinOf('张三').map((part, index) => (index === 1 ? 'shan' : part)))
  expect(pinyinOf('许巍')).toEqual(pinyinOf('徐威'))
  expect(pinyinOf('欧阳 Na-Na')).toEqual(['ou', 'yang', 'na', 'na'])
  expect(pinyinOf('单晓敲')).toEqual(['shan', 'xiao', 'qiao'])
})

describe('who is put before somebody as the same person', () => {
  const li = person({ name: '李晓明', birthday: '1990-05-06', last4: '1234', city: '上海' })

  test.each([
    ['the same name and birthday', { ...li, last4: null }],
    ['a name that sounds the same, with the birthday', { ...li, name: '李小明', last4: null }],
    ['the same name and last four digits', { ...li, birthday: null }],
    ['day and month turned, same name and phone', { ...li, birthday: '1990-06-05' }],
  ])('%s', (_, other) => expect(isProposal(likeness(li, other))).toBe(true))

  test.each([
    ['the same name alone', person({ name: '李晓明' })],
    ['the same name and city', person({ name: '李晓明', city: '上海' })],
    ['the same birthday with another name', { ...li, name: '王芳', last4: null }],
    ['the same name with another birthday', person({ name: '李晓明', birthday: '1975-11-30' })],
  ])('not %s', (_, other) => expect(isProposal(likeness(li, other))).toBe(false))
})

test('likeness has no direction and stays between 0 and 1', () => {
  const text = fc.option(fc.constantFrom('李晓明', '李小明', '王芳', 'peter jones', 'petra jones', 'x'))
  const any = fc.record({
    name: text,
    birthday: fc.option(fc.constantFrom('1990-05-06', '1990-06-05', '0000-05-06', '1980-01-01')),
    last4: fc.option(fc.constantFrom('1', '2')),
    city: text,
    address: text,
  })
  fc.assert(
    fc.property(any, any, (a, b) => {
      const { score } = likeness(a, b)
      expect(score).toBeCloseTo(likeness(b, a).score, 10)
      expect(score).toBeGreaterThanOrEqual(0)
      expect(score).toBeLessThanOrEqual(1)
    }),
  )
})

test('Jaro–Winkler gives the published values', () => {
  expect(jaroWinkler('martha', 'marhta')).toBeCloseTo(0.961, 3)
  expect(jaroWinkler('dwayne', 'duane')).toBeCloseTo(0.84, 2)
  expect(jaroWinkler('dixon', 'dicksonx')).toBeCloseTo(0.813, 3)
})

test.skipIf(isAbsent('er_febrl'))('of 500 known duplicates most are found, and hardly anybody else', () => {
  const records = table(`${sharedData('er_febrl')}/dataset1.csv`).map((row) => ({
    truth: /rec-(\d+)-/.exec(row['rec_id'] ?? '')?.[1] ?? '',
    likely: person({
      name: `${row['given_name']} ${row['surname']}`.trim() || null,
      birthday: /^\d{8}$/.test(row['date_of_birth'] ?? '')
        ? (row['date_of_birth'] ?? '').replace(/(....)(..)(..)/, '$1-$2-$3')
        : null,
      city: row['suburb'] || null,
      address: `${row['street_number']} ${row['address_1']} ${row['address_2']}`.trim() || null,
    }),
  }))
  const blocks = Map.groupBy(
    records.flatMap((record, index) => keysOf(record.likely).map((key) => ({ key, index }))),
    ({ key }) => key,
  )
  const pairs = new Set<string>()
  for (const members of blocks.values()) {
    for (const a of members)
      for (const b of members) if (a.index < b.index) pairs.add(`${a.index}-${b.index}`)
  }
  let [right, wrong] = [0, 0]
  for (const pair of pairs) {
    const [a, b] = pair.split('-').map((index) => records[Number(index)])
    if (!a || !b || !isProposal(likeness(a.likely, b.likely))) continue
    if (a.truth === b.truth) right += 1
    else wrong += 1
  }
  expect(right / 500).toBeGreaterThanOrEqual(0.9)
  expect(right / (right + wrong)).toBeGreaterThanOrEqual(0.98)
})

test.skipIf(isAbsent('er_restaurant'))(
  'phones that differ only in how they are written are one phone',
  () => {
    const folder = sharedData('er_restaurant')
    const phones = new Map(table(`${folder}/restaurant.csv`).map((row) => [row['id'], row['phone'] ?? '']))
    const gold = table(`${folder}/restaurant_gold.csv`)
    const digits = (text: string): string => text.replace(/\D/g, '')
    let compared = 0
    for (const { id_1, id_2 } of gold) {
      const [a, b] = [phones.get(id_1) ?? '', phones.get(id_2) ?? '']
      const sameDigits = digits(a) === digits(b)
      if (sameDigits) compared += 1
      expect(normalisePhone(a)?.value === normalisePhone(b)?.value).toBe(sameDigits)
    }
    expect(compared).toBeGreaterThan(90)
  },
)

/** A small CSV with quotes and a heading. */
function table(path: string): Record<string, string>[] {
  const [heading = '', ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
  const cells = (line: string): string[] =>
    (line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? []).map((cell) =>
      cell.replace(/,$/, '').trim().replace(/^"|"$/g, ''),
    )
  const names = cells(heading)
  return lines.map((line) => Object.fromEntries(cells(line).map((cell, index) => [names[index] ?? '', cell])))
}
