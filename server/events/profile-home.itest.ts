import { beforeAll, expect, test } from 'vitest'
import type { OrderState } from '../../contract/events.ts'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import { fc } from '../../test/support/fast-check.ts'
import { orderOf } from '../../test/support/orders.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { uuidText } from '../platform/clickhouse/native.ts'
import { newId } from '../platform/ids.ts'
import { type LeaseToken, takeLease } from '../platform/jobs/lease.ts'
import type { Database } from '../platform/postgres/database.ts'
import { append } from './append.ts'
import { purchaseColumns } from './columns-of.ts'
import { hasCaughtUp, registerConsumers } from './consumers.ts'
import { type Lane, lanes, type NewEvent } from './log.ts'
import { moveMisplaced } from './move-rows.ts'
import { orderIdOf } from './order-changes.ts'
import { recordOrders } from './orders.ts'
import { presentPersons, unsettledHomes } from './profile-home.ts'
import { PROJECT, projectOnce } from './project.ts'
import { placement, rowsOf, unsettledPersons } from './rows-of.ts'

const at = new Date('2026-03-01T02:00:00Z')
const PEOPLE = 6
let db: Database
let clickhouse: ClickHouse
let token: LeaseToken

beforeAll(async () => {
  db = await testDatabase()
  clickhouse = await testClickHouse()
  await registerConsumers(db, [PROJECT])
  const taken = await takeLease(db, PROJECT, 600_000)
  if (!taken) throw new Error('the lease is held')
  token = taken
})

/** What should be true: who owns each profile, and -n for what person n did without a profile. */
type World = {
  base: number
  owner: Map<number, number>
  events: Map<string, number>
  orders: Map<string, number>
  merges: { id: string; kept: number; absorbed: number; moved: number[]; undone: boolean }[]
}

type Act =
  | { do: 'event' | 'person_event' | 'stale_event'; who: number; lane: Lane }
  | { do: 'order'; who: number; number: number; day: number; lane: Lane }
  | { do: 'merge'; who: number; into: number }
  | { do: 'undo'; which: number }
  | { do: 'project'; lane: Lane }
  | { do: 'move'; breaks: number | null; after: boolean }

const who = fc.integer({ min: 1, max: PEOPLE })
const lane = fc.constantFrom(...lanes)
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('event' as const, 'person_event' as const, 'stale_event' as const),
      who,
      lane,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      who,
      number: fc.integer({ min: 1, max: 4 }),
      day: fc.integer({ min: 1, max: 2 }),
      lane,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('merge' as const), who, into: who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('undo' as const), which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('project' as const), lane }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      breaks: fc.option(fc.nat(7)),
      after: fc.boolean(),
    }),
  },
)

let runs = 0

function newWorld(): World {
  runs += 1
  const base = runs * 1000
  const own = Array.from({ length: PEOPLE }, (_, index) => base + index + 1)
  const owner = new Map(own.flatMap((person) => [[person, person] as const, [-person, person] as const]))
  return { base, owner, events: new Map(), orders: new Map(), merges: [] }
}

test('whatever was merged, undone and moved in between, each person has exactly the rows of his profiles', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
      const world = newWorld()
      for (const each of acts) {
        await perform(world, each)
        if (each.do === 'move' && each.breaks !== null) {
          await projectAll()
          await compare(world)
        }
      }
      await projectAll()
      await compare(world)
      while ((await moveMisplaced(db, clickhouse, { token })) > 0) await compare(world)
      expect(await unsettledHomes(db)).toEqual([])
      await compare(world)
    }),
    { numRuns: 5 },
  )
})

test('a move that breaks off at any of its commands leaves everybody his rows, and the next one ends it', async () => {
  for (let at = 0; at < 6; at += 1) {
    // One that did not happen is the same as the one before it that did.
    for (const after of at === 0 ? [false, true] : [true]) {
      const world = newWorld()
      for (const each of [1, 2, 3]) {
        await perform(world, { do: 'event', who: each, lane: 'live' })
        await perform(world, { do: 'order', who: each, number: each, day: 1, lane: 'live' })
      }
      await projectAll()
      await perform(world, { do: 'merge', who: 2, into: 1 })
      await perform(world, { do: 'move', breaks: at, after })
      expect(await unsettledHomes(db)).not.toEqual([])
      await compare(world)
      // The mind is changed in the middle of it.
      if (at % 2 === 0) await perform(world, { do: 'undo', which: 0 })
      await perform(world, { do: 'event', who: 2, lane: 'live' })
      await projectAll()
      await compare(world)
      while ((await moveMisplaced(db, clickhouse, { token })) > 0) await compare(world)
      await compare(world)
    }
  }
})

