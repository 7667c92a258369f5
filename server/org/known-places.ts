/**
 * Stores and staff as files name them. An import looks every name up once and adds what is unknown, so that no fact of
 * an order is lost; whoever is added so cannot sign in before somebody gives a password.
 */
import { newId } from '../platform/ids.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { audit } from './audit.ts'
import * as rows from './store-places.ts'
import type { Actor } from './viewer.ts'

export type KnownPlaces = { stores: rows.NamedStore[]; staff: rows.NamedStaff[] }
export type AddedStore = { code: string; name: string; side: 'online' | 'offline' }
export type AddedStaff = { login: string; name: string; wecomUserId: string | null; storeId: string | null }

/** Every store and member of staff by what files call them. */
export async function knownPlaces(db: Db): Promise<KnownPlaces> {
  return { stores: await rows.selectStoresByName(db), staff: await rows.selectStaffByName(db) }
}

/** Adds stores, without a region. A code that is taken meanwhile is left as it is. */
export async function addStores(tx: Tx, actor: Actor, stores: readonly AddedStore[]): Promise<void> {
  const made = await rows.insertStoresByName(
    tx,
    stores.map((store) => ({ ...store, id: newId(actor.now) })),
    actor.now,
  )
  await audit(tx, actor, ...made.map((id) => ({ action: 'store.imported', objectKind: 'store', objectId: id })))
}

/** Adds guides without a password. A login or WeCom user that is taken meanwhile is left as it is. */
export async function addGuides(tx: Tx, actor: Actor, staff: readonly AddedStaff[]): Promise<void> {
  const made = await rows.insertGuidesByName(
    tx,
    staff.map((one) => ({ ...one, id: newId(actor.now) })),
    actor.now,
  )
  await audit(tx, actor, ...made.map((id) => ({ action: 'staff.imported', objectKind: 'staff', objectId: id })))
}
