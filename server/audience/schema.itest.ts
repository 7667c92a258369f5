import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { orderMembership } from './segments/store.ts'

const db = await testDatabase()
await db.run(sql`
  insert into person (id, public_id, kind, source, first_seen_at, changed_at)
  values (1, gen_random_uuid(), 'member', 'organic', '2026-01-01', '2026-01-01')`)

test('a person cannot have two values of a group of level S, nor a value of another group', async () => {
  const put = (group: number, tag: number) =>
    db.run(
      sql`insert into s_tag (person_id, group_id, tag_id, origin, producer, at) values (1, ${group}, ${tag}, 'manual', 'guide', '2026-01-01')`,
    )
  await put(2, 7)
  await expect(put(2, 8)).rejects.toThrow(/s_tag_pkey/)
  await expect(put(1, 8)).rejects.toThrow(/foreign key/)
})

test('a business tag never stands among the values of level S, nor the other way round', async () => {
  await expect(
    db.run(
      sql`insert into person_tag (profile_id, tag_id, origin, person_id, producer, at) values (1, 7, 'manual', 1, 'guide', '2026-01-01')`,
    ),
  ).rejects.toThrow(/foreign key/)
})

test('who is in a segment is found while the index waits to be put in order and afterwards, and then nothing waits', async () => {
  const found = () =>
    db.transaction(async (tx) => {
      await tx.run(sql`set local enable_seqscan = off`)
      return tx.row(sql`select count(*)::int as persons from person_segment where segments @> array[7]`)
    })
  await db.run(sql`
    insert into person_segment (person_id, segments, reading, evaluated_at)
    select i, array[i % 10, 100 + i % 7], 1, now() from generate_series(1, 1000) i`)
  expect(await found()).toEqual({ persons: 100 })
  expect(await orderMembership(db)).toBeGreaterThan(0)
  expect(await found()).toEqual({ persons: 100 })
  expect(await orderMembership(db)).toBe(0)
})
