/** SQL of imports. */
import type { FileFormat, ImportCounts, ImportState, Mapping } from '../../../contract/import.ts'
import type { ImportKind } from '../../../contract/import-fields.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql, trusted } from '../../platform/postgres/sql.ts'

export type RunRow = {
  id: string
  kind: ImportKind
  source: string
  state: ImportState
  fileName: string
  path: string
  owned: boolean
  bytes: number
  format: FileFormat
  mapping: Mapping | null
  saidAt: Date | null
  zone: string | null
  dataKey: Buffer
  stage: 'reading' | 'writing' | null
  buckets: number
  bucket: number
  position: number
  chunks: number
  rejectsBytes: number
  counts: ImportCounts | Record<string, never>
  rowsTotal: number | null
  readShare: number
  rowsPerSecond: number | null
  forecast: ImportCounts | null
  cancel: boolean
  failure: string | null
  createdBy: string | null
  createdAt: Date
  finishedAt: Date | null
  undoUntil: Date | null
  forgottenAt: Date | null
  version: number
  importedBefore: string | null
}

const RUN = trusted(`
  r.id, r.kind, r.source, r.state, r.file_name as "fileName", r.path, r.owned, r.bytes, r.format, r.mapping,
  r.said_at as "saidAt", r.zone, r.data_key as "dataKey", r.stage, r.buckets, r.bucket, r.position, r.chunks,
  r.rejects_bytes as "rejectsBytes", r.counts, r.rows_total as "rowsTotal", r.read_share as "readShare",
  r.rows_per_second as "rowsPerSecond", r.forecast, r.cancel, r.failure, r.created_by as "createdBy",
  r.created_at as "createdAt", r.finished_at as "finishedAt", r.undo_until as "undoUntil",
  r.forgotten_at as "forgottenAt", r.version,
  (select o.id from import_run o where o.digest = r.digest and o.state = 'imported' and o.id <> r.id and o.created_at <= r.created_at
   order by o.created_at desc limit 1) as "importedBefore"`)

export type NewRun = Pick<
  RunRow,
  | 'id'
  | 'kind'
  | 'source'
  | 'fileName'
  | 'path'
  | 'owned'
  | 'bytes'
  | 'format'
  | 'dataKey'
  | 'createdBy'
  | 'createdAt'
> & { digest: Buffer }

export async function insertRun(db: Db, run: NewRun): Promise<void> {
  await db.run(sql`
    insert into import_run (id, kind, source, state, file_name, path, owned, bytes, digest, format, data_key, created_by, created_at)
    values (${run.id}, ${run.kind}, ${run.source}, 'uploaded', ${run.fileName}, ${run.path}, ${run.owned}, ${run.bytes},
      ${run.digest}, ${JSON.stringify(run.format)}::jsonb, ${run.dataKey}, ${run.createdBy}, ${run.createdAt})`)
}

export function selectRun(db: Db, id: string): Promise<RunRow | undefined> {
  return db.maybe(sql`select ${RUN} from import_run r where r.id = ${id}`)
}

export function selectRuns(
  db: Db,
  { after, limit }: { after: readonly [string, string] | undefined; limit: number },
): Promise<RunRow[]> {
  const from = after ? sql`where (r.created_at, r.id) < (${after[0]}::timestamptz, ${after[1]}::uuid)` : sql``
  return db.rows(
    sql`select ${RUN} from import_run r ${from} order by r.created_at desc, r.id desc limit ${limit}`,
  )
}

/** Runs with work to do, the oldest first. */
export function selectWaiting(db: Db): Promise<{ id: string }[]> {
  return db.rows(sql`select id from import_run where stage is not null order by created_at limit 20`)
}

/** An unfinished import of the same bytes, which a command goes on with. */
export function selectUnfinished(
  db: Db,
  digest: Buffer,
  kind: ImportKind,
  path: string,
): Promise<RunRow | undefined> {
  return db.maybe(sql`
    select ${RUN} from import_run r
    where r.digest = ${digest} and r.kind = ${kind} and r.path = ${path} and r.state = 'importing'
    order by r.created_at desc limit 1`)
}

