/**
 * Exports that pages ask for: written by one process at a time, under a lease, into files that only their asker can fetch.
 *
 * Always true: what may be written is decided by who the asker is when it is written, and again when it is fetched. A
 * file has its name, and its run says `done`, only once it is whole; whoever dies before that leaves a run that the next
 * process begins anew. The key of a file stands in its run: what is cancelled, over time, or may hold somebody who was
 * erased, can be opened by nobody from the moment at which the database says so.
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EXPORT_KEPT_HOURS, type ExportColumnKey, type ExportRun } from '../../../contract/exports.ts'
import { inSegment } from '../../audience/audience.ts'
import { type Follower, visibleTo, writeMembersFile } from '../../members/members.ts'
import { audit, brand, type Viewer, viewerOfStaff } from '../../org/org.ts'
import { crashPoint } from '../../platform/crash.ts'
import type { Keyring } from '../../platform/crypto/master-key.ts'
import { type BytesSeal, readSealedBytes } from '../../platform/crypto/sealed-bytes.ts'
import { isDiskFull } from '../../platform/data-directory.ts'
import { newId } from '../../platform/ids.ts'
import { fence, type Held } from '../../platform/jobs/lease.ts'
import { type Database, type Db, isPostgresAway } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import { Problem } from '../../platform/problem.ts'
import type { Clock } from '../../platform/time/clock.ts'
import { exported } from './columns.ts'
import {
  beginRun,
  cancelRun,
  countOpen,
  deleteOldRuns,
  type Ended,
  endAll,
  endRun,
  forgetRuns,
  insertRun,
  noteRows,
  type RunRow,
  selectKept,
  selectOwnRuns,
  selectRun,
} from './store.ts'

export type ExportParts = {
  db: Database
  keyring: Keyring
  clock: Clock
  /** Of the data directory. */
  folder: string
}

const MOST_OPEN = 3
const SHOWN = 30
const HOUR_MS = 3_600_000
const REMEMBERED_MS = 30 * 24 * HOUR_MS
const NOTED_MS = 500
const NAMES = { zh: '会员', en: 'Members' } as const

export type Asked = {
  segmentId: number | null
  format: ExportRun['format']
  columns: ExportColumnKey[]
  fullPhones: boolean
  lang: 'zh' | 'en'
}

/** May this viewer have whole numbers in a file? */
function mayTakeNumbers({ rights, maySeePersonal }: Viewer): boolean {
  return maySeePersonal && rights.includes('export')
}

/**
 * Puts an export into the queue. Errors: `not_allowed` for whole numbers without the right, `not_found` for the segment,
 * `too_many` while three of the same asker are under way, `not_ready` for a segment that was never computed.
 */
export async function askForExport(
  parts: ExportParts,
  asked: Asked,
  { viewer, now }: { viewer: Viewer; now: Date },
): Promise<ExportRun> {
  if (asked.fullPhones && !mayTakeNumbers(viewer))
    throw new Problem('not_allowed', 'Whole phone numbers in a file need the right export.', {
      field: 'fullPhones',
    })
  const segment = asked.segmentId === null ? undefined : await inSegment(parts.db, asked.segmentId)
  const id = newId(now)
  const { wrapped } = parts.keyring.cipher.newKey(contextOf(id))
  await parts.db.transaction(async (tx) => {
    if ((await countOpen(tx, viewer.staffId)) >= MOST_OPEN)
      throw new Problem('too_many', 'Three of your exports are under way. Wait for one, or stop it.')
    await insertRun(tx, {
      id,
      ...asked,
      segment: segment?.name ?? null,
      dataKey: wrapped,
      createdBy: viewer.staffId,
      createdAt: now,
    })
    await audit(tx, { viewer, now }, { action: 'export.asked', ...noteOf(id, asked, segment?.name) })
  })
  return shown(await own(parts.db, id, viewer))
}

function noteOf(id: string, { segmentId, format, columns, fullPhones }: Asked, segment: string | undefined) {
  return {
    objectKind: 'export',
    objectId: id,
    after: { segmentId, segment: segment ?? null, format, columns, fullPhones } as Record<string, unknown>,
  }
}

/** The own export. Errors: `not_found`, also for somebody else's. */
export async function showExport(parts: ExportParts, id: string, viewer: Viewer): Promise<ExportRun> {
  return shown(await own(parts.db, id, viewer))
}

export async function listExports(parts: ExportParts, viewer: Viewer): Promise<ExportRun[]> {
  return (await selectOwnRuns(parts.db, viewer.staffId, SHOWN)).map(shown)
}

