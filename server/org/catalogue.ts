import { z } from 'zod'
import type { Page } from '../../contract/base.ts'
import type { CalendarEntry, Product } from '../../contract/catalogue.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import { newId } from '../platform/ids.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { lostWrite } from '../platform/versioned.ts'
import { audit } from './audit.ts'
import * as rows from './store.ts'
import { refusing } from './taken.ts'
import type { Actor } from './viewer.ts'

export async function listProducts(
  db: Db,
  { cursor, limit, text }: { text?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<Page<rows.ProductRow>> {
  const after = decodeCursor(cursor, z.tuple([z.string(), z.uuid()]))
  const found = await rows.selectProducts(db, { text, after, limit: limit + 1 })
  return pageFrom(found, limit, { item: (row) => row, cursor: ({ sku, id }) => [sku, id] })
}

/** Errors: `conflict` for an article number that is taken. */
export function createProduct(
  db: Database,
  actor: Actor,
  given: Omit<Product, 'id'> & { demo?: boolean },
): Promise<rows.ProductRow> {
  return refusing(() =>
    db.transaction(async (tx) => {
      const made = await rows.insertProduct(tx, { ...given, id: newId(actor.now) })
      await audit(tx, actor, {
        action: 'product.created',
        objectKind: 'product',
        objectId: made.id,
        after: given,
      })
      return made
    }),
  )
}

/** Errors: `stale_version` with both, `not_found`, `conflict`. */
export function changeProduct(db: Database, actor: Actor, given: rows.ProductRow): Promise<rows.ProductRow> {
  return refusing(() =>
    db.transaction(async (tx) => {
      const before = await rows.selectProduct(tx, given.id)
      const after = await rows.updateProduct(tx, given)
      if (!after) throw lostWrite('product', given, await rows.selectProduct(tx, given.id))
      await audit(tx, actor, {
        action: 'product.changed',
        objectKind: 'product',
        objectId: given.id,
        before,
        after,
      })
      return after
    }),
  )
}

/** Entries that touch the days from `from` to `to`. */
export function listCalendar(
  db: Db,
  { from, to }: { from?: string | undefined; to?: string | undefined },
): Promise<rows.CalendarRow[]> {
  return rows.selectCalendar(db, from, to)
}

/** Errors: `bad_input` for a window that ends before it begins. */
export function createCalendarEntry(
  db: Database,
  actor: Actor,
  given: Omit<CalendarEntry, 'id'>,
): Promise<rows.CalendarRow> {
  refuseBackwards(given)
  return db.transaction(async (tx) => {
    const made = await rows.insertCalendarEntry(tx, { ...given, id: newId(actor.now) })
    await audit(tx, actor, {
      action: 'calendar.created',
      objectKind: 'calendar',
      objectId: made.id,
      after: given,
    })
    return made
  })
}

/** Errors: `stale_version` with both, `not_found`, `bad_input`. */
export function changeCalendarEntry(
  db: Database,
  actor: Actor,
  given: rows.CalendarRow,
): Promise<rows.CalendarRow> {
  refuseBackwards(given)
  return db.transaction(async (tx) => {
    const before = await rows.selectCalendarEntry(tx, given.id)
    const after = await rows.updateCalendarEntry(tx, given)
    if (!after) throw lostWrite('calendar entry', given, await rows.selectCalendarEntry(tx, given.id))
    await audit(tx, actor, {
      action: 'calendar.changed',
      objectKind: 'calendar',
      objectId: given.id,
      before,
      after,
    })
    return after
  })
}

/** Errors: `not_found`. */
export async function removeCalendarEntry(db: Database, actor: Actor, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    const before = await rows.selectCalendarEntry(tx, id)
    if (!(await rows.deleteCalendarEntry(tx, id))) throw lostWrite('calendar entry', undefined, undefined)
    await audit(tx, actor, { action: 'calendar.removed', objectKind: 'calendar', objectId: id, before })
  })
}

function refuseBackwards({ firstDay, lastDay }: { firstDay: string; lastDay: string }): void {
  if (lastDay < firstDay)
    throw new Problem('bad_input', 'The last day lies before the first.', { field: 'lastDay' })
}
