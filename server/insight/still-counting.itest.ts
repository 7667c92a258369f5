import { expect, test } from 'vitest'
import { addPersons, audienceWorld, settleAll } from '../../test/support/audience-world.ts'
import { createSegment } from '../audience/audience.ts'
import { recompute } from '../audience/segments/recompute.ts'
import { sql } from '../platform/postgres/sql.ts'
import { stillCounting } from './still-counting.ts'

const now = new Date('2026-03-02T02:00:00Z')
const ZONE = 'Asia/Shanghai'
const world = await audienceWorld()
const NOTHING = { persons: 0, orMore: false, everybody: null }

test('many persons of whom the log tells something are counted from the moment it is written until they are evaluated', async () => {
  await settleAll(world, now)
  expect(await stillCounting(world.db)).toEqual(NOTHING)
  const persons = Array.from({ length: 40 }, (_, index) => ({ personId: index + 1 }))
  await addPersons(world, persons, now, 'bulk')
  expect(await stillCounting(world.db)).toMatchObject({ persons: 40, orMore: false })
  await settleAll(world, now)
  expect(await stillCounting(world.db)).toEqual(NOTHING)
  await addPersons(world, [{ personId: 41 }, { personId: 42 }], now)
  expect(await stillCounting(world.db)).toEqual(NOTHING)
})

test('a new rule has everybody counted anew, from none of them on', async () => {
  await settleAll(world, now)
  const wanted = { name: '所有人', description: '', rule: { kind: 'all' as const, rules: [] } }
  await world.db.transaction((tx) => createSegment(tx, wanted, { by: null, at: now }))
  expect((await stillCounting(world.db)).everybody).toMatchObject({ done: 0 })
  await recompute(world.db, world.clickhouse, { token: world.evaluate, now: () => now, zone: ZONE })
  await settleAll(world, now)
  expect(await stillCounting(world.db)).toEqual(NOTHING)
  expect(await world.db.row(sql`select total from recompute`)).toEqual({ total: 42 })
})
