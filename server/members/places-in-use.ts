/** Which stores and staff the records of people name, folded or not: what nobody says today may count again tomorrow. */
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export async function placesInUse(db: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    select distinct named.id from (
      select attributes from profile union all select attributes from profile_layer
    ) said
    cross join lateral (values (said.attributes->'homeStoreId'->>0), (said.attributes->'ownerStaffId'->>0)) as named (id)
    where named.id = any(${ids}::text[])`)
  return rows.map(({ id }) => id)
}
