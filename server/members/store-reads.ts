/** SQL of what pages and later capabilities read about persons. */
import type { Db } from '../platform/postgres/database.ts'
import { join, type Sql, sql, trusted } from '../platform/postgres/sql.ts'
import type { Attributes } from './attributes.ts'
import type { ClaimState, IdentifierKind } from './identifier.ts'
import { type Channel, channels, reachReason } from './reachability.ts'

export type ListRow = {
  id: number
  publicId: string
  name: string | null
  kind: 'member' | 'customer' | 'contact' | 'visitor'
  demo: boolean
  gender: string | null
  birthday: string | null
  birthdayLunar: boolean
  city: string | null
  joinedAt: Date | null
  registerChannel: string | null
  registration: string | null
  source: string
  sourceSide: string | null
  homeStoreId: string | null
  ownerStaffId: string | null
  completeness: number
  phone: string
  sortKey: string
}

const listColumns = sql`person.id, person.public_id as "publicId", person.name, person.kind, person.demo, person.gender,
  person.birthday, person.birthday_lunar as "birthdayLunar", person.city, person.joined_at as "joinedAt",
  person.register_channel as "registerChannel", person.registration, person.source, person.source_side as "sourceSide",
  person.home_store_id as "homeStoreId", person.owner_staff_id as "ownerStaffId", person.completeness, person.phone`

/** How a list is ordered: an expression over `person`, its type, and which way. */
export type Order = {
  by: Sql
  /** Joins what `by` names beside `person`. */
  beside?: Sql
  type: 'timestamptz' | 'text' | 'bigint'
  down: boolean
  collation?: 'zh'
}

/** Persons that meet all conditions, in order, after a row of the page before. */
export async function listPersons(
  db: Db,
  conditions: readonly Sql[],
  order: Order,
  page: { after: { key: string; id: number } | undefined; limit: number },
): Promise<ListRow[]> {
  const key = order.collation === 'zh' ? sql`${order.by} collate "zh-Hans-CN-x-icu"` : order.by
  const way = trusted(order.down ? 'desc' : 'asc')
  const beyond = trusted(order.down ? '<' : '>')
  const type = trusted(order.type)
  const bound =
    order.collation === 'zh'
      ? sql`${page.after?.key}::text collate "zh-Hans-CN-x-icu"`
      : sql`${page.after?.key}::${type}`
  const after = page.after ? sql`and (${key}, person.id) ${beyond} (${bound}, ${page.after.id}::int)` : sql``
  return db.rows<ListRow>(sql`
    select ${listColumns}, (${order.by})::text as "sortKey" from person ${order.beside ?? sql``}
    where ${join(conditions, ' and ')} ${after}
    order by ${key} ${way}, person.id ${way}
    limit ${page.limit}`)
}

export async function personByPublicId(db: Db, publicId: string): Promise<number | undefined> {
  const row = await db.maybe<{ id: number }>(sql`select id from person where public_id = ${publicId}`)
  return row?.id
}

/** The shown phone of each person: a valid mobile before others, the latest first. */
export async function shownPhones(
  db: Db,
  persons: readonly number[],
): Promise<{ personId: number; profileId: number; digest: string }[]> {
  return db.rows(sql`
    select distinct on (p.person_id) p.person_id as "personId", p.id as "profileId", encode(i.digest, 'hex') as digest
    from profile p join identifier i on i.profile_id = p.id
    where p.person_id = any(${persons}::int[]) and i.kind = 'phone' and i.state = 'active'
    order by p.person_id, i.valid desc, (i.form = 'mobile') desc nulls last, i.at desc, i.digest`)
}

export type IdentifierRow = {
  profileId: number
  kind: IdentifierKind
  scope: string
  digest: string
  state: ClaimState
  valid: boolean
  at: Date
}

export async function identifiersOf(db: Db, person: number): Promise<IdentifierRow[]> {
  return db.rows<IdentifierRow>(sql`
    select i.profile_id as "profileId", i.kind, i.scope, encode(i.digest, 'hex') as digest, i.state, i.valid, i.at
    from profile p join identifier i on i.profile_id = p.id
    where p.person_id = ${person} order by i.kind, i.valid desc, i.at desc, i.digest`)
}

/** A query: who has one of these values, or one that is looked up by one of these keys. All digests are hex. */
export function personsWith(
  values: readonly { kind: string; scope: string; digest: string }[],
  lookups: readonly string[],
): Sql {
  return sql`
    select p.person_id from unnest(${values.map((one) => one.kind)}::text[], ${values.map((one) => one.scope)}::text[],
      ${values.map((one) => one.digest)}::text[]) as n (kind, scope, digest)
    cross join lateral (
      select i.profile_id from identifier i
      where i.kind = n.kind and i.scope = n.scope and i.digest = decode(n.digest, 'hex') and i.first and i.state <> 'hint'
      union all
      select i.profile_id from identifier i
      where i.kind = n.kind and i.scope = n.scope and i.digest = decode(n.digest, 'hex') and not i.first and i.state <> 'hint'
    ) c join profile p on p.id = c.profile_id
    union all
    select p.person_id from unnest(${lookups}::text[]) as l (lookup)
    join identifier i on i.lookup = decode(l.lookup, 'hex') and i.state <> 'hint'
    join profile p on p.id = i.profile_id`
}

export type RelationRow = {
  profileId: number
  staffId: string
  externalUserid: string
  remark: string | null
  addWay: string | null
  addedAt: Date
  lostAt: Date | null
  standing: boolean
}

export async function relationsOfPerson(db: Db, person: number): Promise<RelationRow[]> {
  return db.rows<RelationRow>(sql`
    select r.profile_id as "profileId", r.staff_id as "staffId", r.external_userid as "externalUserid", r.remark, r.add_way as "addWay",
      r.added_at as "addedAt", r.lost_at as "lostAt", r.standing
    from profile p join relation r on r.profile_id = p.id
    where p.person_id = ${person} order by r.standing desc, r.added_at desc`)
}

export async function profileFacts(
  db: Db,
  person: number,
): Promise<{ id: number; source: string; attributes: Attributes; createdAt: Date }[]> {
  return db.rows(
    sql`select id, source, attributes, created_at as "createdAt" from profile where person_id = ${person} order by id`,
  )
}

/** Why a person can or cannot be reached, by channel. */
export async function allReasonsOf(
  db: Db,
  person: number,
  how: { real: boolean },
): Promise<Record<Channel, string>> {
  const columns = join(
    channels.map((channel) => sql`${reachReason(channel, how)} as ${trusted(channel)}`),
    ', ',
  )
  return db.row(sql`select ${columns} from person where person.id = ${person}`)
}

/** Names of persons, absorbed ones included. */
export async function namesOf(
  db: Db,
  persons: readonly number[],
): Promise<Map<number, { publicId: string; name: string | null }>> {
  const rows = await db.rows<{ id: number; publicId: string; name: string | null }>(
    sql`select id, public_id as "publicId", name from person where id = any(${persons}::int[])`,
  )
  return new Map(rows.map(({ id, ...row }) => [id, row]))
}
