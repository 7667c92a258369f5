/** SQL of export runs. */
import type { ExportColumnKey, ExportRun } from '../../../contract/exports.ts'
import type { Lang } from '../../../contract/lifecycle.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql, trusted } from '../../platform/postgres/sql.ts'

export type RunRow = {
  id: string
  segmentId: number | null
  segment: string | null
  format: ExportRun['format']
  columns: ExportColumnKey[]
  lang: Lang
  fullPhones: boolean
  state: ExportRun['state']
  dataKey: Buffer | null
  rows: number
  total: number | null
  rowsPerSecond: number | null
  bytes: number | null
  sheets: number | null
  cancel: boolean
  failure: string | null
  createdBy: string
  createdAt: Date
  finishedAt: Date | null
  expiresAt: Date | null
}

const RUN = trusted(`id, segment_id as "segmentId", segment_name as "segment", format, columns, lang,
  full_phones as "fullPhones", state, data_key as "dataKey", rows, total, rows_per_second as "rowsPerSecond", bytes, sheets,
  cancel, failure, created_by as "createdBy", created_at as "createdAt", finished_at as "finishedAt", expires_at as "expiresAt"`)

export type NewRun = Pick<
  RunRow,
  'id' | 'segmentId' | 'segment' | 'format' | 'columns' | 'lang' | 'fullPhones' | 'createdBy' | 'createdAt'
> & { dataKey: Buffer }

export async function insertRun(tx: Tx, run: NewRun): Promise<void> {
  await tx.run(sql`
    insert into export_run (id, segment_id, segment_name, format, columns, lang, full_phones, data_key, created_by, created_at)
    values (${run.id}, ${run.segmentId}, ${run.segment}, ${run.format}, ${run.columns}, ${run.lang}, ${run.fullPhones},
      ${run.dataKey}, ${run.createdBy}, ${run.createdAt})`)
}

export async function countOpen(tx: Tx, staffId: string): Promise<number> {
  const { open } = await tx.row<{ open: number }>(sql`
    select count(*)::int as open from export_run where created_by = ${staffId} and state in ('waiting', 'writing')`)
  return open
}

export function selectRun(db: Db, id: string): Promise<RunRow | undefined> {
  return db.maybe(sql`select ${RUN} from export_run where id = ${id}`)
}

export function selectOwnRuns(db: Db, staffId: string, limit: number): Promise<RunRow[]> {
  return db.rows(sql`
    select ${RUN} from export_run where created_by = ${staffId} order by created_at desc, id desc limit ${limit}`)
}

/** The runs that nobody has finished, the oldest first. */
export async function selectWaiting(db: Db): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`
    select id from export_run where state in ('waiting', 'writing') order by created_at, id limit 10`)
  return rows.map(({ id }) => id)
}

/** From the first row on, whatever an earlier process has written. */
export async function beginRun(tx: Tx, id: string): Promise<void> {
  await tx.run(sql`
    update export_run set state = 'writing', rows = 0, total = null, rows_per_second = null
    where id = ${id} and state in ('waiting', 'writing')`)
}

/** Notes how far it is; true where somebody asked to stop, or the run is over. */
export async function noteRows(
  db: Db,
  run: { id: string; rows: number; total: number; rowsPerSecond: number | null },
): Promise<boolean> {
  const row = await db.maybe<{ cancel: boolean }>(sql`
    update export_run set rows = ${run.rows}, total = ${run.total}, rows_per_second = ${run.rowsPerSecond}
    where id = ${run.id} and state = 'writing' returning cancel`)
  return row?.cancel ?? true
}

export type Ended = {
  id: string
  state: 'done' | 'cancelled' | 'failed'
  at: Date
  rows?: number
  bytes?: number
  sheets?: number
  expiresAt?: Date
  failure?: string
}

/** False where it was over already. What is not done can be opened by nobody. */
export async function endRun(tx: Tx, run: Ended): Promise<boolean> {
  const ended = await tx.run(sql`
    update export_run set state = ${run.state}, finished_at = ${run.at}, cancel = false,
      rows = coalesce(${run.rows ?? null}::int, rows), total = coalesce(${run.rows ?? null}::int, total),
      bytes = ${run.bytes ?? null}, sheets = ${run.sheets ?? null}, expires_at = ${run.expiresAt ?? null},
      failure = ${run.failure ?? null}, data_key = case when ${run.state} = 'done' then data_key end
    where id = ${run.id} and state in ('waiting', 'writing') and (${run.state} <> 'done' or not cancel)`)
  return ended === 1
}

/** Asks a run that is under way to stop; one that waits ends at once. */
export async function cancelRun(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.run(sql`
    update export_run set cancel = true where id = ${id} and state = 'writing'`)
  await tx.run(sql`
    update export_run set state = 'cancelled', finished_at = ${at}, data_key = null where id = ${id} and state = 'waiting'`)
}

/** Files that are done are forgotten: nobody can open them any more. Answers which. */
export async function forgetRuns(
  db: Db,
  which: { id: string } | { expiredAt: Date } | { all: true },
): Promise<string[]> {
  const of = 'id' in which ? sql`id = ${which.id}` : sql`true`
  const when = 'expiredAt' in which ? sql`expires_at <= ${which.expiredAt}` : sql`true`
  const rows = await db.rows<{ id: string }>(sql`
    update export_run set state = 'gone', data_key = null, expires_at = null
    where state = 'done' and ${of} and ${when} returning id`)
  return rows.map(({ id }) => id)
}

/** Nothing that was or is being written can be opened any more: somebody was erased who may stand in it. */
export async function endAll(tx: Tx, failure: string, at: Date): Promise<void> {
  await tx.run(sql`
    update export_run set state = case when state = 'done' then 'gone' else 'failed' end, data_key = null,
      expires_at = null, finished_at = coalesce(finished_at, ${at}),
      failure = case when state = 'done' then null else ${failure}::text end
    where state in ('waiting', 'writing', 'done')`)
}

/** Runs that are over, long enough ago that nobody looks for them. */
export async function deleteOldRuns(db: Db, before: Date): Promise<void> {
  await db.run(
    sql`delete from export_run where state in ('gone', 'cancelled', 'failed') and finished_at < ${before}`,
  )
}

/** Of those ids the ones whose file may stand on the disk. */
export async function selectKept(db: Db, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db.rows<{ id: string }>(sql`
    select id from export_run where id = any(${ids}::uuid[]) and state in ('waiting', 'writing', 'done')`)
  return new Set(rows.map(({ id }) => id))
}
