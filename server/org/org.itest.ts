import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { sql } from '../platform/postgres/sql.ts'

test('the schema applies', async () => {
  const db = await testDatabase()
  expect(await db.rows(sql`select 1 from store`)).toEqual([])
})
