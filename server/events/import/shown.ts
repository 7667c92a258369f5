/** A run as pages see it. */
import type { ImportRun } from '../../../contract/import.ts'
import { Problem } from '../../platform/problem.ts'
import { type RunRow, selectRun } from './store.ts'
import { countsOf, type ImportParts, READ_SHARE } from './work.ts'

/** Errors: `not_found`. */
export async function known(parts: ImportParts, id: string): Promise<RunRow> {
  const run = await selectRun(parts.db, id)
  if (!run) throw new Problem('not_found', 'This import does not exist.')
  return run
}

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
