/**
 * Evaluating who was touched and whose time has come.
 *
 * Order of one step: note what the log says; fix the bounds; then of some persons after the other: take the number of the
 * reading; read facts; note again; write, while the next ones are read. Whatever the facts could contain is therefore noted before anything is written.
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
  /** Persons of one call at most. */
  batch?: number
  /** Persons in one transaction: while it is written, the facts of the next ones are read. */
  atOnce?: number
  /** How old a live event may be to count as one (setting `freshness`). */
  freshHours?: number
  /** Kept from call to call, so that every bulk person has his turn. */
  bulk?: BulkPlace
}

export type Evaluated = Omit<Written, 'stale'> & { persons: number }

const BATCH = 6000
const AT_ONCE_WRITTEN = 2000
const MAX_TRIES = 5

/** Touched persons that ClickHouse can answer for, and those whose time has come. `persons` 0: nothing to do. */
export async function evaluateOnce(
  db: Database,
  clickhouse: ClickHouse,
  how: EvaluateHow,
): Promise<Evaluated> {
  const noting = { token: how.token, now: how.now, zone: how.zone, freshHours: how.freshHours ?? 24 }
  const evaluated = { persons: 0, changed: 0, entered: 0, left: 0 }
  await noteTouched(db, noting)
  crashPoint('evaluate.noted')
  // While ClickHouse is being filled again it knows only a part of what happened.
  if (await isRebuilding(db)) return evaluated
  const taken = await takeDue(db, how.now, how.batch ?? BATCH, how.bulk)
  const all = [...taken.persons.keys()]
  const atOnce = how.atOnce ?? AT_ONCE_WRITTEN
  const stores = { db, clickhouse }
  let writing: Promise<void> | undefined
  try {
    for (let from = 0; from < all.length; from += atOnce) {
      const ids = all.slice(from, from + atOnce)
      const answered = await answer(stores, ids, { ...how, ...noting })
      await writing
      writing = writeLasting(stores, answered, taken, { ...how, ...noting }).then(
        ({ changed, entered, left }) => {
          evaluated.persons += ids.length
          evaluated.changed += changed
          evaluated.entered += entered
          evaluated.left += left
        },
      )
      // Waited for once the next ones are read.
      writing.catch(() => undefined)
    }
    await writing
    return evaluated
  } finally {
    // Also where reading failed: no write goes on beyond the call.
    await Promise.allSettled([writing])
  }
}

type Noting = EvaluateHow & { freshHours: number }
type Stores = { db: Database; clickhouse: ClickHouse }

/** What was found about persons by the definitions of then, with the number of the reading. */
type Found = { ids: readonly number[]; answers: Map<number, Answer>; reading: number; evaluator: Evaluator }

async function answer({ db, clickhouse }: Stores, ids: readonly number[], how: Noting): Promise<Found> {
  const evaluator = await presentEvaluator(db, how.zone)
  const reading = await nextReading(db)
  const answers = await answersOf(db, clickhouse, ids, evaluator, how.now.getTime())
  await noteTouched(db, how)
  crashPoint('evaluate.answered')
  return { ids, answers, reading, evaluator }
}

/** Answers that came too late for their definitions are found anew. */
async function writeLasting(stores: Stores, first: Found, taken: Taken, how: Noting): Promise<Written> {
  let found = first
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write(stores.db, found, taken, how)
    } catch (error) {
      if (!(error instanceof DefinitionsChanged) || attempt === MAX_TRIES) throw error
      found = await answer(stores, first.ids, how)
    }
  }
}

async function write(
  db: Database,
  { ids, answers, reading, evaluator }: Found,
  taken: Taken,
  how: Noting,
): Promise<Written> {
  const written = await db.transaction(async (tx) => {
    await fence(tx, how.token)
    const noted = await settleDue(tx, ids, taken.project)
    const answered = ids.map(
      (personId): Answered => ({
        personId,
        answer: answers.get(personId),
        cause: causeOf(taken.persons.get(personId), noted.get(personId)),
      }),
    )
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