export async function updateMapping(
  db: Db,
  run: {
    id: string
    version: number
    kind: ImportKind
    source: string
    mapping: Mapping
    format: FileFormat
  },
): Promise<boolean> {
  const rows = await db.run(sql`
    update import_run
    set kind = ${run.kind}, source = ${run.source}, mapping = ${JSON.stringify(run.mapping)}::jsonb,
      format = ${JSON.stringify(run.format)}::jsonb, version = version + 1, forecast = null,
      state = 'uploaded', counts = '{}', rejects_bytes = 0
    where id = ${run.id} and version = ${run.version} and state in ('uploaded', 'checked', 'cancelled', 'failed')
      and position = 0 and bucket = 0`)
  return rows === 1
}

/** Sets a run going. False where its state does not allow it. */
export async function startRun(
  db: Db,
  run: {
    id: string
    from: readonly ImportState[]
    to: 'checking' | 'importing' | 'undoing'
    stage: 'reading' | 'writing'
    saidAt: Date
    zone: string
  },
): Promise<boolean> {
  const rows = await db.run(sql`
    update import_run
    set state = ${run.to}, stage = ${run.stage}, cancel = false, failure = null, finished_at = null,
      said_at = coalesce(said_at, ${run.saidAt}), zone = coalesce(zone, ${run.zone}), version = version + 1,
      read_share = 0, rows_per_second = null
    where id = ${run.id} and state = any(${run.from}::text[])`)
  return rows === 1
}

/** Notes that the reading begins (again): nothing counts yet. */
export async function beginReading(tx: Tx, id: string, buckets: number): Promise<void> {
  await tx.run(sql`
    update import_run
    set stage = 'reading', buckets = ${buckets}, bucket = 0, position = 0, chunks = 0, rejects_bytes = 0, counts = '{}',
      rows_total = null, read_share = 0
    where id = ${id}`)
}

/** All rows stand in their buckets: from now on a crash goes on with writing. */
export async function beginWriting(
  tx: Tx,
  run: { id: string; counts: ImportCounts; rejectsBytes: number },
): Promise<void> {
  await tx.run(sql`
    update import_run
    set stage = 'writing', counts = ${JSON.stringify(run.counts)}::jsonb, rejects_bytes = ${run.rejectsBytes},
      rows_total = ${run.counts.read}, read_share = 1
    where id = ${run.id}`)
}

/** How the work goes on; true where somebody asked to stop it. Not part of the result. */
export async function noteProgress(
  db: Db,
  run: { id: string; readShare: number; rowsPerSecond: number | null; counts?: ImportCounts },
): Promise<boolean> {
  const counts = run.counts === undefined ? null : JSON.stringify(run.counts)
  const row = await db.maybe<{ cancel: boolean }>(sql`
    update import_run
    set read_share = ${run.readShare}, rows_per_second = ${run.rowsPerSecond},
      counts = coalesce(${counts}::jsonb, counts)
    where id = ${run.id} returning cancel`)
  return row?.cancel ?? true
}

export type Moved = {
  id: string
  bucket: number
  position: number
  chunks: number
  counts: ImportCounts
  rejectsBytes: number
  rowsPerSecond: number | null
}

/** Moves the position in the transaction of the chunk; true where somebody asked to stop. */
export async function movePosition(tx: Tx, to: Moved): Promise<boolean> {
  const { cancel } = await tx.row<{ cancel: boolean }>(sql`
    update import_run
    set bucket = ${to.bucket}, position = ${to.position}, chunks = ${to.chunks},
      counts = ${JSON.stringify(to.counts)}::jsonb, rejects_bytes = ${to.rejectsBytes},
      rows_per_second = ${to.rowsPerSecond}
    where id = ${to.id} and state in ('importing', 'undoing')
    returning cancel`)
  return cancel
}

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
  tx: Tx,
  source: string,
  externalIds: readonly string[],
): Promise<Set<string>> {
  if (externalIds.length === 0) return new Set()
  const rows = await tx.rows<{ externalId: string }>(sql`
    select external_id as "externalId" from document
    where kind = 'order' and source = ${source} and external_id = any(${externalIds}::text[]) and not deleted`)
  return new Set(rows.map((row) => row.externalId))
}

