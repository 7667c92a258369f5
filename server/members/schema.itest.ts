import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'

const db = await testDatabase()

test('the tables of members are there', async () => {
  const { n } = await db.row<{ n: number }>(sql`select count(*)::int as n from person`)
  expect(n).toBe(0)
})

test('a store or a guide that goes is found by an index in every table that grows with the members', async () => {
  const references = await db.rows<{ owner: string; column: string }>(sql`
    select f.conrelid::regclass::text as owner, a.attname as column
    from pg_constraint f join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
    where f.contype = 'f' and f.confrelid in ('staff'::regclass, 'store'::regclass) order by 1, 2`)
  const small = ['api_key', 'channel', 'journey', 'segment', 'tag', 'tag_group', 'tag_retirement']
  const among = references.filter(({ owner }) => !small.includes(owner))
  expect(among.length).toBeGreaterThan(15)
  const read = await db.transaction(async (tx) => {
    await tx.run(sql`set local enable_seqscan = off`)
    const whole: string[] = []
    for (const { owner, column } of among) {
      const plan = await tx.rows(
        sql`explain select from only ${trusted(owner)} where ${trusted(column)} = '00000000-0000-0000-0000-000000000000'`,
      )
      if (!JSON.stringify(plan).includes('Index')) whole.push(`${owner}.${column}`)
    }
    return whole
  })
  expect(read).toEqual([])
})
