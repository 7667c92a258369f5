/** Which records of people are still there, for work that remembers them longer than a transaction. */
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export async function profilesThere(db: Db, profileIds: readonly number[]): Promise<Set<number>> {
  const rows = await db.rows<{ id: number }>(sql`select id from profile where id = any(${profileIds}::int[])`)
  return new Set(rows.map(({ id }) => id))
}
