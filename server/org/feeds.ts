/** What a brand's systems tell of products, stores, stock and visitors: up to date by their codes, each in one transaction. */
import type { BatchFootfall, BatchProduct, BatchStock, BatchStore } from '../../contract/batch.ts'
import { newId } from '../platform/ids.ts'
import type { Database, Db, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { audit } from './audit.ts'
import * as rows from './store-feeds.ts'
import type { Actor } from './viewer.ts'

export type Told = { created: number; changed: number; unchanged: number }
type From = { source: string; actor: Actor }

/** Products by article number; the last of equal ones counts. */
export function tellProducts(
  db: Database,
  { source, actor }: From,
  given: readonly BatchProduct[],
): Promise<Told> {
  const products = lastBy(given, ({ sku }) => sku)
  return db.transaction(async (tx) => {
    const done = await rows.upsertProducts(
      tx,
      products.map((one) => ({ ...one, id: newId(actor.now) })),
    )
    await note(tx, actor, 'product.told', source, done)
    return counted(products.length, done)
  })
}

/** Stores by code; the last of equal ones counts. */
export function tellStores(
  db: Database,
  { source, actor }: From,
  given: readonly BatchStore[],
): Promise<Told> {
  const stores = lastBy(given, ({ code }) => code)
  return db.transaction(async (tx) => {
    const done = await rows.upsertStores(
      tx,
      stores.map((one) => ({ ...one, id: newId(actor.now) })),
      actor.now,
    )
    await note(tx, actor, 'store.told', source, done)
    return counted(stores.length, done)
  })
}

/** Stock by store and article number; the latest word wins. Errors: `bad_row` for a store that nobody knows. */
export function tellStock(db: Database, { source }: From, given: readonly BatchStock[]): Promise<Told> {
  const byTime = [...given].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return db.transaction(async (tx) => {
    const stores = await storesOf(tx, given)
    const told = lastBy(byTime, ({ storeCode, sku }) => `${storeCode}\n${sku}`)
    const done = await rows.upsertStock(
      tx,
      source,
      told.map(({ storeCode, ...one }) => ({ ...one, storeId: stores.get(storeCode) ?? '' })),
    )
    return counted(told.length, done)
  })
}

/** Visitors by store and day; what is told later wins. Errors: `bad_row` for a store that nobody knows. */
export function tellFootfall(
  db: Database,
  { source, actor }: From,
  given: readonly BatchFootfall[],
): Promise<Told> {
  return db.transaction(async (tx) => {
    const stores = await storesOf(tx, given)
    const told = lastBy(given, ({ storeCode, day }) => `${storeCode}\n${day}`)
    const done = await rows.upsertFootfall(
      tx,
      { source, at: actor.now },
      told.map(({ storeCode, ...one }) => ({ ...one, storeId: stores.get(storeCode) ?? '' })),
    )
    return counted(told.length, done)
  })
}

async function storesOf(db: Db, given: readonly { storeCode: string }[]): Promise<Map<string, string>> {
  const stores = await rows.storesByCode(db, [...new Set(given.map(({ storeCode }) => storeCode))])
  const row = given.findIndex(({ storeCode }) => !stores.has(storeCode))
  if (row >= 0) {
    throw new Problem(
      'bad_row',
      `No store has the code ${given[row]?.storeCode}: send it to /batch/stores first.`,
      {
        row,
        field: `items.${row}.storeCode`,
      },
    )
  }
  return stores
}

function lastBy<Item>(given: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(given.map((item) => [keyOf(item), item])).values()]
}

function counted(all: number, done: readonly rows.Done[]): Told {
  const created = done.filter((one) => one.created).length
  return { created, changed: done.length - created, unchanged: all - done.length }
}

async function note(
  tx: Tx,
  actor: Actor,
  action: string,
  source: string,
  done: readonly rows.Done[],
): Promise<void> {
  if (done.length === 0) return
  const { created, changed } = counted(done.length, done)
  await audit(tx, actor, {
    action,
    objectKind: 'source',
    objectId: source,
    after: { created, changed },
  })
}
