/**
 * Guide tasks over HTTP, from the SOP that asks to the score: GT-02, 03, 05, 06, 07, 10, 11, 12, 14, 17.
 * Two stores; guides see their own, managers their store's, headquarters all.
 */

import { describe, expect, test } from 'vitest'
import type { Task } from '../../contract/tasks.ts'
import { testApp } from '../../test/support/app.ts'
import { lineOf, orderOf } from '../../test/support/orders.ts'
import { plansOf } from '../../test/support/plans.ts'
import { candidate, holdNobodyOut, makeContent, makeMembers, offerAll } from '../../test/support/reach.ts'
import { testKeys } from '../../test/support/reach-ports.ts'
import { sopWorld } from '../../test/support/sop-world.ts'
import { createTag, createTagGroup, tagsOf } from '../audience/audience.ts'
import { recordOrders } from '../events/events.ts'
import { membersDeps } from '../joined.ts'
import { createJourney, goLive } from '../journeys/journeys.ts'
import { mergePersons, undoMerge } from '../members/members.ts'
import { idOf } from '../platform/ids.ts'
import { sql } from '../platform/postgres/sql.ts'
import type { NewTask } from './new-task.ts'
import { countsBy } from './store.ts'
import { createTasks } from './work.ts'

/** Ten o'clock in Shanghai. */
const START = new Date('2026-03-02T02:00:00Z')
const HOUR_MS = 3_600_000
const [hill, lake] = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002']

const world = await sopWorld(START)
const { db } = world
const here = await testApp(db, { clickhouse: world.clickhouse, at: START.toISOString() })
await db.run(sql`
  insert into store (id, code, name, created_at) values (${hill}, 'S1', '山店', ${START}), (${lake}, 'S2', '湖店', ${START})`)
const guide = await here.as('guide', { storeIds: [hill] })
const colleague = await here.as('guide', { storeIds: [hill] })
const manager = await here.as('store_manager', { storeIds: [hill] })
const otherManager = await here.as('store_manager', { storeIds: [lake] })
const operator = await here.as('operator')
const analyst = await here.as('analyst')
await db.run(sql`update staff set wecom_user_id = 'guide-' || right(id::text, 6)`)
const [wang = 0, rich = 0, nobodys = 0, twin = 0] = await makeMembers(db, testKeys(), {
  count: 4,
  staffIds: [guide.staffId],
})
await db.run(sql`
  update person set home_store_id = ${hill}, owner_staff_id = ${guide.staffId},
    name = case id when ${wang} then '王小明' when ${rich} then '钱多多' when ${twin} then '王小明二' else '李无人' end`)
// Nobody follows up on this one: the store is asked.
await db.run(sql`delete from relation where profile_id = ${nobodys}`)
await db.run(sql`update person set owner_staff_id = null, follower_ids = '{}' where id = ${nobodys}`)
await holdNobodyOut(db)

async function to(hours: number): Promise<void> {
  const now = new Date(START.getTime() + hours * HOUR_MS)
  here.clock.set(now)
  await world.at(now)
}

async function bought(personId: number, cents: number): Promise<void> {
  const at = new Date(START.getTime() - 89 * 24 * HOUR_MS)
  const lines = [lineOf('A', cents, { name: '羊绒大衣' })]
  const order = orderOf(`o-${personId}`, at, cents, { lines })
  const row = { profileId: personId, personId, order }
  await db.transaction((tx) => recordOrders(tx, [row], { lane: 'bulk', source: 'till', receivedAt: START }))
}
for (const [personId, cents] of [
  [wang, 19_900],
  [rich, 500_000],
  [nobodys, 19_900],
] as const)
  await bought(personId, cents)
await db.transaction(async (tx) => {
  const wanted = {
    template: 'wake_sleeping' as const,
    name: '春季唤醒',
    enterPresent: false,
    texts: {},
    by: null,
  }
  await goLive(tx, await createJourney(tx, wanted, START), 1, null, START)
})
await world.settle()
// The ninetieth day begins at midnight.
await to(15)

type Mine = { items: Task[]; doneToday: number; score: number | null }
async function mine(call = guide): Promise<Mine> {
  return (await call('GET', '/api/tasks/mine')).body as Mine
}
async function taskFor(name: string, call = guide): Promise<Task> {
  const found = (await mine(call)).items.find((task) => task.member?.name === name)
  if (!found) throw new Error(`no task for ${name}`)
  return found
}
function codeOf({ status, body }: { status: number; body: unknown }): [number, string | undefined] {
  return [status, (body as { code?: string }).code]
}

