/**
 * The work of an import: read the file into buckets, then write bucket after bucket in chunks.
 *
 * Stored: `import_run` says where the work stands. Always true: position, counts and the length of the rejected rows
 * move in the transaction that writes the chunk, under the lease of the run, so a chunk is written once whatever dies
 * when. A crash while reading reads again from the beginning (nothing was written yet); a crash while writing goes on
 * behind the last chunk, because the buckets are on disk before the stage says `writing`.
 */
import type { ImportCounts } from '../../../contract/import.ts'
import { systemActor } from '../../org/org.ts'
import { crashPoint } from '../../platform/crash.ts'
import { isDiskFull } from '../../platform/data-directory.ts'
import { fence, withLease } from '../../platform/jobs/lease.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import { instant } from '../../platform/time/clock.ts'
import { heard } from '../pulse.ts'
import { readBucket } from './buckets.ts'
import { BuyerBook } from './buyers.ts'
import { type Chunk, takeOrders, takePeople } from './chunk.ts'
import { addCounts, noCounts } from './counts.ts'
import { exists, filesOf, removeSource } from './folder.ts'
import { KeySet } from './key-set.ts'
import { PlaceBook } from './places.ts'
import { readRows } from './read.ts'
import { appendSealed, sealOf } from './sealed-file.ts'
import { finishRun, movePosition, noteProgress, type RunRow, selectRun } from './store.ts'
import { insertChunk, selectKnownOrders } from './store-chunks.ts'
import { undoRun } from './undo.ts'
import {
  countsOf,
  goOn,
  type ImportParts,
  NoRoom,
  READ_SHARE,
  Stopped,
  type Watch,
  type Work,
} from './work.ts'
import { buyerKey, draftsOf, type WriteHow, type Written, writeOrders } from './write-orders.ts'
import { writePeople } from './write-people.ts'

const UNDO_DAYS = 30
const DAY_MS = 86_400_000
const DISK_FULL = 'The disk is full. What is written is whole: make room, then go on.'

/**
 * Brings a run that was started to its end, whatever it was doing. Undefined while another process does.
 * Never throws for what the file is to blame for: then the run ends as `failed` and says why. Errors: `NoRoom`, and the
 * run goes on when it is taken up again. `begin` starts it under the lease, so that nobody else takes it up first.
 */
export function workOn(
  parts: ImportParts,
  id: string,
  watch: Watch = {},
  begin?: () => Promise<unknown>,
): Promise<RunRow | undefined> {
  return withLease(parts.db, `import:${id}`, async (held) => {
    await begin?.()
    const run = await selectRun(parts.db, id)
    if (!run) throw new Problem('not_found', 'This import does not exist.')
    if (run.stage === null) return run
    const files = filesOf(parts.folder, id)
    const key = parts.cipher.unwrap(run.dataKey, `import:${id}`)
    const seal = sealOf(parts.cipher, key, `import:${id}`)
    const signal = watch.signal ? AbortSignal.any([watch.signal, held.signal]) : held.signal
    const work: Work = { parts, run, files, seal, lease: held, watch: { ...watch, signal } }
    await act(work)
    return selectRun(parts.db, id)
  })
}

async function act(work: Work): Promise<void> {
  const { parts, run, files } = work
  const id = run.id
  try {
    goOn(work, run.cancel)
    if (run.state === 'undoing') {
      await undoRun(work)
      return
    }
    // A dry run wrote nothing that it could go on from.
    const read =
      run.stage === 'writing' && run.state !== 'checking' ? await resumed(work) : await readRows(work)
    const counts = run.state === 'checking' ? await check(work, read) : await write(work, read)
    const at = parts.clock.now()
    if (run.state === 'checking') {
      await finishRun(parts.db, {
        id,
        state: 'checked',
        at,
        // What was counted for the progress bar did not happen.
        counts: noCounts(),
        forecast: counts.counts,
        rejectsBytes: counts.rejectsBytes,
      })
      return
    }
    await finishRun(parts.db, {
      id,
      state: 'imported',
      at,
      undoUntil: instant(at.getTime() + UNDO_DAYS * DAY_MS),
    })
    await heard(parts.db, run.source, at)
    crashPoint('import.finished')
    await removeSource(files)
  } catch (error) {
    // The process is to end, or has lost the lease: whoever takes the run up goes on.
    if (work.watch.signal?.aborted === true || error instanceof NoRoom) throw error
    const failure = failureOf(error)
    if (failure === undefined && !(error instanceof Stopped)) throw error
    const at = parts.clock.now()
    await finishRun(
      parts.db,
      run.state === 'checking'
        ? { id, state: 'uploaded', at, counts: noCounts(), failure }
        : {
            id,
            state: error instanceof Stopped ? 'cancelled' : 'failed',
            at,
            undoUntil: instant(at.getTime() + UNDO_DAYS * DAY_MS),
            failure,
          },
    )
  }
}

