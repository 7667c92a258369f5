/** SQL of sessions, sign-in throttling, API keys and what a caller may do. */

import type { ApiKey } from '../../contract/access.ts'
import type { Right, Role, Scope } from '../../contract/base.ts'
import type { Db } from '../platform/postgres/database.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'

export type Credentials = {
  id: string
  login: string
  name: string
  state: 'active' | 'disabled'
  passwordHash: string | null
}

export function selectCredentials(
  db: Db,
  by: { login: string } | { id: string },
): Promise<Credentials | undefined> {
  return db.maybe(sql`
    select id, login, name, state, password_hash as "passwordHash" from staff
    where ${'login' in by ? sql`login = ${by.login}` : sql`id = ${by.id}`}`)
}

export async function updatePassword(
  db: Db,
  write: { id: string; hash: string; at: Date; mustChange: boolean },
): Promise<boolean> {
  const updated = await db.run(sql`
    update staff set password_hash = ${write.hash}, password_changed_at = ${write.at}, must_change_password = ${write.mustChange}
    where id = ${write.id}`)
  return updated === 1
}

export type AccessRow = {
  staffId: string
  name: string
  login: string
  roles: Role[]
  rights: Right[]
  storeIds: string[]
  regionIds: string[]
  mustChangePassword: boolean
}

/** What a member of staff may do and see; the stores of a regional manager are those of the regions. */
const ACCESS = trusted(`
  staff.id as "staffId", staff.name, staff.login, staff.must_change_password as "mustChangePassword",
  array(select role from staff_role where staff_id = staff.id order by role) as roles,
  array(select "right" from staff_right where staff_id = staff.id order by "right") as rights,
  array(select region_id from staff_region where staff_id = staff.id order by region_id)::text[] as "regionIds",
  array(
    select store_id from staff_store where staff_id = staff.id
    union
    select store.id from staff_region join store using (region_id) where staff_region.staff_id = staff.id
    order by 1)::text[] as "storeIds"`)

export function selectAccess(db: Db, staffId: string): Promise<AccessRow | undefined> {
  return db.maybe(sql`select ${ACCESS} from staff where id = ${staffId} and state = 'active'`)
}

export type SessionRow = AccessRow & { csrfDigest: Buffer; seenAt: Date }

export function selectSession(db: Db, digest: Buffer, now: Date): Promise<SessionRow | undefined> {
  return db.maybe(sql`
    select session.csrf_digest as "csrfDigest", session.seen_at as "seenAt", ${ACCESS}
    from session join staff on staff.id = session.staff_id
    where session.digest = ${digest} and session.expires_at > ${now} and staff.state = 'active'`)
}

export type NewSession = {
  digest: Buffer
  csrfDigest: Buffer
  staffId: string
  at: Date
  expiresAt: Date
  address: string | null
  agent: string | null
}

export async function insertSession(db: Db, s: NewSession): Promise<void> {
  await db.run(sql`
    insert into session (digest, csrf_digest, staff_id, created_at, seen_at, expires_at, address, agent)
    values (${s.digest}, ${s.csrfDigest}, ${s.staffId}, ${s.at}, ${s.at}, ${s.expiresAt}, ${s.address}, ${s.agent})`)
}

/** Moves the end of an idle session on, never beyond `longest` after it began. */
export async function touchSession(
  db: Db,
  digest: Buffer,
  { now, idleMs, longestMs }: { now: Date; idleMs: number; longestMs: number },
): Promise<void> {
  await db.run(sql`
    update session set seen_at = ${now},
      expires_at = least(${now}::timestamptz + ${idleMs} * interval '1 ms', created_at + ${longestMs} * interval '1 ms')
    where digest = ${digest}`)
}

export async function deleteSession(db: Db, digest: Buffer): Promise<void> {
  await db.run(sql`delete from session where digest = ${digest}`)
}

/** Ends the sessions of a member of staff, but for `keep`. */
export async function deleteSessionsOf(db: Db, staffId: string, keep?: Buffer): Promise<number> {
  return db.run(sql`
    delete from session where staff_id = ${staffId} and (${keep ?? null}::bytea is null or digest <> ${keep ?? null}::bytea)`)
}

export type Throttle = {
  kind: 'account' | 'address'
  subject: string
  now: Date
  limit: number
  windowMs: number
  blockMs: number
}

/**
 * Counts one try before its outcome is known, so that tries at the same time all count. Gives the end of the block
 * where the subject is blocked, by this try or before.
 */