/** A task as anybody could ask for it. */
function asked(id: string, more: Partial<NewTask> = {}): NewTask {
  return {
    id: idOf('task test', id),
    kind: 'follow_up',
    personId: wang,
    staffId: guide.staffId,
    storeId: hill,
    journeyId: null,
    journeyName: null,
    enrolmentId: null,
    nodeId: null,
    outboxId: null,
    members: 1,
    title: { zh: id, en: id },
    reason: { zh: id, en: id },
    script: id,
    tagGroupId: null,
    feedbackNeeded: false,
    dueAt: new Date(here.clock.now().getTime() + HOUR_MS),
    demo: false,
    ...more,
  }
}

async function make(...tasks: NewTask[]): Promise<void> {
  await db.transaction((tx) => createTasks(tx, tasks, here.clock.now()))
}

describe('what a SOP asks of a guide', () => {
  test('GT-02, GT-07, GT-11: is an invitation with the facts of the member and the filled-in script', async () => {
    const task = await taskFor('王小明')
    expect(task).toMatchObject({
      kind: 'invite',
      state: 'open',
      journey: '春季唤醒',
      members: 1,
      feedbackNeeded: false,
      guide: { id: guide.staffId },
      store: { id: hill, name: '山店' },
      title: { zh: '邀约到店' },
      member: {
        name: '王小明',
        lifecycle: 'silent',
        purchases: 1,
        spentCents: 19_900,
        lastItems: ['羊绒大衣'],
      },
    })
    expect(task.script).toContain('王小明您好，我是山店的')
    expect(task.script).toContain('羊绒大衣')
    expect(task.script).not.toMatch(/[{}]/)
    expect(task.reason.zh).toBe('89 天没有购买，趁换季上新邀约')
  })

  test('GT-06: reaches the guide who follows the member, and no other guide', async () => {
    const { id } = await taskFor('王小明')
    expect((await mine(colleague)).items.map((task) => task.member?.name)).toEqual(['李无人'])
    expect(codeOf(await colleague('GET', `/api/tasks/${id}`))).toEqual([404, 'not_found'])
    expect(codeOf(await colleague('POST', `/api/tasks/${id}/done`, { outcome: 'sent' }))).toEqual([
      404,
      'not_found',
    ])
  })

  test('GT-06: whom nobody follows is asked of the whole store', async () => {
    const task = await taskFor('李无人', colleague)
    expect(task).toMatchObject({ guide: null, store: { id: hill } })
    expect((await taskFor('李无人')).id).toBe(task.id)
    const done = await colleague('POST', `/api/tasks/${task.id}/done`, { outcome: 'no_answer' })
    expect(done.body).toMatchObject({ state: 'done', outcome: 'no_answer' })
  })

  test('GT-12: of those who spent much it wants an answer, and takes no blank one', async () => {
    const { id, feedbackNeeded } = await taskFor('钱多多')
    expect(feedbackNeeded).toBe(true)
    for (const feedback of [undefined, '   ']) {
      const { status, body } = await guide('POST', `/api/tasks/${id}/done`, { outcome: 'called', feedback })
      expect([status, body]).toMatchObject([400, { code: 'bad_input', field: 'feedback' }])
    }
    const done = await guide('POST', `/api/tasks/${id}/done`, {
      outcome: 'will_come',
      feedback: ' 周末来试 ',
    })
    expect(done.body).toMatchObject({ state: 'done', outcome: 'will_come', feedback: '周末来试' })
    expect(codeOf(await guide('POST', `/api/tasks/${id}/done`, { outcome: 'sent', feedback: 'x' }))).toEqual([
      409,
      'conflict',
    ])
  })

  test('GT-07: the SOP goes on with what was done', async () => {
    await world.settle()
    const { rows } = await db.row<{ rows: number }>(sql`
      select count(*)::int as rows from enrolment where person_id = any(${[rich, nobodys]}::int[]) and node_id = 'wait7'`)
    expect(rows).toBe(2)
  })
})

