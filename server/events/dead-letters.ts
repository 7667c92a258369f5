/**
 * Events that a handler could not take.
 *
 * Stored: `dead_letter`, one row for each handler and event. `trying`: tried again by itself; `dead`: a person must
 * look; `behind`: waits for an earlier event of the same person; `discarded`: given up by a person. Always true: as
 * long as a row of a person is not discarded, later events of that person for that handler stand behind it, in order.
 * A row is deleted in the transaction in which its handler succeeds.
 */
import { newId } from '../platform/ids.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Db, Tx } from '../platform/postgres/database.ts'
import { jsonText } from '../platform/postgres/json.ts'
import { sql } from '../platform/postgres/sql.ts'
import { Problem } from '../platform/problem.ts'
import { instant } from '../platform/time/clock.ts'
import { type Handler, isNotTheEventsFault } from './handler.ts'
import { type LoggedEvent, laneNumber } from './log.ts'

/** `error` is absent for an event that only stands behind another. */
export type Failure = { event: LoggedEvent; error?: unknown }

const PAUSES_MS = [1000, 5000, 30_000, 300_000]
const AT_ONCE = 100
const REASON_LENGTH = 500

export function aside(event: LoggedEvent, error?: unknown): Failure {
  return { event, ...(error !== undefined && { error }) }
}

/** Which of the events' persons have something aside for the handler. */
export async function personsAside(
  tx: Tx,
  handler: string,
  events: readonly LoggedEvent[],
): Promise<Set<number>> {
  const persons = [...new Set(events.flatMap((event) => event.personId ?? []))]
  const rows = await tx.rows<{ person: number }>(sql`
    select distinct person_id as person from dead_letter
    where handler = ${handler} and person_id = any(${persons}::int[]) and state <> 'discarded'`)
  return new Set(rows.map((row) => row.person))
}

export async function putAside(
  tx: Tx,
  handler: string,
  failures: readonly Failure[],
  now: Date,
): Promise<void> {
  if (failures.length === 0) return
  const rows = failures.map(({ event, error }) => ({
    id: newId(now),
    lane: laneNumber(event.lane),
    xid: event.xid,
    seq: event.seq,
    person: event.personId,
    event,
    state: error === undefined ? 'behind' : 'trying',
    attempts: error === undefined ? 0 : 1,
    reason: error === undefined ? '' : reasonOf(error),
    next: error === undefined ? null : afterPause(now, 1),
  }))
  await tx.run(sql`
    insert into dead_letter (id, handler, lane, xid, seq, person_id, event, state, attempts, reason, next_try_at, first_failed_at, last_failed_at)
    select id, ${handler}, lane, xid::xid8, seq, person, event, state, attempts, reason, next, ${now}, ${now}
    from jsonb_to_recordset(${jsonText(rows)}::jsonb)
      as row (id uuid, lane smallint, xid text, seq bigint, person int, event jsonb, state text, attempts int, reason text, next timestamptz)`)
}

type Letter = { id: string; handler: string; personId: number | null; attempts: number; event: LoggedEvent }

const columns = sql`id, handler, person_id as "personId", attempts, event`

/** Tries again what is due. Answers how many were tried. */
export async function retryDue(
  db: Database,
  handlers: readonly Handler[],
  { token, now }: { token: LeaseToken; now: Date },
): Promise<number> {
  const due = await db.rows<{ id: string }>(sql`
    select id from dead_letter where state = 'trying' and next_try_at <= ${now} order by next_try_at limit ${AT_ONCE}`)
  for (const { id } of due) {
    await db.transaction(async (tx) => {
      await fence(tx, token)
      const letter = await lockLetter(tx, id)
      if (letter) await attempt(tx, handlers, letter, now)
    })
  }
  return due.length
}

/**
 * Tries one again because a person asks for it. True when the handler took it; those that stood behind it follow.
 * Errors: `not_found`.
 */
export async function retryLetter(
  db: Database,
  handlers: readonly Handler[],
  id: string,
  now: Date,
): Promise<boolean> {
  return db.transaction(async (tx) => attempt(tx, handlers, await letterOf(tx, id), now))
}

