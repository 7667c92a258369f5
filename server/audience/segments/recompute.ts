/**
 * Everybody through the same function: after a definition has changed, and to prove that what is stored is right.
 *
 * Ranges of persons in id order; the number of the reading is taken before a range is read, only differences are
 * written, and where a newer reading stands it wins. Whoever was touched meanwhile is left to evaluate.ts, so that the
 * cause of what an event brings is never `definition`. A crash goes on at the range that was not finished.
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
import { rangeFacts } from '../facts/range.ts'
import { countPersons, selectNextPersons } from '../facts/store.ts'
import type { Answer, Evaluator } from '../rule/compile.ts'
import { sameAutoTags } from '../tags/auto-tags.ts'
import { selectAutoRows } from '../tags/store.ts'
import { CONSUMER, noteTouched, touchedAmong } from './due.ts'
import { type Answered, DefinitionsChanged, sameAnswer, writeAnswers } from './membership.ts'
import { sameState, selectMembership, selectStates } from './store.ts'

export type RecomputeHow = {
  token: LeaseToken
  /** Asked for each range, so that a long run does not write old answers. */
  now: () => Date
  zone: Zone
  /** Also when nobody asked for one. */
  always?: boolean
  /** At most so many ranges of 10,000 persons in this call; the next call goes on. */
  ranges?: number
  freshHours?: number
  onProgress?: (progress: { persons: number; total: number; changed: number }) => void
  signal?: AbortSignal
}

export type Recomputed = { persons: number; changed: number; finished: boolean }

const RANGE = 10_000

/** Runs if a change of definitions asked for it. Undefined where there was nothing to do. Errors: `LeaseLost`. */
export async function recompute(
  db: Database,
  clickhouse: ClickHouse,
  how: RecomputeHow,
): Promise<Recomputed | undefined> {
  if (await isRebuilding(db)) return undefined
  await presentEvaluator(db, how.zone)
  let run = await begin(db, how)
  if (!run || !(await canRead(db, how))) return undefined
  for (let left = how.ranges ?? Number.POSITIVE_INFINITY; left > 0; left -= 1) {
    how.signal?.throwIfAborted()
    const evaluator = await presentEvaluator(db, how.zone)
    if (evaluator.definitions.revision !== run.revision) {
      run = (await begin(db, { ...how, always: true })) ?? run
      continue
    }
    const ids = await selectNextPersons(db, run.after, RANGE)
    if (ids.length === 0) {
      await finish(db, how, run)
      return { persons: run.persons, changed: run.changed, finished: true }
    }
    run = await oneRange(db, clickhouse, ids, evaluator, how, run)
    how.onProgress?.({ persons: run.persons, total: run.total, changed: run.changed })
    crashPoint('recompute.range')
  }
  return { persons: run.persons, changed: run.changed, finished: false }
}

async function oneRange(
  db: Database,
  clickhouse: ClickHouse,
  ids: readonly number[],
  evaluator: Evaluator,
  how: RecomputeHow,
  run: Run,
): Promise<Run> {
  try {
    const changed = await range(db, clickhouse, ids, evaluator, how, run)
    return {
      ...run,
      after: ids.at(-1) ?? run.after,
      persons: run.persons + ids.length,
      changed: run.changed + changed,
    }
  } catch (error) {
    if (error instanceof DefinitionsChanged) return run
    throw error
  }
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
  const total = await countPersons(db)
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const row = await tx.row<Run & { wanted: number; running: number; done: number }>(sql`
      select r.revision, c.wanted, c.running, c.done, c.after_person as after, c.persons, c.changed, c.total
      from recompute c, audience_revision r where c.id = 1`)
    if (row.wanted <= row.done && how.always !== true && row.running <= row.done) return undefined
    if (row.running === row.revision && row.done < row.revision && row.after > 0) return row
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

async function range(
  db: Database,
  clickhouse: ClickHouse,
  ids: readonly number[],
  evaluator: Evaluator,
  how: RecomputeHow,
  run: Run,
): Promise<number> {
  const reading = await nextReading(db)
  const now = how.now()
  const answers = new Map<number, Answer>()
  for await (const facts of rangeFacts(db, clickhouse, ids, evaluator.needs)) {
    answers.set(facts.personId, evaluator.evaluate(facts, now.getTime()))
  }
  await noteTouched(db, { token: how.token, now, zone: how.zone, freshHours: how.freshHours ?? 24 })
  const different = await differences(db, answers, now)
  const last = ids.at(-1) ?? run.after
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const touched = await touchedAmong(
      tx,
      different.map(({ personId }) => personId),
    )
    const left = different.filter(({ personId }) => !touched.has(personId))
    const written = await writeAnswers(tx, left, {
      reading,
      definitions: evaluator.definitions,
      now,
      zone: how.zone,
    })
    await tx.run(sql`
      update recompute set after_person = ${last}, persons = persons + ${ids.length}, changed = changed + ${left.length}
      where id = 1`)
    return left.length - written.stale
  })
}

/** Those whose stored answer, states or tags are others than computed. What time alone has changed has that cause. */
async function differences(
  db: Database,
  answers: ReadonlyMap<number, Answer>,
  now: Date,
): Promise<Answered[]> {
  const ids = [...answers.keys()]
  const rows = new Map((await selectMembership(db, ids)).map((row) => [row.personId, row]))
  const states = await selectStates(db, ids)
  const tags = await selectAutoRows(db, ids)
  const found: Answered[] = []
  for (const [personId, answer] of answers) {
    const row = rows.get(personId)
    const state = states.get(personId)
    if (
      row &&
      sameAnswer(row, answer) &&
      state &&
      sameState(state, answer.state) &&
      sameAutoTags(tags.get(personId), answer)
    ) {
      continue
    }
    const late = row?.nextAt !== null && row !== undefined && row.nextAt.getTime() <= now.getTime()
    found.push({ personId, answer, cause: late ? 'time' : 'definition' })
  }
  return found
}