describe('taking back', () => {
  test('is for whoever did it, and for ten minutes', async () => {
    await make(asked('by mistake'))
    const id = idOf('task test', 'by mistake')
    expect((await guide('GET', `/api/tasks/${id}`)).body).toMatchObject({ undoable: true })
    await guide('POST', `/api/tasks/${id}/done`, { outcome: 'sent' })
    expect(codeOf(await manager('POST', `/api/tasks/${id}/undo`, {}))).toEqual([409, 'conflict'])
    expect((await guide('POST', `/api/tasks/${id}/undo`, {})).body).toMatchObject({
      state: 'open',
      outcome: null,
    })
    await guide('POST', `/api/tasks/${id}/done`, { outcome: 'sent' })
    await to(15.2)
    expect(codeOf(await guide('POST', `/api/tasks/${id}/undo`, {}))).toEqual([409, 'conflict'])
  })

  test('is refused where the SOP goes on with what was done, and the task stays done', async () => {
    const { id, undoable } = await taskFor('王小明')
    expect(undoable).toBe(false)
    await guide('POST', `/api/tasks/${id}/done`, { outcome: 'sent' })
    expect(codeOf(await guide('POST', `/api/tasks/${id}/undo`, {}))).toEqual([409, 'conflict'])
    expect((await guide('GET', `/api/tasks/${id}`)).body).toMatchObject({ state: 'done', outcome: 'sent' })
  })

  test('opens nothing about somebody who is gone', async () => {
    await make(asked('about the gone'))
    const id = idOf('task test', 'about the gone')
    await guide('POST', `/api/tasks/${id}/done`, { outcome: 'sent' })
    await db.run(sql`update person set state = 'removed' where id = ${wang}`)
    expect(codeOf(await guide('POST', `/api/tasks/${id}/undo`, {}))).toEqual([409, 'conflict'])
    await db.run(sql`update person set state = 'live' where id = ${wang}`)
  })
})

describe('GT-05: a tag task', () => {
  test('is done by putting one of the tags of its group on the member', async () => {
    const by = { by: null, at: START }
    const { groupId, tagId, other } = await db.transaction(async (tx) => {
      const fields = { level: 'business' as const, scope: 'brand' as const, openToStores: false }
      const group = await createTagGroup(tx, { name: '风格', ...fields }, by)
      const elsewhere = await createTagGroup(tx, { name: '场合', ...fields }, by)
      const tag = {
        parentId: null,
        volatility: 'static',
        subjectivity: 'subjective',
        derivation: 'fact',
        composition: 'single',
        producer: 'guide',
        origin: 'manual',
        use: '搭配',
        plan: '换季邀约',
        rule: null,
      } as const
      return {
        groupId: group,
        tagId: await createTag(tx, { ...tag, groupId: group, name: '法式' }, by),
        other: await createTag(tx, { ...tag, groupId: elsewhere, name: '通勤' }, by),
      }
    })
    await make(asked('tag', { kind: 'tag', tagGroupId: groupId }))
    const task = (await mine()).items.find(({ kind }) => kind === 'tag')
    expect(task?.tag).toEqual({ groupId, group: '风格', options: [{ tagId, name: '法式' }] })
    const path = `/api/tasks/${task?.id}/done`
    expect(await guide('POST', path, { outcome: 'tagged' })).toMatchObject({
      status: 400,
      body: { code: 'bad_input', field: 'tagId' },
    })
    expect(await guide('POST', path, { outcome: 'tagged', tagId: other })).toMatchObject({
      status: 400,
      body: { code: 'bad_input', field: 'tagId' },
    })
    expect((await guide('POST', path, { outcome: 'tagged', tagId })).body).toMatchObject({ state: 'done' })
    const { tags } = await tagsOf(db, wang)
    expect(tags.map((one) => one.name)).toContain('法式')
    expect(codeOf(await guide('POST', `/api/tasks/${task?.id}/undo`, {}))).toEqual([409, 'conflict'])
  })
})

