import { beforeAll, expect, test, vi } from 'vitest'
import { defaultEdges, lifecycleOf } from '../../../contract/lifecycle.ts'
import { cutsOf, rfmGroupOf, rfmScores } from '../../../contract/rfm.ts'
import { testApp } from '../../../test/support/app.ts'
import {
  addOrders,
  addPersons,
  audienceWorld,
  settleAll,
  type World,
} from '../../../test/support/audience-world.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { dayFromNumber, numberOfDay } from '../../platform/time/zone.ts'
import {
  baseAsOf,
  createSegment,
  lifecycleOverview,
  previewRule,
  publishCutPoints,
  rfmOverview,
  segmentMembers,
  sourceFlow,
  statesOf,
} from '../audience.ts'

const ZONE = 'Asia/Shanghai'
const DAY = 86_400_000
const now = new Date('2026-06-01T04:00:00+08:00')
const PERSONS = 60
let world: World
const people = Array.from({ length: PERSONS }, (_, index) => ({
  // Every fifth was a visitor first: their ids begin far above.
  personId: index % 5 === 4 ? 2 ** 30 + index : index + 1,
  factor: index + 1,
  joinedAt: now.getTime() - ((index * 37) % 900) * DAY,
  // Days before now on which they bought.
  days: Array.from({ length: index % 6 }, (_order, place) => ((index * 53 + place * 31) % 880) + 1),
}))

beforeAll(async () => {
  world = await audienceWorld()
  await addPersons(
    world,
    people.map(({ personId, joinedAt }) => ({ personId, joinedAt })),
    now,
    'bulk',
  )
  await addOrders(
    world,
    people.flatMap(({ personId, factor, days }) =>
      days.map((day) => ({
        personId,
        purchase: { ...blank, at: now.getTime() - day * DAY, amount: 1000 + factor * day },
      })),
    ),
    now,
    'bulk',
  )
  await settleAll(world, now)
})

/** Counts by state as somebody with the raw days would make them. */
function counted(asOfDaysAgo: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { joinedAt, days } of people) {
    const joined = Math.round((now.getTime() - joinedAt) / DAY) - asOfDaysAgo
    const bought = days.map((day) => day - asOfDaysAgo).filter((day) => day >= 0)
    if (bought.length === 0 && joined < 0) continue
    const state = lifecycleOf(bought.length > 0 ? Math.min(...bought) : null, joined, defaultEdges)
    counts[state] = (counts[state] ?? 0) + 1
  }
  return counts
}

const byState = (rows: readonly { state: string; persons: number }[]) =>
  Object.fromEntries(rows.map(({ state, persons }) => [state, persons]))

test('the spread over the life cycle is the one counted by hand, now and as of past days', async () => {
  const overview = await lifecycleOverview(world.db, { now, zone: ZONE })
  expect(byState(overview.lifecycle)).toEqual(counted(0))
  expect(overview.oneTimeBuyers).toBe(people.filter(({ days }) => days.length === 1).length)
  expect(overview.stages.find(({ stage }) => stage === 'first_purchase')?.conversion).toBeCloseTo(40 / 50)
  for (const ago of [1, 100, 400]) {
    const day = numberOfDay('2026-06-01') - ago
    const { overview: past } = await baseAsOf(world.db, world.clickhouse, { day, zone: ZONE })
    expect(byState(past.lifecycle)).toEqual(counted(ago))
  }
  // In kilobytes, the most that this process ever held: an array up to the highest id takes four million of them.
  expect(process.resourceUsage().maxRSS).toBeLessThan(3_000_000)
  const flow = await sourceFlow(world.db, { now, zone: ZONE })
  expect(flow.reduce((sum, link) => sum + link.persons, 0)).toBe(PERSONS)
})

test('the end of today says of everything what the present says', async () => {
  const present = await lifecycleOverview(world.db, { now, zone: ZONE })
  const day = numberOfDay('2026-06-01')
  const past = await baseAsOf(world.db, world.clickhouse, { day, zone: ZONE })
  const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort()
  for (const part of ['lifecycle', 'ownCycle', 'stages', 'joinRecency', 'aipl'] as const)
    expect(sorted(past.overview[part]), part).toEqual(sorted(present[part]))
  const { oneTimeBuyers, interactionSilent, fallingAsleep30Days, newThisMonth } = present
  expect(past.overview).toMatchObject({
    oneTimeBuyers,
    interactionSilent,
    fallingAsleep30Days,
    newThisMonth,
  })
  expect(sorted(past.flow)).toEqual(sorted(await sourceFlow(world.db, { now, zone: ZONE })))
})

