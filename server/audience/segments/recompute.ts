/**
 * Everybody through the same function: after a definition has changed, and to prove that what is stored is right. Where
 * only segments have changed, everybody is asked about these alone: what else is stored stands, since nothing of it can
 * change before its moment or an event, and whoever is due for either is answered whole by evaluate.ts.
 *
 * Ranges of persons in id order, several under way at once and written one after the other; the number of the reading
 * is taken before a range is read, only differences are written, and where a newer reading stands it wins. Whoever was
 * touched meanwhile is left to evaluate.ts, so that the cause of what an event brings is never `definition`. A crash goes
 * on at the range that was not finished.
 * Runs under a lease of its own, beside evaluation.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { comparePositions, isRebuilding, lanes, positionOf } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { crashPoint } from '../../platform/crash.ts'
import { fence, type LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { nextReading, presentEvaluator } from '../definitions.ts'
import { loadFacts } from '../facts/load.ts'
import { countPersons, selectNextPersons } from '../facts/store.ts'
import { compileRules, type Evaluator } from '../rule/compile.ts'
import { partOf } from '../rule/part.ts'
import { type Answering, openAnswering } from './answering.ts'
import { CONSUMER, noteTouched, touchedAmong } from './due.ts'
import { answersAbout } from './evaluate.ts'
import { DefinitionsChanged, writeAnswers, writeParts } from './membership.ts'
import type { Different, RangeAnswer, RangePart } from './range.ts'

export type RecomputeHow = {
  token: LeaseToken
  /** Asked for each range, so that a long run does not write old answers. */
  now: () => Date
  zone: Zone
  /** Also when nobody asked for one. */
  always?: boolean
  /** At most so many ranges of 20,000 persons in this call; the next call goes on. */
  ranges?: number
  freshHours?: number
  onProgress?: (progress: { persons: number; total: number; changed: number }) => void
  signal?: AbortSignal
}

export type Recomputed = { persons: number; changed: number; finished: boolean }

const RANGE = 20_000

/** Runs if a change of definitions asked for it. Undefined where there was nothing to do. Errors: `LeaseLost`. */
export async function recompute(
  db: Database,
  clickhouse: ClickHouse,
  how: RecomputeHow,
): Promise<Recomputed | undefined> {
  if (await isRebuilding(db)) return undefined
  await presentEvaluator(db, how.zone)
  const run = await begin(db, how)
  if (!run || !(await canRead(db, how))) return undefined
  const answering = openAnswering(db, clickhouse, run.total - run.persons)
  try {
    return await goOn({ db, clickhouse, answering }, how, run)
  } finally {
    await answering.close()
  }
}

type Stores = { db: Database; clickhouse: ClickHouse; answering: Answering }

async function goOn(stores: Stores, how: RecomputeHow, begun: Run): Promise<Recomputed> {
  const { db } = stores
  let run = begun
  let asking = askingFor(await presentEvaluator(db, how.zone), run)
  let under: UnderWay[] = []
  for (let left = how.ranges ?? Number.POSITIVE_INFINITY; left > 0; left -= 1) {
    how.signal?.throwIfAborted()
    const evaluator = await presentEvaluator(db, how.zone)
    if (evaluator.definitions.revision !== run.revision) {
      under = await abandoned(under)
      run = (await begin(db, how)) ?? run
      continue
    }
    if (asking.whole !== evaluator) asking = askingFor(evaluator, run)
    await fillUp(stores, under, { asking, how, run, most: Math.min(left, stores.answering.atOnce) })
    const next = under.shift()
    if (next === undefined) {
      await finish(db, how, run)
      return { persons: run.persons, changed: run.changed, finished: true }
    }
    const done = await writeRange(stores, next, asking, how, run)
    if (done === undefined) under = await abandoned(under)
    else run = done
    how.onProgress?.({ persons: run.persons, total: run.total, changed: run.changed })
    crashPoint('recompute.range')
  }
  await abandoned(under)
  return { persons: run.persons, changed: run.changed, finished: false }
}

