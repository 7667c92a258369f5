import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { sql } from '../platform/postgres/sql.ts'

const db = await testDatabase()

test('the tables of members are there', async () => {
  const { n } = await db.row<{ n: number }>(sql`select count(*)::int as n from person`)
  expect(n).toBe(0)
})
