import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { orderOf } from '../../test/support/orders.ts'
import { plansOf } from '../../test/support/plans.ts'
import { holdNobodyOut, makeMembers, makeStaff } from '../../test/support/reach.ts'
import { testKeys } from '../../test/support/reach-ports.ts'
import {
  append,
  hasCaughtUp,
  type Lane,
  type NewEvent,
  recordOrders,
  registerConsumers,
} from '../events/events.ts'
import { reactOnce } from '../events/react.ts'
import { idOf } from '../platform/ids.ts'
import { type LeaseToken, takeLease } from '../platform/jobs/lease.ts'
import { sql } from '../platform/postgres/sql.ts'
import { reachHandler } from '../reach/reach.ts'
import { finishTask } from '../tasks/tasks.ts'
import { claimDue } from './enrolment-store.ts'
import { backlogOf, createJourney, goLive, handledTypes, onEvents, stepOnce } from './journeys.ts'

const db = await testDatabase()
const zone = 'Asia/Shanghai'
const keys = testKeys()
const [guide = ''] = await makeStaff(db, 1)
const members = await makeMembers(db, keys, { count: 12, staffIds: [guide] })
await holdNobodyOut(db)
await registerConsumers(db, ['react'])
const step = (await takeLease(db, 'journeys', 3_600_000)) as LeaseToken
const react = {
  live: (await takeLease(db, 'react.live', 3_600_000)) as LeaseToken,
  bulk: (await takeLease(db, 'react.bulk', 3_600_000)) as LeaseToken,
}
const START = new Date('2026-03-02T02:00:00Z')

const followUp = await db.transaction((tx) =>
  createJourney(
    tx,
    { template: 'new_member_follow_up', name: '新会员', enterPresent: false, texts: {}, by: null },
    START,
  ),
)
await db.transaction((tx) => goLive(tx, followUp, 1, null, START))

function at(days: number, hours = 0): Date {
  return new Date(START.getTime() + (days * 24 + hours) * 3_600_000)
}

function person(index: number): number {
  const id = members[index]
  if (id === undefined) throw new Error('no such member')
  return id
}

/** Everything that follows from the log and the time, until nothing does. */
async function settle(now: Date): Promise<void> {
  const handlers = [reachHandler, { name: 'journeys', types: [...handledTypes], handle: onEvents }]
  for (;;) {
    let done = 0
    for (const lane of ['live', 'bulk'] as const)
      done += await reactOnce(db, handlers, { lane, token: react[lane], now })
    done += await stepOnce(db, { token: step, now, zone })
    if (done > 0) continue
    if (await hasCaughtUp(db, 'react')) return
    // Other test files share the server and may hold the log's horizon back.
    await sleep(20)
  }
}

async function tell(event: Omit<NewEvent, 'profileId'>, lane: Lane, now: Date): Promise<void> {
  await db.transaction((tx) =>
    append(tx, [{ ...event, profileId: event.personId }], { lane, source: 'test', receivedAt: now }),
  )
}

function added(personId: number, when: Date): Omit<NewEvent, 'profileId'> {
  return {
    id: idOf('added', personId, when.toISOString()),
    type: 'contact_added',
    personId,
    at: when,
    data: { staffId: guide, addWay: null },
  }
}

async function buys(personId: number, when: Date, lane: Lane, now: Date): Promise<void> {
  const order = orderOf(`o-${personId}-${when.getTime()}`, when, 19_900)
  await db.transaction((tx) =>
    recordOrders(tx, [{ profileId: personId, personId, order }], { lane, source: 'till', receivedAt: now }),
  )
}

type Standing = {
  node_id: string
  state: string
  due_at: Date | null
  reason: string | null
  waits_for: string | null
}
async function standing(personId: number): Promise<Standing | undefined> {
  return db.maybe<Standing>(
    sql`select node_id, state, due_at, reason, waits_for from enrolment where person_id = ${personId} order by entered_at desc limit 1`,
  )
}

