/** SQL of regions, stores and staff. */
import type { Right, Role } from '../../contract/base.ts'
import type { Region, Store } from '../../contract/places.ts'
import type { Staff } from '../../contract/staff.ts'
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../platform/postgres/sql.ts'

export type RegionRow = Region & { version: number }
const REGION = trusted('id, code, name, version')
/** Names in the order of pinyin. */
const BY_NAME = trusted('name collate "zh-Hans-CN-x-icu"')

export function selectRegions(db: Db): Promise<RegionRow[]> {
  return db.rows(sql`select ${REGION} from region order by ${BY_NAME}, id limit 1000`)
}

export function selectRegion(db: Db, id: string): Promise<RegionRow | undefined> {
  return db.maybe(sql`select ${REGION} from region where id = ${id}`)
}

export function insertRegion(
  db: Db,
  r: Omit<Region, 'id'> & { id: string; at: Date; demo?: boolean },
): Promise<RegionRow> {
  return db.row(sql`
    insert into region (id, code, name, demo, created_at)
    values (${r.id}, ${r.code}, ${r.name}, ${r.demo ?? false}, ${r.at}) returning ${REGION}`)
}

export function updateRegion(db: Db, r: RegionRow): Promise<RegionRow | undefined> {
  return db.maybe(sql`
    update region set code = ${r.code}, name = ${r.name}, version = version + 1
    where id = ${r.id} and version = ${r.version} returning ${REGION}`)
}

export type StoreRow = Store & { version: number }
const STORE = trusted('id, code, name, region_id as "regionId", city, side, state, version')

export type StoreFilter = {
  regionId?: string | undefined
  text?: string | undefined
  after: readonly [string, string] | undefined
  limit: number
}

export function selectStores(db: Db, { regionId, text, after, limit }: StoreFilter): Promise<StoreRow[]> {
  const wanted: Sql[] = [trusted('true')]
  if (after) wanted.push(sql`(code, id) > (${after[0]}, ${after[1]}::uuid)`)
  if (regionId) wanted.push(sql`region_id = ${regionId}`)
  if (text)
    wanted.push(sql`(strpos(lower(code), lower(${text})) > 0 or strpos(lower(name), lower(${text})) > 0)`)
  return db.rows(
    sql`select ${STORE} from store where ${join(wanted, ' and ')} order by code, id limit ${limit}`,
  )
}

export function selectStore(db: Db, id: string): Promise<StoreRow | undefined> {
  return db.maybe(sql`select ${STORE} from store where id = ${id}`)
}

export function selectStoreNames(db: Db, ids: readonly string[]): Promise<{ id: string; name: string }[]> {
  return db.rows(sql`select id, name from store where id = any(${ids}::uuid[]) order by ${BY_NAME}, id`)
}

export function insertStore(
  db: Db,
  s: Omit<Store, 'id'> & { id: string; at: Date; demo?: boolean },
): Promise<StoreRow> {
  return db.row(sql`
    insert into store (id, code, name, region_id, city, side, state, demo, created_at)
    values (${s.id}, ${s.code}, ${s.name}, ${s.regionId}, ${s.city}, ${s.side}, ${s.state}, ${s.demo ?? false}, ${s.at})
    returning ${STORE}`)
}

export function updateStore(db: Db, s: StoreRow): Promise<StoreRow | undefined> {
  return db.maybe(sql`
    update store set code = ${s.code}, name = ${s.name}, region_id = ${s.regionId}, city = ${s.city}, side = ${s.side},
      state = ${s.state}, version = version + 1
    where id = ${s.id} and version = ${s.version} returning ${STORE}`)
}

export type StaffRow = Omit<Staff, 'lastSeenAt'> & { lastSeenAt: Date | null; version: number }

const STAFF = trusted(`
  staff.id, staff.login, staff.name, staff.state, staff.wecom_user_id as "wecomUserId", staff.version,
  staff.must_change_password as "mustChangePassword",
  (select max(seen_at) from session where session.staff_id = staff.id) as "lastSeenAt",
  array(select role from staff_role where staff_id = staff.id order by role) as roles,
  array(select "right" from staff_right where staff_id = staff.id order by "right") as rights,
  array(select store_id from staff_store where staff_id = staff.id order by store_id)::text[] as "storeIds",
  array(select region_id from staff_region where staff_id = staff.id order by region_id)::text[] as "regionIds"`)