export async function countTry(db: Db, t: Throttle): Promise<Date | undefined> {
  const since = new Date(t.now.getTime() - t.windowMs)
  const until = new Date(t.now.getTime() + t.blockMs)
  const row = await db.maybe<{ blockedUntil: Date | null }>(sql`
    insert into sign_in_failure as f (kind, subject, failures, since) values (${t.kind}, ${t.subject}, 1, ${t.now})
    on conflict (kind, subject) do update set
      failures = case when f.since < ${since} then 1 else f.failures + 1 end,
      since = case when f.since < ${since} then excluded.since else f.since end,
      blocked_until = case when f.since >= ${since} and f.failures >= ${t.limit} then ${until}::timestamptz end
    where f.blocked_until is null or f.blocked_until <= ${t.now}
    returning blocked_until as "blockedUntil"`)
  if (row) return row.blockedUntil ?? undefined
  const blocked = await db.maybe<{ blockedUntil: Date | null }>(sql`
    select blocked_until as "blockedUntil" from sign_in_failure where kind = ${t.kind} and subject = ${t.subject}`)
  return blocked?.blockedUntil ?? undefined
}

/** After a success: the account starts anew, the address gets its one try back. */
export async function forgiveTries(db: Db, account: string, address: string): Promise<void> {
  await db.run(sql`delete from sign_in_failure where kind = 'account' and subject = ${account}`)
  await db.run(sql`
    update sign_in_failure set failures = greatest(0, failures - 1) where kind = 'address' and subject = ${address}`)
}

/** Ended sessions and old failures; a bounded number at a time. */
export async function deleteOld(db: Db, now: Date, failuresBefore: Date): Promise<number> {
  const sessions = await db.run(sql`
    delete from session where digest in (select digest from session where expires_at <= ${now} order by expires_at limit 5000)`)
  const failures = await db.run(sql`
    delete from sign_in_failure where (kind, subject) in
      (select kind, subject from sign_in_failure where since < ${failuresBefore} limit 5000)`)
  return sessions + failures
}

export type ApiKeyRow = Omit<ApiKey, 'createdAt' | 'expiresAt' | 'usedAt' | 'revokedAt'> & {
  createdAt: Date
  expiresAt: Date | null
  usedAt: Date | null
  revokedAt: Date | null
  staffId: string
  version: number
}

const API_KEY = trusted(`
  k.id, k.name, k.prefix, k.scopes, k.per_minute as "perMinute", k.created_at as "createdAt", staff.name as "createdBy",
  k.expires_at as "expiresAt", k.used_at as "usedAt", k.revoked_at as "revokedAt", k.staff_id as "staffId", k.version`)

export function selectApiKeys(db: Db): Promise<ApiKeyRow[]> {
  return db.rows(sql`
    select ${API_KEY} from api_key k join staff on staff.id = k.staff_id
    order by k.revoked_at is not null, k.created_at desc limit 500`)
}

export function selectApiKey(
  db: Db,
  by: { id: string } | { digest: Buffer },
): Promise<ApiKeyRow | undefined> {
  return db.maybe(sql`
    select ${API_KEY} from api_key k join staff on staff.id = k.staff_id
    where ${'id' in by ? sql`k.id = ${by.id}` : sql`k.digest = ${by.digest}`}`)
}

export type NewApiKey = {
  id: string
  name: string
  prefix: string
  digest: Buffer
  scopes: readonly Scope[]
  perMinute: number
  staffId: string
  at: Date
  expiresAt: string | null
}

export async function insertApiKey(db: Db, k: NewApiKey): Promise<void> {
  await db.run(sql`
    insert into api_key (id, name, prefix, digest, scopes, per_minute, staff_id, created_at, expires_at)
    values (${k.id}, ${k.name}, ${k.prefix}, ${k.digest}, ${k.scopes}::text[], ${k.perMinute}, ${k.staffId}, ${k.at}, ${k.expiresAt}::timestamptz)`)
}

export async function updateApiKey(
  db: Db,
  k: { id: string; name: string; scopes: readonly Scope[]; perMinute: number; version: number },
): Promise<boolean> {
  const updated = await db.run(sql`
    update api_key set name = ${k.name}, scopes = ${k.scopes}::text[], per_minute = ${k.perMinute}, version = version + 1
    where id = ${k.id} and version = ${k.version} and revoked_at is null`)
  return updated === 1
}

export async function revokeApiKeyRow(db: Db, id: string, now: Date): Promise<boolean> {
  const updated = await db.run(sql`
    update api_key set revoked_at = ${now}, version = version + 1 where id = ${id} and revoked_at is null`)
  return updated === 1
}

export async function touchApiKey(db: Db, id: string, now: Date): Promise<void> {
  await db.run(sql`update api_key set used_at = ${now} where id = ${id}`)
}
