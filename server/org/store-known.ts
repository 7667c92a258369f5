/** SQL of looking up stores and staff by what files call them. */
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../platform/postgres/sql.ts'

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

/** Those of these stores or staff that no row names without a reference. Reads whole tables: no index serves. */
export async function selectUnnamed(db: Db, table: Kind, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const unused = await unusedIn(db, table, 'names')
  const rows = await db.rows<{ id: string }>(
    sql`select o.id from ${trusted(table)} o where o.id = any(${ids}::uuid[]) and ${unused}`,
  )
  return rows.map((row) => row.id)
}

export async function deleteUnusedStaff(tx: Db, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const unused = await unusedIn(tx, 'staff', 'references')
  const rows = await tx.rows<{ id: string }>(sql`
    delete from staff o where o.id = any(${ids}::uuid[]) and o.password_hash is null and o.version = 1 and ${unused}
    returning o.id`)
  return rows.map((row) => row.id)
}

export async function deleteUnusedStores(tx: Db, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const unused = await unusedIn(tx, 'store', 'references')
  const rows = await tx.rows<{ id: string }>(sql`
    delete from store o where o.id = any(${ids}::uuid[]) and o.version = 1 and ${unused} returning o.id`)
  return rows.map((row) => row.id)
}

type Kind = 'store' | 'staff'

/** Columns by which tables name them without a reference that the database knows of. */
const namedBy: Readonly<Record<Kind, readonly string[]>> = {
  staff: ['staff_id', 'sender_id'],
  store: ['store_id'],
}

/**
 * A condition that no row of any table refers to row `o`: by a reference that the database knows of and that does not go
 * with it, or by a column of one of those names. Tables of later ranks are found in the catalogue, not named here.
 */
async function unusedIn(db: Db, table: Kind, by: 'references' | 'names'): Promise<Sql> {
  const columns = await db.rows<{ owner: string; column: string }>(sql`
    select c.relname as owner, a.attname as column
    from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
    left join pg_constraint f on f.conrelid = c.oid and f.contype = 'f' and f.conkey = array[a.attnum]
      and f.confrelid = ${`public.${table}`}::regclass
    where a.attnum > 0 and not a.attisdropped and a.atttypid = 'uuid'::regtype
      and case when ${by === 'references'} then f.oid is not null and f.confdeltype <> 'c'
        else f.oid is null and a.attname = any(${namedBy[table]}::text[]) end
    order by 1, 2`)
  const nowhere = columns.map(
    ({ owner, column }) =>
      sql`not exists (select from ${trusted(`"${owner}" r where r."${column}" = o.id`)})`,
  )
  return nowhere.length === 0 ? sql`true` : join(nowhere, ' and ')
}