/** What whoever started the import reads; undefined for what is no fault of the file or the disk. */
function failureOf(error: unknown): string | undefined {
  if (isDiskFull(error)) return DISK_FULL
  return error instanceof Problem ? error.message : undefined
}

type Standing = { counts: ImportCounts; rejectsBytes: number; buckets: number }

async function resumed({ run, files }: Work): Promise<Standing> {
  if (!(await exists(files.buckets))) {
    throw new Problem('gone', 'The sorted rows of this import are gone. Undo it and import the file again.')
  }
  return { counts: countsOf(run), rejectsBytes: run.rejectsBytes, buckets: run.buckets }
}

/** The buyers of the orders that an earlier process wrote: they are counted already. */
async function metBefore(work: Work): Promise<KeySet> {
  const { parts, run, files, seal } = work
  const met = new KeySet()
  if (run.kind !== 'orders') return met
  for (let bucket = 0; bucket <= run.bucket && run.chunks > 0; bucket += 1) {
    const lines = await readBucket(files.buckets, seal, bucket)
    const end = bucket === run.bucket ? run.position : lines.length
    for (
      let chunk = takeFrom(work, lines, 0);
      chunk && chunk.end <= end;
      chunk = takeFrom(work, lines, chunk.end)
    ) {
      const drafts = chunk.orders.flatMap(draftsOf).filter(({ buyer }) => buyer.length > 0)
      const ids = drafts.map(({ externalId }) => externalId)
      const stored = await selectKnownOrders(parts.db, run.source, ids)
      for (const { buyer, externalId } of drafts) if (stored.has(externalId)) met.add(buyerKey(buyer))
    }
  }
  return met
}

/** Writes all chunks that are not written yet. */
async function write(work: Work, standing: Standing): Promise<Standing> {
  const { parts, run, files, seal } = work
  const pace = new Pace(standing.counts)
  let { counts, rejectsBytes } = standing
  let chunks = run.chunks
  let book = await PlaceBook.read(parts.db)
  const buyers = new BuyerBook(parts.profilesThere)
  const met = await metBefore(work)
  for (let bucket = run.bucket; bucket < standing.buckets; bucket += 1) {
    const lines = await readBucket(files.buckets, seal, bucket)
    let next = takeFrom(work, lines, bucket === run.bucket ? run.position : 0)
    while (next) {
      const now = next
      const after = takeLater(work, lines, now.end)
      const length = await appendSealed(files.rejects, seal, rejectsBytes, now.rejects)
      const done = await parts.db.transaction(async (tx) => {
        await fence(tx, work.lease)
        const chunk = copyOf(now)
        const written = await writeChunk(tx, work, chunk, { book, buyers, met })
        const rejected = await appendSealed(
          files.rejects,
          seal,
          length,
          chunk.rejects.slice(now.rejects.length),
        )
        const sum = addCounts(counts, chunk.counts)
        if (written.log) await insertChunk(tx, { importId: run.id, number: chunks, ...written.log })
        const cancel = await movePosition(tx, {
          id: run.id,
          bucket,
          position: now.end,
          chunks: chunks + 1,
          counts: sum,
          rejectsBytes: rejected,
          rowsPerSecond: pace.rowsPerSecond(sum),
        })
        crashPoint('import.before-commit')
        return { sum, rejected, cancel, ...written }
      })
      crashPoint('import.after-commit')
      ;({ sum: counts, rejected: rejectsBytes, book } = done)
      buyers.learn(done.learned)
      for (const key of done.named) met.add(key)
      chunks += 1
      pace.report(work, counts)
      goOn(work, done.cancel)
      next = await after
    }
  }
  return { ...standing, counts, rejectsBytes }
}

