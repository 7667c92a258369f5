import { expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { sql } from './sql.ts'

const db = await testDatabase()

test('a clone of the migrated template answers', async () => {
  const { known } = await db.row<{ known: number }>(sql`select count(*)::int as known from schema_migration`)
  expect(known).toBeGreaterThanOrEqual(0)
})
