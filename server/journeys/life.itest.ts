/** The life of a SOP: what it makes and uses when it goes live, how it branches by rule and asks for tags, pause, end. */
import { describe, expect, test } from 'vitest'
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import type { Journey } from '../../contract/journeys.ts'
import type { Rule } from '../../contract/rule.ts'
import { testApp } from '../../test/support/app.ts'
import { untilSomebodyWaits } from '../../test/support/lock-waits.ts'
import { holdNobodyOut, makeMembers, makeStaff } from '../../test/support/reach.ts'
import { testKeys } from '../../test/support/reach-ports.ts'
import { sopWorld } from '../../test/support/sop-world.ts'
import {
  createTag,
  createTagGroup,
  deleteSegment,
  listSegments,
  retireTags,
  setTags,
  usersOf,
} from '../audience/audience.ts'
import { append } from '../events/events.ts'
import { idOf, newId } from '../platform/ids.ts'
import { sql } from '../platform/postgres/sql.ts'
import { journeyFollower } from './follow-merges.ts'
import { insertJourney, insertVersion, journeyById } from './journey-store.ts'
import { endJourney, pauseJourney, stepOnce } from './journeys.ts'

const START = new Date('2026-03-02T02:00:00Z')
const world = await sopWorld(START)
const { db } = world
const here = await testApp(db, { clickhouse: world.clickhouse, at: START.toISOString() })
const operator = await here.as('operator', { rights: ['approve'] })
const [guide = ''] = await makeStaff(db, 1)
const [fan = 0, other = 0, third = 0] = await makeMembers(db, testKeys(), { count: 3, staffIds: [guide] })
await db.run(sql`update person set owner_staff_id = ${guide}`)
await holdNobodyOut(db)
const by = { by: null, at: START }
const { groupId, tagId } = await db.transaction(async (tx) => {
  const group = await createTagGroup(
    tx,
    { name: '风格', level: 'business', scope: 'brand', openToStores: false },
    by,
  )
  const tag = await createTag(
    tx,
    {
      groupId: group,
      parentId: null,
      name: '法式',
      volatility: 'static',
      subjectivity: 'subjective',
      derivation: 'fact',
      composition: 'single',
      producer: 'guide',
      origin: 'manual',
      use: '搭配',
      plan: '换季邀约',
      rule: null,
    },
    by,
  )
  return { groupId: group, tagId: tag }
})
await db.transaction((tx) =>
  setTags(tx, [{ personId: fan, tagId }], {
    producer: 'guide',
    origin: 'manual',
    at: START,
    lane: 'bulk',
    reason: 'test',
  }),
)
await world.settle()

const text = (words: string) => ({ zh: words, en: words })
const french: Rule = { kind: 'tag', tags: [tagId], match: 'any' }

/** Joins → has the tag? → a task to tag; else the end. */
function definition(tagGroup: string, script = '补充风格'): JourneyDefinition {
  return {
    againAfterDays: 0,
    onPurchase: { do: 'nothing' },
    returnWindowDays: 30,
    highValueCents: 0,
    nodes: [
      { kind: 'trigger', id: 'start', title: text('入会'), on: [{ on: 'member_joined' }], next: 'french' },
      {
        kind: 'branch',
        id: 'french',
        title: text('喜欢法式'),
        when: { by: 'rule', rule: french, segmentId: null },
        yes: 'tag',
        no: 'end',
      },
      {
        kind: 'task',
        id: 'tag',
        title: text('补标签'),
        task: 'tag',
        script,
        reason: text('补充风格'),
        dueHours: 24,
        feedback: 'never',
        tagGroup,
        next: 'end',
        undone: 'end',
      },
      { kind: 'exit', id: 'end', title: text('结束'), reason: 'completed' },
    ],
  }
}

async function draft(name: string, tagGroup = '风格', script?: string): Promise<string> {
  const id = newId(START)
  await db.transaction(async (tx) => {
    const journey = {
      id,
      name,
      template: 'new_member_follow_up' as const,
      enterPresent: false,
      by: null,
      demo: false,
    }
    await insertJourney(tx, journey, START)
    await insertVersion(tx, id, 1, definition(tagGroup, script), START)
  })
  return id
}

