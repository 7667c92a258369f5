/** An import from beginning to end in this process, as the command line runs it. */
import { resolve as absolute, basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  ColumnGuess,
  FormatChange,
  ImportDefaults,
  ImportRun,
  Mapping,
} from '../../../contract/import.ts'
import type { ImportKind } from '../../../contract/import-fields.ts'
import { newId } from '../../platform/ids.ts'
import { LeaseLost } from '../../platform/jobs/lease.ts'
import { Problem } from '../../platform/problem.ts'
import { digestFile, exists, filesOf, makeFolder, removeAll } from './folder.ts'
import { corrected, mapColumns, startCheck, startImport, startUndo } from './import.ts'
import { checkMapping, guessKind, mappingOf } from './mapping.ts'
import { recognise } from './reader.ts'
import { workOn } from './run.ts'
import { known, shown } from './shown.ts'
import { type RunRow, selectRun, selectUnfinished } from './store.ts'
import { createRun, guess, sampleOf, usualSource } from './upload.ts'
import { type ImportParts, refuseFull, type Watch } from './work.ts'

const FOLLOW_MS = 500

export type ImportFile = {
  file: string
  kind?: ImportKind | undefined
  mapping?: Mapping | undefined
  defaults?: ImportDefaults | undefined
  /** The system that the file's own numbers belong to. */
  source?: string | undefined
  format?: FormatChange | undefined
  dryRun?: boolean | undefined
  by?: string | null | undefined
  now: Date
} & Watch

export type ImportResult = { run: ImportRun; columns: ColumnGuess[] }

/**
 * Imports a file that lies on this machine, from beginning to end, and goes on where an earlier call for the same
 * file was killed. Without a mapping the columns are guessed (a saved mapping first). The file itself is left alone.
 * Errors: `unsupported_file`, `bad_input` by field; `already_running` when stopped while another process works on it;
 * `disk_full`, then a later call goes on.
 */
export async function importFile(parts: ImportParts, given: ImportFile): Promise<ImportResult> {
  refuseFull(parts)
  const path = absolute(given.file)
  if (!(await exists(path))) throw new Problem('bad_input', `There is no file ${path}.`, { field: 'file' })
  const { columns, id, begin } = await prepareFile(parts, { ...given, path })
  return { run: shown(await workOrFollow(parts, id, given, begin)), columns }
}

/**
 * As `workOn`; where another process was first (the loop of a running program takes up what was started), follows that
 * one to the end. Errors: `already_running` when the caller stops following.
 */
async function workOrFollow(
  parts: ImportParts,
  id: string,
  watch: Watch,
  begin?: () => Promise<unknown>,
): Promise<RunRow> {
  for (let first = begin; ; first = undefined) {
    const run = (await workWhileHeld(parts, id, watch, first)) ?? (await known(parts, id))
    if (run.stage === null) return run
    const { done, rowsPerSecond, secondsLeft, counts } = shown(run)
    watch.onProgress?.({ stage: run.stage, done, rowsPerSecond, secondsLeft, counts })
    if (watch.signal?.aborted === true)
      throw new Problem(
        'already_running',
        'This import stands where it is: the program that works on it goes on, or the next one that starts.',
      )
    await sleep(FOLLOW_MS)
  }
}

/** As `workOn`. Undefined also where a machine that stood still for seconds has lost the work to another process. */
async function workWhileHeld(
  parts: ImportParts,
  id: string,
  watch: Watch,
  begin?: () => Promise<unknown>,
): Promise<RunRow | undefined> {
  try {
    return await workOn(parts, id, watch, begin)
  } catch (error) {
    if (error instanceof LeaseLost && watch.signal?.aborted !== true) return undefined
    throw error
  }
}

async function prepareFile(
  parts: ImportParts,
  given: ImportFile & { path: string },
): Promise<{ id: string; columns: ColumnGuess[]; begin?: () => Promise<unknown> }> {
  const { db } = parts
  const { format: recognised } = await recognise(given.path)
  const format = corrected(recognised, given.format ?? {})
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
  const begin = () =>
    given.dryRun === true ? startCheck(parts, id, given.now) : startImport(parts, id, given.now)
  return { id, columns, begin }
}

/** Takes an import back, from beginning to end, and goes on where an earlier call was killed. Errors: as `startUndo`; `already_running`. */
export async function undoImport(
  parts: ImportParts,
  id: string,
  now: Date,
  watch: Watch = {},
): Promise<ImportRun> {
  const run = await selectRun(parts.db, id)
  if (run?.state !== 'undoing') await startUndo(parts, id, now)
  return shown(await workOrFollow(parts, id, watch))
}
