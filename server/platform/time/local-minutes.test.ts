import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { minuteOf } from './local-minutes.ts'

const FIRST = Date.UTC(1970, 0, 1)
const LAST = Date.UTC(2100, 0, 1)

test('an instant is written as the clocks of the zone show it, also where they change', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('Asia/Shanghai', 'UTC', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'),
      fc.array(fc.integer({ min: FIRST, max: LAST }), { minLength: 1, maxLength: 20 }),
      (zone, instants) => {
        const minute = minuteOf(zone)
        const said = new Intl.DateTimeFormat('sv-SE', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'short',
        })
        for (const at of instants) expect(minute(at)).toBe(said.format(at))
      },
    ),
  )
  const newYork = minuteOf('America/New_York')
  expect(newYork(Date.UTC(2026, 2, 8, 6, 59))).toBe('2026-03-08 01:59')
  expect(newYork(Date.UTC(2026, 2, 8, 7, 0))).toBe('2026-03-08 03:00')
})

test('what is no instant is empty, and years of five digits have no sign', () => {
  const minute = minuteOf('Asia/Shanghai')
  expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(minute)).toEqual(['', '', ''])
  expect(minute(Date.UTC(12_345, 5, 6))).toBe('12345-06-06 08:00')
  expect(minute(Date.UTC(2026, 0, 31, 16, 30, 59, 999))).toBe('2026-02-01 00:30')
})