async function tasksOf(
  personId: number,
): Promise<{ id: string; node_id: string; state: string; staff_id: string | null }[]> {
  return db.rows(
    sql`select id, node_id, state, staff_id from task where person_id = ${personId} order by created_at, id`,
  )
}

/** The guide does what is open, and messages that wait count as delivered. */
async function everythingArrives(personId: number, now: Date): Promise<void> {
  for (const task of (await tasksOf(personId)).filter((one) => one.state === 'open')) {
    await db.transaction((tx) => finishTask(tx, task.id, { outcome: 'sent', by: guide, at: now }))
  }
  const touches = await db.rows<{ id: string; channel: 'wecom' }>(
    sql`select id, channel from touch where person_id = ${personId} and state = 'offered'`,
  )
  for (const touch of touches) {
    await tell(
      {
        id: idOf('delivered', touch.id),
        type: 'touch_delivered',
        personId,
        at: now,
        data: {
          touchId: touch.id,
          channel: touch.channel,
          class: 'marketing',
          journeyId: followUp,
          senderId: null,
        },
      },
      'live',
      now,
    )
  }
  await settle(now)
}

describe('the follow-up of new members', () => {
  test('asks the guide on day 0 and waits for day 3 of the add when nothing was bought', async () => {
    const member = person(0)
    await tell(added(member, at(0)), 'live', at(0))
    await settle(at(0))
    expect((await tasksOf(member)).map(({ node_id, staff_id }) => [node_id, staff_id])).toEqual([
      ['welcome', guide],
    ])
    await everythingArrives(member, at(0, 3))
    const stands = await standing(member)
    expect([stands?.node_id, stands?.due_at?.toISOString()]).toEqual(['wait_n3', '2026-03-05T02:00:00.000Z'])
  })

  test('ends after day 7 for whoever never buys', async () => {
    const member = person(1)
    await tell(added(member, at(0)), 'live', at(0))
    await settle(at(0))
    for (const day of [0, 3, 7, 8]) {
      await settle(at(day, 1))
      await everythingArrives(member, at(day, 2))
    }
    expect(await standing(member)).toMatchObject({ state: 'finished', reason: 'not_bought' })
    const touches = await db.rows<{ node_id: string }>(
      sql`select node_id from touch where person_id = ${member} order by offered_at`,
    )
    expect(touches.map((touch) => touch.node_id)).toEqual(['remind3', 'remind7'])
  })

  test('goes over to the bought side when the member buys on the way, and counts from the payment', async () => {
    const member = person(2)
    await tell(added(member, at(0)), 'live', at(0))
    await settle(at(0))
    await everythingArrives(member, at(0, 1))
    await buys(member, at(2), 'live', at(2))
    await settle(at(2))
    expect((await tasksOf(member)).map(({ node_id }) => node_id)).toEqual(['welcome', 'thanks'])
    await everythingArrives(member, at(2, 1))
    expect((await standing(member))?.due_at?.toISOString()).toBe('2026-03-07T02:00:00.000Z')
  })

  test('walks days 3, 7, 15 and 30 after a purchase', async () => {
    const member = person(3)
    await buys(member, at(0), 'live', at(0))
    await settle(at(0))
    for (const day of [0, 3, 7, 15, 30]) {
      await settle(at(day, 1))
      await everythingArrives(member, at(day, 2))
    }
    expect(await standing(member)).toMatchObject({ state: 'finished', reason: 'completed' })
    const did = await db.rows<{ node_id: string }>(sql`
      select node_id from (select node_id, offered_at as at from touch where person_id = ${member} union all select node_id, created_at from task where person_id = ${member}) done order by at`)
    expect(did.map((one) => one.node_id)).toEqual(['thanks', 'day3', 'day7', 'day15', 'day30'])
  })

  test('lets nobody in because of an import, an old event or a repeated one', async () => {
    const [imported, old, twice] = [person(4), person(5), person(6)]
    await tell(added(imported, at(0)), 'bulk', at(0))
    await buys(imported, at(0), 'bulk', at(0))
    await tell(added(old, at(-2)), 'live', at(0))
    await tell(added(twice, at(0)), 'live', at(0))
    await settle(at(0))
    await tell({ ...added(twice, at(0)), id: idOf('again', twice) }, 'live', at(0, 1))
    await settle(at(0, 1))
    const stays = await db.rows<{ person_id: number; stays: number }>(sql`
      select person_id, count(*)::int as stays from enrolment where person_id = any(${[imported, old, twice]}::int[]) group by 1`)
    expect(stays).toEqual([{ person_id: twice, stays: 1 }])
    expect(await tasksOf(imported)).toEqual([])
  })

  test('counts the first of several purchases as the return, whatever order they are told in', async () => {
    const member = person(8)
    await tell(added(member, at(0)), 'live', at(0))
    await settle(at(0))
    for (const day of [5, 2, 3]) await buys(member, at(day), 'live', at(6))
    await settle(at(6))
    await buys(member, at(1), 'bulk', at(7))
    await settle(at(7))
    const [stay] = await db.rows(sql`select returned_at from enrolment where person_id = ${member}`)
    expect(stay).toEqual({ returned_at: at(1) })
  })

  test('decides each step once, whoever steps again', async () => {
    const member = person(7)
    await tell(added(member, at(0)), 'live', at(0))
    await settle(at(0))
    await db.run(sql`update enrolment set due_at = ${at(0)}, waits_for = null where person_id = ${member}`)
    await settle(at(0))
    expect(await tasksOf(member)).toHaveLength(1)
  })
})

