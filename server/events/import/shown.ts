/** A run as pages see it. */
import type { ImportCounts, ImportRun } from '../../../contract/import.ts'
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
    secondsLeft: secondsLeft(run, counts),
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

/** While reading by the share of the bytes, so that the whole does not wander; while writing by the rows that are left. */
function secondsLeft({ stage, rowsPerSecond: rate, readShare }: RunRow, counts: ImportCounts): number | null {
  if (stage === null || rate === null || rate <= 0) return null
  if (stage === 'writing') return (counts.read - counts.accepted - counts.rejected) / rate
  return readShare < 0.02 ? null : (counts.read / rate) * (1 / (READ_SHARE * readShare) - 1)
}
