/** SQL of what a brand's systems tell of products, stores, stock and visitors: rows that are the same already are left alone. */
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

/** A row that was written. */
export type Done = { created: boolean }

type Product = {
  id: string
  sku: string
  name: string
  category: string | null
  priceCents: number | null
  costCents: number | null
}

export function upsertProducts(tx: Tx, products: readonly Product[]): Promise<Done[]> {
  return tx.rows<Done>(sql`
    insert into product (id, sku, name, category, price_cents, cost_cents)
    select id, sku, name, category, price, cost from unnest(${products.map((one) => one.id)}::uuid[],
      ${products.map((one) => one.sku)}::text[], ${products.map((one) => one.name)}::text[],
      ${products.map((one) => one.category)}::text[], ${products.map((one) => one.priceCents)}::bigint[],
      ${products.map((one) => one.costCents)}::bigint[]) as n (id, sku, name, category, price, cost)
    order by sku
    on conflict (sku) do update set name = excluded.name, category = excluded.category,
      price_cents = excluded.price_cents, cost_cents = excluded.cost_cents, version = product.version + 1
    where (product.name, product.category, product.price_cents, product.cost_cents)
      is distinct from (excluded.name, excluded.category, excluded.price_cents, excluded.cost_cents)
    returning version = 1 as created`)
}

type Store = { id: string; code: string; name: string; city: string | null; side: string; state: string }

export function upsertStores(tx: Tx, stores: readonly Store[], at: Date): Promise<Done[]> {
  return tx.rows<Done>(sql`
    insert into store (id, code, name, city, side, state, created_at)
    select id, code, name, city, side, state, ${at} from unnest(${stores.map((one) => one.id)}::uuid[],
      ${stores.map((one) => one.code)}::text[], ${stores.map((one) => one.name)}::text[],
      ${stores.map((one) => one.city)}::text[], ${stores.map((one) => one.side)}::text[],
      ${stores.map((one) => one.state)}::text[]) as n (id, code, name, city, side, state)
    order by code
    on conflict (code) do update set name = excluded.name, city = excluded.city, side = excluded.side,
      state = excluded.state, version = store.version + 1
    where (store.name, store.city, store.side, store.state)
      is distinct from (excluded.name, excluded.city, excluded.side, excluded.state)
    returning version = 1 as created`)
}

export async function storesByCode(db: Db, codes: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.rows<{ code: string; id: string }>(
    sql`select code, id from store where code = any(${codes}::text[])`,
  )
  return new Map(rows.map(({ code, id }) => [code, id]))
}

type Stock = { storeId: string; sku: string; quantity: number; at: string }

export function upsertStock(tx: Tx, source: string, levels: readonly Stock[]): Promise<Done[]> {
  return tx.rows<Done>(sql`
    insert into stock_level (store_id, sku, quantity, at, source)
    select store_id, sku, quantity, at, ${source} from unnest(${levels.map((one) => one.storeId)}::uuid[],
      ${levels.map((one) => one.sku)}::text[], ${levels.map((one) => one.quantity)}::numeric[],
      ${levels.map((one) => one.at)}::timestamptz[]) as n (store_id, sku, quantity, at)
    order by store_id, sku
    on conflict (store_id, sku) do update set quantity = excluded.quantity, at = excluded.at, source = excluded.source
    where stock_level.at < excluded.at
    returning xmax = 0 as created`)
}

type Footfall = { storeId: string; day: string; entered: number; passed: number | null }

export function upsertFootfall(
  tx: Tx,
  { source, at }: { source: string; at: Date },
  days: readonly Footfall[],
): Promise<Done[]> {
  return tx.rows<Done>(sql`
    insert into store_footfall (store_id, day, entered, passed, told_at, source)
    select store_id, day, entered, passed, ${at}, ${source} from unnest(${days.map((one) => one.storeId)}::uuid[],
      ${days.map((one) => one.day)}::date[], ${days.map((one) => one.entered)}::int[],
      ${days.map((one) => one.passed)}::int[]) as n (store_id, day, entered, passed)
    order by store_id, day
    on conflict (store_id, day) do update set entered = excluded.entered, passed = excluded.passed,
      told_at = excluded.told_at, source = excluded.source
    where (store_footfall.entered, store_footfall.passed) is distinct from (excluded.entered, excluded.passed)
    returning xmax = 0 as created`)
}
