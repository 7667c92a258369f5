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

/** In the transaction of what was counted, so that nobody counts it again. */
export async function noteCounts(tx: Tx, id: string, counts: ImportCounts): Promise<void> {
  await tx.run(sql`update import_run set counts = ${JSON.stringify(counts)}::jsonb where id = ${id}`)
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
    failure?: string | undefined
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
