/** SQL of the WeCom callbacks. Reads tables of earlier ranks, never writes them. */
import type { Db } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/** The member of staff with this WeCom user id; WeCom does not tell capitals apart. */
export async function staffCalled(db: Db, wecomUserId: string): Promise<string | undefined> {
  const row = await db.maybe<{ id: string }>(
    sql`select id from staff where lower(wecom_user_id) = lower(${wecomUserId}) and not demo order by created_at, id limit 1`,
  )
  return row?.id
}

/** When the relation began, as far as it is known. */
export async function addedAt(db: Db, staffId: string, externalUserId: string): Promise<Date | undefined> {
  const row = await db.maybe<{ at: Date }>(sql`
    select max(added_at) as at from relation where staff_id = ${staffId} and external_userid = ${externalUserId} having count(*) > 0`)
  return row?.at
}