async function perform(world: World, each: Act): Promise<void> {
  const how = (its: Lane) => ({ lane: its, source: 'test', receivedAt: at })
  switch (each.do) {
    case 'event':
    case 'person_event':
    case 'stale_event': {
      const profile = world.base + each.who
      const key = each.do === 'person_event' ? -profile : profile
      // A stale writer still believes in the person that the profile began with.
      const person = each.do === 'event' ? (world.owner.get(key) ?? 0) : profile
      const event: NewEvent = {
        id: newId(at),
        type: 'page_viewed',
        profileId: key > 0 ? key : null,
        personId: person,
        at,
        data: { page: '', dwellSeconds: null },
      }
      world.events.set(event.id, key)
      await db.transaction((tx) => append(tx, [event], how(each.lane)))
      expect(await presentPersons(db, [event])).toEqual(new Set([world.owner.get(key)]))
      return
    }
    case 'order': {
      const profileId = world.base + each.who
      const order = orderOn(`${world.base}-${each.number}`, each.day)
      const personId = world.owner.get(profileId) ?? 0
      world.orders.set(orderIdOf(order), profileId)
      // Both lanes may carry one order; the last version counts whichever is projected first.
      await db.transaction((tx) => recordOrders(tx, [{ profileId, personId, order }], how(each.lane)))
      return
    }
    case 'merge':
      return merge(
        world,
        world.owner.get(world.base + each.who) ?? 0,
        world.owner.get(world.base + each.into) ?? 0,
      )
    case 'undo':
      return undo(world, each.which)
    case 'project':
      await projectOnce(db, clickhouse, { lane: each.lane, token, now: at, batch: 3 })
      return
    default:
      if (each.breaks === null) await moveMisplaced(db, clickhouse, { token })
      else await moveMisplaced(db, breaking(each.breaks, each.after), { token }).catch(() => undefined)
  }
}

/** ClickHouse that goes away at the n-th command, before its effect or after it. */
function breaking(at: number, after: boolean): ClickHouse {
  let commands = 0
  const once = async (work: () => Promise<void>) => {
    const breaks = commands === at
    commands += 1
    if (breaks && !after) throw new Error('gone')
    await work()
    if (breaks) throw new Error('gone')
  }
  return {
    ...clickhouse,
    command: (...call) => once(() => clickhouse.command(...call)),
    remove: (...call) => once(() => clickhouse.remove(...call)),
  }
}

async function merge(world: World, absorbed: number, kept: number): Promise<void> {
  if (absorbed === kept) return
  const moved = [...world.owner].filter(([, person]) => person === absorbed).map(([key]) => key)
  const id = newId(at)
  world.merges.push({ id, kept, absorbed, moved, undone: false })
  for (const key of moved) world.owner.set(key, kept)
  const data = {
    mergeId: id,
    keptPersonId: kept,
    absorbedPersonId: absorbed,
    profileIds: moved.filter((key) => key > 0),
  }
  await happen('persons_merged', kept, data)
}

async function undo(world: World, which: number): Promise<void> {
  const open = world.merges.filter((one) => !one.undone)
  const one = open[which % Math.max(1, open.length)]
  // While somebody else has absorbed the two, members first undoes that.
  if (!one) return
  const back = one.moved.filter((key) => world.owner.get(key) === one.kept)
  if (!back.includes(-one.absorbed)) return
  one.undone = true
  for (const key of back) world.owner.set(key, one.absorbed)
  const data = {
    mergeId: one.id,
    keptPersonId: one.kept,
    restoredPersonId: one.absorbed,
    profileIds: back.filter((key) => key > 0),
  }
  await happen('merge_undone', one.kept, data)
}

async function happen(type: 'persons_merged' | 'merge_undone', person: number, data: object): Promise<void> {
  const event: NewEvent = {
    id: newId(at),
    type,
    profileId: null,
    personId: null,
    at,
    data: { ...data, person },
  }
  await db.transaction((tx) => append(tx, [event], { lane: 'live', source: 'members', receivedAt: at }))
}

async function projectAll(): Promise<void> {
  while (!(await hasCaughtUp(db, PROJECT))) {
    for (const each of lanes) await projectOnce(db, clickhouse, { lane: each, token, now: at })
  }
}

async function compare(world: World): Promise<void> {
  const persons = Array.from({ length: PEOPLE }, (_, index) => world.base + index + 1)
  const ids = (owned: Map<string, number>, person: number) =>
    [...owned]
      .filter(([, key]) => world.owner.get(key) === person)
      .map(([id]) => id)
      .sort()
  const people = await rowsOf(clickhouse, db, persons, { events: ['page_viewed'] })
  const expected = persons.map((person) => ({
    person,
    events: ids(world.events, person),
    orders: ids(world.orders, person),
  }))
  expect(
    [...people].map(([person, rows]) => ({
      person,
      events: rows.events.map((each) => each.id).sort(),
      orders: rows.orders.map((each) => each.orderId).sort(),
    })),
  ).toEqual(expected)
  expect([...people].every(([person, rows]) => rows.orders.every((order) => order.personId === person))).toBe(
    true,
  )

  const without = await unsettledPersons(db)
  const streamed = new Map<number, string[]>()
  const { columns, standing } = await purchaseColumns(
    clickhouse,
    { from: world.base, before: world.base + 1000 },
    [],
  )
  for (const row of standing) {
    const person = columns.numbers('person')[row] ?? 0
    if (!without.has(person))
      streamed.set(person, [...(streamed.get(person) ?? []), uuidText(columns.words('id'), row)].sort())
  }
  for (const { person, orders } of expected) {
    if (!without.has(person)) expect(streamed.get(person) ?? []).toEqual(orders)
    else expect(streamed.has(person)).toBe(false)
  }

  const { person, counts, params } = await placement(db)
  const counted = await clickhouse.rows<{ owner: number; orders: number }>(
    `select ${person} as owner, toUInt32(count()) as orders from orders final
    where ${counts} and owner > {base:Int32} and owner < {base:Int32} + 1000 group by owner order by owner`,
    { ...params, base: world.base },
  )
  expect(counted).toEqual(
    expected
      .filter((each) => each.orders.length > 0)
      .map((each) => ({ owner: each.person, orders: each.orders.length })),
  )
}

function orderOn(externalId: string, day: number): OrderState {
  return orderOf(externalId, `2026-02-0${day}T00:00:00.000Z`, 100, { source: 'erp', lines: [] })
}
