/** Imports as the pages and the command line use them: a run from its file to its undo. */
import { createWriteStream } from 'node:fs'
import { resolve as absolute, basename } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type {
  ColumnGuess,
  FileFormat,
  ImportDefaults,
  ImportPreview,
  ImportRun,
  Mapping,
  RejectedRow,
} from '../../../contract/import.ts'
import type { ImportKind } from '../../../contract/import-fields.ts'
import { brand } from '../../org/org.ts'
import { newId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { digestFile, exists, filesOf, makeFolder, removeAll } from './folder.ts'
import { checkMapping, fingerprint, guessColumns, guessKind, mappingOf } from './mapping.ts'
import { openSheet, recognise, type Sheet } from './reader.ts'
import { parseRejects, REJECTS_HEAD } from './rejects.ts'
import type { Row } from './row.ts'
import { workOn } from './run.ts'
import { sealOf, streamSealed } from './sealed-file.ts'
import {
  askToStop,
  insertRun,
  type RunRow,
  selectMapping,
  selectRun,
  selectUnfinished,
  startRun,
  updateMapping,
  upsertMapping,
} from './store.ts'
import { showCell } from './values.ts'
import { countsOf, type ImportParts, READ_SHARE, type Watch } from './work.ts'

const PREVIEW_ROWS = 20
/** Rows that guesses look at. */
const SAMPLE_ROWS = 200

/** Where imported numbers belong when nobody says otherwise. */
export function usualSource(kind: ImportKind): string {
  return kind === 'contacts' ? 'wecom' : 'file'
}

/** Takes a file in. Errors: `unsupported_file` with a sentence; nothing is left behind then. */
export async function receiveUpload(
  parts: ImportParts,
  given: { name: string; kind?: ImportKind | undefined; body: Readable; by: string | null; now: Date },
): Promise<ImportPreview> {
  const id = newId(given.now)
  const files = filesOf(parts.folder, id)
  await makeFolder(files)
  try {
    await pipeline(given.body, createWriteStream(files.upload, { mode: 0o600 }))
    await createRun(parts, { ...given, id, path: files.upload, owned: true, name: basename(given.name) })
  } catch (error) {
    await removeAll(files)
    throw error
  }
  return preview(parts, id)
}

async function createRun(
  parts: ImportParts,
  given: {
    id: string
    name: string
    path: string
    owned: boolean
    kind?: ImportKind | undefined
    source?: string | undefined
    by: string | null
    now: Date
  },
): Promise<void> {
  const files = filesOf(parts.folder, given.id)
  const { format } = await recognise(given.path)
  const kind = given.kind ?? guessKind((await sampleOf(given.path, format, files.folder)).headings)
  const { digest, bytes } = await digestFile(given.path)
  await insertRun(parts.db, {
    id: given.id,
    kind,
    source: given.source ?? usualSource(kind),
    fileName: given.name.slice(0, 200),
    path: given.path,
    owned: given.owned,
    bytes,
    digest,
    format,
    dataKey: parts.cipher.newKey(`import:${given.id}`).wrapped,
    createdBy: given.by,
    createdAt: given.now,
  })
}

type Sample = { headings: readonly string[]; rows: Row[] }

async function sampleOf(path: string, format: FileFormat, folder: string): Promise<Sample> {
  const sheet: Sheet = await openSheet(path, format, folder, { headOnly: SAMPLE_ROWS })
  const rows: Row[] = []
  try {
    for await (const batch of sheet.batches) {
      rows.push(...batch)
      if (rows.length >= SAMPLE_ROWS) break
    }
  } finally {
    sheet.close()
  }
  return { headings: sheet.headings, rows: rows.slice(0, SAMPLE_ROWS) }
}

/**
 * The first rows and what the columns seem to mean, read as `tried` says where it says something.
 * Errors: `not_found`, `gone` when the file was removed.
 */
export async function preview(
  parts: ImportParts,
  id: string,
  kind?: ImportKind,
  tried: { [Part in keyof FileFormat]?: FileFormat[Part] | undefined } = {},
): Promise<ImportPreview> {
  const stored = await known(parts, id)
  const said = Object.fromEntries(Object.entries(tried).filter(([, value]) => value !== undefined))
  const run = { ...stored, format: { ...stored.format, ...said } }
  if (!(await exists(run.path))) throw new Problem('gone', 'The file is not there any more: upload it again.')
  const { sheets } = await recognise(run.path)
  const sample = await sampleOf(run.path, run.format, filesOf(parts.folder, id).folder)
  const guessed = await guess(parts, kind ?? run.kind, sample)
  return {
    run: shown(run),
    columns: guessed.columns,
    rows: sample.rows.slice(0, PREVIEW_ROWS).map((row) => ({
      number: row.number,
      cells: row.problem ? [row.problem.value] : row.cells.map(showCell),
    })),
    savedMapping: guessed.saved,
    sheets,
  }
}

async function guess(
  parts: ImportParts,
  kind: ImportKind,
  sample: Sample,
): Promise<{ columns: ColumnGuess[]; saved: { id: string; name: string } | null }> {
  const saved = await selectMapping(parts.db, kind, fingerprint(sample.headings))
  const rows = sample.rows.map((row) => row.cells)
  return {
    columns: guessColumns(kind, { headings: sample.headings, rows }, saved?.mapping),
    saved: saved ? { id: saved.id, name: saved.name } : null,
  }
}

/** Says what the columns mean. Errors: `bad_input` by field, `stale_version`, `not_ready` once rows were written. */
export async function mapColumns(
  parts: ImportParts,
  given: {
    id: string
    version: number
    kind: ImportKind
    source: string
    mapping: Mapping
    format: Partial<FileFormat>
    saveAs?: string | undefined
    by: string | null
    now: Date
  },
): Promise<ImportRun> {
  checkMapping(given.kind, given.mapping)
  const run = await known(parts, given.id)
  const format = { ...run.format, ...given.format }
  if (!(await updateMapping(parts.db, { ...given, format }))) {
    if (run.version !== given.version) {
      throw new Problem('stale_version', 'This import was changed by someone else meanwhile.', {
        details: { yours: given.version, theirs: shown(run) },
      })
    }
    throw new Problem(
      'not_ready',
      'Rows of this import are written already: undo it, or upload the file again.',
    )
  }
  if (given.saveAs !== undefined) {
    await upsertMapping(parts.db, {
      id: newId(given.now),
      kind: given.kind,
      name: given.saveAs,
      fingerprint: fingerprint(given.mapping.columns.map((column) => column.heading)),
      mapping: given.mapping,
      createdBy: given.by,
      at: given.now,
    })
  }
  return show(parts, given.id)
}

/** Lets the work loop count what would happen. Errors: `not_ready` while something else is under way. */
export async function startCheck(parts: ImportParts, id: string, now: Date): Promise<ImportRun> {
  return begin(parts, id, now, { to: 'checking', from: ['uploaded', 'checked'], stage: 'reading' })
}

/** Lets the work loop import. */
export async function startImport(parts: ImportParts, id: string, now: Date): Promise<ImportRun> {
  return begin(parts, id, now, {
    to: 'importing',
    from: ['uploaded', 'checked', 'failed', 'cancelled'],
    stage: 'reading',
  })
}

/** Lets the work loop take the import back. Errors: `not_ready`, `gone` after 30 days. */
export async function startUndo(parts: ImportParts, id: string, now: Date): Promise<ImportRun> {
  const run = await known(parts, id)
  if (run.undoUntil !== null && run.undoUntil < now) {
    throw new Problem('gone', 'An import can be undone for 30 days; this one is older.')
  }
  return begin(parts, id, now, { to: 'undoing', from: ['imported', 'failed', 'cancelled'], stage: 'writing' })
}

async function begin(
  parts: ImportParts,
  id: string,
  now: Date,
  how: Pick<Parameters<typeof startRun>[1], 'from' | 'to' | 'stage'>,
): Promise<ImportRun> {
  const run = await known(parts, id)
  if (how.to !== 'undoing' && run.mapping === null) {
    throw new Problem('not_ready', 'Say first what the columns mean.')
  }
  const { zone } = await brand(parts.db)
  if (!(await startRun(parts.db, { id, ...how, saidAt: now, zone }))) {
    throw new Problem('not_ready', `This import is ${run.state}: that cannot be done now.`)
  }
  return show(parts, id)
}

/** Stops after the chunk under way. Errors: `not_ready` where nothing is under way. */
export async function cancelImport(parts: ImportParts, id: string): Promise<ImportRun> {
  await known(parts, id)
  if (!(await askToStop(parts.db, id))) throw new Problem('not_ready', 'Nothing is under way.')
  return show(parts, id)
}

export async function show(parts: ImportParts, id: string): Promise<ImportRun> {
  return shown(await known(parts, id))
}

/** The first rejected rows. */
export async function firstRejected(parts: ImportParts, id: string, limit: number): Promise<RejectedRow[]> {
  const rows: RejectedRow[] = []
  let rest = ''
  for await (const text of rejectedText(parts, id)) {
    rest += text
    const cut = rest.lastIndexOf('\r\n')
    if (cut === -1) continue
    rows.push(...parseRejects(rest.slice(0, cut)))
    rest = rest.slice(cut + 2)
    if (rows.length >= limit) break
  }
  return rows.slice(0, limit)
}

/** The rejected rows as CSV. Errors: `gone` when they were removed. */
export async function* rejectedText(parts: ImportParts, id: string): AsyncGenerator<string> {
  const run = await known(parts, id)
  if (run.forgottenAt !== null) throw new Problem('gone', 'The rejected rows were removed after 30 days.')
  yield REJECTS_HEAD
  if (run.rejectsBytes === 0) return
  const key = parts.cipher.unwrap(run.dataKey, `import:${id}`)
  const seal = sealOf(parts.cipher, key, `import:${id}`)
  yield* streamSealed(filesOf(parts.folder, id).rejects, seal, run.rejectsBytes)
}

export type ImportFile = {
  file: string
  kind?: ImportKind | undefined
  mapping?: Mapping | undefined
  defaults?: ImportDefaults | undefined
  /** The system that the file's own numbers belong to. */
  source?: string | undefined
  format?: Partial<FileFormat> | undefined
  dryRun?: boolean | undefined
  by?: string | null | undefined
  now: Date
} & Watch

export type ImportResult = { run: ImportRun; columns: ColumnGuess[] }

/**
 * Imports a file that lies on this machine, from beginning to end, and goes on where an earlier call for the same
 * file was killed. Without a mapping the columns are guessed (a saved mapping first). The file itself is left alone.
 * Errors: `unsupported_file`, `bad_input` by field; `already_running` while another process works on it.
 */
export async function importFile(parts: ImportParts, given: ImportFile): Promise<ImportResult> {
  const path = absolute(given.file)
  if (!(await exists(path))) throw new Problem('bad_input', `There is no file ${path}.`, { field: 'file' })
  const { columns, id } = await prepareFile(parts, { ...given, path })
  const run = await workOn(parts, id, given)
  if (!run) throw new Problem('already_running', 'Another process is importing this file.')
  return { run: shown(run), columns }
}

async function prepareFile(
  parts: ImportParts,
  given: ImportFile & { path: string },
): Promise<{ id: string; columns: ColumnGuess[] }> {
  const { db } = parts
  const { format: recognised } = await recognise(given.path)
  const format = { ...recognised, ...given.format }
  const id = newId(given.now)
  const files = filesOf(parts.folder, id)
  await makeFolder(files)
  const sample = await sampleOf(given.path, format, files.folder)
  const kind = given.kind ?? guessKind(sample.headings)
  const { columns } = await guess(parts, kind, sample)
  const mapping = given.mapping ?? mappingOf(columns, given.defaults)
  checkMapping(kind, mapping)
  const { digest } = await digestFile(given.path)
  const unfinished = given.dryRun === true ? undefined : await selectUnfinished(db, digest, kind, given.path)
  if (unfinished) {
    await removeAll(files)
    return { id: unfinished.id, columns }
  }
  await createRun(parts, {
    id,
    name: basename(given.path),
    path: given.path,
    owned: false,
    kind,
    source: given.source,
    by: given.by ?? null,
    now: given.now,
  })
  await mapColumns(parts, {
    id,
    version: 1,
    kind,
    source: given.source ?? usualSource(kind),
    mapping,
    format,
    by: given.by ?? null,
    now: given.now,
  })
  await (given.dryRun === true ? startCheck(parts, id, given.now) : startImport(parts, id, given.now))
  return { id, columns }
}

/** Takes an import back, from beginning to end. Errors: as `startUndo`; `already_running`. */
export async function undoImport(
  parts: ImportParts,
  id: string,
  now: Date,
  watch: Watch = {},
): Promise<ImportRun> {
  await startUndo(parts, id, now)
  const run = await workOn(parts, id, watch)
  if (!run) throw new Problem('already_running', 'Another process is working on this import.')
  return shown(run)
}

async function known(parts: ImportParts, id: string): Promise<RunRow> {
  const run = await selectRun(parts.db, id)
  if (!run) throw new Problem('not_found', 'This import does not exist.')
  return run
}

/** The run as pages see it. */
export function shown(run: RunRow): ImportRun {
  const counts = countsOf(run)
  const decided = counts.accepted + counts.rejected
  const writing = run.stage === 'writing'
  const share = counts.read === 0 ? 0 : Math.min(1, decided / counts.read)
  const rate = run.stage === null ? null : run.rowsPerSecond
  const left = writing ? counts.read - decided : null
  let done = run.state === 'imported' || run.state === 'undone' || run.state === 'checked' ? 1 : 0
  if (run.stage === 'reading') done = READ_SHARE * run.readShare
  else if (writing) done = READ_SHARE + (1 - READ_SHARE) * share
  return {
    id: run.id,
    kind: run.kind,
    source: run.source,
    state: run.state,
    fileName: run.fileName,
    bytes: run.bytes,
    format: run.format,
    mapping: run.mapping,
    stage: run.stage,
    done,
    rowsPerSecond: rate,
    secondsLeft: left !== null && rate !== null && rate > 0 ? left / rate : null,
    counts,
    forecast: run.forecast,
    failure: run.failure,
    importedBefore: run.importedBefore,
    createdAt: run.createdAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    undoUntil: run.undoUntil?.toISOString() ?? null,
    version: run.version,
  }
}
