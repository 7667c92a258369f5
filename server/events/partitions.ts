/**
 * Days of the log.
 *
 * Stored: one partition a UTC day of receipt, and its row in `log_day`. Always true: closed days form a prefix, and
 * nothing is written into a closed day. Every writer holds the writers' lock shared until its transaction ends; who
 * closes a day or turns the `seen` tables takes it alone for a moment, and therefore sees no writer half way.
 */
import type { Database, Tx } from '../platform/postgres/database.ts'
import { type Sql, sql, trusted } from '../platform/postgres/sql.ts'
import { addDays, type Day, dayOf } from '../platform/time/zone.ts'

/** Advisory locks: all writers of the log share the first; the second serialises the making of partitions. */
const WRITERS_LOCK = 7_300_010
const PARTITION_LOCK = 7_300_011
const DAYS_AHEAD = 3

export type Opened = { day: Day; seen: 'a' | 'b' }

/** To be sent before anything is written into the log: to the end of the transaction no day is closed and `seen` does not turn. */
export const ENTERING = trusted(`select pg_advisory_xact_lock_shared(${WRITERS_LOCK})`)

/** Enters the log for writing. Answers the day that takes events received at `receivedAt` (the first open one if its own is closed). */
export async function enterLog(tx: Tx, receivedAt: Date): Promise<Opened> {
  // Two statements: the second must see what was committed while the first waited.
  await tx.run(ENTERING)
  return openedBy(tx, await tx.row<LogState>(sql`select ${stateColumns(receivedAt)}`), receivedAt)
}

export type LogState = { seen: 'a' | 'b'; closed: Day | null; known: boolean }

/** The columns of a `LogState`, for a statement after `ENTERING` that asks for more. */
export function stateColumns(receivedAt: Date): Sql {
  return sql`(select present from seen_turn) as seen, (select max(day) from log_day where state <> 'open') as closed,
    exists (select from log_day where day = ${dayOf('UTC', receivedAt)}::date) as known`
}

/** As `enterLog`, from a state that was read after `ENTERING`. */
export async function openedBy(tx: Tx, { seen, closed, known }: LogState, receivedAt: Date): Promise<Opened> {
  const wanted = dayOf('UTC', receivedAt)
  const day = closed !== null && wanted <= closed ? addDays(closed, 1) : wanted
  if (!known || day !== wanted) await makePartition(tx, day)
  return { day, seen }
}

/** Waits until no writer is in the log and keeps new ones out until the transaction ends. */
export async function closeLog(tx: Tx): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(${WRITERS_LOCK})`)
}

/** Makes the partitions of today and the days to come, so that no writer has to. */
export async function makePartitionsAhead(db: Database, now: Date): Promise<void> {
  const today = dayOf('UTC', now)
  for (let ahead = 0; ahead <= DAYS_AHEAD; ahead += 1) {
    await db.transaction(async (tx) => {
      const { closed } = await tx.row<{ closed: Day | null }>(
        sql`select max(day) as closed from log_day where state <> 'open'`,
      )
      const day = addDays(today, ahead)
      if (closed === null || day > closed) await makePartition(tx, day)
    })
  }
}

/** The table of one day. */
export function partitionOf(day: Day): string {
  return `event_log_${day.replaceAll('-', '')}`
}

async function makePartition(tx: Tx, day: Day): Promise<void> {
  const known = sql`select 1 from log_day where day = ${day}::date`
  if (await tx.maybe(known)) return
  await tx.run(sql`select pg_advisory_xact_lock(${PARTITION_LOCK})`)
  if (await tx.maybe(known)) return
  const name = trusted(partitionOf(day))
  // Made apart and then attached: `partition of` would wait for every reader and writer of the log.
  await tx.run(sql`create table ${name} (like event_log including defaults including constraints)`)
  await tx.run(sql`
    alter table event_log attach partition ${name} for values from (${trusted(`'${day}'`)}) to (${trusted(`'${addDays(day, 1)}'`)})`)
  await tx.run(sql`insert into log_day (day) values (${day}::date)`)
}
