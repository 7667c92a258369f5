/**
 * Reacting: registered handlers run over each lane of the log, in PostgreSQL only, a batch and its effects in one
 * transaction.
 *
 * Always true: each event is given to each handler of its type exactly once that commits, or stands in `dead_letter`.
 * One that a handler cannot take does not stop the others: it is put aside in the same transaction, tried again, and
 * later events of the same person stand behind it for that handler, so that the order per person holds. The handlers
 * of a lane have one position; a handler that fails for very many events at once is broken itself: then the position
 * stays, and the error goes up.
 */
import type { EventType } from '../../contract/events.ts'
import type { LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { runConsumer } from './consumers.ts'
import { aside, type Failure, personsAside, putAside } from './dead-letters.ts'
import { type Handler, isNotTheEventsFault } from './handler.ts'
import { type Lane, type LoggedEvent, withData } from './log.ts'

export const REACT = 'react'

export type Reacting = { lane: Lane; token: LeaseToken; now: Date; batch?: number }

/** Most of what comes in bulk is passed over. */
const BATCH: Record<Lane, number> = { live: 1000, bulk: 2500 }
/** More failures than this in one batch: the handler is broken, not the events. */
const MAX_FAILURES = 100

/** One batch of a lane, through all handlers in their order. Answers how many events it had. */
export async function reactOnce(
  db: Database,
  handlers: readonly Handler[],
  { lane, token, now, batch = BATCH[lane] }: Reacting,
): Promise<number> {
  return runConsumer(db, {
    name: REACT,
    lane,
    token,
    now,
    batch,
    types: [...new Set(handlers.flatMap((handler) => typesIn(handler, lane)))],
    dataOf: [...new Set(handlers.flatMap((handler) => readAtOnce(handler, lane)))],
    async handle(tx, events) {
      for (const handler of handlers)
        await handOut(tx, handler, await eventsFor(tx, { handler, lane }, events), now)
    },
  })
}

/** Types whose data a handler needs of every event. */
function readAtOnce(handler: Handler, lane: Lane): EventType[] {
  const { bulkOnlyFor } = handler
  return typesIn(handler, lane).filter(
    (type) => lane === 'live' || bulkOnlyFor?.types.includes(type) !== true,
  )
}

function typesIn({ types, liveOnly }: Handler, lane: Lane): EventType[] {
  return types.filter((type) => lane === 'live' || liveOnly?.includes(type) !== true)
}

/** What is for a handler, in order, with its data. */
async function eventsFor(
  tx: Tx,
  { handler, lane }: { handler: Handler; lane: Lane },
  events: readonly LoggedEvent[],
): Promise<LoggedEvent[]> {
  const { bulkOnlyFor } = handler
  const types = typesIn(handler, lane)
  const mine = events.filter(({ type }) => types.includes(type))
  const some = mine.filter(({ lane, type }) => lane === 'bulk' && bulkOnlyFor?.types.includes(type) === true)
  if (some.length === 0 || bulkOnlyFor === undefined) return mine
  const among = new Set(some.flatMap(({ personId }) => personId ?? []))
  const persons = among.size === 0 ? among : await bulkOnlyFor.persons(tx, [...among])
  const passed = new Set(some.filter(({ personId }) => personId === null || !persons.has(personId)))
  const kept = some.filter((event) => !passed.has(event))
  const whole = new Map((await withData(tx, kept)).map((event, place) => [kept[place], event]))
  return mine.flatMap((event) => (passed.has(event) ? [] : (whole.get(event) ?? event)))
}

async function handOut(tx: Tx, handler: Handler, mine: readonly LoggedEvent[], now: Date): Promise<void> {
  if (mine.length === 0) return
  const waiting = await personsAside(tx, handler.name, mine)
  const behind = mine.filter((event) => event.personId !== null && waiting.has(event.personId))
  const free = behind.length === 0 ? mine : mine.filter((event) => !behind.includes(event))
  const failures: Failure[] = behind.map((event) => aside(event))
  await handleOrSplit(tx, { handler, now, failures }, free)
  await putAside(tx, handler.name, failures, now)
}

type Trial = { handler: Handler; now: Date; failures: Failure[] }

/** Handles all of them, or halves them until the ones that fail are alone. Order per person is kept. */
async function handleOrSplit(tx: Tx, trial: Trial, events: readonly LoggedEvent[]): Promise<void> {
  const { handler, now, failures } = trial
  const failing = new Set(failures.map((failure) => failure.event.personId))
  const ready: LoggedEvent[] = []
  for (const event of events) {
    if (event.personId !== null && failing.has(event.personId)) failures.push(aside(event))
    else ready.push(event)
  }
  if (ready.length === 0) return
  await tx.run(sql`savepoint handling`)
  try {
    await handler.handle(tx, ready, now)
    await tx.run(sql`release savepoint handling`)
    return
  } catch (error) {
    if (isNotTheEventsFault(error)) throw error
    await tx.run(sql`rollback to savepoint handling`)
    if (ready.length === 1 && ready[0]) {
      failures.push(aside(ready[0], error))
      if (failures.filter((failure) => failure.error !== undefined).length > MAX_FAILURES) {
        throw new Error(`the handler ${handler.name} fails for more than ${MAX_FAILURES} events of a batch`, {
          cause: error,
        })
      }
      return
    }
  }
  const half = Math.ceil(ready.length / 2)
  await handleOrSplit(tx, trial, ready.slice(0, half))
  await handleOrSplit(tx, trial, ready.slice(half))
}