type Answer = { status: number; body: Journey & { code?: string; details?: Record<string, unknown> } }
async function post(path: string, body: unknown): Promise<Answer> {
  return (await operator('POST', `/api/journeys/${path}`, body)) as Answer
}

async function joins(personId: number, times: number): Promise<void> {
  const event = {
    id: idOf('joins', personId, times),
    type: 'member_joined' as const,
    profileId: personId,
    personId,
    at: world.now,
    data: {},
  }
  await db.transaction((tx) => append(tx, [event], { lane: 'live', source: 'test', receivedAt: world.now }))
}

async function stays(journeyId: string): Promise<string[]> {
  const rows = await db.rows<{ row: string }>(sql`
    select concat_ws(' ', person_id, state, node_id, reason) as row from enrolment where journey_id = ${journeyId} order by person_id`)
  return rows.map(({ row }) => row)
}

async function conditionOf(journeyId: string): Promise<number> {
  const node = (await journeyById(db, journeyId))?.definition.nodes.find(({ kind }) => kind === 'branch')
  if (node?.kind !== 'branch' || node.when.by !== 'rule' || node.when.segmentId === null)
    throw new Error('the branch has no segment')
  return node.when.segmentId
}

const journey = await draft('风格标签')

describe('going live', () => {
  test('is refused where a tag task names no tag group, and nothing is left behind', async () => {
    const lost = await draft('没有的组', '没有的组')
    const { status, body } = await post(`${lost}/go-live`, { version: 1 })
    expect([status, body.code]).toEqual([422, 'not_ready'])
    expect(JSON.stringify(body.details)).toContain('标签组不存在：没有的组')
    const { rows } = await db.row<{ rows: number }>(sql`select count(*)::int as rows from segment`)
    expect(rows).toBe(0)
  })

  test('is refused where a text cannot be filled in, and such a text is not even kept', async () => {
    const broken = await draft('写错的话术', '风格', '{{ member.name，您好')
    const { status, body } = await post(`${broken}/go-live`, { version: 1 })
    expect([status, body.code, body.details?.['faults']]).toMatchObject([
      422,
      'not_ready',
      [{ nodeId: 'tag' }],
    ])
    const check = await operator('GET', `/api/journeys/${broken}/check`)
    expect(check.body).toMatchObject({ problems: [{ nodeId: 'tag', blocks: true }] })
    const made = await operator('POST', '/api/journeys', {
      template: 'wake_sleeping',
      name: '写错的话术',
      texts: { message: '您好 {% if %}' },
    })
    expect(made.body).toMatchObject({ code: 'bad_input', field: 'texts' })
  })

  test('makes a hidden live segment of the rule that a branch asks, and notes what is used', async () => {
    expect((await post(`${journey}/go-live`, { version: 1 })).body).toMatchObject({
      state: 'live',
      version: 2,
    })
    const id = await conditionOf(journey)
    expect(await listSegments(db, { since: START })).toEqual([])
    const [segment] = await listSegments(db, { id, since: START })
    expect(segment).toMatchObject({ hidden: true, rule: french, usedBy: ['风格标签'] })
    expect(await usersOf(db, { kind: 'tag_group', id: groupId })).toMatchObject([{ label: '风格标签' }])
  })

  test('a branch waits until its rule is answered for everybody, and then asks the stored answer', async () => {
    for (const personId of [fan, other]) await joins(personId, 1)
    // React and step alone: the recompute that answers the new rule has not run.
    const { wanted, done } = await db.row<{ wanted: number; done: number }>(
      sql`select wanted, done from recompute`,
    )
    expect(wanted).toBeGreaterThan(done)
    await world.react()
    await stepOnce(db, { token: world.token, now: world.now, zone: 'Asia/Shanghai' })
    expect(await stays(journey)).toEqual([`${fan} active french`, `${other} active french`])
    await world.settle()
    await world.at(new Date(world.now.getTime() + 60_000))
    expect(await stays(journey)).toEqual([`${fan} active tag`, `${other} finished end completed`])
    const [task] = await db.rows(sql`select kind, tag_group_id as "group", person_id as person from task`)
    expect(task).toEqual({ kind: 'tag', group: groupId, person: fan })
  })
})

