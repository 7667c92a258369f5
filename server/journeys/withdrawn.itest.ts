/** What becomes of a stay whose message or task is taken back: by a pause, or because its person is in the SOP twice. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import { holdNobodyOut, makeMembers, makeStaff } from '../../test/support/reach.ts'
import { testKeys } from '../../test/support/reach-ports.ts'
import { sopWorld } from '../../test/support/sop-world.ts'
import type { Order } from '../../test/support/withdraw-worker.ts'
import { append } from '../events/events.ts'
import { membersDeps } from '../joined.ts'
import { mergePersons, undoMerge } from '../members/members.ts'
import { newId } from '../platform/ids.ts'
import { sql } from '../platform/postgres/sql.ts'
import { insertJourney, insertVersion } from './journey-store.ts'
import { endJourney, goLive, pauseJourney, resumeJourney, withdrawAll, withdrawOnce } from './journeys.ts'

/** A minute after ten in Shanghai: marketing waits for the quarter of the hour. */
const START = new Date('2026-03-02T02:01:00Z')
const MINUTE_MS = 60_000
const WORKER = fileURLToPath(new URL('../../test/support/withdraw-worker.ts', import.meta.url))
const world = await sopWorld(START)
const { db } = world
const [guide = ''] = await makeStaff(db, 1)
const members = await makeMembers(db, testKeys(), { count: 6, staffIds: [guide] })
await holdNobodyOut(db)

const text = (words: string) => ({ zh: words, en: words })

/** Joins → a message by WeCom, or an SMS where it was not sent. */
const message: JourneyDefinition['nodes'] = [
  { kind: 'trigger', id: 'start', title: text('入会'), on: [{ on: 'member_joined' }], next: 'wecom' },
  {
    kind: 'touch',
    id: 'wecom',
    title: text('消息'),
    channel: 'wecom',
    class: 'marketing',
    text: '新品到店',
    contentId: null,
    patienceDays: 3,
    next: 'end',
    notSent: 'sms',
  },
  {
    kind: 'touch',
    id: 'sms',
    title: text('短信'),
    channel: 'sms',
    class: 'marketing',
    text: '新品到店，回T退订',
    contentId: null,
    patienceDays: 3,
    next: 'end',
    notSent: 'end',
  },
  { kind: 'exit', id: 'end', title: text('结束'), reason: 'completed' },
]
/** Joins → a task for the guide. */
const ask: JourneyDefinition['nodes'] = [
  { kind: 'trigger', id: 'start', title: text('入会'), on: [{ on: 'member_joined' }], next: 'ask' },
  {
    kind: 'task',
    id: 'ask',
    title: text('问候'),
    task: 'follow_up',
    script: '您好',
    reason: text('新会员'),
    dueHours: 24,
    feedback: 'never',
    tagGroup: null,
    next: 'end',
    undone: 'end',
  },
  { kind: 'exit', id: 'end', title: text('结束'), reason: 'completed' },
]

async function live(nodes: JourneyDefinition['nodes']): Promise<string> {
  const id = newId(world.now)
  const row = { id, name: id, template: 'new_member_follow_up' as const, enterPresent: false }
  const definition: JourneyDefinition = {
    againAfterDays: 0,
    onPurchase: { do: 'nothing' },
    returnWindowDays: 30,
    highValueCents: 0,
    nodes,
  }
  await db.transaction(async (tx) => {
    await insertJourney(tx, { ...row, by: null, demo: false }, world.now)
    await insertVersion(tx, id, 1, definition, world.now)
    await goLive(tx, id, 1, null, world.now)
  })
  return id
}

async function join(...persons: number[]): Promise<void> {
  const events = persons.map((personId) => ({
    id: newId(world.now),
    type: 'member_joined' as const,
    profileId: personId,
    personId,
    at: world.now,
    data: {},
  }))
  await db.transaction((tx) => append(tx, events, { lane: 'live', source: 'test', receivedAt: world.now }))
  await world.settle()
}

const later = (minutes: number) => world.at(new Date(world.now.getTime() + minutes * MINUTE_MS))
const reached = () =>
  [...world.wecom.state.messages.values()].flatMap(({ recipients }) =>
    recipients.map((one) => one.externalUserId),
  )

beforeEach(async () => {
  await db.run(sql`update journey set state = 'ended' where state <> 'draft'`)
  await world.settle()
  world.wecom.state.messages.clear()
  await world.at(new Date(world.now.getTime() + 24 * 60 * MINUTE_MS))
})

