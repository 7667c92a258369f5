/** SQL of identifiers: who claims which, and who hangs together by them. Everything in sets; digests travel as hex. */

import type { Db, Tx } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import type { StoredClaim } from './claims.ts'
import { linksProfiles } from './identifier.ts'

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

/**
 * Who shares a joining identifier with these. Of two claims of one value at least one is not the first.
 * Each step is a look-up of its own, which `offset 0` keeps so: where a crash left dead rows that were vacuumed while the next
 * transaction wrote, PostgreSQL takes the tables to be empty and would go through all of one for each pair of the others.
 */
async function sharersOf(db: Db, persons: readonly number[]): Promise<number[]> {
  const same = sql`j.kind = own.kind and j.scope = own.scope and j.digest = own.digest and j.links`
  const rows = await db.rows<{ id: number }>(sql`
    with own as materialized (
      select i.kind, i.scope, i.digest, i.first, p.person_id
      from profile p
      cross join lateral (select * from identifier i where i.profile_id = p.id and i.links offset 0) i
      where p.person_id = any(${persons}::int[])
    )
    select distinct other.person_id as id
    from own
    cross join lateral (
      (select j.profile_id from identifier j where ${same} and not j.first offset 0)
      union all
      (select j.profile_id from identifier j where ${same} and j.first and not own.first offset 0)
    ) shared
    cross join lateral (select p.person_id from profile p where p.id = shared.profile_id offset 0) other
    where other.person_id <> own.person_id`)
  return rows.map(({ id }) => id)
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
