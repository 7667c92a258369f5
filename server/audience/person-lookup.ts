/** From what the outside calls a person to the number that counts inside. */
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'

/** The living person of that public id, where `visible` (a condition over `person p`) holds. */
export async function personByPublicId(db: Db, publicId: string, visible: Sql): Promise<number | undefined> {
  const row = await db.maybe<{ id: number }>(
    sql`select p.id from person p where p.public_id = ${publicId} and p.state = 'live' and ${visible}`,
  )
  return row?.id
}
