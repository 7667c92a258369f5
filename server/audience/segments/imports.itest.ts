import { expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import {
  addOrders,
  addPersons,
  audienceWorld,
  happened,
  settleAll,
  tell,
} from '../../../test/support/audience-world.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { segmentMoves } from '../../../test/support/segment-moves.ts'
import { projectOnce } from '../../events/events.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { createSegment, evaluateOnce, recompute } from '../audience.ts'

const ZONE = 'Asia/Shanghai'
const now = new Date('2026-03-10T04:00:00Z')
const DAY = 86_400_000
const world = await audienceWorld()
let person = 0

const orders = (value: number): Rule => ({
  kind: 'orders',
  measure: { of: 'count' },
  filter: {},
  window: { kind: 'ever' },
  compare: { op: 'ge', value },
})

type Step =
  | { do: 'import'; who: number; daysAgo: number }
  | { do: 'reply'; who: number }
  | { do: 'project'; lane: 'live' | 'bulk' }
  | { do: 'evaluate' }
  | { do: 'recompute' }

const aStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('import' as const),
      who: fc.nat(3),
      daysAgo: fc.integer({ min: 0, max: 800 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('reply' as const), who: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('project' as const),
      lane: fc.constantFrom('live' as const, 'bulk' as const),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'evaluate' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'recompute' as const }) },
)

async function run(step: Step, people: readonly number[]): Promise<void> {
  const { db, clickhouse } = world
  if (step.do === 'import') {
    const purchase = { ...blank, at: now.getTime() - step.daysAgo * DAY, amount: 100 }
    await addOrders(world, [{ personId: people[step.who] ?? 0, purchase }], now, 'bulk')
  } else if (step.do === 'reply') {
    const reply = happened('member_replied', people[step.who] ?? 0, now, { channel: 'wecom', staffId: null })
    await db.transaction((tx) => tell(tx, [reply], now))
  } else if (step.do === 'project') {
    await projectOnce(db, clickhouse, { lane: step.lane, token: world.project, now })
  } else if (step.do === 'evaluate') {
    await evaluateOnce(db, clickhouse, { token: world.evaluate, now, zone: ZONE, batch: 2 })
  } else {
    await recompute(db, clickhouse, { token: world.evaluate, now: () => now, zone: ZONE, always: true })
  }
}

test('however an import, live events, projection, evaluation and recompute take turns, nothing that came with the import starts anything', async () => {
  for (const count of [1, 2, 3]) {
    await world.db.transaction((tx) =>
      createSegment(tx, { name: `${count}`, description: '', rule: orders(count) }, { by: null, at: now }),
    )
  }
  await settleAll(world, now)
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { minLength: 5, maxLength: 25 }), async (steps) => {
      const people = [1, 2, 3, 4].map((place) => person + place)
      person += people.length
      await addPersons(
        world,
        people.map((personId) => ({ personId, joinedAt: now.getTime() })),
        now,
      )
      await settleAll(world, now)
      for (const step of steps) await run(step, people)
      await settleAll(world, now)
      const rows = await world.db.rows<{ person: number; segment: number; cause: string }>(sql`
        select person_id as person, segment, cause
        from ${segmentMoves} where type = 'segment_entered' and person_id = any(${people}::int[])`)
      expect(rows.filter(({ cause }) => cause === 'event' || cause === 'time')).toEqual([])
      // Each entered each of its segments once: answers are never written and taken back.
      const imports = steps.filter((step) => step.do === 'import')
      const expected = people.reduce(
        (sum, _, place) => sum + Math.min(3, imports.filter((step) => step.who === place).length),
        0,
      )
      expect(rows).toHaveLength(expected)
    }),
    { numRuns: 6 },
  )
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
