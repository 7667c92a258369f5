/** Imports as the pages use them: columns, dry run, start, stop, undo, and what was rejected. */
import { z } from 'zod'
import type { Page } from '../../../contract/base.ts'
import type { FileFormat, FormatChange, ImportRun, Mapping, RejectedRow } from '../../../contract/import.ts'
import type { ImportKind } from '../../../contract/import-fields.ts'
import { brand } from '../../org/org.ts'
import { decodeCursor, pageFrom } from '../../platform/cursor.ts'
import { newId } from '../../platform/ids.ts'
import type { Db } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { filesOf } from './folder.ts'
import { checkMapping, fingerprint } from './mapping.ts'
import { parseRejects, REJECTS_HEAD } from './rejects.ts'
import { sealOf, streamSealed } from './sealed-file.ts'
import { known, shown } from './shown.ts'
import { askToStop, selectRuns, startRun, updateMapping } from './store.ts'
import { upsertMapping } from './store-mappings.ts'
import type { ImportParts } from './work.ts'

/** Says what the columns mean. Errors: `bad_input` by field, `stale_version`, `not_ready` once rows were written. */
export async function mapColumns(
  parts: ImportParts,
  given: {
    id: string
    version: number
    kind: ImportKind
    source: string
    mapping: Mapping
    format: FormatChange
    saveAs?: string | undefined
    by: string | null
    now: Date
  },
): Promise<ImportRun> {
  checkMapping(given.kind, given.mapping)
  const run = await known(parts, given.id)
  const format = corrected(run.format, given.format)
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

/** Newest first. */
export async function listImports(
  db: Db,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<ImportRun>> {
  const after = decodeCursor(cursor, z.tuple([z.string(), z.uuid()]))
  const rows = await selectRuns(db, { after, limit: limit + 1 })
  return pageFrom(rows, limit, { item: shown, cursor: (row) => [row.createdAt.toISOString(), row.id] })
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

/** The format with what somebody corrected. */
export function corrected(format: FileFormat, change: FormatChange): FileFormat {
  const said = Object.entries(change).filter(([, value]) => value !== undefined)
  return { ...format, ...Object.fromEntries(said) }
}
