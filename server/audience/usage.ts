/**
 * Who uses a segment, tag, channel or content. Whoever uses one says so here in its own transaction, so "what uses it"
 * and "cannot be deleted" need no knowledge of later capabilities.
 */
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { Problem } from '../platform/problem.ts'

export type Used = { kind: 'segment' | 'tag' | 'tag_group' | 'channel' | 'content'; id: string | number }
/** `label` is what people call the user: the name of the SOP, of the segment. */
export type User = { kind: string; id: string | number; label: string }

/** Notes the use; a repeat renews the label. */
export async function uses(tx: Tx, used: Used, by: User): Promise<void> {
  await tx.run(sql`
    insert into usage (kind, object_id, user_kind, user_id, label)
    values (${used.kind}, ${String(used.id)}, ${by.kind}, ${String(by.id)}, ${by.label})
    on conflict (kind, object_id, user_kind, user_id) do update set label = excluded.label`)
}

/** Ends one use, or every use by somebody. */
export async function disuses(tx: Tx, by: Pick<User, 'kind' | 'id'>, used?: Used): Promise<void> {
  const only = used ? sql`and kind = ${used.kind} and object_id = ${String(used.id)}` : sql``
  await tx.run(sql`delete from usage where user_kind = ${by.kind} and user_id = ${String(by.id)} ${only}`)
}

/** Everybody who uses it, by label. */
export async function usersOf(db: Db, used: Used): Promise<User[]> {
  return db.rows<User>(sql`
    select user_kind as kind, user_id as id, label from usage
    where kind = ${used.kind} and object_id = ${String(used.id)} order by label, user_kind, user_id`)
}

/** Users of many objects of one kind, by object id as text. */
export async function usersByObject(db: Db, kind: Used['kind']): Promise<Map<string, User[]>> {
  const rows = await db.rows<User & { objectId: string }>(sql`
    select object_id as "objectId", user_kind as kind, user_id as id, label from usage
    where kind = ${kind} order by label, user_kind, user_id`)
  return Map.groupBy(rows, (row) => row.objectId)
}

/** Errors: `in_use` with the list of users in `details.users`, beside those that `but` names. */
export async function refuseWhileUsed(db: Db, used: Used, but?: Pick<User, 'kind' | 'id'>): Promise<void> {
  const users = (await usersOf(db, used)).filter(
    (user) => !but || user.kind !== but.kind || user.id !== String(but.id),
  )
  if (users.length === 0) return
  const labels = users.map((user) => user.label).join(', ')
  throw new Problem('in_use', `This ${used.kind} is used by: ${labels}`, { details: { users } })
}
