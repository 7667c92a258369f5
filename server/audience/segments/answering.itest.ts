import { expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import { aPerson } from '../../../test/support/audience.ts'
import { NOW } from '../../../test/support/audience-parts.ts'
import {
  addOrders,
  addPersons,
  audienceWorld,
  projectAll,
  settleAll,
} from '../../../test/support/audience-world.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { presentEvaluator } from '../definitions.ts'
import { openAnswering } from './answering.ts'
import { createSegment } from './segment.ts'

const ZONE = 'Asia/Shanghai'
const PERSONS = 80
const at = new Date(NOW)

const rules: Rule[] = [
  { kind: 'lifecycle', states: ['active', 'silent'] },
  { kind: 'attribute', attribute: 'gender', op: 'known' },
  {
    kind: 'orders',
    measure: { of: 'distinct', by: 'category' },
    filter: {},
    window: { kind: 'ever' },
    compare: { op: 'ge', value: 2 },
  },
]

test('threads say of everybody what this process says, and what they cannot read is read here', async () => {
  const world = await audienceWorld()
  const { db, clickhouse } = world
  await db.transaction(async (tx) => {
    for (const [place, rule] of rules.entries())
      await createSegment(tx, { name: `segment ${place}`, description: '', rule }, { by: null, at })
  })
  const people = fc
    .sample(aPerson(), { numRuns: PERSONS, seed: 3 })
    .map(({ attributes, ...person }, place) => ({
      ...person,
      attributes: new Map([['gender', attributes.get('gender') ?? 'male']]),
      personId: place + 1,
    }))
  await addPersons(world, people, at)
  await addOrders(
    world,
    people.flatMap(({ personId, purchases }) => purchases.map((purchase) => ({ personId, purchase }))),
    at,
  )
  await projectAll(world, at)
  const evaluator = await presentEvaluator(db, ZONE)
  const how = { evaluator, now: NOW }
  const [first, second] = [
    { from: 1, before: 41 },
    { from: 41, before: PERSONS + 1 },
  ]
  const here = openAnswering(db, clickhouse, 1)
  const threads = openAnswering(db, clickhouse, 10_000_000)
  expect(here.atOnce).toBe(1)
  const expected = [await here.answer(first, how), await here.answer(second, how)]
  expect(expected.map(({ persons, different }) => [persons, different.length])).toEqual([
    [40, 40],
    [40, 40],
  ])
  expect(
    expected.flatMap(({ different }) => different.flatMap(({ answer }) => answer.segments)).length,
  ).toBeGreaterThan(40)
  try {
    expect(await Promise.all([threads.answer(first, how), threads.answer(second, how)])).toEqual(expected)
    await settleAll(world, at, ZONE)
    expect((await threads.answer(second, how)).different).toEqual([])
    // Somebody's row is written by hand: whoever reads it finds that it is not what he is.
    await db.run(sql`update person_state set spent_cents = spent_cents + 1 where person_id = 50`)
    const { different } = await threads.answer(second, how)
    expect(different.map(({ personId, cause }) => [personId, cause])).toEqual([[50, 'definition']])

    // A range that no thread can ask for is an error of this process, in its own words.
    const broken = threads.answer({ from: 0.5, before: 2 }, how)
    await expect(broken).rejects.toThrow(TypeError)
  } finally {
    await threads.close()
  }
  await expect(threads.answer(second, how)).rejects.toThrow('ended')
})