/** What everybody is asked: by `whole`, or where only some segments are `concerned` by the evaluator of that part. */
type Asking = { whole: Evaluator; evaluator: Evaluator; concerned: ReadonlySet<number> | undefined }

function askingFor(whole: Evaluator, { part }: Run): Asking {
  const found = part === null ? undefined : partOf(whole.definitions, part)
  if (!found) return { whole, evaluator: whole, concerned: undefined }
  return {
    whole,
    evaluator: compileRules(found.definitions, { part: true }),
    concerned: found.concerned,
  }
}

/** A range that is being read and answered. */
type UnderWay = { last: number; reading: number; now: Date; answer: Promise<RangeAnswer | RangePart> }

async function fillUp(
  { db, answering }: Stores,
  under: UnderWay[],
  { asking, how, run, most }: { asking: Asking; how: RecomputeHow; run: Run; most: number },
): Promise<void> {
  const { evaluator, concerned } = asking
  while (under.length < most) {
    const after = under.at(-1)?.last ?? run.after
    const last = (await selectNextPersons(db, after, RANGE)).at(-1)
    if (last === undefined) return
    const now = how.now()
    const reading = await nextReading(db)
    const range = { from: after + 1, before: last + 1 }
    const asked = { evaluator, now: now.getTime() }
    const answer = concerned
      ? answering.answerPart(range, { ...asked, concerned })
      : answering.answer(range, asked)
    // Heard when its turn comes.
    answer.catch(() => undefined)
    under.push({ last, reading, now, answer })
  }
}

async function abandoned(under: readonly UnderWay[]): Promise<UnderWay[]> {
  await Promise.allSettled(under.map(({ answer }) => answer))
  return []
}

const READABLE_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 50

/**
 * Events of a type that no rule asked for touched nobody when they were noted: they must be readable before a run of
 * definitions that ask for them, or what they say would be missed. False where that takes too long: to be tried again.
 */
async function canRead(db: Database, { zone, signal }: RecomputeHow): Promise<boolean> {
  if ((await presentEvaluator(db, zone)).needs.events.size === 0) return true
  for (const lane of lanes) {
    const noted = await positionOf(db, { name: CONSUMER, lane })
    for (let waited = 0; ; waited += LOOK_EVERY_MS) {
      if (comparePositions(noted, await positionOf(db, { name: 'project', lane })) <= 0) break
      if (waited >= READABLE_WITHIN_MS) return false
      await sleep(LOOK_EVERY_MS, undefined, { ...(signal && { signal }) })
    }
  }
  return true
}

/** `part`: the segments that have changed, or null where anything may have. */
type Run = {
  revision: number
  after: number
  persons: number
  changed: number
  total: number
  part: number[] | null
}

/** Starts, or goes on with, the run for the present revision. */
async function begin(db: Database, how: RecomputeHow): Promise<Run | undefined> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const row = await tx.row<Run & { wanted: number; running: number; done: number }>(sql`
      select r.revision, c.wanted, c.running, c.done, c.after_person as after, c.persons, c.changed, c.total, c.segments as part
      from recompute c, audience_revision r where c.id = 1`)
    if (row.wanted <= row.done && how.always !== true && row.running <= row.done) return undefined
    const asked = row.part === null || how.always !== true
    if (row.running === row.revision && row.done < row.revision && row.after > 0 && asked) return row
    const part = how.always === true ? null : await changedSegments(tx, row)
    // Counted only here: this is asked whenever the loop has a moment, and a count reads everybody.
    const total = await countPersons(tx)
    await tx.run(sql`
      update recompute set running = ${row.revision}, after_person = 0, persons = 0, changed = 0, total = ${total}, segments = ${part},
        started_at = ${how.now()}, finished_at = null where id = 1`)
    return { revision: row.revision, after: 0, persons: 0, changed: 0, total, part }
  })
}