/** Which of these profiles have orders that count. */
export async function selectProfilesInUse(tx: Tx, profileIds: readonly number[]): Promise<number[]> {
  const rows = await tx.rows<{ profileId: number }>(sql`
    select distinct profile_id as "profileId" from document
    where kind = 'order' and profile_id = any(${profileIds}::int[]) and not deleted`)
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

export async function finishRun(
  db: Db,
  run: {
    id: string
    state: ImportState
    at: Date
    counts?: ImportCounts
    forecast?: ImportCounts
    rejectsBytes?: number
    failure?: string
    undoUntil?: Date | null
  },
): Promise<void> {
  const counts = run.counts === undefined ? null : JSON.stringify(run.counts)
  const forecast = run.forecast === undefined ? null : JSON.stringify(run.forecast)
  const undoUntil = run.undoUntil === undefined ? sql`undo_until` : sql`${run.undoUntil}::timestamptz`
  await db.run(sql`
    update import_run
    set state = ${run.state}, stage = null, finished_at = ${run.at}, counts = coalesce(${counts}::jsonb, counts),
      forecast = coalesce(${forecast}::jsonb, forecast), rejects_bytes = coalesce(${run.rejectsBytes ?? null}::bigint, rejects_bytes),
      failure = ${run.failure ?? null}, undo_until = ${undoUntil}, cancel = false
    where id = ${run.id}`)
}

export async function askToStop(db: Db, id: string): Promise<boolean> {
  const rows = await db.run(
    sql`update import_run set cancel = true where id = ${id} and state in ('checking', 'importing')`,
  )
  return rows === 1
}

/** Runs whose files are due to be removed: rejected rows after their time, uploads that nobody started. */
export function selectForgettable(
  db: Db,
  how: { finishedBefore: Date; uploadedBefore: Date },
): Promise<{ id: string }[]> {
  return db.rows(sql`
    select id from import_run
    where forgotten_at is null and stage is null
      and (finished_at < ${how.finishedBefore} or (state in ('uploaded', 'checked') and created_at < ${how.uploadedBefore}))
    limit 200`)
}

export async function markForgotten(db: Db, id: string, at: Date): Promise<void> {
  await db.run(sql`update import_run set forgotten_at = ${at}, rejects_bytes = 0 where id = ${id}`)
}

/** What an undo can no longer need. */
export async function deleteOldChunks(db: Db, now: Date): Promise<void> {
  await db.run(sql`
    delete from import_chunk where import_id in (select id from import_run where undo_until < ${now} and stage is null)`)
}

export type MappingRow = {
  id: string
  kind: ImportKind
  name: string
  mapping: Mapping
  usedAt: Date
  version: number
}
const MAPPING = trusted('id, kind, name, mapping, used_at as "usedAt", version')

export function selectMapping(
  db: Db,
  kind: ImportKind,
  fingerprint: Buffer,
): Promise<MappingRow | undefined> {
  return db.maybe(
    sql`select ${MAPPING} from import_mapping where kind = ${kind} and fingerprint = ${fingerprint}`,
  )
}

export function selectMappings(db: Db, kind: ImportKind | undefined): Promise<MappingRow[]> {
  return db.rows(sql`
    select ${MAPPING} from import_mapping where kind = ${kind ?? null} or ${kind === undefined}
    order by used_at desc, id limit 500`)
}

export async function upsertMapping(
  db: Db,
  m: {
    id: string
    kind: ImportKind
    name: string
    fingerprint: Buffer
    mapping: Mapping
    createdBy: string | null
    at: Date
  },
): Promise<void> {
  await db.run(sql`
    insert into import_mapping (id, kind, name, fingerprint, mapping, created_by, created_at, used_at)
    values (${m.id}, ${m.kind}, ${m.name}, ${m.fingerprint}, ${JSON.stringify(m.mapping)}::jsonb, ${m.createdBy}, ${m.at}, ${m.at})
    on conflict (kind, fingerprint) do update
    set name = excluded.name, mapping = excluded.mapping, used_at = excluded.used_at, version = import_mapping.version + 1`)
}

export async function renameMappingRow(
  db: Db,
  m: { id: string; name: string; version: number },
): Promise<MappingRow | undefined> {
  return db.maybe(sql`
    update import_mapping set name = ${m.name}, version = version + 1
    where id = ${m.id} and version = ${m.version} returning ${MAPPING}`)
}

export function selectMappingById(db: Db, id: string): Promise<MappingRow | undefined> {
  return db.maybe(sql`select ${MAPPING} from import_mapping where id = ${id}`)
}

export async function deleteMapping(db: Db, id: string): Promise<void> {
  await db.run(sql`delete from import_mapping where id = ${id}`)
}