/** Stops what is under way; takes a file away that is done. Errors: `not_found`. */
export async function cancelExport(
  parts: ExportParts,
  id: string,
  { viewer, now }: { viewer: Viewer; now: Date },
): Promise<ExportRun> {
  await own(parts.db, id, viewer)
  await parts.db.transaction((tx) => cancelRun(tx, id, now))
  for (const gone of await forgetRuns(parts.db, { id })) await removeFiles(parts, gone)
  return shown(await own(parts.db, id, viewer))
}

/**
 * The file for its asker, noted in the audit trail. Errors: `not_found`, `not_ready` while it is written, `gone` once it is
 * over or no more, `not_allowed` where it holds whole numbers and the asker has lost the right.
 */
export async function fetchExport(
  parts: ExportParts,
  id: string,
  { viewer, now }: { viewer: Viewer; now: Date },
): Promise<{ name: string; format: ExportRun['format']; bytes: number; pieces: AsyncGenerator<Buffer> }> {
  const run = await own(parts.db, id, viewer)
  if (run.state === 'waiting' || run.state === 'writing')
    throw new Problem('not_ready', 'This export is still being written.')
  const { dataKey, expiresAt, bytes } = run
  if (run.state !== 'done' || !dataKey || !expiresAt || expiresAt <= now || bytes === null)
    throw new Problem('gone', 'This file is not kept any more. Export again.')
  if (run.fullPhones && !mayTakeNumbers(viewer))
    throw new Problem('not_allowed', 'Whole phone numbers in a file need the right export.')
  const { whole } = filesOf(parts, id)
  if (!(await stat(whole).catch(() => undefined)))
    throw new Problem('gone', 'This file is not on this machine. Export again.')
  const note = noteOf(id, run, run.segment ?? undefined)
  note.after['rows'] = run.rows
  await audit(parts.db, { viewer, now }, { action: 'export.downloaded', ...note })
  return {
    name: `${run.segment ?? NAMES[run.lang]}.${run.format}`,
    format: run.format,
    bytes,
    pieces: readSealedBytes(whole, sealOf(parts, id, dataKey)),
  }
}

async function own(db: Db, id: string, viewer: Viewer): Promise<RunRow> {
  const run = await selectRun(db, id)
  if (!run || run.createdBy !== viewer.staffId) throw new Problem('not_found', 'There is no such export.')
  return run
}

/** Not to be done, for a reason that the asker reads. */
class Refused extends Error {
  override name = 'Refused'
}
class Stopped extends Error {
  override name = 'Stopped'
}

/** Writes one run to its end, from the beginning. Errors: `LeaseLost` and the signal's reason; then it is begun anew later. */
export async function writeExport(parts: ExportParts, id: string, held: Held): Promise<void> {
  const { db, clock } = parts
  const run = await selectRun(db, id)
  if (!run || (run.state !== 'waiting' && run.state !== 'writing')) return
  const end = (ended: Omit<Ended, 'id' | 'at'>) => finish(parts, run, { ...ended, id, at: clock.now() }, held)
  try {
    const written = await writeFile(parts, run, held)
    const expiresAt = new Date(clock.now().getTime() + EXPORT_KEPT_HOURS * HOUR_MS)
    crashPoint('export.written')
    await end({ state: 'done', ...written, expiresAt })
  } catch (error) {
    if (held.signal.aborted) throw error
    await removeFiles(parts, id)
    if (error instanceof Stopped) await end({ state: 'cancelled' })
    else if (error instanceof Refused || error instanceof Problem)
      await end({ state: 'failed', failure: error.message })
    else if (isDiskFull(error)) await end({ state: 'failed', failure: 'The disk is full.' })
    else {
      // While the database is away the run waits; what is a fault of the program must not be tried for ever.
      if (!isPostgresAway(error)) await end({ state: 'failed', failure: 'It was broken off by an error.' })
      throw error
    }
  }
}