test('the three pictures of a past day come from one pass over everybody, and no day is told before it came', async () => {
  const here = await testApp(world.db, { clickhouse: world.clickhouse, at: now.toISOString() })
  const owner = await here.as('owner')
  const read = vi.spyOn(world.clickhouse, 'stream')
  const ask = (day: string) =>
    Promise.all(['lifecycle', 'rfm', 'source-flow'].map((name) => owner('GET', `/api/${name}?asOf=${day}`)))
  const replies = await ask('2026-03-01')
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
  // Purchases and contacts, each read once.
  expect(read).toHaveBeenCalledTimes(2)
  read.mockRestore()
  expect((await ask('2026-06-01')).map(({ status }) => status)).toEqual([200, 200, 200])
  for (const { status, body } of await ask('2026-06-02'))
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 'bad_input', field: 'asOf' } })
})

test('RFM, one-time buyers and who woke, as of a past day, are those of what was known by then', async () => {
  let wokenAtAll = 0
  for (const ago of [12, 40, 163, 250]) wokenAtAll += await samePast(ago)
  expect(wokenAtAll).toBeGreaterThan(0)
})

/** Compares with a count by hand and answers how many woke in that month. */
async function samePast(ago: number): Promise<number> {
  const known = people
    .map((person) => ({
      ...person,
      days: person.days.filter((day) => day >= ago).map((day) => day - ago),
    }))
    .map((person) => ({
      recencyDays: Math.min(...person.days),
      purchases: person.days.length,
      spentCents: person.days.reduce((sum, day) => sum + 1000 + person.factor * (day + ago), 0),
      days: person.days,
    }))
  const buyers = known.filter(({ purchases }) => purchases > 0)
  const ascending = (values: number[]) => values.sort((left, right) => left - right)
  const cuts = {
    r: cutsOf(ascending(buyers.map((buyer) => buyer.recencyDays)), 'r'),
    f: cutsOf(ascending(buyers.map((buyer) => buyer.purchases)), 'f'),
    m: cutsOf(ascending(buyers.map((buyer) => buyer.spentCents)), 'm'),
  }
  const groups: Record<string, number> = {}
  for (const buyer of buyers) {
    const group = rfmGroupOf(rfmScores(buyer, cuts))
    groups[group] = (groups[group] ?? 0) + 1
  }
  const day = numberOfDay('2026-06-01') - ago
  const { overview, rfm } = await baseAsOf(world.db, world.clickhouse, { day, zone: ZONE })
  expect(rfm.cuts).toEqual(cuts)
  expect(Object.fromEntries(rfm.groups.map(({ group, persons }) => [group, persons]))).toEqual(groups)
  expect(rfm.cells.reduce((sum, { persons }) => sum + persons, 0)).toBe(buyers.length)
  expect(overview.oneTimeBuyers).toBe(buyers.filter(({ purchases }) => purchases === 1).length)
  const [, , dayOfMonth] = dayFromNumber(day).split('-').map(Number)
  const woke = buyers.filter(({ days }) => {
    const oldestFirst = [...new Set(days)].sort((left, right) => right - left)
    return oldestFirst.some(
      (at, place) => place > 0 && at < (dayOfMonth ?? 0) && (oldestFirst[place - 1] ?? 0) - at >= 90,
    )
  })
  expect(overview.wokenThisMonth).toBe(woke.length)
  return woke.length
}

