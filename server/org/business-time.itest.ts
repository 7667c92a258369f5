/** A clock that goes back or leaps: what business time does, who is told, and how it goes on. */
import { beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import { FixedClock } from '../platform/time/clock.ts'
import type { Machine } from '../platform/time/machine.ts'
import { acceptClock, type BusinessClock, openBusinessClock } from './business-time.ts'

const HOUR = 3_600_000
const START = '2026-03-02T02:00:00.000Z'
const db = await testDatabase()
let wall: FixedClock
let runMs: number
let machine: Machine

beforeEach(async () => {
  await db.run(sql`delete from business_clock`)
  wall = new FixedClock(START)
  runMs = 500_000
  machine = { boot: 'boot-1', runMs: () => runMs }
})

/** Time passes: the clock and the machine go on together. */
function pass(hours: number): void {
  wall.advance({ hours })
  runMs += hours * HOUR
}

async function opened(): Promise<BusinessClock> {
  const clock = await openBusinessClock(db, wall, machine)
  // Looks are made by hand here.
  clock.stop()
  return clock
}

async function stored(): Promise<string> {
  const { reached } = await db.row<{ reached: Date }>(sql`select reached from business_clock`)
  return reached.toISOString()
}

test('a clock that goes back half an hour holds business time; an hour and more stops what acts, with one sentence', async () => {
  const clock = await opened()
  wall.set('2026-03-02T01:30:00Z')
  expect(clock.now().toISOString()).toBe(START)
  expect(clock.trouble()).toBeUndefined()
  wall.set('2026-03-01T23:00:00Z')
  expect(clock.now().toISOString()).toBe(START)
  expect(clock.trouble()).toMatch(/3\.0 h behind .*doctor --accept-clock$/)
  expect((await opened()).trouble()).toContain('3.0 h behind')
})

test('whoever accepts a clock that was ahead for days lets every process go on within a refresh', async () => {
  wall.set('2026-03-09T02:00:00Z')
  const clock = await opened()
  wall.set(START)
  expect(clock.trouble()).toContain('7.0 days behind')
  await acceptClock(db, wall, machine)
  await clock.refresh()
  expect(clock.trouble()).toBeUndefined()
  expect(clock.now().toISOString()).toBe(START)
})

test('time that passes, a machine that sleeps and a clock that is corrected by minutes are no leap', async () => {
  const clock = await opened()
  pass(60)
  expect(clock.trouble()).toBeUndefined()
  wall.advance({ minutes: 59 })
  expect(clock.trouble()).toBeUndefined()
  expect(clock.now()).toEqual(wall.now())
})

test('a clock that leaps ahead stops what acts, and business time goes on from where it was', async () => {
  const clock = await opened()
  pass(1)
  clock.now()
  wall.advance({ days: 200 })
  expect(clock.now().toISOString()).toBe('2026-03-02T03:00:00.000Z')
  expect(clock.trouble()).toMatch(/leapt 200\.0 days ahead.*nobody falls asleep.*doctor --accept-clock$/)
  pass(2)
  expect(clock.now().toISOString()).toBe('2026-03-02T05:00:00.000Z')
  await clock.refresh()
  expect(Date.parse(await stored())).toBeLessThanOrEqual(Date.parse('2026-03-02T05:00:00.000Z'))
})

test('after the clock was set right again nothing needs to be accepted', async () => {
  const clock = await opened()
  wall.advance({ days: 3 })
  expect(clock.trouble()).toBeDefined()
  wall.advance({ days: -3 })
  pass(1)
  expect(clock.trouble()).toBeUndefined()
  expect(clock.now().toISOString()).toBe('2026-03-02T03:00:00.000Z')
})

test('an accepted leap is taken up by the process that runs', async () => {
  const clock = await opened()
  wall.advance({ hours: 9 })
  expect(clock.trouble()).toContain('leapt 9.0 h ahead')
  await acceptClock(db, wall, machine)
  await clock.refresh()
  expect(clock.trouble()).toBeUndefined()
  expect(clock.now()).toEqual(wall.now())
})

test('a process that is started after the leap sees it too and does not make it good for the others', async () => {
  await opened()
  wall.advance({ days: 5 })
  runMs += HOUR
  const late = await opened()
  expect(late.trouble()).toContain('ahead')
  expect(late.now().toISOString()).toBe('2026-03-02T03:00:00.000Z')
  expect(await stored()).toBe(START)
})

test('a machine that was off for two weeks just goes on; after two months somebody must say that the clock is right', async () => {
  await opened()
  machine = { boot: 'boot-2', runMs: () => runMs }
  runMs = 1000
  wall.advance({ days: 14 })
  const later = await opened()
  expect(later.trouble()).toBeUndefined()
  expect(later.now()).toEqual(wall.now())

  machine = { boot: 'boot-3', runMs: () => runMs }
  wall.advance({ days: 60 })
  const muchLater = await opened()
  expect(muchLater.trouble()).toContain('60.0 days ahead')
  await acceptClock(db, wall, machine)
  await muchLater.refresh()
  expect(muchLater.trouble()).toBeUndefined()
})

test('an answer that is late does not look like time that was taken back', async () => {
  let held: Promise<void> | undefined
  const read = Promise.withResolvers<void>()
  const slow: Db = {
    ...db,
    async maybe<Row>(query: Sql) {
      const answer = await db.maybe<Row>(query)
      const wait = held
      held = undefined
      if (wait !== undefined) read.resolve()
      await wait
      return answer
    },
  }
  const clock = await openBusinessClock(slow, wall, machine)
  clock.stop()
  wall.advance({ days: 5 })
  const late = Promise.withResolvers<void>()
  held = late.promise
  const first = clock.refresh()
  await read.promise
  // Another machine, whose clock is good, goes on.
  await db.run(sql`update business_clock set reached = reached + interval '1 hour'`)
  const second = clock.refresh()
  for (let round = 0; round < 20; round += 1) await db.run(sql`select 1`)
  late.resolve()
  await Promise.all([first, second])
  expect(clock.trouble()).toContain('ahead')
  expect(clock.now().toISOString()).toBe('2026-03-02T03:00:00.000Z')
})
