/**
 * Takes: who is in a snapshot, or in a segment on demand, is found once and kept.
 *
 * Always true: what counts is a take that is whole. One that was broken off is begun anew, and until it is finished the
 * one before counts. A snapshot's take becomes what the evaluator knows (facts/store.ts) in the transaction that finishes
 * it, so who enters and leaves by it is told with the cause `definition` by the recompute that follows. A segment on
 * demand is nothing that the evaluator knows.
 */
import { isRebuilding } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { crashPoint } from '../../platform/crash.ts'
import { fence, type LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { Problem } from '../../platform/problem.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { changeDefinitions, presentEvaluator } from '../definitions.ts'
import { visitRange } from '../facts/range.ts'
import { countPersons, selectNextPersons } from '../facts/store.ts'
import type { PersonRange } from '../facts/store-columns.ts'
import type { Evaluator } from '../rule/compile.ts'
import { NoSql } from '../rule/history-sql.ts'
import { personsFrom } from '../rule/person-sql.ts'
import { DRAFT, draftEvaluator } from './draft.ts'
import { conditionOf } from './preview.ts'
import { findSegment } from './segment.ts'
import {
  deleteStale,
  deleteTake,
  finishTake,
  insertMembers,
  noteLooked,
  selectPages,
  selectWanted,
  type WantedTake,
  wantTake,
} from './store-takes.ts'

export type TakeHow = {
  token: LeaseToken
  now: Date
  zone: Zone
  signal?: AbortSignal
}

const RANGE = 10_000
const STALE_ROWS = 20_000

/**
 * Takes a snapshot anew, or computes a segment on demand. Errors: `not_found`; `not_ready` for a live segment, which needs
 * none; `already_running` while one is under way.
 */
export async function takeAnew(tx: Tx, id: number, at: Date): Promise<void> {
  const segment = await findSegment(tx, id)
  if (!segment) throw new Problem('not_found', 'There is no such segment.')
  if (segment.kind === 'live') throw new Problem('not_ready', 'A live segment is always up to date.')
  if (!(await wantTake(tx, id, at)))
    throw new Problem('already_running', 'This segment is being computed already.')
}

/** Takes the segment that waits longest; without one clears what counts nowhere. How many persons or rows were looked at. */
export async function takeOnce(db: Database, clickhouse: ClickHouse, how: TakeHow): Promise<number> {
  const wanted = await selectWanted(db)
  if (!wanted) return deleteStale(db, STALE_ROWS)
  if (await isRebuilding(db)) return 0
  while ((await deleteTake(db, wanted, STALE_ROWS)) > 0) how.signal?.throwIfAborted()
  const { definitions } = await presentEvaluator(db, how.zone)
  let persons = 0
  let looked = 0
  const keep = async (ids: readonly number[]): Promise<void> => {
    how.signal?.throwIfAborted()
    persons += ids.length
    if (ids.length === 0) return
    await db.transaction(async (tx) => {
      await fence(tx, how.token)
      await insertMembers(tx, wanted, ids)
    })
    crashPoint('take.page')
  }
  try {
    const condition = await conditionOf(db, clickhouse, wanted.rule, definitions, how.now)
    const pages = await selectPages(db, personsFrom(definitions, how.now.getTime()), condition)
    for (const [index, ids] of pages.entries()) {
      await keep(ids)
      await noteLooked(db, wanted.id, index + 1, pages.length)
    }
    looked = persons
  } catch (error) {
    if (!(error instanceof NoSql)) throw error
    const total = await countPersons(db)
    const evaluator = draftEvaluator(definitions, wanted.rule)
    for (let after = 0; ; ) {
      const ids = await selectNextPersons(db, after, RANGE)
      if (ids.length === 0) break
      const before = (ids.at(-1) ?? after) + 1
      await keep(await meantAmong(db, clickhouse, { from: after + 1, before }, evaluator, how.now))
      after = before - 1
      looked += ids.length
      await noteLooked(db, wanted.id, looked, Math.max(looked, total))
    }
  }
  crashPoint('take.found')
  await finish(db, wanted, persons, how)
  return Math.max(1, looked)
}

/** Those of the range whom the draft of the evaluator means. */
async function meantAmong(
  db: Database,
  clickhouse: ClickHouse,
  range: PersonRange,
  evaluator: Evaluator,
  at: Date,
): Promise<number[]> {
  const meant: number[] = []
  const now = at.getTime()
  const { needs, days } = evaluator
  await visitRange(db, clickhouse, range, { needs, days, now }, (group) => {
    const answers = evaluator.evaluateAll(group, now)
    for (const [place, { personId }] of group.persons.entries())
      if (answers.whole(place).segments.includes(DRAFT)) meant.push(personId)
  })
  return meant
}

async function finish(db: Database, wanted: WantedTake, persons: number, how: TakeHow): Promise<void> {
  await db.transaction(async (tx) => {
    await fence(tx, how.token)
    const reading = wanted.kind === 'on_demand' ? null : await changeDefinitions(tx, wanted.id)
    await finishTake(tx, { ...wanted, at: how.now, persons, reading })
  })
  crashPoint('take.finished')
}
