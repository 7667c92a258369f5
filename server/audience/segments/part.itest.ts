import { expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import { findingsOf } from '../../../contract/rule-check.ts'
import { aLeaf } from '../../../test/support/audience.ts'
import { aHistoryLeaf } from '../../../test/support/audience-events.ts'
import { NOW } from '../../../test/support/audience-parts.ts'
import {
  addPersons,
  audienceWorld,
  projectAll,
  settleAll,
  type World,
} from '../../../test/support/audience-world.ts'
import { aChange, ChangingBrand } from '../../../test/support/changing-brand.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { changeSegment, createSegment, deleteSegment, recompute } from '../audience.ts'
import { takeOnce } from './take.ts'

const ZONE = 'Asia/Shanghai'
const DAY = 86_400_000
const PERSONS = 60
const LEAPS = [0, 1000, 3_600_000, DAY, 40 * DAY]
const at = (now: number) => ({ by: null, at: new Date(now) })

const brandOf = async (): Promise<{ world: World; brand: ChangingBrand }> => {
  const world = await audienceWorld()
  const persons = Array.from({ length: PERSONS }, (_, place) => ({
    personId: place + 1,
    joinedAt: NOW - (1 + place) * 10 * DAY,
  }))
  await addPersons(world, persons, new Date(NOW))
  return { world, brand: new ChangingBrand(world, PERSONS) }
}

const draw = <T>(arbitrary: fc.Arbitrary<T>, count: number, seed: number): T[] =>
  fc.sample(arbitrary, { numRuns: count, seed })

/** What refers to tags and groups that this world does not have is left out, and so is what nobody or everybody satisfies. */
const isFree = (rule: Rule): boolean =>
  rule.kind !== 'tag' && rule.kind !== 's_tag' && findingsOf(rule).length === 0

const make = (world: World, name: string, rule: Rule, now: number, kind: 'live' | 'snapshot' = 'live') =>
  world.db.transaction((tx) => createSegment(tx, { name, description: '', rule, kind }, at(now)))

/** Which segments the last recompute answered: null is everything. */
const asked = async ({ db }: World): Promise<number[] | null> =>
  (await db.row<{ segments: number[] | null }>(sql`select segments from recompute`)).segments

/** How many answers a recompute of everything finds wrong. */
async function wrong(world: World, now: number): Promise<number | undefined> {
  const how = { token: world.evaluate, now: () => new Date(now), zone: ZONE, always: true }
  return (await recompute(world.db, world.clickhouse, how))?.changed
}

const ONE: Rule = {
  kind: 'orders',
  measure: { of: 'count' },
  filter: {},
  window: { kind: 'ever' },
  compare: { op: 'ge', value: 1 },
}
const PAGES: Rule = {
  kind: 'events',
  filter: { event: 'page_viewed' },
  measure: { of: 'count' },
  window: { kind: 'rolling', days: 30 },
  compare: { op: 'ge', value: 1 },
}

test('segments come, change and go one after the other, asked about alone, and a recompute of everything finds nothing wrong', async () => {
  const { world, brand } = await brandOf()
  const rules = [...draw(aHistoryLeaf(true), 24, 3), ...draw(aLeaf(), 24, 4)].filter(isFree)
  const take = (place: number): Rule => rules[place % rules.length] ?? ONE
  let now = NOW
  const live: { id: number; version: number; place: number }[] = []
  await make(world, 'the first', ONE, now)
  await settleAll(world, new Date(now), ZONE)
  expect(await asked(world)).toBeNull()
  let members = 0
  for (let round = 0; round < 30; round += 1) {
    now += LEAPS[round % LEAPS.length] ?? 0
    await brand.take(draw(aChange(PERSONS, 100), 15, 500 + round), now)
    const does = round % 3
    const own = live[round % Math.max(1, live.length)]
    const changed: number[] = []
    if (does === 0 || !own) {
      const inner = [take(round), take(round * 7 + 1)]
      const rule: Rule = own
        ? { kind: 'any', rules: [...inner, { kind: 'segment', segment: own.id }] }
        : { kind: 'any', rules: inner }
      const { id, version } = await make(world, `segment ${round}`, rule, now)
      live.push({ id, version, place: round })
      changed.push(id)
    } else if (does === 1) {
      // One that nobody refers to can change.
      const last = live.at(-1) ?? own
      const rule: Rule = { kind: 'all', rules: [{ kind: 'not', rule: take(round * 5 + 2) }] }
      const row = await world.db.transaction((tx) =>
        changeSegment(
          tx,
          { id: last.id, version: last.version, name: `segment ${last.place}`, description: '', rule },
          at(now),
        ),
      )
      last.version = row.version
      changed.push(last.id)
    } else if (live.length > 3) {
      const last = live.pop() ?? own
      await world.db.transaction((tx) => deleteSegment(tx, last, at(now)))
      changed.push(last.id)
    }
    await settleAll(world, new Date(now), ZONE)
    if (changed.length > 0) expect(await asked(world)).toEqual(changed)
    expect(await wrong(world, now)).toBe(0)
    members += (
      await world.db.row<{ n: number }>(
        sql`select coalesce(sum(cardinality(segments)), 0)::int as n from person_segment`,
      )
    ).n
  }
  expect(members).toBeGreaterThan(30 * PERSONS)
  for (const count of Object.values(brand.done)) expect(count).toBeGreaterThan(0)
}, 120_000)

test('whoever refers to a snapshot is answered with it when it is taken anew', async () => {
  const { world, brand } = await brandOf()
  await brand.take(draw(aChange(PERSONS, 0), 200, 9), NOW)
  await make(world, 'the first', ONE, NOW)
  const snapshot = await make(world, 'taken', PAGES, NOW, 'snapshot')
  const { id } = await make(
    world,
    'refers',
    { kind: 'not', rule: { kind: 'segment', segment: snapshot.id } },
    NOW,
  )
  await settleAll(world, new Date(NOW), ZONE)
  const of = async (segment: number) =>
    (
      await world.db.row<{ n: number }>(
        sql`select count(*)::int as n from person_segment where segments @> array[${segment}::int]`,
      )
    ).n
  expect(await of(id)).toBe(PERSONS)
  while (
    await takeOnce(world.db, world.clickhouse, { token: world.evaluate, now: new Date(NOW), zone: ZONE })
  );
  await settleAll(world, new Date(NOW), ZONE)
  expect(await asked(world)).toEqual([snapshot.id])
  expect(await of(snapshot.id)).toBeGreaterThan(0)
  expect(await of(id)).toBe(PERSONS - (await of(snapshot.id)))
  expect(await wrong(world, NOW)).toBe(0)
})

test('of whom nothing is stored everything is answered, and tags by rule have everything answered', async () => {
  const { world } = await brandOf()
  await make(world, 'the first', ONE, NOW)
  await settleAll(world, new Date(NOW), ZONE)
  await world.db.run(sql`delete from person_segment where person_id <= 5`)
  await world.db.run(sql`delete from person_state where person_id <= 5`)
  const { id } = await make(world, 'everybody', { kind: 'not', rule: ONE }, NOW)
  await settleAll(world, new Date(NOW), ZONE)
  expect(await asked(world)).toEqual([id])
  expect(await wrong(world, NOW)).toBe(0)
  const { n } = await world.db.row<{ n: number }>(sql`select count(*)::int as n from person_state`)
  expect(n).toBe(PERSONS)
  await world.db.run(sql`
    insert into tag (group_id, level, name, volatility, subjectivity, derivation, composition, scope, producer, origin, purpose, plan, rule, reading, created_at)
    select id, 's', 'by rule', 'dynamic', 'objective', 'fact', 'single', 'brand', 'system', 'auto', 'p', 'p',
      ${JSON.stringify({ kind: 'segment', segment: id })}::jsonb, 0, now() from tag_group where code = 'gender'`)
  const before = await world.db.row<{ version: number }>(sql`select version from segment where id = ${id}`)
  await world.db.transaction((tx) =>
    changeSegment(
      tx,
      { id, version: before.version, name: 'everybody', description: '', rule: { kind: 'all', rules: [] } },
      at(NOW),
    ),
  )
  await settleAll(world, new Date(NOW), ZONE)
  const tagged = await world.db.row<{ n: number }>(
    sql`select count(*)::int as n from s_tag where origin = 'auto'`,
  )
  expect(tagged.n).toBe(PERSONS)
  expect(await wrong(world, NOW)).toBe(0)
})

test('two changes before a recompute are one, what a run that was broken off left is gone on with, and a change in between begins anew', async () => {
  const { world, brand } = await brandOf()
  await brand.take(draw(aChange(PERSONS, 0), 100, 11), NOW)
  await make(world, 'the first', ONE, NOW)
  await settleAll(world, new Date(NOW), ZONE)
  const one = await make(world, 'one', PAGES, NOW)
  const two = await make(world, 'two', { kind: 'not', rule: PAGES }, NOW)
  await projectAll(world, new Date(NOW))
  const how = { token: world.evaluate, now: () => new Date(NOW), zone: ZONE }
  const broken = await recompute(world.db, world.clickhouse, { ...how, ranges: 1 })
  expect(broken).toMatchObject({ finished: false, persons: PERSONS })
  expect(await asked(world)).toEqual([one.id, two.id])
  const three = await make(world, 'three', ONE, NOW)
  await settleAll(world, new Date(NOW), ZONE)
  expect(await asked(world)).toEqual([one.id, two.id, three.id])
  expect(await wrong(world, NOW)).toBe(0)
  expect(await world.db.rows(sql`select revision from definition_change`)).toEqual([])
})