describe('GT-03, GT-17: a mass message', () => {
  test('asks its sender to confirm it in WeCom, and is done when WeCom says so, not before', async () => {
    const contentId = await makeContent(db, { channel: 'wecom', body: '周六会员日' })
    const wanted = [wang, rich].map((personId) =>
      candidate({
        personId,
        channel: 'wecom',
        class: 'transactional',
        contentId,
        notBefore: here.clock.now(),
        expiresAt: new Date(here.clock.now().getTime() + 72 * HOUR_MS),
      }),
    )
    await offerAll(db, wanted, here.clock.now())
    await world.settle()
    const task = (await mine()).items.find(({ kind }) => kind === 'broadcast')
    expect(task).toMatchObject({ members: 2, script: '周六会员日', member: null, title: { zh: '确认群发' } })
    for (const outcome of ['confirmed', 'sent'])
      expect(codeOf(await guide('POST', `/api/tasks/${task?.id}/done`, { outcome }))).toEqual([
        409,
        'conflict',
      ])
    for (const { msgid } of world.wecom.state.messages.values()) world.wecom.confirm(msgid)
    await to(15.6)
    expect((await guide('GET', `/api/tasks/${task?.id}`)).body).toMatchObject({
      state: 'done',
      outcome: 'confirmed',
    })
  })
})

describe('a text that names the member', () => {
  test('is a task to copy it; what the guide says became of it is what became of the touch', async () => {
    const contentId = await makeContent(db, { channel: 'wecom', body: '{{ member.name }}，您的大衣到了' })
    const wanted = (['sent', 'no_answer'] as const).map((outcome, index) =>
      candidate({
        id: idOf('copy', outcome),
        personId: index === 0 ? wang : rich,
        channel: 'wecom',
        class: 'transactional',
        contentId,
        facts: { member: { name: index === 0 ? '王小明' : '钱多多' } },
        notBefore: here.clock.now(),
        expiresAt: new Date(here.clock.now().getTime() + 72 * HOUR_MS),
      }),
    )
    await offerAll(db, wanted, here.clock.now())
    await world.settle()
    const before = world.wecom.state.messages.size
    const tasks = (await mine()).items.filter(({ script }) => script?.endsWith('您的大衣到了'))
    expect(tasks.map(({ script }) => script).sort()).toEqual(['王小明，您的大衣到了', '钱多多，您的大衣到了'])
    for (const { id } of tasks)
      await guide('POST', `/api/tasks/${id}/done`, {
        outcome: id === idOf('copy', 'sent') ? 'sent' : 'no_answer',
      })
    const copied = idOf('copy', 'sent')
    expect(codeOf(await guide('POST', `/api/tasks/${copied}/undo`, {}))).toEqual([409, 'conflict'])
    await world.settle()
    const touches = await db.rows<{ person: number; state: string }>(
      sql`select person_id as person, state from touch where content_id = ${contentId} order by 1`,
    )
    expect(touches).toEqual([
      { person: wang, state: 'delivered' },
      { person: rich, state: 'expired' },
    ])
    expect(world.wecom.state.messages.size).toBe(before)
  })
})

