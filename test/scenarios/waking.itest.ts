/** Waking sleeping members (ACT-OFF-4) from one end to the other: invitation, message, SMS, who came back, against the holdout. */

import { describe, expect, test } from 'vitest'
import type { OrderState } from '../../contract/events.ts'
import { recordOrders } from '../../server/events/events.ts'
import { journeyById } from '../../server/journeys/journey-store.ts'
import { createJourney, goLive } from '../../server/journeys/journeys.ts'
import { journeyDetail } from '../../server/journeys/read.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { finishTask } from '../../server/tasks/tasks.ts'
import { lineOf, orderOf } from '../support/orders.ts'
import { holdNobodyOut, makeMembers, makeStaff } from '../support/reach.ts'
import { testKeys } from '../support/reach-ports.ts'
import { segmentMoves } from '../support/segment-moves.ts'
import { sopWorld } from '../support/sop-world.ts'

/** Ten o'clock in Shanghai. */
const START = new Date('2026-03-02T02:00:00Z')
const DAY_MS = 86_400_000
const day = (days: number, hours = 0): Date => new Date(START.getTime() + days * DAY_MS + hours * 3_600_000)

const world = await sopWorld(START)
const { db } = world
const [guide = ''] = await makeStaff(db, 1)
const store = '01900000-0000-7000-8000-000000000001'
await db.run(
  sql`insert into store (id, code, name, created_at) values (${store}, 'S1', '万象城店', ${START})`,
)
const persons = await makeMembers(db, testKeys(), { count: 7, staffIds: [guide] })
const [comes = 0, rich = 0, silent = 0, heldBack = 0, heldAway = 0, stranger = 0, awake = 0] = persons
await db.run(
  sql`update person set owner_staff_id = ${guide}, name = '会员' || id where id = any(${persons}::int[])`,
)
await db.run(sql`update person set home_store_id = ${store} where id = ${comes}`)

let orders = 0
function order(paidAt: Date, cents: number): OrderState {
  orders += 1
  return orderOf(`o-${orders}`, paidAt, cents, { lines: [lineOf('A', cents, { name: '羊绒大衣' })] })
}

async function bought(personId: number, at: Date, cents: number, lane: 'live' | 'bulk'): Promise<void> {
  const row = { profileId: personId, personId, order: order(at, cents) }
  await db.transaction((tx) => recordOrders(tx, [row], { lane, source: 'till', receivedAt: world.now }))
}

// Everybody's last purchase was 89 days ago, so that the morning of the next day makes them silent.
for (const personId of persons.filter((id) => id !== awake))
  await bought(personId, day(-89), personId === rich ? 500_000 : 19_900, 'bulk')
await bought(awake, day(-10), 19_900, 'bulk')
await holdNobodyOut(db)
const journey = await db.transaction(async (tx) => {
  const wanted = {
    template: 'wake_sleeping' as const,
    name: '唤醒',
    enterPresent: false,
    texts: {},
    by: null,
  }
  const id = await createJourney(tx, wanted, START)
  await goLive(tx, id, 1, null, START)
  return id
})
// The answer of the holdout is sticky: these two were drawn before.
for (const personId of [heldBack, heldAway])
  await db.run(sql`
    insert into holdout (person_id, scope, held, share_permille, decided_at) values (${personId}, ${journey}, true, 100, ${START})`)
await world.settle()

type Stay = { state: string; node: string; reason: string | null }
async function stayOf(personId: number): Promise<Stay | undefined> {
  return db.maybe<Stay>(
    sql`select state, node_id as node, reason from enrolment where person_id = ${personId}`,
  )
}

async function taskOf(personId: number) {
  return db.maybe<{
    id: string
    kind: string
    state: string
    script: string
    reason: { zh: string }
    needed: boolean
    due: Date
  }>(
    sql`select id, kind, state, script, reason, feedback_needed as needed, due_at as due from task where person_id = ${personId}`,
  )
}