/** What has changed since everybody was answered last; null where that was never, or where it is more than segments. */
async function changedSegments(
  tx: Tx,
  { revision, done }: { revision: number; done: number },
): Promise<number[] | null> {
  if (done === 0) return null
  const rows = await tx.rows<{ revision: number; segment: number | null }>(
    sql`select revision, segment_id as segment from definition_change where revision > ${done} and revision <= ${revision}`,
  )
  const segments = rows.flatMap(({ segment }) => (segment === null ? [] : [segment]))
  const told = new Set(rows.map((row) => row.revision)).size === revision - done
  return told && segments.length === rows.length ? segments : null
}

async function finish(db: Database, how: RecomputeHow, run: Run): Promise<void> {
  await db.transaction(async (tx) => {
    await fence(tx, how.token)
    await tx.run(sql`
      update recompute set done = greatest(done, ${run.revision}), finished_at = ${how.now()}, after_person = 0
      where id = 1`)
    await tx.run(sql`delete from definition_change where revision <= ${run.revision}`)
  })
}

/** Undefined where the definitions are others by now. */
async function writeRange(
  stores: Stores,
  { last, reading, now, answer }: UnderWay,
  { whole, concerned }: Asking,
  how: RecomputeHow,
  run: Run,
): Promise<Run | undefined> {
  const { db } = stores
  const found = await answer
  const { persons } = found
  const writing = { reading, definitions: whole.definitions, now, zone: how.zone }
  await noteTouched(db, { token: how.token, now, zone: how.zone, freshHours: how.freshHours ?? 24 })
  try {
    let changed = 0
    if ('strangers' in found)
      for (let from = 0; from < found.strangers.length; from += STRANGERS) {
        const some = await answerWhole(stores, found.strangers.slice(from, from + STRANGERS), whole, now)
        changed += await db.transaction((tx) =>
          writeUntouched(tx, some, how, (left) => writeAnswers(tx, left, writing)),
        )
      }
    changed += await db.transaction(async (tx) => {
      const written =
        'strangers' in found
          ? await writeUntouched(tx, found.parts, how, (left) =>
              writeParts(tx, left, concerned ?? new Set(), writing),
            )
          : await writeUntouched(tx, found.different, how, (left) => writeAnswers(tx, left, writing))
      await tx.run(sql`
        update recompute set after_person = ${last}, persons = persons + ${persons}, changed = changed + ${changed + written}
        where id = 1`)
      return written
    })
    return { ...run, after: last, persons: run.persons + persons, changed: run.changed + changed }
  } catch (error) {
    if (error instanceof DefinitionsChanged) return undefined
    throw error
  }
}

/** Persons of whom nothing is stored, at once. */
const STRANGERS = 2000

/** All about persons of whom nothing is stored: events that no rule asked for are all that was ever told of them. */
async function answerWhole(
  { db, clickhouse }: Stores,
  ids: readonly number[],
  evaluator: Evaluator,
  now: Date,
): Promise<Different[]> {
  const { needs, days } = evaluator
  const facts = await loadFacts(db, clickhouse, ids, { needs, days, now: now.getTime() })
  const answers = answersAbout([...facts.values()], evaluator, now.getTime())
  return [...answers].map(([personId, answer]) => ({ personId, answer, cause: 'definition' }))
}

/** Without those whom an event has touched meanwhile. Answers how many were written. */
async function writeUntouched<Said extends { personId: number }>(
  tx: Tx,
  said: readonly Said[],
  how: RecomputeHow,
  write: (left: readonly Said[]) => Promise<{ stale: number }>,
): Promise<number> {
  await fence(tx, how.token)
  const touched = await touchedAmong(
    tx,
    said.map(({ personId }) => personId),
  )
  const left = said.filter(({ personId }) => !touched.has(personId))
  const { stale } = await write(left)
  return left.length - stale
}