describe('what a live SOP uses', () => {
  test('cannot be deleted or retired, and the refusal names the users', async () => {
    const id = await conditionOf(journey)
    const [segment] = await listSegments(db, { id, since: START })
    const given = { id, version: segment?.version ?? 0 }
    await expect(db.transaction((tx) => deleteSegment(tx, given, { at: START }))).rejects.toMatchObject({
      code: 'in_use',
      details: { users: [{ kind: 'journey', id: journey, label: '风格标签' }] },
    })
    const retiring = { reason: 'test', by: null, at: START }
    await expect(db.transaction((tx) => retireTags(tx, [tagId], retiring))).rejects.toMatchObject({
      code: 'in_use',
      details: { users: [expect.objectContaining({ label: '风格标签 · 喜欢法式' })] },
    })
  })
})

test('a pause that comes while it is being ended does not bring it back to life', async () => {
  const id = await draft('同时')
  await post(`${id}/go-live`, { version: 1 })
  let pausing: Promise<unknown> | undefined
  await db.transaction(async (tx) => {
    await endJourney(tx, id, world.now)
    pausing = db.transaction((own) => pauseJourney(own, id, world.now))
    await untilSomebodyWaits(db, { whatWaits: pausing })
  })
  await expect(pausing).rejects.toMatchObject({ code: 'conflict' })
  expect((await journeyById(db, id))?.state).toBe('ended')
})

describe('pause, resume and end', () => {
  test('a pause stops stepping at once; somebody who saw an older version is told both', async () => {
    const stale = await post(`${journey}/pause`, { version: 1 })
    expect([stale.status, stale.body.code]).toEqual([409, 'stale_version'])
    expect(stale.body.details).toMatchObject({ yours: { version: 1 }, theirs: { version: 2, state: 'live' } })
    expect((await post(`${journey}/pause`, { version: 2 })).body).toMatchObject({
      state: 'paused',
      version: 3,
    })
    await joins(third, 1)
    await world.at(new Date(world.now.getTime() + 4 * 86_400_000))
    expect(await stays(journey)).toEqual([`${fan} active tag`, `${other} finished end completed`])
    expect((await post(`${journey}/pause`, {})).body.code).toBe('conflict')
  })

  test('resumed, whoever was due in the meantime goes on; who came during the pause is not in', async () => {
    expect((await post(`${journey}/resume`, { version: 3 })).body).toMatchObject({
      state: 'live',
      version: 4,
    })
    await world.settle()
    expect(await stays(journey)).toEqual([`${fan} finished end completed`, `${other} finished end completed`])
  })

  test('ended, everybody in it leaves, open tasks are cancelled, and what it used is free', async () => {
    await world.at(new Date(world.now.getTime() + 86_400_000))
    await joins(fan, 2)
    await world.settle()
    expect((await stays(journey)).filter((row) => row.includes('active'))).toEqual([`${fan} active tag`])
    const id = await conditionOf(journey)
    expect((await post(`${journey}/end`, { version: 1 })).body.code).toBe('stale_version')
    expect((await post(`${journey}/end`, { version: 4 })).body).toMatchObject({ state: 'ended' })
    await world.settle()
    expect((await stays(journey)).filter((row) => row.includes('ended'))).toEqual([`${fan} left tag ended`])
    const tasks = await db.rows<{ state: string }>(sql`select state from task order by created_at`)
    expect(tasks.map(({ state }) => state)).toEqual(['late', 'cancelled'])
    expect(await listSegments(db, { id, since: START })).toEqual([])
    expect(await usersOf(db, { kind: 'tag_group', id: groupId })).toEqual([])
    const told = await db.rows(sql`
      select person_id as person from event_log where type = 'journey_left' and data->>'reason' = 'ended'`)
    expect(told).toEqual([{ person: fan }])
    expect((await post(`${journey}/resume`, {})).body.code).toBe('conflict')
    await db.transaction((tx) => retireTags(tx, [tagId], { reason: 'test', by: null, at: START }))
  })
})

