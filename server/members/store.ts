/** SQL of profiles, identifiers and persons: everything in sets, one statement a step. Digests and keys travel as hex. */
import { copyField, copyIn } from '../platform/postgres/copy.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { type Sql, sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import type { Attributes } from './attributes.ts'
import type { ClaimWords, StoredClaim } from './claims.ts'
import type { PersonFold } from './fold.ts'
import { linksProfiles } from './identifier.ts'
import type { RelationWord } from './relation.ts'

/** The origin of live words, which belong to no import. */
export const NO_ORIGIN = '00000000-0000-0000-0000-000000000000'

export type StoredRelation = RelationWord & { profileId: number; staffId: string; standing: boolean }

/** `key`, `dataKey` and `secret` as hex. */
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

/** The present person of each profile. */
export async function personsOf(db: Db, profiles: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.rows<{ id: number; personId: number }>(
    sql`select id, person_id as "personId" from profile where id = any(${profiles}::int[])`,
  )
  return new Map(rows.map(({ id, personId }) => [id, personId]))
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

/** A claim of one profile, as it goes into `identifier`. */
export type ClaimRow = StoredClaim & { profileId: number; demo: boolean }

/**
 * Writes claims as the first of their value, in order of (kind, scope, digest): where another transaction writes the
 * same value, this waits for it. Answers those that really were first; the unique index is the judge.
 */
export async function insertFirstClaims(tx: Tx, claims: readonly ClaimRow[]): Promise<Set<string>> {
  if (claims.length === 0) return new Set()
  const rows = await tx.rows<{ profileId: number; digest: string }>(sql`
    insert into identifier (profile_id, kind, scope, digest, first, state, valid, links, form, lookup, at, demo)
    select profile_id, kind, scope, decode(digest, 'hex'), true, state, valid, links, form, decode(lookup, 'hex'),
      to_timestamp(at / 1000.0), demo
    from ${claimRows(claims)}
    order by kind collate "C", scope collate "C", digest
    on conflict do nothing
    returning profile_id as "profileId", encode(digest, 'hex') as digest`)
  return new Set(rows.map(({ profileId, digest }) => `${profileId}|${digest}`))
}

/** Writes claims of values that others claimed before, and hints. */
export async function insertFurtherClaims(tx: Tx, claims: readonly ClaimRow[]): Promise<void> {
  if (claims.length === 0) return
  await tx.run(sql`
    insert into identifier (profile_id, kind, scope, digest, first, state, valid, links, form, lookup, at, demo)
    select profile_id, kind, scope, decode(digest, 'hex'), false, state, valid, links, form, decode(lookup, 'hex'),
      to_timestamp(at / 1000.0), demo
    from ${claimRows(claims)}
    on conflict do nothing`)
}

/** Hints that the source now says itself make room for the claim. */
export async function deleteHints(
  tx: Tx,
  hints: readonly { profileId: number; digest: string }[],
): Promise<void> {
  await tx.run(sql`
    delete from identifier i
    using unnest(${hints.map((one) => one.profileId)}::int[], ${hints.map((one) => one.digest)}::text[]) as n (profile_id, digest)
    where i.profile_id = n.profile_id and i.digest = decode(n.digest, 'hex') and i.state = 'hint'`)
}

export async function updateClaims(tx: Tx, claims: readonly ClaimRow[]): Promise<void> {
  if (claims.length === 0) return
  await tx.run(sql`
    update identifier i set state = n.state, valid = n.valid, links = n.links, form = n.form, at = to_timestamp(n.at / 1000.0)
    from ${claimRows(claims)}
    where i.profile_id = n.profile_id and i.kind = n.kind and i.scope = n.scope and i.digest = decode(n.digest, 'hex')`)
}

function claimRows(claims: readonly ClaimRow[]): Sql {
  return sql`unnest(${claims.map((one) => one.profileId)}::int[], ${claims.map((one) => one.kind)}::text[],
    ${claims.map((one) => one.scope)}::text[], ${claims.map((one) => one.digest)}::text[],
    ${claims.map((one) => one.state)}::text[], ${claims.map((one) => one.valid)}::bool[],
    ${claims.map(linksProfiles)}::bool[], ${claims.map((one) => one.form)}::text[],
    ${claims.map((one) => one.lookup)}::text[], ${claims.map((one) => one.at)}::float8[],
    ${claims.map((one) => one.demo)}::bool[])
    as n (profile_id, kind, scope, digest, state, valid, links, form, lookup, at, demo)`
}

export type ClaimOfProfile = StoredClaim & { profileId: number }

export async function claimsOf(db: Db, profiles: readonly number[]): Promise<ClaimOfProfile[]> {
  return db.rows<ClaimOfProfile>(sql`
    select i.profile_id as "profileId", i.kind, i.scope, encode(i.digest, 'hex') as digest, i.state, i.valid, i.form,
      encode(i.lookup, 'hex') as lookup, (extract(epoch from i.at) * 1000)::float8 as at
    from identifier i where i.profile_id = any(${profiles}::int[])`)
}

export type Claimant = {
  kind: string
  digest: string
  profileId: number
  personId: number
  state: string
  links: boolean
}

/** Who else claims these values: at most a hundred and two rows a value, those that join first. */
export async function claimantsOf(
  db: Db,
  claims: readonly Pick<StoredClaim, 'kind' | 'scope' | 'digest'>[],
  among: 'all' | 'further',
): Promise<Claimant[]> {
  if (claims.length === 0) return []
  const first = sql`select i.* from identifier i
    where i.kind = n.kind and i.scope = n.scope and i.digest = decode(n.digest, 'hex') and i.first`
  const further = sql`(select i.* from identifier i
    where i.kind = n.kind and i.scope = n.scope and i.digest = decode(n.digest, 'hex') and not i.first
    order by i.links desc limit 101)`
  return db.rows<Claimant>(sql`
    select c.kind, encode(c.digest, 'hex') as digest, c.profile_id as "profileId", p.person_id as "personId", c.state, c.links
    from unnest(${claims.map((one) => one.kind)}::text[], ${claims.map((one) => one.scope)}::text[],
      ${claims.map((one) => one.digest)}::text[]) as n (kind, scope, digest)
    cross join lateral (${among === 'all' ? sql`${first} union all ${further}` : further}) c
    join profile p on p.id = c.profile_id`)
}

/**
 * The persons that could become one with these: whoever shares a joining identifier with one of them, and so on.
 * Persons of new profiles are among them, though they have no row yet.
 */
export async function closureOf(db: Db, persons: readonly number[]): Promise<number[]> {
  const reached = new Set(persons)
  for (let last = [...reached]; last.length > 0; ) {
    const next = await sharersOf(db, last)
    last = next.filter((id) => !reached.has(id))
    for (const id of last) reached.add(id)
  }
  return [...reached].sort((a, b) => a - b)
}

/** Who shares a joining identifier with these. Of two claims of one value at least one is not the first. */
async function sharersOf(db: Db, persons: readonly number[]): Promise<number[]> {
  const rows = await db.rows<{ id: number }>(sql`
    with own as materialized (
      select i.kind, i.scope, i.digest, i.first, p.person_id
      from profile p join identifier i on i.profile_id = p.id and i.links
      where p.person_id = any(${persons}::int[])
    )
    select other.person_id as id
    from own join identifier j on j.kind = own.kind and j.scope = own.scope and j.digest = own.digest and not j.first and j.links
    join profile other on other.id = j.profile_id and other.person_id <> own.person_id
    union
    select other.person_id
    from own join identifier j on j.kind = own.kind and j.scope = own.scope and j.digest = own.digest and j.first and j.links
    join profile other on other.id = j.profile_id and other.person_id <> own.person_id
    where not own.first`)
  return rows.map(({ id }) => id)
}

/** Locks the persons in order of id, so that two transactions never wait for each other in a ring. */
export async function lockPersons(tx: Tx, persons: readonly number[]): Promise<void> {
  await tx.run(sql`select id from person where id = any(${persons}::int[]) order by id for no key update`)
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

/** A person's row: the fold of its profiles and what is not folded. */
export type PersonRow = PersonFold & { id: number; publicId: string; changedAt: number }

type Column = { name: string; type: string; of: (person: PersonRow) => unknown }
const time = (ms: number | null): string | null => (ms === null ? null : instant(ms).toISOString())

/** Every column that a fold decides, in one place for COPY, insert, update and comparison. */
const columns: readonly Column[] = [
  { name: 'kind', type: 'text', of: (p) => p.kind },
  { name: 'name', type: 'text', of: (p) => p.name },
  { name: 'gender', type: 'text', of: (p) => p.gender },
  { name: 'birthday', type: 'text', of: (p) => p.birthday },
  { name: 'birthday_lunar', type: 'boolean', of: (p) => p.birthdayLunar },
  { name: 'city', type: 'text', of: (p) => p.city },
  { name: 'joined_at', type: 'timestamptz', of: (p) => time(p.joinedAt) },
  { name: 'register_channel', type: 'text', of: (p) => p.registerChannel },
  { name: 'registration', type: 'text', of: (p) => p.registration },
  { name: 'source', type: 'text', of: (p) => p.source },
  { name: 'source_side', type: 'text', of: (p) => p.sourceSide },
  { name: 'source_channel', type: 'text', of: (p) => p.sourceChannel },
  { name: 'home_store_id', type: 'uuid', of: (p) => p.homeStoreId },
  { name: 'owner_staff_id', type: 'uuid', of: (p) => p.ownerStaffId },
  { name: 'attributes', type: 'jsonb', of: (p) => p.attributes },
  { name: 'phone', type: 'text', of: (p) => p.phone },
  { name: 'identifiers', type: 'text[]', of: (p) => p.identifiers },
  { name: 'follower_ids', type: 'uuid[]', of: (p) => p.followerIds },
  { name: 'wecom', type: 'text', of: (p) => p.wecom },
  { name: 'consents', type: 'jsonb', of: (p) => p.consents },
  { name: 'contact_results', type: 'jsonb', of: (p) => p.contactResults },
  { name: 'in_erp', type: 'boolean', of: (p) => p.inErp },
  { name: 'completeness', type: 'smallint', of: (p) => p.completeness },
  { name: 'demo', type: 'boolean', of: (p) => p.demo },
  { name: 'first_seen_at', type: 'timestamptz', of: (p) => time(p.firstSeenAt) },
  { name: 'changed_at', type: 'timestamptz', of: (p) => time(p.changedAt) },
]
const names = columns.map(({ name }) => name).join(', ')

/** Writes persons that are new for certain, by COPY. */
export async function copyPersons(tx: Tx, persons: readonly PersonRow[]): Promise<void> {
  if (persons.length === 0) return
  await copyIn(tx, `copy person (id, public_id, ${names}) from stdin`, personLines(persons))
}

function* personLines(persons: readonly PersonRow[]): Generator<string> {
  for (const person of persons) {
    let line = `${person.id}\t${person.publicId}`
    for (const { of } of columns) line += `\t${copyValue(of(person))}`
    yield `${line}\n`
  }
}

function copyValue(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'number') return copyField(value)
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (Array.isArray(value)) return copyField(`{${value.join(',')}}`)
  return copyField(JSON.stringify(value))
}

/** Inserts persons or writes their fold anew; they are live afterwards. */
export async function putPersons(tx: Tx, persons: readonly PersonRow[]): Promise<void> {
  if (persons.length === 0) return
  const documents = persons.map((person) => ({
    id: person.id,
    public_id: person.publicId,
    ...Object.fromEntries(columns.map(({ name, of }) => [name, of(person)])),
  }))
  const shape = columns.map(({ name, type }) => `${name} ${type}`).join(', ')
  const changes = columns.map(({ name }) => `${name} = excluded.${name}`).join(', ')
  await tx.run(sql`
    insert into person (id, public_id, ${trusted(names)})
    select id, public_id, ${trusted(names)}
    from jsonb_to_recordset(${JSON.stringify(documents)}::jsonb) as n (id int, public_id uuid, ${trusted(shape)})
    on conflict (id) do update set state = 'live', merged_into = null, ${trusted(changes)}`)
}

/** Whether two folds say the same; when it was last changed does not count. */
export function sameFold(one: PersonRow, other: PersonRow): boolean {
  return columns.every(
    ({ name, of }) => name === 'changed_at' || JSON.stringify(of(one)) === JSON.stringify(of(other)),
  )
}

/** The stored folds of persons, absorbed ones included. */
export async function personRows(db: Db, ids: readonly number[]): Promise<(PersonRow & { state: string })[]> {
  return db.rows(sql`
    select id, public_id as "publicId", state, kind, name, gender, birthday, birthday_lunar as "birthdayLunar", city,
      (extract(epoch from joined_at) * 1000)::float8 as "joinedAt", register_channel as "registerChannel", registration,
      source, source_side as "sourceSide", source_channel as "sourceChannel", home_store_id as "homeStoreId", owner_staff_id as "ownerStaffId", attributes,
      phone, identifiers, follower_ids as "followerIds", wecom, consents, contact_results as "contactResults",
      in_erp as "inErp", completeness, demo, (extract(epoch from first_seen_at) * 1000)::float8 as "firstSeenAt",
      (extract(epoch from changed_at) * 1000)::float8 as "changedAt"
    from person where id = any(${ids}::int[])`)
}

/** Absorbed persons stand under the person of the profile that names them. */
export async function absorbPersons(
  tx: Tx,
  absorbed: readonly { id: number; into: number }[],
): Promise<void> {
  if (absorbed.length === 0) return
  await tx.run(sql`
    update person p set state = 'absorbed', merged_into = n.kept
    from unnest(${absorbed.map((one) => one.id)}::int[], ${absorbed.map((one) => one.into)}::int[]) as n (id, kept)
    where p.id = n.id`)
}

/**
 * The present person of each number: of the profile that bears it, else of the person that went on under another.
 * Numbers of people who are gone are left out.
 */
export async function presentPersonsOf(db: Db, ids: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.rows<{ asked: number; id: number }>(sql`
    with recursive trail (asked, id, state) as (
      select a.asked, e.id, e.state from unnest(${ids}::int[]) as a (asked)
      join person e on e.id = coalesce((select p.person_id from profile p where p.id = a.asked), a.asked)
      union
      select trail.asked, e.id, e.state from trail join person old on old.id = trail.id
      join person e on e.id = old.merged_into where trail.state = 'absorbed'
    )
    select asked, id from trail where state = 'live'`)
  return new Map(rows.map(({ asked, id }) => [asked, id]))
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

/** Deletes claims by profile and digest. */
export async function deleteClaims(
  tx: Tx,
  claims: readonly { profileId: number; digest: string }[],
): Promise<void> {
  if (claims.length === 0) return
  await tx.run(sql`
    delete from identifier i
    using unnest(${claims.map((one) => one.profileId)}::int[], ${claims.map((one) => one.digest)}::text[]) as n (profile_id, digest)
    where i.profile_id = n.profile_id and i.digest = decode(n.digest, 'hex')`)
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

/** Persons without a profile: nothing personal stays. Answers those that really were live. */
export async function removePersons(tx: Tx, ids: readonly number[], at: Date): Promise<number[]> {
  const rows = await tx.rows<{ id: number }>(sql`
    update person set state = 'removed', name = null, gender = null, birthday = null, city = null, attributes = '{}',
      identifiers = '{}', follower_ids = '{}', consents = '{}', contact_results = '{}', phone = 'none', wecom = 'none',
      home_store_id = null, owner_staff_id = null, changed_at = ${at}
    where id = any(${ids}::int[]) and state = 'live'
      and not exists (select from profile p where p.person_id = person.id)
    returning id`)
  return rows.map(({ id }) => id)
}
