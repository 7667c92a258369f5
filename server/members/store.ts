/** SQL of profiles, their relations and each origin's words: everything in sets, one statement a step. Keys travel as hex. */

import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import type { Attributes } from './attributes.ts'
import type { ClaimWords } from './claims.ts'
import type { RelationWord } from './relation.ts'

/** The origin of live words, which belong to no import. */
export const NO_ORIGIN = '00000000-0000-0000-0000-000000000000'

export type StoredRelation = RelationWord & { profileId: number; staffId: string; standing: boolean }

/** `key` as hex. */
export type StoredProfile = {
  id: number
  personId: number
  key: string
  attributes: Attributes
  createdBy: string | null
  createdAt: Date
  demo: boolean
}

const profileColumns = sql`p.id, p.person_id as "personId", encode(p.key, 'hex') as key, p.attributes,
  p.created_by as "createdBy", p.created_at as "createdAt", p.demo`

/** New ids, of known people or of visitors. */
export async function takeIds(
  tx: Tx,
  of: 'known' | 'known_demo' | 'visitor' | 'visitor_demo',
  count: number,
): Promise<number[]> {
  if (count === 0) return []
  const rows = await tx.rows<{ id: number }>(
    sql`select nextval(${trusted(`'${of}_profile'`)})::int as id from generate_series(1, ${count}::int)`,
  )
  return rows.map(({ id }) => id)
}

export async function profilesByKey(
  db: Db,
  source: string,
  keys: readonly string[],
): Promise<StoredProfile[]> {
  return db.rows<StoredProfile>(sql`
    select ${profileColumns} from unnest(${keys}::text[]) as asked (key)
    join profile p on p.source = ${source} and p.key = decode(asked.key, 'hex')`)
}

export async function profilesById(db: Db, ids: readonly number[]): Promise<StoredProfile[]> {
  return db.rows<StoredProfile>(sql`select ${profileColumns} from profile p where p.id = any(${ids}::int[])`)
}

export async function profilesOf(db: Db, persons: readonly number[]): Promise<StoredProfile[]> {
  return db.rows<StoredProfile>(
    sql`select ${profileColumns} from profile p where p.person_id = any(${persons}::int[]) order by p.id`,
  )
}

export type NewProfile = {
  id: number
  key: string
  attributes: Attributes
  dataKey: string
  secret: string
  demo: boolean
}

/** Inserts in order of key; answers the ids that are new. A key that another transaction has just written is left to it. */
export async function insertProfiles(
  tx: Tx,
  profiles: readonly NewProfile[],
  how: { source: string; at: Date; importId: string | null },
): Promise<Set<number>> {
  const of = <Key extends keyof NewProfile>(field: Key): NewProfile[Key][] =>
    profiles.map((one) => one[field])
  const rows = await tx.rows<{ id: number }>(sql`
    insert into profile (id, person_id, source, key, attributes, data_key, secret, created_by, created_at, demo)
    select id, id, ${how.source}, decode(key, 'hex'), attributes::jsonb, decode(data_key, 'hex'), decode(secret, 'hex'),
      ${how.importId}::uuid, ${how.at}, demo
    from unnest(${of('id')}::int[], ${of('key')}::text[], ${profiles.map((one) => JSON.stringify(one.attributes))}::text[],
      ${of('dataKey')}::text[], ${of('secret')}::text[], ${of('demo')}::bool[])
      as n (id, key, attributes, data_key, secret, demo)
    order by key
    on conflict (source, key) do nothing
    returning id`)
  return new Set(rows.map(({ id }) => id))
}

export type ProfileChange = { id: number; personId: number; attributes: Attributes; secret: string | null }

/** Writes attributes, person and (where not null) the secret of profiles. */
export async function updateProfiles(tx: Tx, changes: readonly ProfileChange[]): Promise<void> {
  if (changes.length === 0) return
  await tx.run(sql`
    update profile p set person_id = n.person_id, attributes = n.attributes::jsonb,
      secret = coalesce(decode(n.secret, 'hex'), p.secret)
    from unnest(${changes.map((one) => one.id)}::int[], ${changes.map((one) => one.personId)}::int[],
      ${changes.map((one) => JSON.stringify(one.attributes))}::text[], ${changes.map((one) => one.secret)}::text[])
      as n (id, person_id, attributes, secret)
    where p.id = n.id`)
}

export async function secretsOf(
  db: Db,
  profiles: readonly number[],
): Promise<{ id: number; dataKey: Buffer; secret: Buffer }[]> {
  return db.rows(sql`
    select id, data_key as "dataKey", secret from profile
    where id = any(${profiles}::int[]) and data_key is not null and secret is not null`)
}

