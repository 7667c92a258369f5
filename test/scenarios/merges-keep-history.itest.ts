/**
 * History through merges and their undoing, in both stores: people are brought in, meet by a shared number, are joined
 * and parted by hand at random, while visits and orders arrive, are projected and moved. At every moment each person
 * has exactly what happened to its records; and once all joins by hand are undone, everything is as in a world in
 * which nobody ever joined anybody.
 */
import { randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { append, hasCaughtUp, recordOrders, registerConsumers, rowsOf } from '../../server/events/events.ts'
import { moveMisplaced } from '../../server/events/move-rows.ts'
import { orderIdOf } from '../../server/events/order-changes.ts'
import { PROJECT, projectOnce } from '../../server/events/project.ts'
import { membersDeps } from '../../server/joined.ts'
import { mergePersons, presentPersonsOf, resolve, undoMerge } from '../../server/members/members.ts'
import type { ClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { openKeyring } from '../../server/platform/crypto/master-key.ts'
import { idOf } from '../../server/platform/ids.ts'
import { type LeaseToken, takeLease } from '../../server/platform/jobs/lease.ts'
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { testClickHouse } from '../support/clickhouse.ts'
import { testDatabase } from '../support/database.ts'
import { fc } from '../support/fast-check.ts'
import { orderOf } from '../support/orders.ts'

const deps = membersDeps(openKeyring(randomBytes(32)))
const day = (n: number): Date => new Date(Date.UTC(2026, 0, 1 + n))
const by = { actor: null, at: day(300) }
const lanes = ['live', 'bulk'] as const
let db: Database
let clickhouse: ClickHouse
let token: LeaseToken

beforeAll(async () => {
  db = await testDatabase()
  clickhouse = await testClickHouse()
  await registerConsumers(db, [PROJECT])
  const taken = await takeLease(db, PROJECT, 3_600_000)
  if (!taken) throw new Error('the lease is held')
  token = taken
})

type Fact =
  | { do: 'bring'; who: number; phones: number[]; city: number }
  | { do: 'visit' | 'late_visit' | 'order'; who: number; number: number }
type Act = Fact | { do: 'join' | 'part'; pick: number } | { do: 'project' | 'move' }

const who = fc.integer({ min: 1, max: 6 })
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('bring' as const),
      who,
      phones: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
      city: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('visit' as const, 'late_visit' as const, 'order' as const),
      who,
      number: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), pick: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('part' as const), pick: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('project' as const, 'move' as const) }) },
)

/** People of one source, with numbers of their own; what happened to each record, by its profile. */
type World = {
  name: string
  /** May a join by an identifier be undone? It leaves a trace on purpose: the number is no longer theirs. */
  partsNumbers: boolean
  profiles: Map<number, { id: number; firstPerson: number }>
  happened: Map<number, Set<string>>
}

let runs = 0
const newWorld = (name: string, partsNumbers: boolean): World => ({
  name,
  partsNumbers,
  profiles: new Map(),
  happened: new Map(),
})

test('whoever is joined and parted, everybody has what happened to them, in both stores', async () => {
  const counts = { join: 0, part: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 20, maxLength: 45 }),
      fc.boolean(),
      async (acts, partsNumbers) => {
        runs += 1
        const world = newWorld(`w${runs}`, partsNumbers)
        for (const [index, each] of acts.entries()) {
          const done = await perform(world, each, index)
          if (each.do === 'join' || each.do === 'part') counts[each.do] += done ? 1 : 0
          if (each.do === 'move') {
            await projectAll()
            await compare(world)
          }
        }
        await projectAll()
        await compare(world)
        while ((await moveMisplaced(db, clickhouse, { token })) > 0) await compare(world)
        if (partsNumbers) return

        for (
          let open = await openMerges(world, ['hand']);
          open.length > 0;
          open = await openMerges(world, ['hand'])
        )
          await db.transaction((tx) => undoMerge(deps, tx, open[0] ?? '', by))
        await projectAll()
        const untouched = newWorld(`v${runs}`, false)
        for (const [index, each] of acts.entries())
          if (each.do !== 'join' && each.do !== 'part') await perform(untouched, each, index)
        await projectAll()
        expect(await seen(world)).toEqual(await seen(untouched))
        while ((await moveMisplaced(db, clickhouse, { token })) > 0);
        expect(await seen(world)).toEqual(await seen(untouched))
      },
    ),
    { numRuns: 10 },
  )
  expect(Math.min(counts.join, counts.part)).toBeGreaterThan(8)
})

/** Answers whether it could be done. */
async function perform(world: World, each: Act, index: number): Promise<boolean> {
  switch (each.do) {
    case 'bring':
      await bring(world, each, index)
      return true
    case 'visit':
    case 'late_visit':
    case 'order':
      return happen(world, each, index)
    case 'join': {
      const live = await livePersons(world)
      const pair = [live[each.pick % live.length] ?? 0, live[(each.pick + 1) % live.length] ?? 0] as const
      if (pair[0] === pair[1]) return false
      await db.transaction((tx) => mergePersons(deps, tx, pair, by))
      return true
    }
    case 'part': {
      const open = await openMerges(world, world.partsNumbers ? ['hand', 'identifier'] : ['hand'])
      const id = open[each.pick % Math.max(1, open.length)]
      if (id === undefined) return false
      await db.transaction((tx) => undoMerge(deps, tx, id, by))
      return true
    }
    case 'project':
      for (const lane of lanes) await projectOnce(db, clickhouse, { lane, token, now: by.at, batch: 3 })
      return true
    default:
      await moveMisplaced(db, clickhouse, { token })
      return true
  }
}

