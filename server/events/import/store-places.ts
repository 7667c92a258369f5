/** SQL of the stores and staff that imports added. */
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export type Places = { stores: string[]; staff: string[] }

export async function insertPlaces(tx: Tx, importId: string, { stores, staff }: Places): Promise<void> {
  if (stores.length + staff.length === 0) return
  await tx.run(sql`
    insert into import_place (import_id, kind, place_id)
    select ${importId}::uuid, 'store', id from unnest(${stores}::uuid[]) id
    union all select ${importId}::uuid, 'staff', id from unnest(${staff}::uuid[]) id
    on conflict do nothing`)
}

/** What the import added and its undo has not taken away yet. */
export async function selectPlaces(db: Db, importId: string): Promise<Places> {
  const rows = await db.rows<{ kind: 'store' | 'staff'; id: string }>(
    sql`select kind, place_id as id from import_place where import_id = ${importId} order by 1, 2`,
  )
  const of = (kind: 'store' | 'staff'): string[] =>
    rows.filter((row) => row.kind === kind).map(({ id }) => id)
  return { stores: of('store'), staff: of('staff') }
}

/** Whether an import beside this one has begun and not ended; none begins before the end of the transaction. */
export async function isAnotherUnderWay(tx: Tx, importId: string): Promise<boolean> {
  await tx.run(sql`lock table import_run in share mode`)
  const other = sql`select from import_run where stage is not null and id <> ${importId} limit 1`
  return (await tx.maybe(other)) !== undefined
}

export async function forgetPlaces(tx: Tx, importId: string): Promise<void> {
  await tx.run(sql`delete from import_place where import_id = ${importId}`)
}

/** Which of them orders name that were written since then; their bodies are read, so ask for all at once. */
export async function placesInOrders(db: Db, { stores, staff }: Places, since: Date): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    select distinct id from document d cross join lateral (values (d.body->>'storeId'), (d.body->>'sellerId')) as named (id)
    where d.kind = 'order' and d.recorded_at >= ${since} and not d.deleted and named.id = any(${[...stores, ...staff]}::text[])`)
  return rows.map(({ id }) => id)
}
