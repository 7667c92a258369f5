import { describe, expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { minuteOfDay } from '../../platform/time/zone.ts'
import { DEFAULT_RULES } from '../settings.ts'
import { followingSlot, nextSlot, quietUntil, slotOf } from './slots.ts'

const zone = 'Asia/Shanghai'
const local = (text: string): Date => new Date(`2026-03-02T${text}:00+08:00`)

describe('quiet hours from 21:00 to 09:00', () => {
  test.each([
    ['20:59', undefined],
    ['21:00', '2026-03-03T01:00:00.000Z'],
    ['23:30', '2026-03-03T01:00:00.000Z'],
    ['00:10', '2026-03-02T01:00:00.000Z'],
    ['08:59', '2026-03-02T01:00:00.000Z'],
    ['09:00', undefined],
  ])('at %s they end at %s', (at, end) => {
    expect(quietUntil(zone, DEFAULT_RULES, local(at))?.toISOString()).toBe(end)
  })

  test('equal times mean none', () => {
    const rules = { ...DEFAULT_RULES, quiet: { from: '09:00', to: '09:00' } }
    expect(quietUntil(zone, rules, local('03:00'))).toBeUndefined()
  })

  test('they may lie within one day', () => {
    const rules = { ...DEFAULT_RULES, quiet: { from: '12:00', to: '14:00' } }
    expect(quietUntil(zone, rules, local('12:30'))).toEqual(local('14:00'))
    expect(quietUntil(zone, rules, local('15:00'))).toBeUndefined()
  })
})

test('a slot is the quarter of an hour at or after', () => {
  expect(nextSlot(zone, DEFAULT_RULES, local('10:01'))).toEqual(local('10:15'))
  expect(nextSlot(zone, DEFAULT_RULES, local('10:15'))).toEqual(local('10:15'))
  expect(nextSlot(zone, DEFAULT_RULES, local('20:50'))).toEqual(new Date('2026-03-03T01:00:00Z'))
  expect(followingSlot(zone, DEFAULT_RULES, local('10:15'))).toEqual(local('10:30'))
  expect(slotOf(DEFAULT_RULES, local('10:29'))).toEqual(local('10:15'))
})

test('no slot ever lies in quiet hours, in China and over both changes of summer time in New York', () => {
  const time = fc.integer({ min: 0, max: 95 }).map((quarter) => {
    const minutes = quarter * 15
    return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  })
  const at = fc.date({
    min: new Date('2026-03-07T00:00:00Z'),
    max: new Date('2026-11-03T00:00:00Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(fc.constantFrom(zone, 'America/New_York'), time, time, at, (where, from, to, moment) => {
      const rules = { ...DEFAULT_RULES, quiet: { from, to } }
      const slot = nextSlot(where, rules, moment)
      const asleep = quietUntil(where, rules, slot)
      expect(slot.getTime()).toBeGreaterThanOrEqual(moment.getTime())
      expect(slot.getTime() - moment.getTime()).toBeLessThanOrEqual(26 * 3_600_000)
      if (where === zone) expect(asleep, `${minuteOfDay(where, slot)}`).toBeUndefined()
      // Where a local time comes twice the second one may lie in the quiet hours; the arbiter looks again then.
      else if (asleep) expect(asleep.getTime() - slot.getTime()).toBeLessThanOrEqual(26 * 3_600_000)
    }),
    { numRuns: 2000 },
  )
})