async function bring(world: World, fact: Fact & { do: 'bring' }, index: number): Promise<void> {
  const row = {
    externalId: String(fact.who),
    at: day(index),
    identifiers: [
      { kind: 'card' as const, value: `${world.name}C${fact.who}`, scope: world.name },
      ...fact.phones.map((n) => ({ kind: 'phone' as const, value: phoneIn(world, n) })),
    ],
    attributes: { city: `城${fact.city}` },
  }
  const [found] = await db.transaction((tx) =>
    resolve(deps, tx, [row], { lane: lanes[index % 2] ?? 'live', source: world.name, at: day(index) }),
  )
  if (!found) throw new Error('the row was refused')
  if (!world.profiles.has(fact.who))
    world.profiles.set(fact.who, { id: found.profileId, firstPerson: found.personId })
}

/** Cards are one per person and system, so each world's people are of systems of their own; numbers, by its name. */
function phoneIn({ name }: World, n: number): string {
  const of = name.startsWith('w') ? 0 : 1
  return `139${String(runs * 20 + of * 10 + n).padStart(8, '0')}`
}

/** A late visit was written by somebody who still believes in the person that the record began with. */
async function happen(world: World, fact: Fact & { number: number }, index: number): Promise<boolean> {
  const profile = world.profiles.get(fact.who)
  if (!profile) return false
  const present = (await presentPersonsOf(db, [profile.id])).get(profile.id)
  const personId = fact.do === 'late_visit' ? profile.firstPerson : (present ?? profile.firstPerson)
  const how = { lane: lanes[fact.number % 2] ?? 'live', source: world.name, receivedAt: day(index) }
  const told = world.happened.get(profile.id) ?? new Set()
  world.happened.set(profile.id, told)
  if (fact.do === 'order') {
    const order = orderOf(`${fact.who}-${fact.number}`, day(fact.number), 100 * (index + 1), {
      source: world.name,
    })
    await db.transaction((tx) => recordOrders(tx, [{ profileId: profile.id, personId, order }], how))
    told.add(orderIdOf(order))
    return true
  }
  const id = idOf('visit', world.name, index)
  const event = {
    id,
    type: 'page_viewed' as const,
    profileId: profile.id,
    personId,
    at: day(index),
    data: { page: `${fact.who} ${index}`, dwellSeconds: null },
  }
  await db.transaction((tx) => append(tx, [event], how))
  told.add(id)
  return true
}

async function livePersons(world: World): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(sql`
    select distinct person_id as id from profile where source = ${world.name} order by 1`)
  return rows.map(({ id }) => id)
}

async function openMerges(world: World, causes: readonly string[]): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    select m.id from merge m
    where m.undone_at is null and m.cause = any(${causes}::text[])
      and exists (select from profile p where p.id = any(m.profiles) and p.source = ${world.name})
    order by m.id desc`)
  return rows.map(({ id }) => id)
}

async function projectAll(): Promise<void> {
  while (!(await hasCaughtUp(db, PROJECT)))
    for (const lane of lanes) await projectOnce(db, clickhouse, { lane, token, now: by.at })
}

/** Each person of PostgreSQL has in ClickHouse exactly what happened to its profiles. */
async function compare(world: World): Promise<void> {
  const rows = await db.rows<{ person: number; profiles: number[] }>(sql`
    select person_id as person, array_agg(id order by id) as profiles from profile
    where source = ${world.name} group by person_id order by person_id`)
  const people = await rowsOf(
    clickhouse,
    db,
    rows.map(({ person }) => person),
    { events: ['page_viewed'] },
  )
  for (const { person, profiles } of rows) {
    const expected = profiles.flatMap((profile) => [...(world.happened.get(profile) ?? [])]).sort()
    const found = people.get(person)
    const ids = [
      ...(found?.events ?? []).map(({ id }) => id),
      ...(found?.orders ?? []).map(({ orderId }) => orderId),
    ]
    expect(ids.sort()).toEqual(expected)
    expect(person).toBe(profiles[0])
  }
}

/** What people see of this world, by the numbers that its source gave: who is one, what is known, what happened. */
async function seen(world: World): Promise<unknown> {
  const who = new Map([...world.profiles].map(([number, { id }]) => [id, number]))
  const rows = await db.rows<{
    id: number
    profiles: number[]
    city: string
    identifiers: string[]
    kind: string
  }>(sql`
    select e.id, array_agg(p.id order by p.id) as profiles, e.city, e.identifiers, e.kind
    from person e join profile p on p.person_id = e.id
    where e.state = 'live' and p.source = ${world.name} group by e.id`)
  const people = await rowsOf(
    clickhouse,
    db,
    rows.map(({ id }) => id),
    { events: ['page_viewed'], lines: true },
  )
  return rows
    .map(({ id, profiles, ...known }) => ({
      who: profiles.map((profile) => who.get(profile) ?? 0).sort(),
      ...known,
      visits: people.get(id)?.events.map(({ at }) => at),
      orders: people
        .get(id)
        ?.orders.map(({ at, totalCents, lines }) => `${at} ${totalCents} ${lines.length}`)
        .sort(),
    }))
    .sort((a, b) => (a.who[0] ?? 0) - (b.who[0] ?? 0))
}