describe('a pause', () => {
  test('is no answer: when the SOP goes on, the message is offered anew, and no SMS takes its place', async () => {
    const journey = await live(message)
    const [person = 0] = members
    await join(person)
    await db.transaction((tx) => pauseJourney(tx, journey, world.now))
    await world.settle()
    await later(30)
    expect(reached()).toEqual([])
    await db.transaction((tx) => resumeJourney(tx, journey))
    await world.settle()
    await later(30)
    expect(reached()).toEqual(['wm1'])
    const touches = await db.rows(sql`
      select channel, state, reason from touch where journey_id = ${journey} order by offered_at, channel`)
    expect(touches).toEqual([
      { channel: 'wecom', state: 'dropped', reason: 'paused' },
      { channel: 'wecom', state: 'created', reason: null },
    ])
  })
})

describe('a SOP that many messages wait for', () => {
  async function crowded(): Promise<string> {
    const journey = await live(message)
    const [person = 0] = members
    await db.run(sql`
      insert into touch (id, person_id, channel, class, content_id, journey_id, node_id, offered_at, not_before, expires_at, due_at)
      select gen_random_uuid(), ${person}, 'sms', 'marketing', gen_random_uuid(), ${journey}, 'sms', ${world.now}, ${world.now},
        ${new Date(world.now.getTime() + 24 * 60 * MINUTE_MS)}, ${world.now} from generate_series(1, 2300)`)
    return journey
  }
  const waiting = async (journey: string): Promise<number> =>
    (
      await db.row<{ n: number }>(
        sql`select count(*)::int as n from touch where journey_id = ${journey} and state = 'offered'`,
      )
    ).n
  const withdraw = () => withdrawOnce(db, { token: world.token, now: world.now })

  test('gives them back 1,000 at a time; what a process that died left is taken up by the next', async () => {
    const journey = await crowded()
    await db.transaction((tx) => pauseJourney(tx, journey, world.now))
    const left = [await waiting(journey)]
    while ((await withdraw()) > 0) left.push(await waiting(journey))
    expect(left).toEqual([1300, 300, 0, 0])

    const other = await crowded()
    await db.transaction((tx) => endJourney(tx, other, world.now))
    await withdrawAll(db, other, world.now)
    expect([await waiting(other), await withdraw()]).toEqual([0, 0])
  })

  test('killed between two transactions, what it had taken back stays so and the next takes the rest', async () => {
    const journey = await crowded()
    await db.transaction((tx) => endJourney(tx, journey, world.now))
    expect(await waiting(journey)).toBe(1300)
    const order: Order = {
      databaseUrl: db.url,
      journeyId: journey,
      at: world.now.toISOString(),
      crashAt: 'journeys.withdrawn',
    }
    const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL')
    expect(await waiting(journey)).toBe(300)
    // The last look finds nothing left, and says so in the SOP's row.
    expect([await withdraw(), await waiting(journey), await withdraw(), await withdraw()]).toEqual([
      1, 0, 1, 0,
    ])
  })

  test('keeps those that were not reached when it goes on meanwhile', async () => {
    const journey = await crowded()
    await db.transaction((tx) => pauseJourney(tx, journey, world.now))
    await db.transaction((tx) => resumeJourney(tx, journey))
    expect([await withdraw(), await waiting(journey)]).toEqual([0, 1300])
    await db.transaction((tx) => endJourney(tx, journey, world.now))
    await withdrawAll(db, journey, world.now)
  })
})

describe('two members who are in the same SOP and turn out to be one', () => {
  const deps = membersDeps(testKeys())

  test('get its message once, and the guide one task; the undo gives the other its own', async () => {
    await live(message)
    await live(ask)
    const [, kept = 0, absorbed = 0] = members
    await join(kept, absorbed)
    const tasks = async () =>
      db.rows<{ person: number; state: string }>(sql`
        select person_id as person, state from task where person_id = any(${[kept, absorbed]}::int[]) order by created_at, id`)
    expect(await tasks()).toHaveLength(2)
    const by = { actor: null, at: world.now }
    const mergeId = await db.transaction((tx) => mergePersons(deps, tx, [kept, absorbed], by))
    await world.settle()
    expect((await tasks()).filter(({ state }) => state === 'open')).toEqual([{ person: kept, state: 'open' }])
    for (let quarter = 0; quarter < 4; quarter += 1) await later(15)
    expect(reached()).toHaveLength(1)

    await db.transaction((tx) => undoMerge(deps, tx, mergeId, { actor: null, at: world.now }))
    for (let quarter = 0; quarter < 4; quarter += 1) await later(15)
    expect(reached().sort()).toEqual(['wm2', 'wm3'])
    const open = (await tasks()).filter(({ state }) => state === 'open').map(({ person }) => person)
    expect(open.sort()).toEqual([kept, absorbed].sort())
  })
})
