/** SQL of what chunks wrote, and of the orders and refunds that they stand on. */
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

export type ChunkLog = {
  importId: string
  number: number
  created: string[]
  versions: Record<string, number>
  /** JSON text of documents as they were. */
  changed: unknown[]
  refunds: { externalId: string; orderExternalId: string; before: unknown }[]
}

export async function insertChunk(tx: Tx, chunk: ChunkLog): Promise<void> {
  await tx.run(sql`
    insert into import_chunk (import_id, number, created, versions, changed, refunds)
    values (${chunk.importId}, ${chunk.number}, ${chunk.created}::text[], ${JSON.stringify(chunk.versions)}::jsonb,
      ${JSON.stringify(chunk.changed)}::jsonb, ${JSON.stringify(chunk.refunds)}::jsonb)`)
}

/** The latest chunk that is not taken back. */
export function selectLastChunk(tx: Tx, importId: string): Promise<ChunkLog | undefined> {
  return tx.maybe(sql`
    select import_id as "importId", number, created, versions, changed, refunds
    from import_chunk where import_id = ${importId} order by number desc limit 1`)
}

export async function deleteChunk(tx: Tx, importId: string, number: number): Promise<void> {
  await tx.run(sql`delete from import_chunk where import_id = ${importId} and number = ${number}`)
}

/** Versions of orders, where they are not 1. */
export async function selectVersions(
  tx: Tx,
  source: string,
  externalIds: readonly string[],
): Promise<Map<string, number>> {
  if (externalIds.length === 0) return new Map()
  const rows = await tx.rows<{ externalId: string; version: number }>(sql`
    select external_id as "externalId", version from document
    where kind = 'order' and source = ${source} and external_id = any(${externalIds}::text[]) and version <> 1`)
  return new Map(rows.map((row) => [row.externalId, row.version]))
}

/** Which of these orders are known, and not deleted. */
export async function selectKnownOrders(
  db: Db,
  source: string,
  externalIds: readonly string[],
): Promise<Set<string>> {
  if (externalIds.length === 0) return new Set()
  const rows = await db.rows<{ externalId: string }>(sql`
    select external_id as "externalId" from document
    where kind = 'order' and source = ${source} and external_id = any(${externalIds}::text[]) and not deleted`)
  return new Set(rows.map((row) => row.externalId))
}

/** Which of these profiles have orders that count, or are named by events of the doors. */
export async function selectProfilesInUse(tx: Tx, profileIds: readonly number[]): Promise<number[]> {
  const rows = await tx.rows<{ profileId: number }>(sql`
    select profile_id as "profileId" from document
    where kind = 'order' and profile_id = any(${profileIds}::int[]) and not deleted
    union select profile_id from event_profile where profile_id = any(${profileIds}::int[])`)
  return rows.map((row) => row.profileId)
}

export type RefundBefore = {
  externalId: string
  body: { at: string; refundedCents: number; lines: { sku: string; refundedCents: number }[] }
}

/** Refunds as they stand, by their document id ('order/refund'). */
export async function selectRefunds(
  tx: Tx,
  source: string,
  externalIds: readonly string[],
): Promise<Map<string, RefundBefore['body']>> {
  if (externalIds.length === 0) return new Map()
  const rows = await tx.rows<RefundBefore>(sql`
    select external_id as "externalId", body from document
    where kind = 'refund' and source = ${source} and external_id = any(${externalIds}::text[])`)
  return new Map(rows.map((row) => [row.externalId, row.body]))
}

/** What an undo can no longer need. */
export async function deleteOldChunks(db: Db, now: Date): Promise<void> {
  await db.run(sql`
    delete from import_chunk where import_id in (select id from import_run where undo_until < ${now} and stage is null)`)
}
