import { beforeAll, expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import {
  addOrders,
  addPersons,
  audienceWorld,
  happened,
  projectAll,
  settleAll,
  tell,
  type World,
} from '../../../test/support/audience-world.ts'
import { segmentMoves } from '../../../test/support/segment-moves.ts'
import { LeaseLost } from '../../platform/jobs/lease.ts'
import { sql } from '../../platform/postgres/sql.ts'
import {
  createSegment,
  evaluateOnce,
  explainMembership,
  lifecycleOverview,
  listSegments,
  recompute,
  restlessPersons,
  segmentMembers,
} from '../audience.ts'
import type { Purchase } from '../facts/person-facts.ts'
import { selectMembership } from './store.ts'

const ZONE = 'Asia/Shanghai'
const DAY = 86_400_000
const at = (day: string, time = '12:00') => new Date(`${day}T${time}:00+08:00`)
const start = at('2026-03-01')
let world: World
let person = 0
let ids: Record<'active' | 'silent' | 'twice', number>

const lifecycle = (state: 'active' | 'silent'): Rule => ({ kind: 'lifecycle', states: [state] })
const twice: Rule = {
  kind: 'orders',
  measure: { of: 'count' },
  filter: {},
  window: { kind: 'ever' },
  compare: { op: 'ge', value: 2 },
}

beforeAll(async () => {
  world = await audienceWorld()
  ids = await world.db.transaction(async (tx) => {
    const make = async (name: string, rule: Rule) =>
      (await createSegment(tx, { name, description: '', rule }, { by: null, at: start })).id
    return {
      active: await make('活跃', lifecycle('active')),
      silent: await make('沉默', lifecycle('silent')),
      twice: await make('两次', twice),
    }
  })
  await settleAll(world, start)
})

async function someone(now: Date, lane: 'live' | 'bulk' = 'live'): Promise<number> {
  person += 1
  await addPersons(world, [{ personId: person, joinedAt: now.getTime() }], now, lane)
  return person
}

function purchase(when: Date, more: Partial<Purchase> = {}): Purchase {
  const blank = {
    id: '',
    discount: 0,
    store: '',
    seller: '',
    channel: '',
    side: '',
    campaign: '',
    coupon: false,
  }
  return { ...blank, at: when.getTime(), amount: 10_000, quantity: 0, lines: [], ...more }
}

const buys = (personId: number, when: Date, lane: 'live' | 'bulk' = 'live', now = when) =>
  addOrders(world, [{ personId, purchase: purchase(when) }], now, lane)

/** What the log says of somebody, readable or not yet. */
async function changesOf(personId: number): Promise<string[]> {
  const rows = await world.db.rows<{ change: string }>(sql`
    select concat_ws(' ', type, told, cause, case lane when 0 then 'live' else 'bulk' end) as change
    from (select type, segment::text as told, cause, lane from ${segmentMoves} where person_id = ${personId}
      union all select type, data->>'to', data->>'cause', lane from event_log
      where person_id = ${personId} and source = 'audience' and type not in ('segment_entered', 'segment_left', 'segments_changed')) t`)
  return rows.map(({ change }) => change).sort()
}

test('a purchase makes somebody active by an event, and time makes them silent at the 90th midnight', async () => {
  const li = await someone(start)
  await buys(li, start)
  await settleAll(world, start)
  expect((await selectMembership(world.db, [li]))[0]?.segments).toEqual([ids.active])
  const edge = at('2026-05-30', '00:00')
  expect((await selectMembership(world.db, [li]))[0]?.nextAt).toEqual(at('2026-04-01', '00:00'))
  await settleAll(world, new Date(edge.getTime() - 1))
  expect((await selectMembership(world.db, [li]))[0]?.segments).toEqual([ids.active])
  await settleAll(world, edge)
  expect((await selectMembership(world.db, [li]))[0]?.segments).toEqual([ids.silent])
  expect(await changesOf(li)).toEqual([
    'lifecycle_changed active event live',
    'lifecycle_changed silent time live',
    `segment_entered ${ids.active} event live`,
    `segment_entered ${ids.silent} time live`,
    `segment_left ${ids.active} time live`,
  ])
})

test('what an import brings never has a cause that starts anything, also when the member does something at the same time', async () => {
  const now = at('2026-06-01')
  const wang = await someone(now)
  await settleAll(world, now)
  await buys(wang, at('2025-01-01'), 'bulk', now)
  await world.db.transaction((tx) =>
    tell(tx, [happened('member_replied', wang, now, { channel: 'wecom', staffId: null })], now),
  )
  await buys(wang, at('2025-01-02'), 'bulk', now)
  await settleAll(world, now)
  expect((await changesOf(wang)).filter((change) => change.includes(`segment_entered ${ids.twice}`))).toEqual(
    [`segment_entered ${ids.twice} bulk bulk`],
  )
})

test('a live event that is received days late counts like an import', async () => {
  const now = at('2026-06-02')
  const zhao = await someone(now)
  await settleAll(world, now)
  await buys(zhao, at('2026-05-25'), 'live', now)
  await settleAll(world, now)
  expect(await changesOf(zhao)).toContain(`segment_entered ${ids.active} bulk bulk`)
})

test('a person is not evaluated before ClickHouse can answer for what happened', async () => {
  const now = at('2026-06-03')
  const sun = await someone(now)
  await settleAll(world, now)
  await buys(sun, now)
  await evaluateOnce(world.db, world.clickhouse, { token: world.evaluate, now, zone: ZONE })
  expect((await selectMembership(world.db, [sun]))[0]?.segments).toEqual([])
  await settleAll(world, now)
  expect((await selectMembership(world.db, [sun]))[0]?.segments).toEqual([ids.active])
})

test('a new segment has its members after the recompute, with the cause definition, and a recompute of what stands writes nothing', async () => {
  const now = at('2026-06-04')
  const { id } = await world.db.transaction((tx) =>
    createSegment(
      tx,
      { name: '买过', description: '', rule: { ...twice, compare: { op: 'ge', value: 1 } } as Rule },
      { by: null, at: now },
    ),
  )
  await settleAll(world, now)
  const members = await segmentMembers(world.db, id, { limit: 100 })
  expect(members.length).toBeGreaterThan(2)
  for (const member of members)
    expect(await changesOf(member)).toContain(`segment_entered ${id} definition bulk`)
  const how = { token: world.evaluate, now: () => now, zone: ZONE, always: true }
  expect(await recompute(world.db, world.clickhouse, how)).toMatchObject({ changed: 0, finished: true })
})

test('whoever is touched while a definition is new enters the new segment by definition and the others by the event', async () => {
  const now = at('2026-06-05')
  const qian = await someone(now)
  await settleAll(world, now)
  const { id } = await world.db.transaction((tx) =>
    createSegment(
      tx,
      { name: '所有人', description: '', rule: { kind: 'all', rules: [] } },
      { by: null, at: now },
    ),
  )
  await buys(qian, now)
  await projectAll(world, now)
  await evaluateOnce(world.db, world.clickhouse, { token: world.evaluate, now, zone: ZONE })
  const changes = await changesOf(qian)
  expect(changes).toContain(`segment_entered ${id} definition bulk`)
  expect(changes).toContain(`segment_entered ${ids.active} event live`)
})

test('explain says what is stored, with the value of each condition and when it changes', async () => {
  const now = at('2026-06-06')
  const zhou = await someone(now)
  await buys(zhou, now)
  await settleAll(world, now)
  const why = await explainMembership(
    world.db,
    world.clickhouse,
    { personId: zhou, segmentId: ids.twice },
    { now, zone: ZONE },
  )
  expect(why).toMatchObject({ member: false, verdict: false, sentence: { zh: '购买次数 ≥ 2' } })
  expect(why.leaves).toMatchObject([{ value: 1, verdict: false, changesAt: null }])
})

test('an answer of an older reading does not replace a newer one, and a lost lease writes nothing', async () => {
  const now = at('2026-06-07')
  const wu = await someone(now)
  await buys(wu, now)
  await settleAll(world, now)
  const reading = async (value: number) => {
    await world.db.run(sql`update person_segment set reading = ${value} where person_id = ${wu}`)
    await buys(wu, now)
    await projectAll(world, now)
  }
  const segments = async () => (await selectMembership(world.db, [wu]))[0]?.segments
  await reading(1_000_000)
  await settleAll(world, now)
  expect(await segments()).not.toContain(ids.twice)
  await reading(0)
  const stale = { lease: 'evaluate', token: world.evaluate.token - 1 }
  const how = { token: stale, now, zone: ZONE }
  await expect(evaluateOnce(world.db, world.clickhouse, how)).rejects.toThrow(LeaseLost)
  expect(await segments()).not.toContain(ids.twice)
  await settleAll(world, now)
  expect(await segments()).toContain(ids.twice)
})

test('persons who are gone leave their segments', async () => {
  const now = at('2026-06-08')
  const zheng = await someone(now)
  await buys(zheng, now)
  await settleAll(world, now)
  await world.db.run(sql`update person set state = 'removed' where id = ${zheng}`)
  await world.db.transaction((tx) =>
    tell(tx, [happened('attributes_changed', zheng, now, { changed: {} })], now, 'bulk'),
  )
  await settleAll(world, now)
  expect(await selectMembership(world.db, [zheng])).toEqual([])
  expect(await changesOf(zheng)).toContain(`segment_left ${ids.active} bulk bulk`)
})

test('forty persons that move over edges at random times stand as a recompute says, at every time', async () => {
  const begin = at('2026-07-01')
  const people: number[] = []
  for (let index = 0; index < 40; index += 1) people.push(await someone(begin, 'bulk'))
  await addOrders(
    world,
    people.map((personId, index) => ({
      personId,
      purchase: purchase(new Date(begin.getTime() - index * 4 * DAY)),
    })),
    begin,
    'bulk',
  )
  for (let step = 0; step < 6; step += 1) {
    const now = new Date(begin.getTime() + step * 17.3 * DAY)
    await settleAll(world, now)
    const how = { token: world.evaluate, now: () => now, zone: ZONE, always: true }
    expect(await recompute(world.db, world.clickhouse, how)).toMatchObject({ changed: 0 })
  }
})

test('who woke is counted from what happened to them, not from what a file tells of the past', async () => {
  const first = at('2027-01-02')
  const [asleep, imported] = [await someone(first), await someone(first)]
  for (const who of [asleep, imported]) await buys(who, first)
  await settleAll(world, first)
  await settleAll(world, at('2027-06-09'))
  const day = at('2027-06-10')
  const woken = async (now: Date) => (await lifecycleOverview(world.db, { now, zone: ZONE })).wokenThisMonth
  expect(await woken(day)).toBe(0)
  await buys(asleep, day)
  await buys(imported, day, 'bulk', day)
  await settleAll(world, day)
  expect(await woken(day)).toBe(1)
  const [active] = await listSegments(world.db, { id: ids.active, since: day })
  expect(active).toMatchObject({ enteredToday: 2, leftToday: 0 })
  const [silent] = await listSegments(world.db, { id: ids.silent, since: at('2027-06-10', '23:59') })
  expect(silent).toMatchObject({ enteredToday: 0, leftToday: 2 })
  expect(await woken(at('2027-07-01'))).toBe(0)
})

test('who is woken by time again and again for nothing is reported, for that day', async () => {
  const day = at('2027-08-01')
  const li = await someone(day)
  await settleAll(world, day)
  const wake = async (): Promise<void> => {
    await world.db.run(sql`update person_segment set next_at = ${day} where person_id = ${li}`)
    await evaluateOnce(world.db, world.clickhouse, { token: world.evaluate, now: day, zone: ZONE })
  }
  for (let times = 0; times < 24; times += 1) await wake()
  expect(await restlessPersons(world.db, { now: day, zone: ZONE })).toEqual([])
  await wake()
  expect(await restlessPersons(world.db, { now: day, zone: ZONE })).toMatchObject([
    { personId: li, wakes: 25 },
  ])
  expect(await restlessPersons(world.db, { now: at('2027-08-02'), zone: ZONE })).toEqual([])
  // Something that changes the answer ends the row of idle moments.
  await buys(li, day)
  await settleAll(world, day)
  expect(await restlessPersons(world.db, { now: day, zone: ZONE })).toEqual([])
})

test('the counters of each day and segment are those of the log', async () => {
  const told = await world.db.rows(sql`
    select segment as id, (at at time zone ${ZONE})::date::text as day,
      count(*) filter (where type = 'segment_entered')::int as entered, count(*) filter (where type = 'segment_left')::int as gone
    from ${segmentMoves} group by 1, 2 order by 1, 2`)
  expect(told.length).toBeGreaterThan(5)
  const counted = await world.db.rows(sql`
    select segment_id as id, day::text as day, entered, "left" as gone from segment_day order by 1, 2`)
  expect(counted).toEqual(told)
})
