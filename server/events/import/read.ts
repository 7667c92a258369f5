/** The first half of an import: every row of the file understood, and put into the bucket of what it belongs to. */
import type { ImportCounts, Mapping } from '../../../contract/import.ts'
import { crashPoint } from '../../platform/crash.ts'
import { fence } from '../../platform/jobs/lease.ts'
import { Problem } from '../../platform/problem.ts'
import { instant } from '../../platform/time/clock.ts'
import { BucketWriter, bucketsFor } from './buckets.ts'
import { Columns } from './columns.ts'
import { countRejected, noCounts } from './counts.ts'
import { exists, makeFolder } from './folder.ts'
import { orderKey, packOrder, readOrderRow } from './order-row.ts'
import { packPerson, personKey, readContactRow, readMemberRow } from './person-row.ts'
import { openSheet } from './reader.ts'
import { rejectLine } from './rejects.ts'
import type { Row } from './row.ts'
import { appendSealed, beginSealed, PIECE } from './sealed-file.ts'
import { beginReading, beginWriting, noteProgress } from './store.ts'
import { goOn, READ_SHARE, type Work } from './work.ts'

/** Packed formats unpack to about this many times their size. */
const UNPACKING = 8
const NOTE_EVERY_MS = 500
const DAY_MS = 86_400_000

/** Errors: `Problem` where the file is damaged, gone or changed, or the mapping does not fit it. */
export async function readRows(
  work: Work,
): Promise<{ counts: ImportCounts; rejectsBytes: number; buckets: number }> {
  const { parts, run, files, seal } = work
  if (run.mapping === null) throw new Problem('not_ready', 'Say first what the columns mean.')
  if (!(await exists(run.path))) throw new Problem('gone', 'The file is not there any more: upload it again.')
  await makeFolder(files)
  const packed = run.format.container === 'xlsx' || run.format.gzip
  const buckets = bucketsFor(run.bytes * (packed ? UNPACKING : 1))
  await parts.db.transaction(async (tx) => {
    await fence(tx, work.lease)
    await beginReading(tx, run.id, buckets)
  })
  run.bucket = 0
  run.position = 0
  const writer = await BucketWriter.open(files.buckets, seal, buckets)
  let sorted: { counts: ImportCounts; rejectsBytes: number }
  try {
    sorted = await sortRows(work, run.mapping, writer)
    writer.sync()
  } finally {
    writer.close()
  }
  const { counts, rejectsBytes } = sorted
  crashPoint('import.sorted')
  await parts.db.transaction(async (tx) => {
    await fence(tx, work.lease)
    await beginWriting(tx, { id: run.id, counts, rejectsBytes })
  })
  return { counts, rejectsBytes, buckets }
}

async function sortRows(
  work: Work,
  mapping: Mapping,
  writer: BucketWriter,
): Promise<{ counts: ImportCounts; rejectsBytes: number }> {
  const { parts, run, files, seal } = work
  const sheet = await openSheet(run.path, run.format, files.folder)
  const zone = run.zone ?? 'UTC'
  const latest = instant((run.saidAt ?? parts.clock.now()).getTime() + DAY_MS)
  const columns = new Columns(sheet.headings, mapping, { zone, latest })
  const sorter = sorterOf(work, columns, mapping)
  const counts = noCounts()
  const started = performance.now()
  let rejects = ''
  let rejectsBytes = 0
  await beginSealed(files.rejects)
  let noted = started
  try {
    for await (const batch of sheet.batches) {
      for (const row of batch) {
        counts.read += 1
        const packed = row.problem === undefined ? sorter(row) : undefined
        if (packed !== undefined) {
          writer.add(packed.key, packed.line)
          continue
        }
        const problems = row.problem === undefined ? columns.faults : [row.problem]
        countRejected(counts, problems[0]?.reason ?? 'refused')
        for (const problem of problems) rejects += rejectLine(row.number, problem)
      }
      if (rejects.length > PIECE) {
        rejectsBytes = await appendSealed(files.rejects, seal, rejectsBytes, rejects)
        rejects = ''
      }
      if (performance.now() - noted > NOTE_EVERY_MS) {
        noted = performance.now()
        await note(work, counts, { share: sheet.consumed(), started })
      }
    }
  } finally {
    sheet.close()
  }
  return { counts, rejectsBytes: await appendSealed(files.rejects, seal, rejectsBytes, rejects) }
}

/** Key and line of a row; undefined where it has faults. */
function sorterOf(
  { run }: Work,
  columns: Columns,
  { defaults }: Mapping,
): (row: Row) => { key: string; line: string } | undefined {
  if (run.kind === 'orders') {
    return (row) => {
      columns.enter(row)
      const order = readOrderRow(columns, row.number, defaults)
      if (columns.faults.length > 0) return undefined
      const key = orderKey(order)
      return { key, line: packOrder(key, order) }
    }
  }
  const read = run.kind === 'members' ? readMemberRow : readContactRow
  return (row) => {
    columns.enter(row)
    const person = read(columns, defaults)
    if (columns.faults.length > 0) return undefined
    const key = personKey(person)
    return { key, line: packPerson(key, person, row.number) }
  }
}

async function note(
  work: Work,
  counts: ImportCounts,
  { share, started }: { share: number; started: number },
): Promise<void> {
  const seconds = (performance.now() - started) / 1000
  const rowsPerSecond = counts.read / seconds
  work.watch.onProgress?.({
    stage: 'reading',
    done: READ_SHARE * share,
    rowsPerSecond,
    // Reading is READ_SHARE of the whole work.
    secondsLeft: share > 0.02 ? seconds * (1 / (READ_SHARE * share) - 1) : null,
    counts,
  })
  goOn(work, await noteProgress(work.parts.db, { id: work.run.id, readShare: share, rowsPerSecond, counts }))
}
