/**
 * Evaluating who was touched and whose time has come.
 *
 * Order of one step: note what the log says; fix the bounds; take the number of the reading; read facts; note again;
 * write. Whatever the facts could contain is therefore noted before anything is written.
 */
import { isRebuilding } from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import { crashPoint } from '../../platform/crash.ts'
import { fence, type LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { nextReading, presentEvaluator } from '../definitions.ts'
import { groupOf } from '../facts/history-table.ts'
import { loadFacts } from '../facts/load.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import { visitRange } from '../facts/range.ts'
import { AT_ONCE } from '../rule/bench.ts'
import type { Answer, Evaluator } from '../rule/compile.ts'
import { type BulkPlace, type DueCause, noteTouched, settleDue, type Taken, takeDue } from './due.ts'
import { type Answered, DefinitionsChanged, type Written, writeAnswers } from './membership.ts'
import type { Cause } from './told.ts'

export type EvaluateHow = {
  token: LeaseToken
  now: Date
  zone: Zone
  /** Persons in one transaction. */
  batch?: number
  /** How old a live event may be to count as one (setting `freshness`). */
  freshHours?: number
  /** Kept from call to call, so that every bulk person has his turn. */
  bulk?: BulkPlace
}

export type Evaluated = Omit<Written, 'stale'> & { persons: number }

const BATCH = 2000
const MAX_TRIES = 5

/** One batch: touched persons that ClickHouse can answer for, and those whose time has come. `persons` 0: nothing to do. */
export async function evaluateOnce(
  db: Database,
  clickhouse: ClickHouse,
  how: EvaluateHow,
): Promise<Evaluated> {
  const noting = { token: how.token, now: how.now, zone: how.zone, freshHours: how.freshHours ?? 24 }
  await noteTouched(db, noting)
  crashPoint('evaluate.noted')
  // While ClickHouse is being filled again it knows only a part of what happened.
  if (await isRebuilding(db)) return { persons: 0, changed: 0, entered: 0, left: 0 }
  const taken = await takeDue(db, how.now, how.batch ?? BATCH, how.bulk)
  if (taken.persons.size === 0) return { persons: 0, changed: 0, entered: 0, left: 0 }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return {
        persons: taken.persons.size,
        ...(await evaluateTaken(db, clickhouse, taken, { ...how, ...noting })),
      }
    } catch (error) {
      if (!(error instanceof DefinitionsChanged) || attempt === MAX_TRIES) throw error
    }
  }
}

async function evaluateTaken(
  db: Database,
  clickhouse: ClickHouse,
  taken: Taken,
  how: EvaluateHow & { freshHours: number },
): Promise<Omit<Written, 'stale'>> {
  const evaluator = await presentEvaluator(db, how.zone)
  const reading = await nextReading(db)
  const ids = [...taken.persons.keys()]
  const now = how.now.getTime()
  const found = await answersOf(db, clickhouse, ids, evaluator, now)
  await noteTouched(db, how)
  const answers = ids.map((personId) => ({ personId, answer: found.get(personId) }))
  crashPoint('evaluate.answered')
  const written = await db.transaction(async (tx) => {
    await fence(tx, how.token)
    const noted = await settleDue(tx, ids, taken.project)
    const answered: Answered[] = answers.map(({ personId, answer }) => ({
      personId,
      answer,
      cause: causeOf(taken.persons.get(personId), noted.get(personId)),
    }))
    const counts = await writeAnswers(tx, answered, {
      reading,
      definitions: evaluator.definitions,
      now: how.now,
      zone: how.zone,
    })
    crashPoint('evaluate.written')
    return counts
  })
  crashPoint('evaluate.committed')
  return written
}

/** Of so many or more, columns are read faster than objects. */
const COLUMNS_FROM = 100

async function answersOf(
  db: Database,
  clickhouse: ClickHouse,
  ids: readonly number[],
  evaluator: Evaluator,
  now: number,
): Promise<Map<number, Answer>> {
  const { needs, days } = evaluator
  if (ids.length < COLUMNS_FROM) {
    const facts = await loadFacts(db, clickhouse, ids, { needs, days, now })
    return answersAbout([...facts.values()], evaluator, now)
  }
  const found = new Map<number, Answer>()
  const how = { needs, days, now, call: { lane: 'page' } } as const
  await visitRange(db, clickhouse, { ids }, how, (group) => {
    const answers = evaluator.evaluateAll(group, now)
    for (const [place, { personId }] of group.persons.entries()) found.set(personId, answers.whole(place))
  })
  return found
}

/** The answers about each, many at a time. */
export function answersAbout(
  facts: readonly PersonFacts[],
  evaluator: Evaluator,
  now: number,
): Map<number, Answer> {
  const found = new Map<number, Answer>()
  for (let from = 0; from < facts.length; from += AT_ONCE) {
    const some = facts.slice(from, from + AT_ONCE)
    const answers = evaluator.evaluateAll(groupOf(some), now)
    for (const [place, { personId }] of some.entries()) found.set(personId, answers.whole(place))
  }
  return found
}

/** A cause that must not start anything outweighs one that may. */
function causeOf(taken: DueCause | 'time' | undefined, noted: DueCause | undefined): Cause {
  if (noted !== undefined && noted !== 'event') return noted
  if (taken === 'bulk' || taken === 'merge') return taken
  return noted ?? taken ?? 'time'
}
