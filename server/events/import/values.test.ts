import { describe, expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { isZone } from '../../platform/time/zone.ts'
import { readMoment, toDay, toInstant } from './dates.ts'
import { readAmount, toCents } from './money.ts'
import {
  Fault,
  readCode,
  readDay,
  readGender,
  readInstant,
  readList,
  readMoney,
  readPhone,
  readSide,
  readStatus,
  readText,
  readYesNo,
} from './values.ts'

const latest = new Date('2026-11-22T00:00:00Z')
const shanghai = { zone: 'Asia/Shanghai', order: 'ymd', latest } as const

function instantOf(
  cell: string | number | Date,
  how: { zone?: string; order?: 'ymd' | 'mdy' | 'dmy' } = {},
): string | null {
  const at = readInstant(cell, { ...shanghai, ...how })
  return at instanceof Fault ? at.reason : (at?.toISOString() ?? null)
}

describe('dates', () => {
  test.each([
    ['2024-03-05 14:30:05', '2024-03-05T06:30:05.000Z'],
    ['2024-03-05 14:30', '2024-03-05T06:30:00.000Z'],
    ['2024-03-05', '2024-03-04T16:00:00.000Z'],
    ['2024/3/5', '2024-03-04T16:00:00.000Z'],
    ['2024/3/5 4:05', '2024-03-04T20:05:00.000Z'],
    ['2024.03.05', '2024-03-04T16:00:00.000Z'],
    ['2024年3月5日', '2024-03-04T16:00:00.000Z'],
    ['2024年3月5日 14:30', '2024-03-05T06:30:00.000Z'],
    ['2024年03月05日14时30分5秒', '2024-03-05T06:30:05.000Z'],
    ['2024年3月5日 下午2:30', '2024-03-05T06:30:00.000Z'],
    ['2024年3月5日 星期二 上午12:10', '2024-03-04T16:10:00.000Z'],
    ['２０２４－０３－０５', '2024-03-04T16:00:00.000Z'],
    ['20240305', '2024-03-04T16:00:00.000Z'],
    ['20240305143005', '2024-03-05T06:30:05.000Z'],
    ['20240305 14:30', '2024-03-05T06:30:00.000Z'],
    ['2024-03-05T06:30:00Z', '2024-03-05T06:30:00.000Z'],
    ['2024-03-05T06:30:00.123Z', '2024-03-05T06:30:00.123Z'],
    ['2024-03-05T14:30:00+08:00', '2024-03-05T06:30:00.000Z'],
    ['2024-03-05 14:30:00 +0800', '2024-03-05T06:30:00.000Z'],
    ['5-Mar-2024', '2024-03-04T16:00:00.000Z'],
    ['March 5, 2024 2:30 PM', '2024-03-05T06:30:00.000Z'],
    ['45356.604166666664', '2024-03-05T06:30:00.000Z'],
    ['1709620200', '2024-03-05T06:30:00.000Z'],
    ['1709620200000', '2024-03-05T06:30:00.000Z'],
    ['1970-01-01', '1969-12-31T16:00:00.000Z'],
    ['2024-03-05 24:00', '2024-03-05T16:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(instantOf(text)).toBe(expected)
  })

  test.each([
    ['05/03/2024', 'mdy', '2024-05-02T16:00:00.000Z'],
    ['05/03/2024', 'dmy', '2024-03-04T16:00:00.000Z'],
    ['25/03/2024', 'dmy', '2024-03-24T16:00:00.000Z'],
    ['25/03/2024', 'mdy', 'date_order'],
    ['12/31/24 23:59', 'mdy', '2024-12-31T15:59:00.000Z'],
  ] as const)('%s in a column of %s', (text, order, expected) => {
    expect(instantOf(text, { order })).toBe(expected)
  })

  test.each([
    '2024-02-30',
    '2023-02-29',
    '2024-13-01',
    '昨天',
    '2024-03-05 25:00',
    '12345678',
    '1969-12-01',
    '2031-01-01',
    '0000-00-00',
  ])('%s is refused', (text) => {
    expect(readInstant(text, shanghai)).toBeInstanceOf(Fault)
  })

  test('numbers: a serial, a date written as a number, seconds of the epoch', () => {
    expect(instantOf(45356)).toBe('2024-03-04T16:00:00.000Z')
    expect(instantOf(20240305)).toBe('2024-03-04T16:00:00.000Z')
    expect(instantOf(1709620200)).toBe('2024-03-05T06:30:00.000Z')
    expect(instantOf(20240305143005)).toBe('2024-03-05T06:30:05.000Z')
  })

  test('nothing, and what stands for nothing', () => {
    for (const cell of ['', '  ', '-', 'NULL', null]) expect(readInstant(cell, shanghai)).toBeNull()
    expect(readInstant('#N/A', shanghai)).toEqual(new Fault('spreadsheet_error'))
  })

  test('a wall clock that summer time skips moves on by the gap; one that comes twice is the first', () => {
    const newYork = (text: string): string | null => instantOf(text, { zone: 'America/New_York' })
    expect(newYork('2024-03-10 02:30')).toBe('2024-03-10T07:30:00.000Z')
    expect(newYork('2024-03-10 01:59')).toBe('2024-03-10T06:59:00.000Z')
    expect(newYork('2024-03-10 03:00')).toBe('2024-03-10T07:00:00.000Z')
    expect(newYork('2024-11-03 01:30')).toBe('2024-11-03T05:30:00.000Z')
    expect(newYork('2024-11-03 02:30')).toBe('2024-11-03T07:30:00.000Z')
    expect(instantOf('1988-06-01')).toBe('1988-05-31T15:00:00.000Z')
  })

  test('every wall clock that exists comes back as it was written', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom('Asia/Shanghai', 'America/New_York', 'Europe/London', 'Asia/Kolkata', 'UTC')
          .filter(isZone),
        fc.date({ min: new Date('1971-01-01'), max: new Date('2026-01-01'), noInvalidDate: true }),
        (zone, at) => {
          const shown = new Intl.DateTimeFormat('sv-SE', {
            timeZone: zone,
            dateStyle: 'short',
            timeStyle: 'medium',
          })
          const text = shown.format(at)
          const moment = readMoment(text, 'ymd')
          if (typeof moment === 'string') throw new Error(text)
          expect(shown.format(toInstant(moment, zone))).toBe(text)
          expect(toDay(moment, zone)).toBe(text.slice(0, 10))
        },
      ),
    )
  })

  test('birthdays may be older than 1970', () => {
    expect(readDay('1956-07-01', shanghai)).toBe('1956-07-01')
    expect(readDay(new Date('1985-02-03T00:00:00Z'), shanghai)).toBe('1985-02-03')
    expect(readDay('1856-07-01', shanghai)).toEqual(new Fault('date_range'))
    expect(readDay('2030-07-01', shanghai)).toEqual(new Fault('date_range'))
  })
})

