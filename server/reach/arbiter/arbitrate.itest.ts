import { beforeEach, describe, expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { fc } from '../../../test/support/fast-check.ts'
import {
  candidate,
  holdNobodyOut,
  makeContent,
  makeMembers,
  makeStaff,
  offerAll,
  openSimulated,
  statesOf,
} from '../../../test/support/reach.ts'
import { peopleOf, TEN, testKeys } from '../../../test/support/reach-ports.ts'
import { idOf } from '../../platform/ids.ts'
import { type LeaseToken, takeLease } from '../../platform/jobs/lease.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { type Candidate, touchClasses } from '../candidate.ts'
import { toTest } from '../channels.ts'
import { arbitrateOnce, heldOut, offer, pruneLedger } from './arbitrate.ts'

const db = await testDatabase({ max: 14 })
const keys = testKeys()
const people = peopleOf(keys)
const zone = 'Asia/Shanghai'
const HOUR = 3_600_000
const token = (await takeLease(db, 'reach.arbiter', 600_000)) as LeaseToken
const staffIds = await makeStaff(db, 3)
const members = await makeMembers(db, keys, { count: 40, staffIds })
const refusing = await makeMembers(db, keys, { count: 10, staffIds, first: 100, consent: 'withdrawn' })
const wecomText = await makeContent(db, { channel: 'wecom' })
const smsText = await makeContent(db, { channel: 'sms' })
await openSimulated(db, 'wecom', 'http://127.0.0.1:1')
await openSimulated(db, 'sms', 'http://127.0.0.1:2')
await holdNobodyOut(db)

beforeEach(async () => {
  await db.run(sql`truncate touch, touch_ledger, person_cap, holdout, outbox, event_log cascade`)
})

function later(hours: number): Date {
  return new Date(TEN.getTime() + hours * HOUR)
}

async function arbitrateAll(now: Date): Promise<void> {
  while ((await arbitrateOnce(db, people, { token, now, zone })).persons > 0);
}

function person(at: number): number {
  const id = members[at % members.length]
  if (id === undefined) throw new Error('no members')
  return id
}

describe('an offer', () => {
  test('is taken once, however often it is repeated', async () => {
    const one = candidate({ personId: person(0), channel: 'wecom', contentId: wecomText })
    expect(await db.transaction((tx) => offer(tx, [one], TEN))).toEqual({ offered: 1, repeated: 0 })
    await arbitrateAll(TEN)
    expect(await db.transaction((tx) => offer(tx, [one], later(1)))).toEqual({ offered: 0, repeated: 1 })
    await arbitrateAll(later(1))
    expect(await statesOf(db)).toEqual({ planned: 1 })
  })

  test('waits for its slot, while a transactional one passes at once, also at night', async () => {
    const at = new Date(TEN.getTime() + 60_000)
    const night = later(13)
    await offerAll(
      db,
      [candidate({ personId: person(0), channel: 'wecom', contentId: wecomText, notBefore: at })],
      at,
    )
    await arbitrateAll(at)
    expect(await statesOf(db)).toEqual({ offered: 1 })
    const urgent = { class: 'transactional', id: idOf('urgent'), notBefore: night } as const
    await offerAll(
      db,
      [candidate({ personId: person(1), channel: 'sms', contentId: smsText, ...urgent })],
      night,
    )
    await arbitrateAll(night)
    expect(await statesOf(db)).toEqual({ 'deferred quiet_hours': 1, planned: 1 })
    await arbitrateAll(later(23))
    expect(await statesOf(db)).toEqual({ planned: 2 })
  })

  test('leaves its decision in the log, a deferral told once', async () => {
    const three = [1, 2, 3].map((score) =>
      candidate({
        id: idOf('one of three', score),
        personId: person(0),
        channel: 'wecom',
        contentId: wecomText,
        score,
      }),
    )
    await offerAll(db, three, TEN)
    for (const quarter of [0, 1, 2, 3]) await arbitrateAll(later(quarter / 4))
    const told = await db.rows<{ state: string; reason: string; n: number }>(sql`
      select data->>'state' as state, data->>'reason' as reason, count(*)::int as n
      from event_log where type = 'touch_decided' group by 1, 2 order by 1, 2`)
    expect(told).toEqual([
      { state: 'deferred', reason: 'cap_person_week', n: 1 },
      { state: 'deferred', reason: 'outranked', n: 2 },
      { state: 'planned', reason: '', n: 2 },
    ])
  })
})

describe('a demo member', () => {
  test('is dropped where the channel is real, whatever the class', async () => {
    const [demo = 0] = await makeMembers(db, keys, { count: 1, staffIds, demo: true, first: 500 })
    await db.transaction((tx) => toTest(tx, 'sms', TEN, 'https://dysmsapi.aliyuncs.com'))
    const wanted = touchClasses.map((kind) =>
      candidate({ id: idOf('demo', kind), personId: demo, channel: 'sms', contentId: smsText, class: kind }),
    )
    await offerAll(db, wanted, TEN)
    await arbitrateAll(TEN)
    expect(await statesOf(db)).toEqual({ 'dropped content_missing': 4 })
    const approved = await makeContent(db, {
      channel: 'sms',
      sms: { sign: '留量', template: 'SMS_1', params: {} },
    })
    await offerAll(
      db,
      wanted.map((one) => ({ ...one, id: idOf('real', one.class), contentId: approved })),
      TEN,
    )
    await arbitrateAll(TEN)
    expect(await statesOf(db)).toMatchObject({ 'dropped demo_person_real_channel': 4 })
    await openSimulated(db, 'sms', 'http://127.0.0.1:2')
  })
})

describe('a holdout', () => {
  test('stands when the share is changed later', async () => {
    await db.run(
      sql`update setting set value = '{"basePercent": 0, "journeyPercent": 50}' where name = 'holdouts'`,
    )
    const journeyId = idOf('journey')
    const first = await db.transaction((tx) => heldOut(tx, journeyId, members, TEN))
    expect(first.size).toBeGreaterThan(5)
    expect(first.size).toBeLessThan(35)
    await db.run(
      sql`update setting set value = '{"basePercent": 0, "journeyPercent": 0}' where name = 'holdouts'`,
    )
    expect(await db.transaction((tx) => heldOut(tx, journeyId, members, later(1)))).toEqual(first)
    await offerAll(
      db,
      members.map((personId) => candidate({ personId, channel: 'wecom', contentId: wecomText, journeyId })),
      TEN,
    )
    await arbitrateAll(TEN)
    expect(await statesOf(db)).toEqual({ 'held_out holdout_journey': first.size, planned: 40 - first.size })
  })
})

test('the ledger forgets what no cap counts', async () => {
  await offerAll(db, [candidate({ personId: person(0), channel: 'wecom', contentId: wecomText })], TEN)
  await arbitrateAll(TEN)
  await db.run(sql`update touch_ledger set at = ${TEN}`)
  expect(await pruneLedger(db, later(40 * 24))).toBe(0)
  expect(await pruneLedger(db, later(42 * 24))).toBe(1)
})

const offered = fc.record({
  who: fc.nat({ max: 11 }),
  channel: fc.constantFrom('wecom', 'sms'),
  class: fc.constantFrom('marketing', 'marketing', 'marketing', 'transactional', 'welcome', 'answer'),
  waits: fc.integer({ min: 0, max: 20 }),
  lives: fc.integer({ min: 1, max: 200 }),
  score: fc.integer({ min: 0, max: 5 }),
})
const round = fc.record({
  hours: fc.integer({ min: 0, max: 30 }),
  jitters: fc.array(fc.integer({ min: -180, max: 180 }), { minLength: 8, maxLength: 8 }),
  offers: fc.array(offered, { minLength: 25, maxLength: 60, size: 'max' }),
  /** What becomes of each reservation: reached the person, released, or left open. */
  fates: fc.array(fc.constantFrom('dated', 'released', 'open'), { minLength: 1, maxLength: 7 }),
})

type Round = typeof round extends fc.Arbitrary<infer R> ? R : never

async function liveThrough(rounds: readonly Round[]): Promise<number> {
  await db.run(sql`truncate touch, touch_ledger, person_cap, holdout, event_log cascade`)
  const everybody = [...members.slice(0, 9), ...refusing.slice(0, 3)]
  const made: Candidate[] = []
  let hour = 0
  for (const { hours, jitters, offers, fates } of rounds) {
    hour += hours
    const now = later(hour)
    const candidates: Candidate[] = offers.map((one, index) => ({
      id: idOf('property', made.length, index),
      personId: everybody[one.who] ?? person(0),
      channel: one.channel as 'wecom' | 'sms',
      class: one.class as Candidate['class'],
      contentId: one.channel === 'wecom' ? wecomText : smsText,
      facts: {},
      score: one.score,
      notBefore: later(hour + one.waits),
      expiresAt: later(hour + one.waits + one.lives),
      costCents: null,
    }))
    made.push(...candidates)
    const half = Math.floor(candidates.length / 2)
    const write = (some: Candidate[]) => db.transaction((tx) => offer(tx, some, now))
    await Promise.all([
      write(candidates.slice(0, half)),
      write(candidates.slice(half)),
      ...jitters.map((minutes) =>
        arbitrateOnce(db, people, { token, now: new Date(now.getTime() + minutes * 60_000), zone }),
      ),
    ])
    const open = await db.rows<{ id: string }>(
      sql`select touch_id as id from touch_ledger where at is null order by touch_id`,
    )
    for (const [index, { id }] of open.entries()) {
      const fate = fates[index % fates.length]
      if (fate === 'dated') await db.run(sql`update touch_ledger set at = ${now} where touch_id = ${id}`)
      if (fate === 'released') await db.run(sql`delete from touch_ledger where touch_id = ${id}`)
    }
  }
  return made.length
}

/** Windows of seven days in which a person has more than two marketing touches. */
async function overfullWindows(): Promise<number> {
  const rows = await db.rows<{ personId: number; at: Date }>(sql`
    select person_id as "personId", coalesce(at, reserved_at) as at from touch_ledger where class = 'marketing'`)
  let overfull = 0
  for (const [, own] of Map.groupBy(rows, (row) => row.personId)) {
    const times = own.map((row) => row.at.getTime())
    for (const start of times)
      if (times.filter((time) => time >= start && time < start + 7 * 24 * HOUR).length > 2) overfull += 1
  }
  return overfull
}

test('eight workers, random candidates, consents and clocks: no cap is broken and every candidate is counted once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 6, maxLength: 10, size: 'max' }), async (rounds) => {
      const made = await liveThrough(rounds)
      expect(await overfullWindows()).toBe(0)
      const counts = await statesOf(db)
      expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(made)
      const { wrong } = await db.row<{ wrong: number }>(sql`
        select count(*)::int as wrong from touch t
        where (state = 'planned' and class = 'marketing' and channel = 'sms' and person_id = any(${refusing}::int[]))
          or (state in ('deferred', 'dropped', 'held_out') and reason is null)
          or (state in ('offered', 'deferred') and not exists (
            select from person_cap c where c.person_id = t.person_id and c.due_at <= t.due_at))`)
      expect(wrong).toBe(0)
      const { twice } = await db.row<{ twice: number }>(sql`
        select count(*)::int as twice from (
          select 1 from touch_ledger where class = 'marketing' group by person_id, slot having count(*) > 1) s`)
      expect(twice).toBe(0)
    }),
    { numRuns: 8, endOnFailure: true },
  )
})