/** Writes the sealed values of profiles, as hex. */
export async function putSecrets(tx: Tx, rows: readonly { id: number; secret: string }[]): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    update profile p set secret = decode(n.secret, 'hex')
    from unnest(${rows.map(({ id }) => id)}::int[], ${rows.map(({ secret }) => secret)}::text[]) as n (id, secret)
    where p.id = n.id`)
}

/** What one origin said of a profile; relations by staff. */
export type Layer = {
  profileId: number
  origin: string
  attributes: Attributes
  relations: Readonly<Record<string, RelationWord>>
  claims: ClaimWords
}

export async function layersOf(db: Db, profiles: readonly number[]): Promise<Layer[]> {
  return db.rows<Layer>(sql`
    select profile_id as "profileId", origin, attributes, relations, claims from profile_layer where profile_id = any(${profiles}::int[])`)
}

export async function putLayers(tx: Tx, layers: readonly Layer[]): Promise<void> {
  if (layers.length === 0) return
  await tx.run(sql`
    insert into profile_layer (profile_id, origin, attributes, relations, claims)
    select "profileId", origin, attributes, relations, claims
    from jsonb_to_recordset(${JSON.stringify(layers)}::jsonb) as n
      ("profileId" int, origin uuid, attributes jsonb, relations jsonb, claims jsonb)
    on conflict (profile_id, origin) do update set attributes = excluded.attributes, relations = excluded.relations,
      claims = excluded.claims`)
}

export async function relationsOf(db: Db, profiles: readonly number[]): Promise<StoredRelation[]> {
  return db.rows<StoredRelation>(sql`
    select profile_id as "profileId", staff_id as "staffId", external_userid as "externalUserid", remark, add_way as "addWay", state,
      (extract(epoch from added_at) * 1000)::float8 as "addedAt", (extract(epoch from lost_at) * 1000)::float8 as "lostAt",
      lost_by as "lostBy", standing
    from relation where profile_id = any(${profiles}::int[])`)
}

/** Writes relations as they stand now. */
export async function putRelations(
  tx: Tx,
  relations: readonly (RelationWord & { profileId: number; staffId: string })[],
): Promise<void> {
  if (relations.length === 0) return
  await tx.run(sql`
    insert into relation (profile_id, staff_id, external_userid, remark, add_way, state, added_at, lost_at, lost_by)
    select "profileId", "staffId", "externalUserid", remark, "addWay", state, to_timestamp("addedAt" / 1000.0),
      to_timestamp("lostAt" / 1000.0), "lostBy"
    from jsonb_to_recordset(${JSON.stringify(relations)}::jsonb) as n
      ("profileId" int, "staffId" uuid, "externalUserid" text, remark text, "addWay" text, state text, "addedAt" float8,
       "lostAt" float8, "lostBy" text)
    order by 1, 2
    on conflict (profile_id, staff_id) do update set external_userid = excluded.external_userid, remark = excluded.remark,
      add_way = excluded.add_way, state = excluded.state, added_at = excluded.added_at, lost_at = excluded.lost_at,
      lost_by = excluded.lost_by`)
}

export async function deleteRelationsOf(tx: Tx, profiles: readonly number[]): Promise<void> {
  await tx.run(sql`delete from relation where profile_id = any(${profiles}::int[])`)
}

/** Profiles that an import made or spoke of, in order, after one of them. */
export async function importedProfiles(
  db: Db,
  importId: string,
  page: { after: number; limit: number },
): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(sql`
    select id from (
      (select p.id from profile p where p.id > ${page.after} and p.created_by = ${importId} order by p.id limit ${page.limit})
      union
      (select l.profile_id from profile_layer l where l.origin = ${importId} and l.profile_id > ${page.after}
       order by l.profile_id limit ${page.limit})
    ) n order by id limit ${page.limit}`)
  return rows.map(({ id }) => id)
}

/** Of these, the profiles of which somebody else than the import spoke. */
export async function spokenForOf(db: Db, profiles: readonly number[], importId: string): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(sql`
    select n.id from unnest(${profiles}::int[]) as n (id)
    where exists (select from profile_layer l where l.profile_id = n.id and l.origin <> ${importId})`)
  return rows.map(({ id }) => id)
}

export async function deleteProfiles(tx: Tx, ids: readonly number[]): Promise<void> {
  await tx.run(sql`delete from profile where id = any(${ids}::int[])`)
}

export async function deleteLayers(tx: Tx, profiles: readonly number[], importId: string): Promise<void> {
  await tx.run(
    sql`delete from profile_layer where profile_id = any(${profiles}::int[]) and origin = ${importId}`,
  )
}

/** What stays of an import belongs to whoever else speaks of it: another import, or nobody's undo. */
export async function releaseProfiles(tx: Tx, profiles: readonly number[], importId: string): Promise<void> {
  await tx.run(sql`
    update profile p set created_by =
      (select nullif(min(l.origin::text), ${NO_ORIGIN})::uuid from profile_layer l where l.profile_id = p.id)
    where p.id = any(${profiles}::int[]) and p.created_by = ${importId}`)
}
