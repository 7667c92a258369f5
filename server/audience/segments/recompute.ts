/**
 * Everybody through the same function: after a definition has changed, and to prove that what is stored is right.
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
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { nextReading, presentEvaluator } from '../definitions.ts'
import { countPersons, selectNextPersons } from '../facts/store.ts'
import type { Evaluator } from '../rule/compile.ts'
import { type Answering, openAnswering } from './answering.ts'
import { CONSUMER, noteTouched, touchedAmong } from './due.ts'
import { DefinitionsChanged, writeAnswers } from './membership.ts'
import type { RangeAnswer } from './range.ts'

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
    return await goOn(db, answering, how, run)
  } finally {
    await answering.close()
  }
}

async function goOn(db: Database, answering: Answering, how: RecomputeHow, begun: Run): Promise<Recomputed> {
  let run = begun
  let under: UnderWay[] = []
  for (let left = how.ranges ?? Number.POSITIVE_INFINITY; left > 0; left -= 1) {
    how.signal?.throwIfAborted()
    const evaluator = await presentEvaluator(db, how.zone)
    if (evaluator.definitions.revision !== run.revision) {
      under = await abandoned(under)
      run = (await begin(db, { ...how, always: true })) ?? run
      continue
    }
    await fillUp(db, under, { answering, evaluator, how, run, most: Math.min(left, answering.atOnce) })
    const next = under.shift()
    if (next === undefined) {
      await finish(db, how, run)
      return { persons: run.persons, changed: run.changed, finished: true }
    }
    const done = await writeRange(db, next, evaluator, how, run)
    if (done === undefined) under = await abandoned(under)
    else run = done
    how.onProgress?.({ persons: run.persons, total: run.total, changed: run.changed })
    crashPoint('recompute.range')
  }
  await abandoned(under)
  return { persons: run.persons, changed: run.changed, finished: false }
}

/** A range that is being read and answered. */
type UnderWay = { last: number; reading: number; now: Date; answer: Promise<RangeAnswer> }

async function fillUp(
  db: Database,
  under: UnderWay[],
  {
    answering,
    evaluator,
    how,
    run,
    most,
  }: {
    answering: Answering
    evaluator: Evaluator
    how: RecomputeHow
    run: Run
    most: number
  },
): Promise<void> {
  while (under.length < most) {
    const after = under.at(-1)?.last ?? run.after
    const last = (await selectNextPersons(db, after, RANGE)).at(-1)
    if (last === undefined) return
    const now = how.now()
    const reading = await nextReading(db)
    const range = { from: after + 1, before: last + 1 }
    const answer = answering.answer(range, { evaluator, now: now.getTime() })
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

type Run = { revision: number; after: number; persons: number; changed: number; total: number }

/** Starts, or goes on with, the run for the present revision. */
async function begin(db: Database, how: RecomputeHow): Promise<Run | undefined> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const row = await tx.row<Run & { wanted: number; running: number; done: number }>(sql`
      select r.revision, c.wanted, c.running, c.done, c.after_person as after, c.persons, c.changed, c.total
      from recompute c, audience_revision r where c.id = 1`)
    if (row.wanted <= row.done && how.always !== true && row.running <= row.done) return undefined
    if (row.running === row.revision && row.done < row.revision && row.after > 0) return row
    // Counted only here: this is asked whenever the loop has a moment, and a count reads everybody.
    const total = await countPersons(tx)
    await tx.run(sql`
      update recompute set running = ${row.revision}, after_person = 0, persons = 0, changed = 0, total = ${total},
        started_at = ${how.now()}, finished_at = null where id = 1`)
    return { revision: row.revision, after: 0, persons: 0, changed: 0, total }
  })
}

async function finish(db: Database, how: RecomputeHow, run: Run): Promise<void> {
  await db.transaction(async (tx) => {
    await fence(tx, how.token)
    await tx.run(sql`
      update recompute set done = greatest(done, ${run.revision}), finished_at = ${how.now()}, after_person = 0
      where id = 1`)
  })
}

/** Undefined where the definitions are others by now. */
async function writeRange(
  db: Database,
  { last, reading, now, answer }: UnderWay,
  { definitions }: Evaluator,
  how: RecomputeHow,
  run: Run,
): Promise<Run | undefined> {
  const { persons, different } = await answer
  await noteTouched(db, { token: how.token, now, zone: how.zone, freshHours: how.freshHours ?? 24 })
  try {
    const changed = await db.transaction(async (tx) => {
      await fence(tx, how.token)
      const touched = await touchedAmong(
        tx,
        different.map(({ personId }) => personId),
      )
      const left = different.filter(({ personId }) => !touched.has(personId))
      const { stale } = await writeAnswers(tx, left, { reading, definitions, now, zone: how.zone })
      await tx.run(sql`
        update recompute set after_person = ${last}, persons = persons + ${persons}, changed = changed + ${left.length}
        where id = 1`)
      return left.length - stale
    })
    return { ...run, after: last, persons: run.persons + persons, changed: run.changed + changed }
  } catch (error) {
    if (error instanceof DefinitionsChanged) return undefined
    throw error
  }
}
