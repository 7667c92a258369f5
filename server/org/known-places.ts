/**
 * Stores and staff as files name them. An import looks every name up once and adds what is unknown, so that no fact of
 * an order is lost; whoever is added so cannot sign in before somebody gives a password.
 */
import { newId } from '../platform/ids.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { audit } from './audit.ts'
import * as rows from './store-known.ts'
import type { Actor } from './viewer.ts'

export type KnownPlaces = { stores: rows.NamedStore[]; staff: rows.NamedStaff[] }
export type AddedStore = { code: string; name: string; side: 'online' | 'offline' }
export type AddedGuide = Omit<rows.GuideRow, 'id'>

/** Every store and member of staff by what files call them, the oldest first. */
export async function knownPlaces(db: Db): Promise<KnownPlaces> {
  return { stores: await rows.selectStoresByName(db), staff: await rows.selectStaffByName(db) }
}

/** Adds stores, without a region. A code that is taken meanwhile is left as it is. Answers how many were added. */
export async function addStores(tx: Tx, actor: Actor, stores: readonly AddedStore[]): Promise<number> {
  if (stores.length === 0) return 0
  const made = await rows.insertStores(
    tx,
    stores.map((one) => ({ ...one, id: newId(actor.now) })),
    actor.now,
  )
  await audit(
    tx,
    actor,
    ...made.map((objectId) => ({ action: 'store.imported', objectKind: 'store', objectId })),
  )
  return made.length
}

/** Adds guides who cannot sign in yet. A login or WeCom user that is taken is left as it is. Answers how many were added. */
export async function addGuides(tx: Tx, actor: Actor, guides: readonly AddedGuide[]): Promise<number> {
  if (guides.length === 0) return 0
  const made = await rows.insertGuides(
    tx,
    guides.map((one) => ({ ...one, id: newId(actor.now) })),
    actor.now,
  )
  await audit(
    tx,
    actor,
    ...made.map((objectId) => ({ action: 'staff.imported', objectKind: 'staff', objectId })),
  )
  return made.length
}
