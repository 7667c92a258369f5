import { expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import { findingsOf } from '../../../contract/rule-check.ts'
import { aLeaf } from '../../../test/support/audience.ts'
import { aHistoryLeaf } from '../../../test/support/audience-events.ts'
import { NOW } from '../../../test/support/audience-parts.ts'
import { addPersons, audienceWorld, settleAll, type World } from '../../../test/support/audience-world.ts'
import { aChange, ChangingBrand, SOAK_ROUNDS } from '../../../test/support/changing-brand.ts'
import { fc } from '../../../test/support/fast-check.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { createSegment, explainMembership, recompute } from '../audience.ts'
import { presentEvaluator } from '../definitions.ts'
import { loadFacts } from '../facts/load.ts'
import { selectMembership } from './store.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** The clock stands still, goes on, and leaps: a worker may have slept for weeks. */
const LEAPS = [0, 1, HOUR, 5 * HOUR, DAY, 3 * DAY, 40 * DAY]

type Soak = {
  zone: string
  persons: number
  rounds: number
  /** Changes of a round. */
  changes: number
  /** Of a thousand changes, how many join, part or erase somebody. */
  people: number
  /** Pairs of person and segment that are explained from facts, and how many of them as the API does. */
  pairs: number
  asked: number
}

const soaks: Soak[] = [
  { zone: 'Asia/Shanghai', persons: 20, rounds: 8, changes: 12, people: 240, pairs: 200, asked: 40 },
  { zone: 'America/New_York', persons: 20, rounds: 8, changes: 12, people: 240, pairs: 200, asked: 40 },
  {
    zone: 'Asia/Shanghai',
    persons: 1000,
    rounds: SOAK_ROUNDS,
    changes: 1000,
    people: 10,
    pairs: 10_000,
    asked: 50,
  },
]

test.each(soaks)(
  'whatever happens, late, refunded, merged, undone, erased or by leaps of the clock, what is stored is what a recompute and an explanation say: $rounds × $changes changes of $persons persons in $zone',
  async (soak) => {
    const { zone } = soak
    const world = await audienceWorld()
    const rules = [...draw(aHistoryLeaf(true), 14, 3), ...draw(aLeaf(), 14, 4)].filter(isFree)
    const segments = await world.db.transaction((tx) => makeSegments(tx, rules, new Date(NOW)))
    const { brand, now } = await live(world, soak)

    const { present } = brand
    const how = { token: world.evaluate, now: () => new Date(now), zone, always: true }
    const recomputed = await recompute(world.db, world.clickhouse, how)
    expect(recomputed).toMatchObject({ persons: present.length, changed: 0, finished: true })
    const stored = await storedSegments(world, soak.persons)
    expect([...stored.keys()].sort((left, right) => left - right)).toEqual(present)
    const members = [...stored.values()].reduce((sum, own) => sum + own.size, 0)
    expect(members).toBeGreaterThan(present.length)
    expect(members).toBeLessThan(present.length * segments.size)

    const pair = fc.tuple(fc.constantFrom(...present), fc.constantFrom(...segments.keys()))
    const pairs = draw(pair, soak.pairs, 5)
    expect(await explainedOtherwise(world, { pairs, segments, stored }, { now, zone })).toEqual([])
    for (const [personId, segmentId] of pairs.slice(0, soak.asked)) {
      const explained = await explainMembership(
        world.db,
        world.clickhouse,
        { personId, segmentId },
        { now: new Date(now), zone },
      )
      const member = stored.get(personId)?.has(segmentId)
      expect({ personId, segmentId, member: explained.member, verdict: explained.verdict }).toEqual({
        personId,
        segmentId,
        member,
        verdict: member,
      })
    }
  },
)

/** Everything of a soak happens, and each round is followed by projection and evaluation as the workers do them. */
async function live(world: World, soak: Soak): Promise<{ brand: ChangingBrand; now: number }> {
  const started = new Date(NOW)
  const joined = Array.from({ length: soak.persons }, (_, place) => ({
    personId: place + 1,
    joinedAt: NOW - (1 + (place % 200)) * 10 * DAY,
  }))
  await addPersons(world, joined, started)
  await settleAll(world, started, soak.zone)
  const brand = new ChangingBrand(world, soak.persons)
  let now = NOW
  let evaluated = 0
  for (let round = 0; round < soak.rounds; round += 1) {
    now += LEAPS[round % LEAPS.length] ?? 0
    await brand.take(draw(aChange(soak.persons, soak.people), soak.changes, 100 + round), now)
    evaluated += await settleAll(world, new Date(now), soak.zone)
  }
  expect(evaluated).toBeGreaterThan(soak.persons)
  for (const count of Object.values(brand.done)) expect(count).toBeGreaterThan(0)
  expect(brand.present.length).toBeLessThan(soak.persons)
  return { brand, now }
}

async function storedSegments(world: World, persons: number): Promise<Map<number, Set<number>>> {
  const ids = Array.from({ length: persons }, (_, place) => place + 1)
  const rows = await selectMembership(world.db, ids)
  return new Map(rows.map((row) => [row.personId, new Set(row.segments)]))
}

/** The pairs whose explanation gives another verdict than is stored. */
async function explainedOtherwise(
  world: World,
  given: {
    pairs: readonly (readonly [person: number, segment: number])[]
    segments: ReadonlyMap<number, Rule>
    stored: ReadonlyMap<number, ReadonlySet<number>>
  },
  { now, zone }: { now: number; zone: string },
): Promise<(readonly [person: number, segment: number])[]> {
  const evaluator = await presentEvaluator(world.db, zone)
  const persons = [...new Set(given.pairs.map(([person]) => person))]
  const facts = await loadFacts(world.db, world.clickhouse, persons, { ...evaluator, now })
  return given.pairs.filter(([person, segment]) => {
    const [own, rule] = [facts.get(person), given.segments.get(segment)]
    if (!own || !rule) return true
    return evaluator.explain(rule, own, now).verdict !== given.stored.get(person)?.has(segment)
  })
}

function draw<T>(arbitrary: fc.Arbitrary<T>, count: number, seed: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed })
}

async function makeSegments(tx: Tx, rules: readonly Rule[], at: Date): Promise<Map<number, Rule>> {
  const made = new Map<number, Rule>()
  for (const [place, inner] of rules.entries()) {
    const rule = { kind: 'all' as const, rules: [inner] }
    const fields = { name: `segment ${place}`, description: '', rule }
    made.set((await createSegment(tx, fields, { by: null, at })).id, rule)
  }
  return made
}

/** What refers to tags and groups that this world does not have is left out, and so is what nobody or everybody satisfies. */
function isFree(rule: Rule): boolean {
  return rule.kind !== 'tag' && rule.kind !== 's_tag' && findingsOf(rule).length === 0
}