test('cut points are published at four in the morning, once a day, and give everybody the scores of the table', async () => {
  const how = { token: world.evaluate, zone: ZONE }
  const published = await publishCutPoints(world.db, { ...how, now })
  const buyers = people.filter(({ days }) => days.length > 0)
  const ascending = (values: number[]) => values.sort((left, right) => left - right)
  const spent = (person: (typeof people)[number]) =>
    person.days.reduce((sum, day) => sum + 1000 + person.factor * day, 0)
  const cuts = {
    r: cutsOf(ascending(buyers.map(({ days }) => Math.min(...days))), 'r'),
    f: cutsOf(ascending(buyers.map(({ days }) => days.length)), 'f'),
    m: cutsOf(ascending(buyers.map(spent)), 'm'),
  }
  expect(published).toMatchObject({ version: 1, persons: buyers.length, asOf: '2026-06-01' })
  for (const measure of ['r', 'f', 'm'] as const) {
    published?.cuts[measure].forEach((cut, place) => {
      expect(cut).toBeCloseTo(cuts[measure][place] ?? 0, 6)
    })
  }
  expect(
    await publishCutPoints(world.db, { ...how, now: new Date(now.getTime() + 3_600_000) }),
  ).toBeUndefined()
  const early = new Date(now.getTime() + DAY - 60_000)
  expect(await publishCutPoints(world.db, { ...how, now: early })).toBeUndefined()
  await settleAll(world, now)
  const states = await statesOf(
    world.db,
    people.map(({ personId }) => personId),
  )
  for (const person of people) {
    const state = states.get(person.personId)
    if (person.days.length === 0) {
      expect(state).toMatchObject({ r: null, rfmGroup: null })
      continue
    }
    const scores = rfmScores(
      { recencyDays: Math.min(...person.days), purchases: person.days.length, spentCents: spent(person) },
      cuts,
    )
    expect(state).toMatchObject({ ...scores, rfmGroup: rfmGroupOf(scores) })
  }
  const rfm = await rfmOverview(world.db)
  expect(rfm.cells.reduce((sum, cell) => sum + cell.persons, 0)).toBe(buyers.length)
})

test('a preview counts whom the saved segment then has', async () => {
  const rule = {
    kind: 'all' as const,
    rules: [
      { kind: 'lifecycle' as const, states: ['silent' as const, 'near_sleep' as const, 'lost' as const] },
      {
        kind: 'orders' as const,
        measure: { of: 'sum' as const, field: 'amount' as const },
        filter: {},
        window: { kind: 'ever' as const },
        compare: { op: 'ge' as const, value: 5000 },
      },
    ],
  }
  const preview = await previewRule(world.db, world.clickhouse, rule, { now, zone: ZONE, sample: 5 })
  expect(preview.of).toBe(PERSONS)
  expect(preview.persons).toBeGreaterThan(3)
  const everybody = { kind: 'all' as const, rules: [] }
  const part = await previewRule(world.db, world.clickhouse, everybody, {
    now,
    zone: ZONE,
    quick: PERSONS / 4,
  })
  expect(part).toMatchObject({ exact: false, persons: PERSONS, of: PERSONS })
  expect(part.lookedAt).toBeLessThan(PERSONS * 0.6)
  expect(part.lookedAt).toBeGreaterThan(0)
  const whole = await previewRule(world.db, world.clickhouse, rule, { now, zone: ZONE, quick: PERSONS })
  expect(whole).toMatchObject({ exact: true, persons: preview.persons })
  const { id } = await world.db.transaction((tx) =>
    createSegment(tx, { name: '沉睡', description: '', rule }, { by: null, at: now }),
  )
  await settleAll(world, now)
  const members = await segmentMembers(world.db, id, { limit: 200 })
  expect(members).toHaveLength(preview.persons)
  expect(members).toEqual(expect.arrayContaining(preview.sample))
  const page = await segmentMembers(world.db, id, { limit: 2 })
  expect(await segmentMembers(world.db, id, { after: page[1] ?? 0, limit: 200 })).toEqual(members.slice(2))
})

test('other bands give other states to everybody, with the cause definition', async () => {
  const edges = { silent: 30, nearSleep: 60, hibernating: 90, lost: 120 }
  await world.db.run(sql`
    insert into setting (name, version, value, changed_at)
    values ('lifecycle_bands', 1, ${JSON.stringify({ brand: edges, byCategory: {} })}::jsonb, ${now})`)
  await settleAll(world, now)
  const { lifecycle } = await lifecycleOverview(world.db, { now, zone: ZONE })
  const expected = people.filter(({ days }) => days.length > 0 && Math.min(...days) < 30).length
  expect(lifecycle.find(({ state }) => state === 'active')?.persons ?? 0).toBe(expected)
  const { causes } = await world.db.row<{ causes: string[] }>(sql`
    select array_agg(distinct data->>'cause') as causes from event_log
    where type = 'lifecycle_changed' and data->>'from' is not null`)
  expect(causes).toEqual(['definition'])
})

const blank = {
  id: '',
  discount: 0,
  quantity: 0,
  store: '',
  seller: '',
  channel: '',
  side: '',
  campaign: '',
  coupon: false,
  lines: [],
}