async function writeFile(parts: ExportParts, run: RunRow, held: Held) {
  const { db, keyring } = parts
  const viewer = await viewerOfStaff(db, run.createdBy)
  if (!viewer) throw new Refused('Who asked for it is not active any more.')
  if (run.fullPhones && !mayTakeNumbers(viewer))
    throw new Refused('Whole phone numbers in a file need the right export.')
  if (run.cancel || !run.dataKey) throw new Stopped()
  await db.transaction(async (tx) => {
    await fence(tx, held)
    await beginRun(tx, run.id)
  })
  await removeFiles(parts, run.id)
  const { folder, draft, whole } = filesOf(parts, run.id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const written = await writeMembersFile(
    db,
    keyring,
    {
      path: draft,
      format: run.format,
      ...exported(run.columns, { lang: run.lang, zone: (await brand(db)).zone }),
      where: await whereOf(db, run.segmentId, viewer),
      open: { names: viewer.maySeePersonal, phones: run.fullPhones },
      sheetName: run.segment ?? NAMES[run.lang],
      seal: sealOf(parts, run.id, run.dataKey),
    },
    { signal: held.signal, onProgress: noting(db, run.id) },
  )
  await rename(draft, whole)
  return written
}

/** The persons of the segment, or all, whom the viewer may see. */
export async function whereOf(db: Db, segmentId: number | null, viewer: Viewer): Promise<Sql> {
  const visible = visibleTo(viewer)
  return segmentId === null ? visible : sql`${visible} and ${(await inSegment(db, segmentId)).condition}`
}

/** Notes the progress twice a second, and throws `Stopped` where somebody asked to stop. */
function noting(db: Db, id: string): (rows: number, total: number) => Promise<void> {
  const begun = performance.now()
  let noted = 0
  return async (rows, total) => {
    if (performance.now() - noted < NOTED_MS) return
    noted = performance.now()
    const seconds = (noted - begun) / 1000
    if (await noteRows(db, { id, rows, total, rowsPerSecond: seconds < 0.2 ? null : rows / seconds }))
      throw new Stopped()
  }
}

/** With the line in the audit trail that says how many were written, under the name of who asked. */
async function finish(parts: ExportParts, run: RunRow, ended: Ended, held: Held): Promise<void> {
  const over = await parts.db.transaction(async (tx) => {
    await fence(tx, held)
    if (!(await endRun(tx, ended))) {
      // Somebody asked to stop in the last moment, or it is over by an erasure.
      if (ended.state === 'done') await endRun(tx, { id: ended.id, state: 'cancelled', at: ended.at })
      return true
    }
    if (ended.state !== 'done') return false
    const viewer = await viewerOfStaff(tx, run.createdBy)
    const note = noteOf(run.id, run, run.segment ?? undefined)
    note.after['rows'] = ended.rows
    if (viewer) await audit(tx, { viewer, now: ended.at }, { action: 'export.finished', ...note })
    return false
  })
  if (over) await removeFiles(parts, run.id)
}

/** What is due goes: files that are over their time, and what a crash left behind. Answers how many ran out. */
export async function forgetExports(parts: ExportParts, now: Date): Promise<number> {
  const gone = await forgetRuns(parts.db, { expiredAt: now })
  const { folder } = filesOf(parts, '')
  const names = await readdir(folder).catch(() => [])
  const ids = names.map((name) => name.split('.')[0] ?? '').filter((name) => UUID.test(name))
  const kept = await selectKept(parts.db, ids)
  for (const id of ids) if (!kept.has(id)) await removeFiles(parts, id)
  await deleteOldRuns(parts.db, new Date(now.getTime() - REMEMBERED_MS))
  return gone.length
}

/** An erasure ends every file: nobody knows who stands in it without opening it. */
export const exportFollower: Follower = {
  name: 'exports',
  merged: async () => undefined,
  split: async () => undefined,
  async erased(tx, { at }) {
    await endAll(tx, 'A member was erased meanwhile. Export again.', at)
  },
}

const UUID = /^[0-9a-f-]{36}$/

function filesOf({ folder: root }: ExportParts, id: string) {
  const folder = join(root, 'exports')
  return { folder, draft: join(folder, `${id}.partial`), whole: join(folder, `${id}.file`) }
}

async function removeFiles(parts: ExportParts, id: string): Promise<void> {
  const { draft, whole } = filesOf(parts, id)
  await rm(draft, { force: true })
  await rm(whole, { force: true })
}

function contextOf(id: string): string {
  return `export:${id}`
}

function sealOf({ keyring: { cipher } }: ExportParts, id: string, dataKey: Buffer): BytesSeal {
  return { cipher, key: cipher.unwrap(dataKey, contextOf(id)), context: contextOf(id) }
}

function shown({ dataKey: _, cancel, createdBy: __, lang: ___, ...run }: RunRow): ExportRun {
  const { state, rows, total, rowsPerSecond } = run
  const writing = state === 'writing'
  const left = writing && total !== null && rowsPerSecond !== null && rowsPerSecond > 0
  return {
    ...run,
    segmentId: run.segmentId as ExportRun['segmentId'],
    done: state === 'done' ? 1 : Math.min(1, rows / Math.max(1, total ?? 1)),
    rowsPerSecond: writing ? rowsPerSecond : null,
    secondsLeft: left ? (total - rows) / rowsPerSecond : null,
    createdAt: run.createdAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    expiresAt: run.expiresAt?.toISOString() ?? null,
  }
}
