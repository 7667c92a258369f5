/** Files come in: recognised, digested, and shown with a guess of what their columns mean. */
import { createWriteStream } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ColumnGuess, FileFormat, ImportPreview } from '../../../contract/import.ts'
import type { ImportKind } from '../../../contract/import-fields.ts'
import { newId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { digestFile, exists, filesOf, makeFolder, removeAll } from './folder.ts'
import { fingerprint, guessColumns, guessKind } from './mapping.ts'
import { openSheet, recognise, type Sheet } from './reader.ts'
import type { Row } from './row.ts'
import { known, shown } from './shown.ts'
import { insertRun } from './store.ts'
import { selectMapping } from './store-mappings.ts'
import { showCell } from './values.ts'
import type { ImportParts } from './work.ts'

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
  given: {
    name: string
    kind?: ImportKind | undefined
    body: AsyncIterable<Buffer>
    by: string | null
    now: Date
  },
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

export async function createRun(
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

export async function sampleOf(path: string, format: FileFormat, folder: string): Promise<Sample> {
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

export async function guess(
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
