import { describe, expect, test } from 'vitest'
import { febrlPersons, generatedMembers, restaurants, scoreOf } from '../../test/support/entity-sets.ts'
import { fc } from '../../test/support/fast-check.ts'
import { isAbsent } from '../../test/support/shared-data.ts'
import { normalisePhone } from '../platform/phone.ts'
import { blocks } from './blocking.ts'
import { type Likely, likeness, memberFields, wordsOf } from './likeness.ts'
import { nameInRemark } from './normalise.ts'
import { pinyinOf } from './pinyin.ts'
import { countRarity } from './rarity.ts'
import { jaroWinkler, oneSlip } from './text-distance.ts'

const nobody = countRarity()
const compare = (one: Likely, other: Likely, base = nobody) => likeness(memberFields, one, other, base)

test('names are heard as they sound', () => {
  expect(pinyinOf('章珊')).toEqual(pinyinOf('张三').map((part, index) => (index === 1 ? 'shan' : part)))
  expect(pinyinOf('许巍')).toEqual(pinyinOf('徐威'))
  expect(pinyinOf('欧阳 Na-Na')).toEqual(['ou', 'yang', 'na', 'na'])
  expect(pinyinOf('单晓敲')).toEqual(['shan', 'xiao', 'qiao'])
  expect(pinyinOf('𠮷田')).toHaveLength(2)
})

test('a remark holds the name that a guide knows', () => {
  expect(nameInRemark('VIP李晓明 13800001234 L码')).toBe('李晓明')
  expect(nameInRemark('13800001234')).toBeUndefined()
  expect(nameInRemark('喜欢红色外套和裤子的那位')).toBeUndefined()
})

describe('who is put before somebody as the same person', () => {
  const li: Likely = {
    name: ['李晓明'],
    birthday: ['1990-05-06'],
    phone: ['+8613800001234'],
    city: ['上海'],
  }
  const without = (...fields: string[]): Likely =>
    Object.fromEntries(Object.entries(li).filter(([field]) => !fields.includes(field)))

  test.each<[string, Likely]>([
    ['the same name and birthday', without('phone')],
    ['a name that sounds the same, with the birthday', { ...without('phone'), name: ['李小明'] }],
    ['the same name and last four digits', { ...without('birthday'), phone: ['+8613912341234'] }],
    [
      'the same name and a phone of which the middle is hidden',
      { ...without('birthday'), phone: ['138****1234'] },
    ],
    ['the same name and a digit turned in the phone', { ...without('birthday'), phone: ['+8613800001243'] }],
    ['day and month turned, same name and phone', { ...li, birthday: ['1990-06-05'] }],
    ['one of two names, with the birthday', { ...without('phone'), name: ['小仙女', '李晓明'] }],
  ])('%s', (_, other) => expect(compare(li, other).proposed).toBe(true))

  test.each<[string, Likely]>([
    ['the same name alone', { name: ['李晓明'] }],
    ['the same name and city', { name: ['李晓明'], city: ['上海'] }],
    ['the same birthday with another name', { ...without('phone'), name: ['王芳'] }],
    ['the same name with another birthday', { name: ['李晓明'], birthday: ['1975-11-30'] }],
    ['a relative at the same phone', { ...without('birthday'), name: ['李晓红'] }],
    ['nothing known', {}],
  ])('not %s', (_, other) => expect(compare(li, other).proposed).toBe(false))

  test('not a family with one phone at one address', () => {
    const home = { phone: ['+8613800001234'], address: ['上海市徐汇区武当路12号301室'], city: ['上海'] }
    expect(compare({ ...home, name: ['李晓明'] }, { ...home, name: ['王芳'] }).proposed).toBe(false)
    expect(compare({ ...home, name: ['李晓明'] }, { ...home, name: ['李小明'] }).proposed).toBe(true)
  })

  test('says which fields agree and how much, the strongest first', () => {
    const { evidence } = compare(li, { ...li, name: ['李小明'], birthday: ['1990-06-05'] })
    expect(evidence.map(({ field }) => field).sort()).toEqual(['birthday', 'city', 'name', 'phone'])
    expect(evidence).toContainEqual({ field: 'name', says: 'sounds_same', alike: 1 })
    expect(evidence).toContainEqual({ field: 'birthday', says: 'similar', alike: 0.9 })
    expect(evidence).toContainEqual({ field: 'phone', says: 'same', alike: 1 })
  })
})

test('what everybody has tells nothing', () => {
  const base = countRarity()
  for (let n = 0; n < 2_000; n += 1)
    base.note(wordsOf(memberFields, { name: [`名${n}`], birthday: ['1900-01-01'], phone: [`1380000${n}`] }))
  const someone: Likely = { name: ['李晓明'], birthday: ['1900-01-01'] }
  expect(compare(someone, someone).proposed).toBe(true)
  expect(compare(someone, someone, base).proposed).toBe(false)
})