/** Gives one up for ever; those that stood behind it become due. Errors: `not_found`. */
export async function discardLetter(db: Database, id: string, by: string, now: Date): Promise<void> {
  await db.transaction(async (tx) => {
    const letter = await letterOf(tx, id)
    await tx.run(sql`
      update dead_letter set state = 'discarded', next_try_at = null, decided_by = ${by}, last_failed_at = ${now} where id = ${id}`)
    await callNext(tx, letter, now)
  })
}

async function attempt(tx: Tx, handlers: readonly Handler[], letter: Letter, now: Date): Promise<boolean> {
  const handler = handlers.find((one) => one.name === letter.handler)
  await tx.run(sql`savepoint trying`)
  try {
    if (!handler) throw new Error(`there is no handler ${letter.handler} any more`)
    await handler.handle(tx, [revived(letter.event)], now)
  } catch (error) {
    if (isNotTheEventsFault(error)) throw error
    await tx.run(sql`rollback to savepoint trying`)
    await fail(tx, letter, error, now)
    return false
  }
  await tx.run(sql`delete from dead_letter where id = ${letter.id}`)
  await callNext(tx, letter, now)
  return true
}

async function fail(tx: Tx, letter: Letter, error: unknown, now: Date): Promise<void> {
  const attempts = letter.attempts + 1
  const given = attempts > PAUSES_MS.length
  await tx.run(sql`
    update dead_letter
    set state = ${given ? 'dead' : 'trying'}, attempts = ${attempts}, reason = ${reasonOf(error)}, last_failed_at = ${now},
      next_try_at = ${given ? null : afterPause(now, attempts)}
    where id = ${letter.id}`)
}

/** The first that stands behind a person's letter becomes due, unless another one still stands before it. */
async function callNext(tx: Tx, { handler, personId }: Letter, now: Date): Promise<void> {
  await tx.run(sql`
    update dead_letter set state = 'trying', next_try_at = ${now}
    where state = 'behind' and id = (
      select id from dead_letter
      where handler = ${handler} and person_id = ${personId} and state <> 'discarded'
      order by lane, xid, seq limit 1)`)
}

async function lockLetter(tx: Tx, id: string): Promise<Letter | undefined> {
  return tx.maybe<Letter>(sql`
    select ${columns} from dead_letter where id = ${id} and state in ('trying', 'dead') for update`)
}

async function letterOf(tx: Tx, id: string): Promise<Letter> {
  const letter = await lockLetter(tx, id)
  if (!letter) throw new Problem('not_found', 'There is no such dead letter, or it waits for an earlier one.')
  return letter
}

export type DeadLetter = {
  id: string
  handler: string
  state: 'trying' | 'behind' | 'dead' | 'discarded'
  type: string
  personId: number | null
  attempts: number
  reason: string
  firstFailedAt: Date
  lastFailedAt: Date
  decidedBy: string | null
}

/** Newest first, from after the id `before`. */
export async function listDeadLetters(
  db: Db,
  { state, before, limit }: { state?: DeadLetter['state']; before?: string; limit: number },
): Promise<DeadLetter[]> {
  return db.rows<DeadLetter>(sql`
    select id, handler, state, event->>'type' as type, person_id as "personId", attempts, reason,
      first_failed_at as "firstFailedAt", last_failed_at as "lastFailedAt", decided_by as "decidedBy"
    from dead_letter
    where (${state ?? null}::text is null or state = ${state ?? null}) and (${before ?? null}::uuid is null or id < ${before ?? null}::uuid)
    order by id desc
    limit ${limit}`)
}

/** How many stand in each state, for the home page and metrics. */
export async function countDeadLetters(db: Db): Promise<Record<DeadLetter['state'], number>> {
  const rows = await db.rows<{ state: DeadLetter['state']; count: number }>(
    sql`select state, count(*) as count from dead_letter group by state`,
  )
  return {
    trying: 0,
    behind: 0,
    dead: 0,
    discarded: 0,
    ...Object.fromEntries(rows.map((row) => [row.state, row.count])),
  }
}

function revived(event: LoggedEvent): LoggedEvent {
  return { ...event, at: instant(String(event.at)), receivedAt: instant(String(event.receivedAt)) }
}

function afterPause(now: Date, attempts: number): Date {
  return instant(now.getTime() + (PAUSES_MS[attempts - 1] ?? 0))
}

/** What the error says, without what it quotes: a message may carry values of the event. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.slice(0, REASON_LENGTH)
}
