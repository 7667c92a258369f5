/**
 * SOPs whose processes are killed while they let people in, step, decide and deliver: at each named point, and at random.
 * The same two SOPs run a second time without a kill, over the same people at the same times, and both must end alike.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Harness,
  journeyHarness,
  phases,
  type Story,
  tellPhase,
} from '../../test/support/journey-story.ts'
import { sql } from '../platform/postgres/sql.ts'

/** Points that are passed in each phase of the story, in this order. */
const points: Partial<Record<(typeof phases)[number]['name'], readonly string[]>> = {
  enters: ['react.handled', 'journeys.entered', 'journeys.tasks_made', 'journeys.stepped', 'react.committed'],
  'tasks done': ['journeys.heard'],
  buys: ['journeys.followed'],
  'day 3': ['journeys.offered'],
  'day 3, next slot': [
    'reach.decided',
    'reach.announced',
    'reach.asked',
    'reach.found',
    'reach.settled',
    'reach.handed',
    'reach.polled',
  ],
  'day 5': ['reach.cancelled', 'reach.closed'],
}
const RANDOM_KILLS_A_PHASE = 3

const killed = await journeyHarness()
const calm = await journeyHarness()
const hit: string[] = []
let kills = 0

let seed = 11
function random(most: number): number {
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed % most
}

beforeAll(async () => {
  expect(killed.story.members).toEqual(calm.story.members)
  await Promise.all([liveThrough(calm), dieThrough(killed)])
})

afterAll(async () => {
  await killed.end()
  await calm.end()
})

async function liveThrough(harness: Harness): Promise<void> {
  harness.start()
  for (const phase of phases) {
    await harness.moveTo(phase.at)
    await tellPhase(harness.story, phase, harness.now())
    await harness.settle()
  }
}

async function dieThrough(harness: Harness): Promise<void> {
  for (const phase of phases) {
    await harness.moveTo(phase.at)
    await tellPhase(harness.story, phase, harness.now())
    for (const point of points[phase.name] ?? []) {
      await harness.killAll()
      if (await harness.runToItsPoint(point)) hit.push(point)
      kills += 1
    }
    for (let kill = 0; kill < RANDOM_KILLS_A_PHASE; kill += 1) {
      if (kill === 1) harness.loseAnAnswer()
      await harness.killWhoeverWorks(random(120))
      kills += 1
    }
    await harness.settle()
  }
}

/** Where everybody stands, what was asked of guides and what became of each message, without the ids of the run. */
async function outcome({ db }: Story): Promise<{ stays: string[]; tasks: string[]; touches: string[] }> {
  const stays = await db.rows<{ row: string }>(sql`
    select concat_ws(' ', e.person_id, j.template, e.state, e.node_id, e.stop, e.reason, e.returned_at is not null) as row
    from enrolment e join journey j on j.id = e.journey_id order by 1`)
  const tasks = await db.rows<{ row: string }>(sql`
    select concat_ws(' ', person_id, journey_name, node_id, kind, state, staff_id is not null) as row
    from task where person_id is not null order by 1`)
  const touches = await db.rows<{ row: string }>(sql`
    select concat_ws(' ', t.person_id, j.template, t.node_id, t.channel, t.state, t.reason) as row
    from touch t join journey j on j.id = t.journey_id order by 1`)
  const [a, b, c] = [stays, tasks, touches].map((rows) => rows.map(({ row }) => row))
  return { stays: a ?? [], tasks: b ?? [], touches: c ?? [] }
}

/** Persons of whom Liuliang says that it does not know; their way may differ from there on. */
async function unknownPersons({ db }: Story): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(
    sql`select distinct person_id::text as id from touch where state = 'unknown'`,
  )
  return rows.map(({ id }) => id)
}

test('each named point was hit, and more than fifty processes were killed', () => {
  expect(hit).toEqual(Object.values(points).flat())
  expect(kills).toBeGreaterThanOrEqual(50)
})

test('nobody received anything twice, and what was received is what the unkilled run received', async () => {
  const received = killed.received()
  expect([...received].filter(([, times]) => times > 1)).toEqual([])
  const unknown = new Set(await unknownPersons(killed.story))
  expect(unknown.size).toBeLessThan(killed.story.members.length / 4)
  const addresses = await killed.addressesOf([...unknown])
  const of = (harness: Harness) =>
    [...harness.received().keys()].filter((key) => !addresses.some((one) => key.startsWith(`${one} `))).sort()
  const expected = of(calm)
  expect(expected.length).toBeGreaterThan(40)
  expect(of(killed)).toEqual(expected)
})

test('everybody stands where the unkilled run left them; each task and each touch exists once', async () => {
  const unknown = new Set(await unknownPersons(killed.story))
  const known = (rows: readonly string[]) => rows.filter((row) => !unknown.has(row.split(' ')[0] ?? ''))
  const [mine, theirs] = [await outcome(killed.story), await outcome(calm.story)]
  for (const rows of Object.values(theirs)) expect(rows.length).toBeGreaterThan(40)
  const all = ({ stays, tasks, touches }: typeof mine) => ({
    stays: known(stays),
    tasks: known(tasks),
    touches: known(touches),
  })
  expect(all(mine)).toEqual(all(theirs))
  const { db } = killed.story
  const doubled = await db.rows(sql`select id from event_log group by id having count(*) > 1`)
  expect(doubled).toEqual([])
  const asked = await db.rows<{ outboxes: number; tasks: number }>(sql`
    select count(*)::int as outboxes, count(t.id)::int as tasks from outbox o left join task t on t.outbox_id = o.id
    where o.channel = 'wecom' and o.created_at is not null`)
  expect(asked[0]?.tasks).toBe(asked[0]?.outboxes)
})

test('the counts of the canvas agree with the stays', async () => {
  for (const { db } of [killed.story, calm.story]) {
    const counts = await db.rows<{ node: string; passed: number; ended: number }>(sql`
      select n.node_id as node, n.passed::int as passed,
        (select count(*)::int from enrolment e where e.journey_id = n.journey_id and e.node_id = n.node_id and e.state = 'finished'
           and e.reason <> 'returned') as ended
      from node_count n join journey j on j.id = n.journey_id where n.node_id in ('end_bought', 'end_not_bought', 'woken', 'asleep')`)
    expect(counts.length).toBeGreaterThan(0)
    for (const { node, passed, ended } of counts) expect([node, passed]).toEqual([node, ended])
  }
})
