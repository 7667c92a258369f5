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

/** Adds stores, without a region. A code that is taken meanwhile is left as it is. Answers the ids of those that were added. */
export async function addStores(tx: Tx, actor: Actor, stores: readonly AddedStore[]): Promise<string[]> {
  if (stores.length === 0) return []
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
  return made
}

/** Adds guides who cannot sign in yet. A login or WeCom user that is taken is left as it is. Answers the ids of those that were added. */
export async function addGuides(tx: Tx, actor: Actor, guides: readonly AddedGuide[]): Promise<string[]> {
  if (guides.length === 0) return []
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
  return made
}

/** Those of these stores and guides that no row names without a reference. Reads whole tables: not in a transaction that others wait for. */
export async function unnamedAmong(
  db: Db,
  { stores, staff }: { stores: readonly string[]; staff: readonly string[] },
): Promise<{ stores: string[]; staff: string[] }> {
  return {
    stores: await rows.selectUnnamed(db, 'store', stores),
    staff: await rows.selectUnnamed(db, 'staff', staff),
  }
}

/**
 * Takes stores and guides away that were added by a file, that no row names (`unnamedAmong`) and that nothing uses: nobody
 * has changed them or given them a password, and nothing refers to them. The trail tells of each. Answers those that went.
 */
export async function removeUnused(
  tx: Tx,
  actor: Actor,
  { stores, staff }: { stores: readonly string[]; staff: readonly string[] },
): Promise<{ stores: string[]; staff: string[] }> {
  const gone = {
    staff: await rows.deleteUnusedStaff(tx, staff),
    stores: await rows.deleteUnusedStores(tx, stores),
  }
  const note = (kind: 'store' | 'staff') => (objectId: string) => ({
    action: `${kind}.import_undone`,
    objectKind: kind,
    objectId,
  })
  await audit(tx, actor, ...gone.staff.map(note('staff')), ...gone.stores.map(note('store')))
  return gone
}
