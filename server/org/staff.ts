/**
 * The people who work with the program.
 * Always true: there is an active owner who can sign in; whoever loses roles, or is disabled, loses them at the next
 * request; a one-time password must be changed before anything else.
 */
import { z } from 'zod'
import type { Page, Role } from '../../contract/base.ts'
import type { Staff } from '../../contract/staff.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import { newId } from '../platform/ids.ts'
import type { Database, Db, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { lostWrite } from '../platform/versioned.ts'
import { audit } from './audit.ts'
import { hashPassword, oneTimePassword } from './passwords.ts'
import { deleteSessionsOf, updatePassword } from './store-access.ts'
import * as rows from './store-places.ts'
import { refusing } from './taken.ts'
import { type Actor, systemActor, type Viewer } from './viewer.ts'

type Shown = Staff & { version: number }
type Given = Pick<Staff, 'name' | 'wecomUserId' | 'roles' | 'rights' | 'storeIds' | 'regionIds'>

/** Store and regional managers see the staff of their stores. */
export async function listStaff(
  db: Db,
  viewer: Viewer,
  {
    cursor,
    limit,
    ...filter
  }: {
    storeId?: string | undefined
    role?: Role | undefined
    text?: string | undefined
    cursor?: string | undefined
    limit: number
  },
): Promise<Page<Shown>> {
  const after = decodeCursor(cursor, z.tuple([z.string(), z.uuid()]))
  const within = viewer.all ? undefined : viewer.storeIds
  const found = await rows.selectStaffList(db, { ...filter, within, after, limit: limit + 1 })
  return pageFrom(found, limit, { item: shown, cursor: ({ login, id }) => [login, id] })
}

/** Errors: `conflict` for a login or WeCom user that is taken, `bad_input` for a store that does not exist. */
export async function createStaff(
  db: Database,
  actor: Actor,
  given: Given & { login: string; demo?: boolean },
): Promise<{ staff: Shown; oneTimePassword: string }> {
  const password = oneTimePassword()
  const passwordHash = await hashPassword(password)
  const staff = await refusing(() =>
    db.transaction(async (tx) => {
      const id = newId(actor.now)
      await rows.insertStaff(tx, { ...given, id, passwordHash, at: actor.now })
      await rows.replaceAccess(tx, id, given)
      await audit(tx, actor, {
        action: 'staff.created',
        objectKind: 'staff',
        objectId: id,
        after: accessOf(given),
      })
      return present(tx, id)
    }),
  )
  return { staff, oneTimePassword: password }
}

/** Errors: `stale_version` with both, `not_found`, `conflict`, `bad_input`, `not_ready` where no owner would be left. */
export function changeStaff(
  db: Database,
  actor: Actor,
  given: Given & { id: string; state: 'active' | 'disabled'; version: number },
): Promise<Shown> {
  return refusing(() =>
    db.transaction(async (tx) => {
      const before = await rows.selectStaff(tx, given.id)
      if (!(await rows.updateStaffRow(tx, given)))
        throw lostWrite('member of staff', given, before && shown(before))
      await rows.replaceAccess(tx, given.id, given)
      await refuseWithoutOwner(tx)
      if (given.state === 'disabled') await deleteSessionsOf(tx, given.id)
      await audit(tx, actor, {
        action: 'staff.changed',
        objectKind: 'staff',
        objectId: given.id,
        before: before && { state: before.state, ...accessOf(before) },
        after: { state: given.state, ...accessOf(given) },
      })
      return present(tx, given.id)
    }),
  )
}

/** Sets a one-time password and ends all sessions. Errors: `not_found`. */
export async function resetPassword(db: Database, actor: Actor, id: string): Promise<string> {
  const password = oneTimePassword()
  const hash = await hashPassword(password)
  await db.transaction(async (tx) => {
    if (!(await updatePassword(tx, { id, hash, at: actor.now, mustChange: true }))) {
      throw new Problem('not_found', 'This member of staff does not exist.')
    }
    await deleteSessionsOf(tx, id)
    await audit(tx, actor, { action: 'staff.password_reset', objectKind: 'staff', objectId: id })
  })
  return password
}

export type OneTime = { login: string; oneTimePassword: string }

/** Makes the first owner where there is none; undefined where one was made before. */
export async function createFirstOwner(
  db: Database,
  now: Date,
  login = 'admin',
): Promise<OneTime | undefined> {
  if (await rows.selectFirstOwner(db)) return undefined
  const given = {
    login,
    name: '管理员',
    wecomUserId: null,
    roles: ['owner' as const],
    rights: ['approve' as const, 'see_personal' as const, 'export' as const],
    storeIds: [],
    regionIds: [],
  }
  const made = await createStaff(db, systemActor(now), given)
  return { login, oneTimePassword: made.oneTimePassword }
}

/** For an owner who cannot get in: a one-time password, an active state. Makes one where none is left. */
export async function resetOwner(db: Database, now: Date): Promise<OneTime> {
  const owner = await rows.selectFirstOwner(db)
  if (!owner) {
    const made = await createFirstOwner(db, now)
    if (!made) throw new Problem('conflict', 'An owner was just made by another process; run this again.')
    return made
  }
  const present = await rows.selectStaff(db, owner.id)
  if (present && present.state !== 'active') await rows.updateStaffRow(db, { ...present, state: 'active' })
  return { login: owner.login, oneTimePassword: await resetPassword(db, systemActor(now), owner.id) }
}

async function refuseWithoutOwner(tx: Tx): Promise<void> {
  if ((await rows.countActiveOwners(tx)) === 0) {
    throw new Problem('not_ready', 'There must be an active owner. Make another one first.', {
      field: 'roles',
    })
  }
}

async function present(db: Db, id: string): Promise<Shown> {
  const row = await rows.selectStaff(db, id)
  if (!row) throw lostWrite('member of staff', undefined, undefined)
  return shown(row)
}

function shown({ lastSeenAt, ...row }: rows.StaffRow): Shown {
  return { ...row, lastSeenAt: lastSeenAt?.toISOString() ?? null }
}

function accessOf({ roles, rights, storeIds, regionIds }: rows.Access): rows.Access {
  return { roles, rights, storeIds, regionIds }
}