describe('money', () => {
  test.each([
    ['12.5', 1250],
    ['¥1,234.50', 123450],
    ['￥１，２３４．５０', 123450],
    ['(12.00)', -1200],
    ['（12.00）', -1200],
    ['-12', -1200],
    ['12.00-', -1200],
    ['+3', 300],
    ['¥-12.30', -1230],
    ['-¥12.30', -1230],
    ['1,200元', 120000],
    ['1.2万', 1200000],
    ['CNY 9.90', 990],
    ['1.234,56 €', 123456],
    ['12,5', 1250],
    ['1,234', 123400],
    [' 0 ', 0],
    ['.5', 50],
    ['0.005', 1],
    ['-0.005', -1],
    ["1'234.5", 123450],
  ])('%s', (text, cents) => {
    expect(toCents(readAmount(text) ?? Number.NaN)).toBe(cents)
  })

  test.each(['abc', '1.2.3', '12a', '1,23,4', '--5', '1e5', '', '((1))'])('%s is no amount', (text) => {
    expect(readAmount(text)).toBeUndefined()
  })

  test('what is written with thousands and sign comes back exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e11, max: 1e11 }), (cents) => {
        const digits = (Math.abs(cents) / 100).toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/gu, ',')
        expect(toCents(readAmount(`${cents < 0 ? '-' : ''}¥${digits}`) ?? Number.NaN)).toBe(
          cents === 0 ? 0 : cents,
        )
        expect(toCents(readAmount(cents < 0 ? `(${digits})` : digits) ?? Number.NaN)).toBe(
          cents === 0 ? 0 : cents,
        )
      }),
    )
  })
})

describe('other values', () => {
  test('phones as text or number; a number cut by a spreadsheet is refused with a reason', () => {
    expect(readPhone('138-0013-8001')).toBe('13800138001')
    expect(readPhone(13800138001)).toBe('13800138001')
    expect(readPhone('13800138001.0')).toBe('13800138001')
    expect(readPhone('+86 138 0013 8001')).toBe('+8613800138001')
    expect(readPhone("'13800138001")).toBe('13800138001')
    expect(readPhone('12345')).toEqual({ invalid: '12345' })
    expect(readPhone(1381234567)).toEqual({ invalid: '1381234567' })
    expect(readPhone('13800138000')).toEqual({ invalid: '13800138000' })
    expect(readPhone('1.38E+10')).toEqual(new Fault('scientific_notation'))
    expect(readPhone('1.38001E+10')).toEqual(new Fault('scientific_notation'))
    expect(readPhone('138****8000')).toEqual({ invalid: '138****8000' })
    expect(readPhone('无')).toBeNull()
  })

  test('codes stay text, with their leading zeros, and are refused where a spreadsheet lost digits', () => {
    expect(readCode('000123')).toBe('000123')
    expect(readCode(17850)).toBe('17850')
    expect(readCode('="0012"')).toBe('0012')
    expect(readCode(2 ** 60)).toEqual(new Fault('lost_digits'))
    expect(readCode('1.23457E+17')).toEqual(new Fault('scientific_notation'))
  })

  test('words in Chinese and English', () => {
    expect(readGender('女士')).toBe('female')
    expect(readGender('M')).toBe('male')
    expect(readGender('猫')).toEqual(new Fault('unknown_word'))
    expect(readYesNo('是')).toBe(true)
    expect(readYesNo('阳历')).toBe(false)
    expect(readSide('线下')).toBe('offline')
    expect(readStatus('交易成功')).toBe('paid')
    expect(readStatus('已取消')).toBe('cancelled')
    expect(readList('高价值，新客; 常客,新客')).toEqual(['高价值', '新客', '常客'])
  })

  test('control characters never reach the database', () => {
    expect(readText('张\u0000三\u200b')).toBe('张 三')
    expect(readText('a\n b')).toBe('a b')
    expect(readText('x'.repeat(501))).toEqual(new Fault('too_long'))
    expect(readMoney(true)).toEqual(new Fault('not_money'))
  })
})
