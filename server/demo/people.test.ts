import { describe, expect, test } from 'vitest'
import { isPurchase } from '../../contract/events.ts'
import { instant } from '../platform/time/clock.ts'
import { answersTo, confirmsAt, taskAnswer } from './answers.ts'
import { arrivalsOf, moreHabits, NO_HABITS } from './arrivals.ts'
import { Chance } from './chance.ts'
import { echoesOf, type Places } from './people.ts'
import { demoMember, ordersOf } from './seed.ts'

const NOW = instant('2026-03-02T02:00:00Z')
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const places: Places = [
  { storeId: 's1', guides: [{ id: 'g1', wecomUserId: 'w1' }] },
  { storeId: 's2', guides: [{ id: 'g2', wecomUserId: 'w2' }] },
]
const numbers = Array.from({ length: 1500 }, (_, index) => index + 1)
const membersOf = (seed: string) => numbers.map((number) => demoMember(seed, number, places, NOW))
const chinaHour = (at: number): number => Math.floor(((at + 8 * HOUR_MS) % DAY_MS) / HOUR_MS)

describe('the brand', () => {
  test('the same seed gives the same people and orders, another seed others', () => {
    expect(membersOf('one')).toEqual(membersOf('one'))
    expect(membersOf('one')).not.toEqual(membersOf('two'))
    const [member] = membersOf('one')
    if (!member) throw new Error('nobody')
    expect(ordersOf('one', member, NOW)).toEqual(ordersOf('one', member, NOW))
  })

  test('nobody joins, buys, adds or leaves after now', () => {
    for (const member of membersOf('one')) {
      expect(member.joinedAt <= NOW).toBe(true)
      for (const { paidAt } of ordersOf('one', member, NOW)) {
        expect(
          paidAt !== null && paidAt <= NOW.toISOString() && paidAt >= member.joinedAt.toISOString(),
        ).toBe(true)
      }
      const echoes = echoesOf(new Chance('one', 'echo', member.number), member, NOW)
      for (const { addedAt, lostAt } of echoes.flatMap(({ row }) => row.relations ?? [])) {
        expect(addedAt <= NOW && (lostAt ?? addedAt) <= NOW).toBe(true)
      }
    }
  })

  test('an order is worth its lines, and what is refunded is refunded on lines', () => {
    for (const order of membersOf('one').flatMap((member) => ordersOf('one', member, NOW))) {
      const lines = order.lines.reduce(
        (sum, line) => sum + line.quantity * line.priceCents - line.discountCents,
        0,
      )
      const back = order.lines.reduce((sum, line) => sum + line.refundedCents, 0)
      expect([lines, back]).toEqual([order.totalCents, order.refundedCents])
      expect(isPurchase(order)).toBe(order.refundedCents < order.totalCents)
    }
  })

  test('some are dirty: wrong phones, no phones, no names, nobody twice the same number', () => {
    const phones = membersOf('one').flatMap(({ row }) =>
      row.identifiers.filter(({ kind }) => kind === 'phone').map(({ value }) => value.replaceAll('-', '')),
    )
    expect(new Set(phones).size).toBe(phones.length)
    expect(phones.length).toBeLessThan(numbers.length * 0.98)
    expect(phones.filter((phone) => phone.length !== 11).length).toBeGreaterThan(numbers.length * 0.01)
    expect(membersOf('one').some(({ row }) => row.attributes?.name === null)).toBe(true)
  })
})

describe('arrivals', () => {
  const habits = moreHabits(NO_HABITS, 'one', membersOf('one'))
  const base = { seed: 'one', members: numbers.length, habits, pace: 3 }
  const week = arrivalsOf(base, NOW.getTime(), NOW.getTime() + 7 * DAY_MS)

  test('any division of time gives the same arrivals', () => {
    const cut = [0, 0.3, 1.7, 1.71, 4, 7].map((days) => NOW.getTime() + days * DAY_MS)
    const parts = cut.slice(1).flatMap((to, index) => arrivalsOf(base, cut[index] ?? 0, to))
    const shown = (list: typeof week) => list.map(({ kind, at }) => `${kind} ${at}`)
    expect(shown(parts)).toEqual(shown(week))
  })

  test('people come by day, and nobody buys after the own end', () => {
    expect(week.length).toBeGreaterThan(50)
    expect(new Set(week.map(({ kind }) => kind))).toEqual(new Set(['join', 'visit', 'purchase']))
    expect(week.filter(({ at }) => chinaHour(at) < 8)).toEqual([])
    for (const arrival of week) {
      if (arrival.kind === 'purchase')
        expect(habits.ends[arrival.number - 1]).toBeGreaterThanOrEqual(arrival.at)
    }
  })
})

describe('answers', () => {
  const at = NOW.getTime()
  const many = Array.from({ length: 4000 }, (_, index) => String(index))
  const leaving = (recent: number, when = at) =>
    many.filter((id) => answersTo('one', { id, how: 'wecom', at: when, recent }).leavesAt !== null).length

  test('the third message within a week drives more away than the first, and night is worse', () => {
    expect(leaving(3)).toBeGreaterThan(leaving(1) * 5)
    const night = at + 14 * HOUR_MS
    expect(chinaHour(night)).toBe(0)
    expect(leaving(3, night)).toBeGreaterThan(leaving(3) * 2)
  })

  test('nobody replies before the message or at night', () => {
    for (const id of many) {
      const { repliesAt, buysAt } = answersTo('one', { id, how: 'wecom', at, recent: 1 })
      if (repliesAt !== null)
        expect(repliesAt >= at && chinaHour(repliesAt) >= 8 && chinaHour(repliesAt) < 23).toBe(true)
      if (buysAt !== null)
        expect(buysAt >= at && chinaHour(buysAt) >= 10 && chinaHour(buysAt) < 22).toBe(true)
    }
  })

  test('guides work in opening hours, and leave some things undone', () => {
    const tasks = many.map((id) => taskAnswer('one', { id, kind: 'invite', at }))
    const undone = tasks.filter((answer) => answer === null).length
    expect(undone / many.length).toBeCloseTo(0.1, 1)
    for (const answer of tasks)
      if (answer) expect(chinaHour(answer.at) >= 10 && chinaHour(answer.at) < 21).toBe(true)
    for (const id of many) {
      const when = confirmsAt('one', { id, at })
      if (when !== null) expect(when >= at && chinaHour(when) >= 10 && chinaHour(when) < 20).toBe(true)
    }
  })
})