export type StaffFilter = {
  storeId?: string | undefined
  role?: Role | undefined
  text?: string | undefined
  /** Only staff of these stores. */
  within: readonly string[] | undefined
  after: readonly [string, string] | undefined
  limit: number
}

export function selectStaffList(db: Db, f: StaffFilter): Promise<StaffRow[]> {
  const wanted: Sql[] = [trusted('true')]
  if (f.after) wanted.push(sql`(staff.login, staff.id) > (${f.after[0]}, ${f.after[1]}::uuid)`)
  if (f.storeId)
    wanted.push(sql`exists (select from staff_store where staff_id = staff.id and store_id = ${f.storeId})`)
  if (f.within)
    wanted.push(
      sql`exists (select from staff_store where staff_id = staff.id and store_id = any(${f.within}::uuid[]))`,
    )
  if (f.role) wanted.push(sql`exists (select from staff_role where staff_id = staff.id and role = ${f.role})`)
  if (f.text)
    wanted.push(
      sql`(strpos(staff.login, lower(${f.text})) > 0 or strpos(lower(staff.name), lower(${f.text})) > 0)`,
    )
  return db.rows(sql`
    select ${STAFF} from staff where ${join(wanted, ' and ')} order by staff.login, staff.id limit ${f.limit}`)
}

export function selectStaff(db: Db, id: string): Promise<StaffRow | undefined> {
  return db.maybe(sql`select ${STAFF} from staff where id = ${id}`)
}

export type NewStaff = {
  id: string
  login: string
  name: string
  wecomUserId: string | null
  passwordHash: string | null
  demo?: boolean
  at: Date
}

export async function insertStaff(db: Db, s: NewStaff): Promise<void> {
  await db.run(sql`
    insert into staff (id, login, name, wecom_user_id, password_hash, must_change_password, demo, created_at)
    values (${s.id}, ${s.login}, ${s.name}, ${s.wecomUserId}, ${s.passwordHash}, true, ${s.demo ?? false}, ${s.at})`)
}

export async function updateStaffRow(
  db: Db,
  s: { id: string; name: string; state: string; wecomUserId: string | null; version: number },
): Promise<boolean> {
  const updated = await db.run(sql`
    update staff set name = ${s.name}, state = ${s.state}, wecom_user_id = ${s.wecomUserId}, version = version + 1
    where id = ${s.id} and version = ${s.version}`)
  return updated === 1
}

export type Access = {
  roles: readonly Role[]
  rights: readonly Right[]
  storeIds: readonly string[]
  regionIds: readonly string[]
}

/** Puts exactly these roles, rights, stores and regions in place of the former ones. */
export async function replaceAccess(
  db: Db,
  id: string,
  { roles, rights, storeIds, regionIds }: Access,
): Promise<void> {
  await db.run(sql`delete from staff_role where staff_id = ${id}`)
  await db.run(sql`delete from staff_right where staff_id = ${id}`)
  await db.run(sql`delete from staff_store where staff_id = ${id}`)
  await db.run(sql`delete from staff_region where staff_id = ${id}`)
  await db.run(
    sql`insert into staff_role (staff_id, role) select distinct ${id}::uuid, unnest(${roles}::text[])`,
  )
  await db.run(
    sql`insert into staff_right (staff_id, "right") select distinct ${id}::uuid, unnest(${rights}::text[])`,
  )
  await db.run(
    sql`insert into staff_store (staff_id, store_id) select distinct ${id}::uuid, unnest(${storeIds}::uuid[])`,
  )
  await db.run(
    sql`insert into staff_region (staff_id, region_id) select distinct ${id}::uuid, unnest(${regionIds}::uuid[])`,
  )
}

/** Locks the owners against each other, so that the last one cannot be taken away by two at once. */
export async function countActiveOwners(db: Db): Promise<number> {
  const rows = await db.rows(sql`
    select staff.id from staff join staff_role on staff_role.staff_id = staff.id and staff_role.role = 'owner'
    where staff.state = 'active' and staff.password_hash is not null order by staff.id for update of staff`)
  return rows.length
}

/** The owner who was made first, if any. */
export function selectFirstOwner(db: Db): Promise<{ id: string; login: string } | undefined> {
  return db.maybe(sql`
    select staff.id, staff.login from staff join staff_role on staff_role.staff_id = staff.id and staff_role.role = 'owner'
    where not staff.demo order by staff.created_at, staff.id limit 1`)
}
