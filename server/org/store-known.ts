/** SQL of looking up stores and staff by what files call them. */
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

export type NamedStore = { id: string; code: string; name: string }
export type NamedStaff = { id: string; login: string; name: string; wecomUserId: string | null }

export function selectStoresByName(db: Db): Promise<NamedStore[]> {
  return db.rows(sql`select id, code, name from store order by created_at, id`)
}

export function selectStaffByName(db: Db): Promise<NamedStaff[]> {
  return db.rows(
    sql`select id, login, name, wecom_user_id as "wecomUserId" from staff order by created_at, id`,
  )
}

/** Answers the ids that were inserted. */
export async function insertStores(
  db: Db,
  stores: readonly { id: string; code: string; name: string; side: string }[],
  at: Date,
): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    insert into store (id, code, name, side, created_at)
    select id, code, name, side, ${at} from unnest(
      ${stores.map((one) => one.id)}::uuid[], ${stores.map((one) => one.code)}::text[],
      ${stores.map((one) => one.name)}::text[], ${stores.map((one) => one.side)}::text[]) as s (id, code, name, side)
    on conflict do nothing
    returning id`)
  return rows.map((row) => row.id)
}

export type GuideRow = {
  id: string
  login: string
  name: string
  wecomUserId: string | null
  storeId: string | null
  role?: 'guide' | 'store_manager'
  demo?: boolean
}

/** Answers the ids that were inserted. */
export async function insertGuides(db: Db, staff: readonly GuideRow[], at: Date): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    insert into staff (id, login, name, wecom_user_id, demo, created_at)
    select id, login, name, wecom, demo, ${at} from unnest(
      ${staff.map((one) => one.id)}::uuid[], ${staff.map((one) => one.login)}::text[],
      ${staff.map((one) => one.name)}::text[], ${staff.map((one) => one.wecomUserId)}::text[],
      ${staff.map((one) => one.demo ?? false)}::boolean[])
      as s (id, login, name, wecom, demo)
    on conflict do nothing
    returning id`)
  const made = rows.map((row) => row.id)
  const roles = staff.filter((one) => made.includes(one.id))
  await db.run(sql`
    insert into staff_role (staff_id, role)
    select * from unnest(${roles.map((one) => one.id)}::uuid[], ${roles.map((one) => one.role ?? 'guide')}::text[])
    on conflict do nothing`)
  const placed = staff.filter((one) => one.storeId !== null && made.includes(one.id))
  await db.run(sql`
    insert into staff_store (staff_id, store_id)
    select * from unnest(${placed.map((one) => one.id)}::uuid[], ${placed.map((one) => one.storeId)}::uuid[])
    on conflict do nothing`)
  return made
}