test('a text that cannot be filled in holds nobody up: the guide is shown it as it was written', async () => {
  const script = '{{ member.name | shout }}'
  const broken = await draft('早已上线', '风格', script)
  const after = await draft('排在后面')
  await db.run(sql`
    update journey set state = 'live', live_version = 1 where id = any(${[broken, after]}::uuid[])`)
  await db.run(sql`
    insert into enrolment (id, journey_id, number, person_id, node_id, due_at, anchor_at, entered_at)
    select id, journey_id, 1, ${third}, 'tag', ${START}, ${START}, ${START}
    from unnest(${[idOf('broken'), idOf('after')]}::uuid[], ${[broken, after]}::uuid[]) as s (id, journey_id)`)
  await stepOnce(db, { token: world.token, now: world.now, zone: 'Asia/Shanghai' })
  const scripts = await db.rows<{ script: string }>(sql`
    select script from task where journey_id = any(${[broken, after]}::uuid[]) order by script desc`)
  expect(scripts.map((task) => task.script)).toEqual(['补充风格', script])
})

describe('when two members turn out to be one', () => {
  test('one stay goes on, the other is set aside, and the undo brings it back as it stood', async () => {
    const again = await draft('再来')
    const definitionOf = (await journeyById(db, again))?.definition
    await db.run(sql`
      update journey_version set live_at = ${START} where journey_id = ${again}`)
    await db.run(sql`update journey set state = 'live', live_version = 1 where id = ${again}`)
    expect(definitionOf?.nodes).toHaveLength(4)
    const due = new Date(START.getTime() + 400 * 86_400_000)
    const enter = (personId: number, waitsFor: string) =>
      db.run(sql`
        insert into enrolment (id, journey_id, number, person_id, node_id, due_at, waits_for, anchor_at, entered_at)
        values (${idOf('stay', personId)}, ${again}, 1, ${personId}, 'tag', ${due}, ${waitsFor}, ${START}, ${START})`)
    await enter(fan, idOf('waits', 1))
    await enter(other, idOf('waits', 2))
    const standing = () =>
      db.rows(
        sql`select id, person_id, state, node_id, due_at, waits_for, reason from enrolment where journey_id = ${again} order by person_id, state, id`,
      )
    const before = await standing()
    const merge = { mergeId: idOf('merge'), kept: fan, absorbed: other, at: world.now }
    await db.transaction((tx) => journeyFollower.merged(tx, merge))
    expect(await standing()).toMatchObject([
      { person_id: fan, state: 'active' },
      { person_id: fan, state: 'left', reason: 'merged' },
    ])
    await db.transaction((tx) => journeyFollower.split(tx, merge))
    expect(await standing()).toEqual(before)
  })

  test('whoever went with an import that was undone leaves with the next step, and nobody is asked about them', async () => {
    const task = idOf('task of the gone')
    await db.run(sql`
      insert into task (id, kind, person_id, enrolment_id, title, reason, due_at, created_at)
      values (${task}, 'follow_up', ${fan}, ${idOf('stay', fan)}, '{}', '{}', ${START}, ${START})`)
    await db.transaction(async (tx) => {
      await tx.run(sql`update person set state = 'removed' where id = ${fan}`)
      await journeyFollower.removed(tx, { persons: [fan], at: world.now })
    })
    await stepOnce(db, { token: world.token, now: world.now, zone: 'Asia/Shanghai' })
    const [stay] = await db.rows(sql`select state, reason from enrolment where id = ${idOf('stay', fan)}`)
    expect(stay).toEqual({ state: 'left', reason: 'person_gone' })
    expect(await db.row(sql`select state from task where id = ${task}`)).toEqual({ state: 'cancelled' })
    const [others] = await db.rows(sql`select state from enrolment where id = ${idOf('stay', other)}`)
    expect(others).toEqual({ state: 'active' })
  })
})