describe('GT-10, GT-14: how well it is carried out', () => {
  test('what fell due undone is late, and counts half when it is done after all', async () => {
    await db.run(
      sql`update task set state = 'cancelled', ended_at = ${here.clock.now()} where state in ('open', 'late')`,
    )
    await make(asked('in time'), asked('late one'), asked('never'))
    await guide('POST', `/api/tasks/${idOf('task test', 'in time')}/done`, { outcome: 'sent' })
    await to(18)
    expect((await mine()).items.map(({ state }) => state)).toEqual(['late', 'late'])
    const late = await guide('POST', `/api/tasks/${idOf('task test', 'late one')}/done`, { outcome: 'sent' })
    expect(late.body).toMatchObject({ state: 'done_late' })
    const events = await db.rows<{ type: string }>(
      sql`select type from event_log where data->>'taskId' = ${idOf('task test', 'late one')} order by xid, seq`,
    )
    expect(events.map(({ type }) => type)).toEqual(['task_created', 'task_late', 'task_done'])
  })

  test('guides and stores have a score from what fell due, and managers see their own stores only', async () => {
    const counted = await db.row<{ done: number; late: number; over: number; own: number }>(sql`
      select count(*) filter (where done_by = ${guide.staffId})::int as own, count(*) filter (where state = 'done')::int as done, count(*) filter (where state = 'done_late')::int as late,
        count(*) filter (where state = 'late')::int as over from task where staff_id = ${guide.staffId}`)
    const expected = Math.round(
      (100 * (counted.done + counted.late / 2)) / (counted.done + counted.late + counted.over),
    )
    const own = await mine()
    expect([own.score, own.doneToday]).toEqual([expected, counted.own])
    expect(expected).toBeLessThan(100)
    type Scores = {
      items: { id: string; score: number | null; done: number; late: number; withFeedback: number }[]
    }
    const guides = (await manager('GET', '/api/tasks/scores')).body as Scores
    expect(guides.items).toEqual([
      expect.objectContaining({
        id: guide.staffId,
        score: expected,
        done: counted.done,
        late: counted.over,
        withFeedback: 1,
      }),
    ])
    const stores = (await operator('GET', '/api/tasks/scores?by=store&days=7')).body as Scores
    expect(stores.items.map(({ id }) => id)).toEqual([hill])
    expect((await otherManager('GET', '/api/tasks/scores?by=store')).body).toEqual({ items: [] })
    expect(codeOf(await guide('GET', '/api/tasks/scores'))).toEqual([403, 'not_allowed'])
  })

  test('headquarters checks every task by state, kind, store and guide, page by page', async () => {
    type Page = { items: Task[]; next: string | null }
    const all: Task[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `/api/tasks?limit=3${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
      const page = (await operator('GET', path)).body as Page
      all.push(...page.items)
      cursor = page.next
    }
    const { rows } = await db.row<{ rows: number }>(sql`select count(*)::int as rows from task`)
    expect([all.length, new Set(all.map(({ id }) => id)).size]).toEqual([rows, rows])
    const late = (await manager('GET', '/api/tasks?state=late')).body as Page
    expect(late.items.map(({ id }) => id)).toEqual([idOf('task test', 'never')])
    const of = (await operator('GET', `/api/tasks?kind=tag&storeId=${hill}&guideId=${guide.staffId}`))
      .body as Page
    expect(of.items).toHaveLength(1)
    const done = await db.rows<{ day: string; tasks: number }>(sql`
      select ((ended_at at time zone 'Asia/Shanghai')::date)::text as day, count(*)::int as tasks from task
      where state in ('done', 'done_late') group by 1 order by 1`)
    expect(done.length).toBeGreaterThan(0)
    for (const { day, tasks } of done) {
      const { items } = (await operator('GET', `/api/tasks?doneOn=${day}&limit=200`)).body as Page
      expect(items).toHaveLength(tasks)
    }
    expect(((await otherManager('GET', '/api/tasks')).body as Page).items).toEqual([])
  })

  test('whoever may not see personal data sees no name and no script', async () => {
    const { items } = (await analyst('GET', '/api/tasks?kind=invite')).body as { items: Task[] }
    expect(items.length).toBeGreaterThan(0)
    for (const { member, script } of items) {
      expect(script).toBeNull()
      expect(member?.name).toMatch(/^.\*\*$/)
    }
  })
})

describe('when two members turn out to be one', () => {
  test('the tasks go along, and back with the undo', async () => {
    await make(asked('of the twin', { personId: twin }), asked('of wang'))
    const of = async (): Promise<unknown> =>
      db.rows(sql`select id, person_id as person from task where person_id is not null order by id`)
    const before = await of()
    const deps = membersDeps(testKeys())
    const by = { actor: null, at: here.clock.now() }
    const mergeId = await db.transaction((tx) => mergePersons(deps, tx, [wang, twin], by))
    const { person } = await db.row<{ person: number }>(
      sql`select person_id as person from task where id = ${idOf('task test', 'of the twin')}`,
    )
    expect(person).toBe(wang)
    await db.transaction((tx) => undoMerge(deps, tx, mergeId, by))
    expect(await of()).toEqual(before)
  })
})

test('the score of a guide is not read from all that the guide ever did', async () => {
  await db.run(sql`
    insert into task (id, kind, state, person_id, staff_id, title, reason, due_at, created_at, ended_at, outcome)
    select gen_random_uuid(), 'follow_up', 'done', ${wang}, staff.id, '{}', '{}', at, at, at, 'sent'
    from staff, generate_series(${START}::timestamptz - interval '300 days', ${START}::timestamptz, interval '1 hour') as at`)
  await db.run(sql`analyze task`)
  const since = new Date(START.getTime() - 30 * 24 * HOUR_MS)
  const plans = await plansOf(db, (explaining) =>
    countsBy(explaining, 'guide', since, START, null, guide.staffId),
  )
  expect(plans).toContain('task_guide_due')
  expect(plans).toContain('task_guide_ended')
})