test('the larger the base, the more is asked for', () => {
  const scoreIn = (persons: number): number => {
    const base = countRarity()
    for (let n = 0; n < persons; n += 1) base.note([])
    return base.prior
  }
  expect(scoreIn(100_000) - scoreIn(1_000)).toBeGreaterThan(5)
})

test('likeness has no direction and stays between 0 and 1', () => {
  const few = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 })
  const any = fc.record({
    name: few('李晓明', '李小明', '王芳', 'peter jones', 'petra jones', 'x', '', '𠮷', '<script>'),
    birthday: few('1990-05-06', '1990-06-05', '0000-05-06', '1980-01-01', 'L1990-05-06'),
    phone: few('+8613800001234', '138****1234', '+8613800001243', '12', ''),
    address: few('武当路1号', '上海市武当路2号', '12 main st.', '12 main street', '!'),
    city: few('上海', '上海市', 'new york', 'new york city'),
    email: few('li.ming', 'liming', 'liming1990'),
  })
  fc.assert(
    fc.property(any, any, (a, b) => {
      const { score, evidence } = compare(a, b)
      expect(score).toBeCloseTo(compare(b, a).score, 10)
      expect(score).toBeGreaterThanOrEqual(0)
      expect(score).toBeLessThanOrEqual(1)
      for (const { alike } of evidence) expect(alike).toBeGreaterThan(0)
    }),
  )
})

test('whoever shares a key is met once in a load, and a key of many by nobody', async () => {
  const all = blocks()
  const halves = [blocks(0, 2), blocks(1, 2)]
  const wanted = new Set<string>()
  for (let person = 1; person <= 3_000; person += 1) {
    for (const key of [`a${person % 1_500}`, `b${person % 1_500}`, `everybody`, `c${person}`]) {
      for (const into of [all, ...halves]) into.add(key, person)
    }
    if (person > 1_500) wanted.add(`${person - 1_500}-${person}`)
  }
  const met: string[] = []
  for await (const pairs of all.pairs()) met.push(...pairs.map((pair) => pair.join('-')))
  expect(met.length).toBe(wanted.size)
  expect(new Set(met)).toEqual(wanted)
  const inHalves = new Set<string>()
  for (const half of halves)
    for await (const pairs of half.pairs()) for (const pair of pairs) inHalves.add(pair.join('-'))
  expect(inHalves).toEqual(wanted)
})

test('Jaro–Winkler gives the published values', () => {
  expect(jaroWinkler('martha', 'marhta')).toBeCloseTo(0.961, 3)
  expect(jaroWinkler('dwayne', 'duane')).toBeCloseTo(0.84, 2)
  expect(jaroWinkler('dixon', 'dicksonx')).toBeCloseTo(0.813, 3)
})

test.each([
  ['1380', '1380', true],
  ['1380', '1308', true],
  ['1380', '1390', true],
  ['1380', '138', true],
  ['1380', '11380', true],
  ['1380', '1803', false],
  ['1380', '1', false],
])('%s and %s are one slip apart: %s', (one, other, is) => {
  expect(oneSlip(one, other)).toBe(is)
  expect(oneSlip(other, one)).toBe(is)
})

test('of members who were typed anew most are found by comparing hardly anybody, and nobody else', async () => {
  const { precision, recall, blocked, compared } = await scoreOf(generatedMembers(8_000))
  expect(precision).toBeGreaterThanOrEqual(0.99)
  expect(recall).toBeGreaterThanOrEqual(0.8)
  expect(blocked).toBeGreaterThanOrEqual(0.82)
  expect(compared).toBeLessThan(1_000)
})

test.skipIf(isAbsent('er_febrl'))(
  'of 500 known duplicates most are found, and hardly anybody else',
  async () => {
    const { precision, recall } = await scoreOf(febrlPersons())
    expect(precision).toBeGreaterThanOrEqual(0.98)
    expect(recall).toBeGreaterThanOrEqual(0.9)
  },
)

test.skipIf(isAbsent('er_restaurant'))(
  'of 112 restaurants in two guides most are found, and hardly any other',
  async () => {
    const { precision, recall } = await scoreOf(restaurants())
    expect(precision).toBeGreaterThanOrEqual(0.98)
    expect(recall).toBeGreaterThanOrEqual(0.93)
  },
)

test.skipIf(isAbsent('er_restaurant'))(
  'phones that differ only in how they are written are one phone',
  () => {
    const { persons, truth } = restaurants()
    const digits = (text: string): string => text.replace(/\D/g, '')
    let compared = 0
    for (const pair of truth) {
      const [a = '', b = ''] = pair.split('-').map((id) => persons.get(Number(id))?.['phone']?.[0] ?? '')
      const sameDigits = digits(a) === digits(b)
      if (sameDigits) compared += 1
      expect(normalisePhone(a)?.value === normalisePhone(b)?.value).toBe(sameDigits)
    }
    expect(compared).toBeGreaterThan(90)
  },
)