/** As `write`, each chunk rolled back: what would happen, by the code that makes it happen. */
async function check(work: Work, standing: Standing): Promise<Standing> {
  const { parts, run, files, seal } = work
  const pace = new Pace(standing.counts)
  let { counts, rejectsBytes } = standing
  const book = await PlaceBook.read(parts.db)
  const met = new KeySet()
  let asked = performance.now()
  for (let bucket = 0; bucket < standing.buckets; bucket += 1) {
    const lines = await readBucket(files.buckets, seal, bucket)
    for (let chunk = takeFrom(work, lines, 0); chunk; chunk = takeFrom(work, lines, chunk.end)) {
      const planned = chunk
      let present = planned
      let named: readonly string[] = []
      await rolledBack(parts.db, async (tx) => {
        present = copyOf(planned)
        named = (
          await writeChunk(tx, work, present, { book, buyers: new BuyerBook(parts.profilesThere), met })
        ).named
      })
      for (const key of named) met.add(key)
      rejectsBytes = await appendSealed(files.rejects, seal, rejectsBytes, present.rejects)
      counts = addCounts(counts, present.counts)
      pace.report(work, counts)
      if (performance.now() - asked < 500) continue
      asked = performance.now()
      const cancel = await noteProgress(parts.db, {
        id: run.id,
        readShare: 1,
        rowsPerSecond: pace.rowsPerSecond(counts),
        counts,
      })
      goOn(work, cancel)
    }
  }
  return { ...standing, counts, rejectsBytes }
}

class RolledBack extends Error {}

async function rolledBack(db: Database, work: (tx: Tx) => Promise<unknown>): Promise<void> {
  await db
    .transaction(async (tx) => {
      await work(tx)
      throw new RolledBack()
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error
    })
}

type Books = { book: PlaceBook; buyers: BuyerBook; met: KeySet }
type WrittenChunk = Pick<Written, 'book' | 'learned' | 'named'> & { log: Written['log'] | undefined }

async function writeChunk(
  tx: Tx,
  { parts, run }: Work,
  chunk: Chunk,
  { book, buyers, met }: Books,
): Promise<WrittenChunk> {
  const now = parts.clock.now()
  const how: WriteHow = {
    lane: 'bulk',
    source: run.source,
    at: run.saidAt ?? now,
    importId: run.id,
    now,
    actor: systemActor(now),
  }
  if (run.kind === 'orders') return writeOrders(tx, parts.resolve, chunk, book, { ...how, buyers, met })
  const next = await writePeople(tx, parts.resolve, chunk, book, { ...how, kind: run.kind })
  return { book: next, log: undefined, learned: new Map(), named: [] }
}

/** The transaction may be tried again: each try counts for itself. */
function copyOf(chunk: Chunk): Chunk {
  return { ...chunk, counts: addCounts(noCounts(), chunk.counts) }
}

function takeFrom({ run }: Work, lines: readonly string[], from: number): Chunk | undefined {
  if (from >= lines.length) return undefined
  return run.kind === 'orders' ? takeOrders(lines, from) : takePeople(lines, from)
}

/** The next chunk, understood while the database writes the present one. */
async function takeLater(work: Work, lines: readonly string[], from: number): Promise<Chunk | undefined> {
  await new Promise((resolve) => setImmediate(resolve))
  return takeFrom(work, lines, from)
}

/** Rows a second since this process took the work up, and what they promise. */
class Pace {
  readonly #started = performance.now()
  readonly #before: number

  constructor(counts: ImportCounts) {
    this.#before = settled(counts)
  }

  rowsPerSecond(counts: ImportCounts): number | null {
    const seconds = (performance.now() - this.#started) / 1000
    return seconds < 0.2 ? null : (settled(counts) - this.#before) / seconds
  }

  report({ watch }: Work, counts: ImportCounts): void {
    const rate = this.rowsPerSecond(counts)
    const left = counts.read - settled(counts)
    watch.onProgress?.({
      stage: 'writing',
      done: READ_SHARE + (1 - READ_SHARE) * shareOf(counts),
      rowsPerSecond: rate,
      secondsLeft: rate === null || rate === 0 ? null : left / rate,
      counts,
    })
  }
}

function settled(counts: ImportCounts): number {
  return counts.accepted + counts.rejected
}

/** How much of what was read is decided, 0…1. */
export function shareOf(counts: ImportCounts): number {
  return counts.read === 0 ? 1 : Math.min(1, settled(counts) / counts.read)
}
