import { z } from 'zod'
import type { Page } from '../../contract/base.ts'
import type { Region, Store } from '../../contract/places.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import { newId } from '../platform/ids.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { lostWrite } from '../platform/versioned.ts'
import { audit } from './audit.ts'
import * as rows from './store-places.ts'
import { refusing } from './taken.ts'
import type { Actor } from './viewer.ts'

export function listRegions(db: Db): Promise<rows.RegionRow[]> {
  return rows.selectRegions(db)
}

/** Errors: `conflict` for a code that is taken. */
export function createRegion(
  db: Database,
  actor: Actor,
  given: Omit<Region, 'id'> & { demo?: boolean },
): Promise<rows.RegionRow> {
  return refusing(() =>
    db.transaction(async (tx) => {
      const made = await rows.insertRegion(tx, { ...given, id: newId(actor.now), at: actor.now })
      await audit(tx, actor, {
        action: 'region.created',
        objectKind: 'region',
        objectId: made.id,
        after: given,
      })
      return made
    }),
  )
}

/** Errors: `stale_version` with both, `not_found`, `conflict` for a code that is taken. */
export function changeRegion(db: Database, actor: Actor, given: rows.RegionRow): Promise<rows.RegionRow> {
  return refusing(() =>
    db.transaction(async (tx) => {
      const before = await rows.selectRegion(tx, given.id)
      const after = await rows.updateRegion(tx, given)
      if (!after) throw lostWrite('region', given, await rows.selectRegion(tx, given.id))
      await audit(tx, actor, {
        action: 'region.changed',
        objectKind: 'region',
        objectId: given.id,
        before,
        after,
      })
      return after
    }),
  )
}

export async function listStores(
  db: Db,
  {
    cursor,
    limit,
    ...filter
  }: { regionId?: string | undefined; text?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<Page<rows.StoreRow>> {
  const after = decodeCursor(cursor, z.tuple([z.string(), z.uuid()]))
  const found = await rows.selectStores(db, { ...filter, after, limit: limit + 1 })
  return pageFrom(found, limit, { item: (row) => row, cursor: ({ code, id }) => [code, id] })
}

/** Errors: `conflict` for a code that is taken, `bad_input` for a region that does not exist. */
export function createStore(
  db: Database,
  actor: Actor,
  given: Omit<Store, 'id'> & { demo?: boolean },
): Promise<rows.StoreRow> {
  return refusing(() =>
    db.transaction(async (tx) => {
      const made = await rows.insertStore(tx, { ...given, id: newId(actor.now), at: actor.now })
      await audit(tx, actor, {
        action: 'store.created',
        objectKind: 'store',
        objectId: made.id,
        after: given,
      })
      return made
    }),
  )
}

/** Errors: `stale_version` with both, `not_found`, `conflict`, `bad_input`. */
export function changeStore(db: Database, actor: Actor, given: rows.StoreRow): Promise<rows.StoreRow> {
  return refusing(() =>
    db.transaction(async (tx) => {
      const before = await rows.selectStore(tx, given.id)
      const after = await rows.updateStore(tx, given)
      if (!after) throw lostWrite('store', given, await rows.selectStore(tx, given.id))
      await audit(tx, actor, {
        action: 'store.changed',
        objectKind: 'store',
        objectId: given.id,
        before,
        after,
      })
      return after
    }),
  )
}
