/**
 * Sign-in by password, and the sessions that follow.
 *
 * Stored: digests of session and CSRF tokens. Always true: a try is counted before the password is looked at, per
 * account and per address, in the database, so that parallel guesses and several processes count together; changing
 * or resetting a password ends the other sessions in the same transaction.
 */
import type { Me } from '../../contract/session.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { audit } from './audit.ts'
import { hashPassword, matchesPassword, refuseWeak } from './passwords.ts'
import { digestOf, newSecret } from './secrets.ts'
import {
  countTry,
  deleteOld,
  deleteSession,
  deleteSessionsOf,
  forgiveTries,
  insertSession,
  selectAccess,
  selectCredentials,
  updatePassword,
} from './store-access.ts'
import { selectStoreNames } from './store-places.ts'
import { type Call, NOBODY, seesAll, seesPersonal, type Viewer } from './viewer.ts'

export const IDLE_MS = 7 * 86_400_000
export const LONGEST_MS = 30 * 86_400_000
const WINDOW_MS = 15 * 60_000
const TRIES_PER_ACCOUNT = 8
const TRIES_PER_ADDRESS = 60

/** The secrets of a new session, known to its browser only. */
export type OpenedSession = { token: string; csrf: string; expiresAt: Date }

/** Errors: `wrong_credentials`, `too_many` with `retryAfterSeconds`. */
export async function signIn(
  db: Database,
  call: Pick<Call, 'now' | 'address' | 'requestId'>,
  given: { login: string; password: string; agent?: string | undefined },
): Promise<OpenedSession & { staffId: string }> {
  const login = given.login.trim().toLowerCase()
  const account = digestOf(`account:${login}`).toString('hex')
  const address = digestOf(`address:${call.address}`).toString('hex')
  await refuseTooMany(db, call.now, account, address)

  const found = await selectCredentials(db, { login })
  const matches = await matchesPassword(found?.passwordHash, given.password)
  if (!found || !matches || found.state !== 'active') {
    if (found) {
      const actor = { viewer: NOBODY, ...call }
      await audit(db, actor, { action: 'session.refused', objectKind: 'staff', objectId: found.id })
    }
    throw new Problem('wrong_credentials', 'Login or password is wrong.')
  }
  return db.transaction(async (tx) => {
    await forgiveTries(tx, account, address)
    const opened = await openSession(tx, found.id, {
      now: call.now,
      address: call.address,
      agent: given.agent,
    })
    const actor = { viewer: { ...NOBODY, staffId: found.id, via: 'session' as const }, ...call }
    await audit(tx, actor, { action: 'session.opened', objectKind: 'staff', objectId: found.id })
    return { ...opened, staffId: found.id }
  })
}

/** A session without a question asked: after sign-in, and for tests. */
export async function openSession(
  tx: Db,
  staffId: string,
  { now, address, agent }: { now: Date; address?: string | undefined; agent?: string | undefined },
): Promise<OpenedSession> {
  const token = newSecret()
  const csrf = newSecret()
  const expiresAt = new Date(now.getTime() + IDLE_MS)
  await insertSession(tx, {
    digest: digestOf(token),
    csrfDigest: digestOf(csrf),
    staffId,
    at: now,
    expiresAt,
    address: address ?? null,
    agent: agent?.slice(0, 200) ?? null,
  })
  return { token, csrf, expiresAt }
}

export async function signOut(db: Database, call: Call): Promise<void> {
  const { session } = call
  if (session === undefined) return
  await db.transaction(async (tx) => {
    await deleteSession(tx, session)
    await audit(tx, call, { action: 'session.closed', objectKind: 'staff', objectId: call.viewer.staffId })
  })
}

/** Ends all other sessions. Errors: `wrong_credentials`, `bad_input` for a weak password, `too_many`. */
export async function changePassword(
  db: Database,
  call: Call,
  { currentPassword, newPassword }: { currentPassword: string; newPassword: string },
): Promise<void> {
  const account = digestOf(`change:${call.viewer.staffId}`).toString('hex')
  await refuseTooMany(db, call.now, account, undefined)
  const found = await selectCredentials(db, { id: call.viewer.staffId })
  if (!found || !(await matchesPassword(found.passwordHash, currentPassword))) {
    throw new Problem('wrong_credentials', 'The current password is wrong.', { field: 'currentPassword' })
  }
  refuseWeak(newPassword, found.login)
  if (newPassword === currentPassword) {
    throw new Problem('bad_input', 'The new password is the old one.', { field: 'newPassword' })
  }
  const hash = await hashPassword(newPassword)
  await db.transaction(async (tx) => {
    await updatePassword(tx, { id: found.id, hash, at: call.now, mustChange: false })
    await deleteSessionsOf(tx, found.id, call.session)
    await forgiveTries(tx, account, '')
    await audit(tx, call, { action: 'staff.password_changed', objectKind: 'staff', objectId: found.id })
  })
}

/** Who is signed in, as the pages show it. */
export async function describeMe(db: Db, staffId: string): Promise<Me> {
  const access = await selectAccess(db, staffId)
  if (!access) throw new Problem('not_signed_in', 'Sign in first.')
  const viewer = viewerOf(access)
  return {
    staffId: access.staffId as Me['staffId'],
    name: access.name,
    login: access.login,
    roles: access.roles,
    rights: access.rights,
    stores: (await selectStoreNames(db, access.storeIds)) as Me['stores'],
    all: viewer.all,
    maySeePersonal: viewer.maySeePersonal,
    mustChangePassword: access.mustChangePassword,
  }
}

type Held = Pick<Me, 'roles' | 'rights' | 'mustChangePassword'> & {
  staffId: string
  storeIds: string[]
  regionIds: string[]
}

/** What a member of staff may see and do now, for work that goes on without a request; undefined for who is not active. */
export async function viewerOfStaff(db: Db, staffId: string): Promise<Viewer | undefined> {
  const access = await selectAccess(db, staffId)
  return access && viewerOf(access)
}

export function viewerOf(access: Held): Viewer {
  const all = seesAll(access.roles)
  return {
    staffId: access.staffId,
    keyId: null,
    roles: access.roles,
    rights: access.rights,
    scopes: [],
    storeIds: all ? [] : access.storeIds,
    regionIds: all ? [] : access.regionIds,
    all,
    maySeePersonal: seesPersonal(access.roles, access.rights),
    mustChangePassword: access.mustChangePassword,
    via: 'session',
  }
}

/** Housekeeping: sessions that ended and failures older than a day. */
export function forgetSessions(db: Db, now: Date): Promise<number> {
  return deleteOld(db, now, new Date(now.getTime() - 86_400_000))
}

async function refuseTooMany(db: Db, now: Date, account: string, address: string | undefined): Promise<void> {
  const times = { now, windowMs: WINDOW_MS, blockMs: WINDOW_MS }
  const blocked = [
    await countTry(db, { kind: 'account', subject: account, limit: TRIES_PER_ACCOUNT, ...times }),
  ]
  if (address !== undefined)
    blocked.push(
      await countTry(db, { kind: 'address', subject: address, limit: TRIES_PER_ADDRESS, ...times }),
    )
  const until = Math.max(...blocked.map((end) => end?.getTime() ?? 0))
  if (until > now.getTime()) {
    const retryAfterSeconds = Math.ceil((until - now.getTime()) / 1000)
    throw new Problem('too_many', 'Too many tries. Wait before the next one.', {
      details: { retryAfterSeconds },
    })
  }
}