describe('falling asleep', () => {
  test('nothing begins while they are active', async () => {
    expect(await db.rows(sql`select id from enrolment`)).toEqual([])
  })

  test('the ninetieth day lets them in by itself, and not whoever bought lately', async () => {
    await world.at(day(1, -9))
    const entered = await db.rows<{ id: number }>(sql`select person_id as id from enrolment order by 1`)
    expect(entered.map(({ id }) => id)).toEqual(persons.filter((id) => id !== awake))
    expect(
      await db.rows(sql`select distinct cause from ${segmentMoves} where type = 'segment_entered'`),
    ).toContainEqual({ cause: 'time' })
  })

  test('the guide is asked with what the member bought, since when, and the words to say (ACT-OFF-4, GT-02, GT-11)', async () => {
    const task = await taskOf(comes)
    expect(task).toMatchObject({ kind: 'invite', state: 'open', needed: false })
    expect(task?.reason.zh).toBe('89 天没有购买，趁换季上新邀约')
    expect(task?.script).toContain(`会员${comes}您好，我是万象城店的导购1`)
    expect(task?.script).toContain('羊绒大衣')
    expect(task?.due).toEqual(new Date(day(1, -9).getTime() + 72 * 3_600_000))
  })

  test('of those who spent much an answer is wanted (GT-12); those held out are left alone', async () => {
    expect((await taskOf(rich))?.needed).toBe(true)
    expect([await taskOf(heldBack), await taskOf(heldAway)]).toEqual([undefined, undefined])
    const attempt = db.transaction(async (tx) =>
      finishTask(tx, (await taskOf(rich))?.id ?? '', { outcome: 'called', by: guide, at: world.now }),
    )
    await expect(attempt).rejects.toMatchObject({ code: 'bad_input', field: 'feedback' })
  })
})

describe('the weeks after', () => {
  test('who comes and buys leaves at once as returned, whoever was held out counts on the other side', async () => {
    for (const personId of [comes, rich, stranger]) {
      const task = await taskOf(personId)
      const finish = { outcome: 'will_come', feedback: '周末来', by: guide, at: world.now }
      await db.transaction((tx) => finishTask(tx, task?.id ?? '', finish))
    }
    await world.at(day(4))
    await bought(comes, day(4), 30_000, 'live')
    await bought(heldBack, day(4), 30_000, 'live')
    await world.settle()
    expect(await stayOf(comes)).toEqual({ state: 'finished', node: 'wait7', reason: 'returned' })
    expect(await stayOf(heldBack)).toMatchObject({ state: 'finished', reason: 'returned' })
    expect(await stayOf(rich)).toMatchObject({ state: 'active', node: 'wait7' })
  })

  test('who does not come gets one message by WeCom, or an SMS where the guide was deleted', async () => {
    await db.run(
      sql`update relation set lost_at = ${day(5)}, lost_by = 'member' where profile_id = ${stranger}`,
    )
    await world.at(day(8))
    await world.at(day(8, 1))
    await world.everythingArrives()
    await world.at(day(9))
    await world.at(day(9, 1))
    await world.everythingArrives()
    await world.at(day(10))
    const touches = await db.rows<{ person: number; channel: string; state: string }>(
      sql`select person_id as person, channel, state from touch where state <> 'held_out' order by person_id, channel`,
    )
    expect(touches).toEqual([
      { person: rich, channel: 'wecom', state: 'delivered' },
      // Nobody did the task of this one: after its time and two days of patience the message goes.
      { person: silent, channel: 'wecom', state: 'delivered' },
      { person: stranger, channel: 'sms', state: 'delivered' },
      { person: stranger, channel: 'wecom', state: 'dropped' },
    ])
    expect(world.sms.messages).toHaveLength(1)
    const received = [...world.wecom.state.messages.values()].flatMap(({ recipients }) => recipients)
    expect(received.map(({ externalUserId }) => externalUserId).sort()).toEqual([`wm${rich}`, `wm${silent}`])
  })

  test('on day 21 it ends for those who still sleep; a purchase within 30 days is a return, a later one is not', async () => {
    await bought(stranger, day(20), 10_000, 'live')
    await world.at(day(22))
    await world.at(day(26))
    expect(await stayOf(rich)).toMatchObject({ state: 'finished', reason: 'not_returned' })
    await bought(rich, day(26), 10_000, 'live')
    await world.at(day(40))
    await bought(silent, day(40), 10_000, 'live')
    await world.settle()
    const returned = await db.rows<{ person: number }>(
      sql`select person_id as person from enrolment where returned_at is not null order by 1`,
    )
    expect(returned.map(({ person }) => person)).toEqual([comes, rich, heldBack, stranger])
  })

  test('the return rate stands on both sides of the holdout, with what it cost', async () => {
    const row = await journeyById(db, journey)
    if (!row) throw new Error('no journey')
    const detail = await journeyDetail(db, row, { from: day(40), to: day(41) })
    expect(detail.result).toMatchObject({
      windowDays: 30,
      treated: 4,
      treatedReturned: 3,
      heldOut: 2,
      heldOutReturned: 1,
      costCents: 5,
    })
    const entered = detail.funnel.find(({ step }) => step === 'entered')
    const back = detail.funnel.find(({ step }) => step === 'returned')
    expect([entered?.persons, entered?.heldOut, back?.persons, back?.heldOut]).toEqual([4, 2, 3, 1])
  })
})
