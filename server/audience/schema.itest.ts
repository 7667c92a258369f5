import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { sql } from '../platform/postgres/sql.ts'

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
