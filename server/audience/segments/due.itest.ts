import { beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { takeDue } from './due.ts'

const now = new Date('2026-03-01T02:00:00Z')
let db: Database

beforeAll(async () => {
  db = await testDatabase()
  await db.run(sql`
    insert into consumer (name, lane, xid, seq, moved_at) values ('project', 0, '1000', 0, ${now}), ('project', 1, '1000', 0, ${now})
    on conflict (name, lane) do update set xid = excluded.xid, seq = excluded.seq`)
})

async function due(lane: 0 | 1, persons: readonly number[]): Promise<void> {
  await db.run(sql`
    insert into evaluation_due (person_id, lane, first_xid, first_seq, last_xid, last_seq, cause)
    select id, ${lane}, '1', (1000000 - id)::bigint, '1', (1000000 - id)::bigint, ${lane === 0 ? 'event' : 'bulk'} from unnest(${persons}::int[]) id
    on conflict do nothing`)
}

function idsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

test('bulk persons are taken by neighbourhood, round by round: who is touched again waits for the next round', async () => {
  const place = { after: 0 }
  await due(1, idsFrom(1, 12))
  const first = await takeDue(db, now, 1, place)
  expect([...first.persons.keys()]).toEqual(idsFrom(1, 5))
  // They are touched again at once, and must not stand before the others for that.
  const second = await takeDue(db, now, 1, place)
  expect([...second.persons.keys()]).toEqual(idsFrom(6, 5))
  const third = await takeDue(db, now, 1, place)
  expect([...third.persons.keys()]).toEqual([11, 12])
  const next = await takeDue(db, now, 1, place)
  expect([...next.persons.keys()]).toEqual(idsFrom(1, 5))
})

test('whoever did something now goes before them, and takes nobody his turn', async () => {
  const place = { after: 5 }
  await due(0, [900, 901])
  const { persons } = await takeDue(db, now, 4, place)
  expect([...persons]).toEqual([
    [901, 'event'],
    [900, 'event'],
    [6, 'bulk'],
    [7, 'bulk'],
  ])
  expect(place).toEqual({ after: 7 })
  await db.run(sql`delete from evaluation_due`)
  expect((await takeDue(db, now, 4, place)).persons.size).toBe(0)
  expect(place).toEqual({ after: 0 })
})
