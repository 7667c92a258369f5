/** TAG-06: a guide is asked for so many tags at a time and no more; who is not asked about goes on. */
import { expect, test } from 'vitest'
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import { holdNobodyOut, makeMembers, makeStaff } from '../../test/support/reach.ts'
import { testKeys } from '../../test/support/reach-ports.ts'
import { sopWorld } from '../../test/support/sop-world.ts'
import { createTagGroup } from '../audience/audience.ts'
import { append } from '../events/events.ts'
import { idOf, newId } from '../platform/ids.ts'
import { sql } from '../platform/postgres/sql.ts'
import { finishTask, MOST_OPEN_TAG_TASKS } from '../tasks/tasks.ts'
import { insertJourney, insertVersion } from './journey-store.ts'
import { goLive } from './journeys.ts'

const START = new Date('2026-03-02T02:00:00Z')
const world = await sopWorld(START)
const { db } = world
const [guide = '', colleague = ''] = await makeStaff(db, 2)
const members = await makeMembers(db, testKeys(), { count: MOST_OPEN_TAG_TASKS + 4, staffIds: [guide] })
await db.run(sql`update person set owner_staff_id = ${guide}`)
await holdNobodyOut(db)

const text = (words: string) => ({ zh: words, en: words })
const definition: JourneyDefinition = {
  againAfterDays: 0,
  onPurchase: { do: 'nothing' },
  returnWindowDays: 30,
  highValueCents: 0,
  nodes: [
    { kind: 'trigger', id: 'start', title: text('入会'), on: [{ on: 'member_joined' }], next: 'tag' },
    {
      kind: 'task',
      id: 'tag',
      title: text('补标签'),
      task: 'tag',
      script: '补充风格',
      reason: text('补充风格'),
      dueHours: 24,
      feedback: 'never',
      tagGroup: '风格',
      next: 'end',
      undone: 'left',
    },
    { kind: 'exit', id: 'end', title: text('结束'), reason: 'completed' },
    { kind: 'exit', id: 'left', title: text('没有问'), reason: 'not_asked' },
  ],
}

await db.transaction(async (tx) => {
  const by = { by: null, at: START }
  await createTagGroup(tx, { name: '风格', level: 'business', scope: 'brand', openToStores: false }, by)
  const id = newId(START)
  const made = {
    id,
    name: '风格',
    template: 'new_member_follow_up' as const,
    enterPresent: false,
    by: null,
    demo: false,
  }
  await insertJourney(tx, made, START)
  await insertVersion(tx, id, 1, definition, START)
  await goLive(tx, id, 1, null, START)
})
await world.settle()

async function join(persons: readonly number[]): Promise<void> {
  const events = persons.map((personId) => ({
    id: idOf('joins', personId),
    type: 'member_joined' as const,
    profileId: personId,
    personId,
    at: world.now,
    data: {},
  }))
  await db.transaction((tx) => append(tx, events, { lane: 'live', source: 'test', receivedAt: world.now }))
  await world.settle()
}

async function standing(): Promise<{ asked: number; notAsked: number }> {
  return db.row(sql`
    select (select count(*)::int from task where kind = 'tag' and state in ('open', 'late') and staff_id = ${guide}) as asked,
      (select count(*)::int from enrolment where state = 'finished' and reason = 'not_asked') as "notAsked"`)
}

test('a guide has so many open tag tasks and no more, a colleague has room of their own, and what is done makes room', async () => {
  const last = members.slice(-2)
  await db.run(sql`update person set owner_staff_id = ${colleague} where id = ${last[1]}`)
  await join(members.slice(0, -2))
  expect(await standing()).toEqual({ asked: MOST_OPEN_TAG_TASKS, notAsked: 2 })
  await join(last.slice(1))
  expect(await standing()).toEqual({ asked: MOST_OPEN_TAG_TASKS, notAsked: 2 })
  const { id } = await db.row<{ id: string }>(
    sql`select id from task where staff_id = ${guide} and state = 'open' order by id limit 1`,
  )
  await db.transaction((tx) => finishTask(tx, id, { outcome: 'tagged', by: guide, at: world.now }))
  await join(last.slice(0, 1))
  expect(await standing()).toEqual({ asked: MOST_OPEN_TAG_TASKS, notAsked: 2 })
  expect(await db.row(sql`select count(*)::int as n from task where staff_id = ${colleague}`)).toEqual({
    n: 1,
  })
})