describe('a version that was live', () => {
  test('cannot be changed, not even by SQL', async () => {
    await expect(
      db.run(sql`update journey_version set definition = '{}' where journey_id = ${followUp}`),
    ).rejects.toThrow('a version that was live does not change')
  })
})

test('stays that are due in a paused SOP are not walked over, and the soonest of the live ones go first', async () => {
  const [paused, live] = [idOf('paused'), idOf('live')]
  await db.run(sql`
    insert into journey (id, name, template, enter_present, created_at, demo)
    select id, id::text, 'birthday', false, ${START}, false from unnest(${[paused, live]}::uuid[]) as j (id)`)
  await db.run(sql`
    insert into journey_version (journey_id, number, definition, made_at)
    select id, 1, '{}', ${START} from unnest(${[paused, live]}::uuid[]) as j (id)`)
  await db.run(sql`
    update journey set live_version = 1, state = case when id = ${live} then 'live' else 'paused' end
    where id = any(${[paused, live]}::uuid[])`)
  await db.run(sql`
    insert into person (id, public_id, kind, source, first_seen_at, changed_at)
    select 100000 + n, gen_random_uuid(), 'member', 'organic', ${START}, ${START} from generate_series(1, 20000) as n`)
  await db.run(sql`
    insert into enrolment (id, journey_id, number, person_id, node_id, due_at, anchor_at, entered_at)
    select gen_random_uuid(), case when n > 19990 then ${live}::uuid else ${paused}::uuid end, 1, 100000 + n, 'start',
      ${START}::timestamptz - (30000 - n) * interval '1 second', ${START}, ${START}
    from generate_series(1, 20000) as n`)
  await db.run(sql`analyze enrolment, journey, person`)
  const plans = await plansOf(db, async (explaining) => {
    await claimDue(explaining, at(1), 1000)
    await backlogOf(explaining, at(1))
  })
  expect(plans.match(/enrolment_due_in/g)).toHaveLength(2)
  const claimed = await db.transaction((tx) => claimDue(tx, START, 3))
  expect(claimed.map((stay) => stay.person_id)).toEqual([119991, 119992, 119993])
})
