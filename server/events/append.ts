/**
 * Writing into the log, in the transaction of what the events tell about.
 *
 * Always true: an event from outside (`dedupe`) is written at most once for each (source, id) within at least 30 days,
 * however many writers bring it at once: the unique index of `seen` is the judge, and the turn of the two tables
 * waits for writers (partitions.ts). A crash leaves either the whole transaction or nothing.
 */
import { crashPoint } from '../platform/crash.ts'
import { BinaryRows, uuidArray } from '../platform/postgres/binary.ts'
import { copyBinary, copyField, copyIn } from '../platform/postgres/copy.ts'
import type { Database, Db, Tx } from '../platform/postgres/database.ts'
import { jsonText } from '../platform/postgres/json.ts'
import { prepared, type Sql, sql, trusted } from '../platform/postgres/sql.ts'
import { type Lane, laneNumber, type NewEvent } from './log.ts'
import {
  closeLog,
  ENTERING,
  enterLog,
  type LogState,
  type Opened,
  openedBy,
  stateColumns,
} from './partitions.ts'
import { noteMerges } from './profile-home.ts'

export type AppendHow = {
  lane: Lane
  source: string
  receivedAt: Date
  /** Leave out what was written before under the same (source, id). For whatever comes from outside without a document. */
  dedupe?: boolean
}

export type Appended = { written: number; repeated: number }

/** An event whose data is already JSON text, as it is or in the form of COPY, so that large states are written out once. */
export type EventRow = Omit<NewEvent, 'data'> & ({ json: string } | { copied: string })

const SEEN_DAYS = 30

/**
 * Appends events in the given order. With `dedupe`, repeats (also within one call) are counted and left out.
 * `persons_merged` and `merge_undone` also move the persons' rows (profile-home.ts).
 */
export async function append(tx: Tx, events: readonly NewEvent[], how: AppendHow): Promise<Appended> {
  if (events.length === 0) return { written: 0, repeated: 0 }
  const { day, fresh } = how.dedupe === true ? await enterOnce(tx, events, how) : await enter(tx, events, how)
  crashPoint('append.deduplicated')
  await noteMerges(tx, fresh)
  await writeRows(tx, day, fresh.map(writtenOut), how)
  crashPoint('append.written')
  return { written: fresh.length, repeated: events.length - fresh.length }
}

type Entered = { day: string; fresh: readonly NewEvent[] }

async function enter(tx: Tx, fresh: readonly NewEvent[], { receivedAt }: AppendHow): Promise<Entered> {
  return { day: (await enterLog(tx, receivedAt)).day, fresh }
}

async function enterOnce(tx: Tx, events: readonly NewEvent[], how: AppendHow): Promise<Entered> {
  await tx.run(ENTERING)
  const ids = new Set(events.map((event) => event.id.toLowerCase()))
  const { repeated, entered } = await toldBefore(tx, [...ids], how)
  return { day: entered.day, fresh: unseen(events, repeated) }
}

/** As `append`, for events of this capability that need neither de-duplication nor merging. */
export async function appendRows(
  tx: Tx,
  rows: readonly EventRow[],
  how: AppendHow & { entered?: Opened },
): Promise<void> {
  if (rows.length === 0) return
  const { day } = how.entered ?? (await enterLog(tx, how.receivedAt))
  await writeRows(tx, day, rows, how)
}

/**
 * Of these ids, UUIDs in small letters, each once, those that were brought before under `source`; from now on all are
 * known. The transaction begins with `ENTERING`; `entered` is for `appendRows` in it. One statement, since the doors
 * wait for the answer; most of the time nothing was brought before, and nothing travels. Ids are marked in their order,
 * so that two writers never wait for each other in a ring.
 */
export async function toldBefore(
  tx: Tx,
  ids: readonly string[],
  { source, receivedAt }: Pick<AppendHow, 'source' | 'receivedAt'>,
): Promise<{ repeated: string[]; entered: Opened }> {
  const { repeated, ...state } = await tx.row<LogState & { repeated: string | null }>(
    prepared(
      'log.tell',
      sql`
    with state as materialized (select ${stateColumns(receivedAt)}),
      brought as materialized (
        select id, place, ${source}::text as source from unnest(${uuidArray([...ids].sort())}::uuid[]) with ordinality as of_it (id, place)),
      fresh_a as (${MARKING.a} returning id),
      fresh_b as (${MARKING.b} returning id)
    select state.*,
      case when (select count(*) from fresh_a) + (select count(*) from fresh_b) < (select count(*) from brought)
        then (select string_agg(id::text, ',') from (
          select id from brought except select id from fresh_a except select id from fresh_b) known)
        end as repeated
    from state`,
    ),
  )
  return { repeated: repeated?.split(',') ?? [], entered: await openedBy(tx, state, receivedAt) }
}

/** Into each table where it is the present one, what the other does not know. Conflicts are passed over. */
const MARKING = { a: marking('a', 'b'), b: marking('b', 'a') }

function marking(here: 'a' | 'b', there: 'a' | 'b'): Sql {
  return trusted(`
    insert into seen_${here} (source, id)
    select source, id from brought
    where (select seen from state) = '${here}'
      and not exists (select from seen_${there} old where old.source = brought.source and old.id = brought.id)
    order by place
    on conflict do nothing`)
}

/**
 * Turns the two `seen` tables when the present one is 30 days old: the other is emptied and filled from now on.
 * True when it turned.
 */
export async function turnSeen(db: Database, now: Date): Promise<boolean> {
  // Most of the time nothing is due, and no writer has to wait for the answer.
  if (!(await isTurnDue(db, now))) return false
  return db.transaction(async (tx) => {
    await closeLog(tx)
    const turn = await isTurnDue(tx, now)
    if (!turn) return false
    if (turn === 'begins') {
      await tx.run(sql`update seen_turn set since = ${now}`)
      return false
    }
    const next = turn === 'a' ? 'b' : 'a'
    await tx.run(sql`truncate ${trusted(`seen_${next}`)}`)
    await tx.run(sql`update seen_turn set present = ${next}, since = ${now}`)
    return true
  })
}

/** The table that has been filled long enough; `begins` where the first has not been dated yet. */
async function isTurnDue(db: Db, now: Date): Promise<'a' | 'b' | 'begins' | undefined> {
  const row = await db.maybe<{ present: 'a' | 'b'; begins: boolean }>(sql`
    select present, since = '-infinity' as begins from seen_turn
    where since <= ${now}::timestamptz - ${SEEN_DAYS} * interval '1 day'`)
  return row?.begins === true ? 'begins' : row?.present
}

/** Those that nobody brought before, each id once. */
function unseen(events: readonly NewEvent[], repeated: readonly string[]): readonly NewEvent[] {
  const ids = new Set(events.map((event) => event.id.toLowerCase()))
  if (ids.size === events.length && repeated.length === 0) return events
  for (const id of repeated) ids.delete(id)
  return events.filter((event) => ids.delete(event.id.toLowerCase()))
}

const INTO_LOG =
  'copy event_log (day, lane, received_at, source, id, type, profile_id, person_id, at, data) from stdin'
const LOG_COLUMNS = 10

async function writeRows(tx: Tx, day: string, rows: readonly EventRow[], how: AppendHow): Promise<void> {
  if (rows.length === 0) return
  if (rows.every((row) => 'json' in row)) {
    const shared = sharedFields(day, how)
    await copyBinary(tx, `${INTO_LOG} (format binary)`, rows, (row, out) => writeFields(row, out, shared))
    return
  }
  const received = how.receivedAt.toISOString()
  await copyIn(
    tx,
    INTO_LOG,
    lines(rows, `${day}\t${laneNumber(how.lane)}\t${received}\t${copyField(how.source)}`),
  )
}

/** What all rows of a call begin with: how many columns there are, and the first four. */
function sharedFields(day: string, { lane, receivedAt, source }: AppendHow): Buffer {
  const out = new BinaryRows(64 + source.length * 3)
  out.count(LOG_COLUMNS)
  out.day(day)
  out.smallint(laneNumber(lane))
  out.instant(receivedAt)
  out.text(source)
  return out.take()
}

function writeFields(row: EventRow & { json: string }, out: BinaryRows, shared: Buffer): void {
  out.raw(shared)
  out.uuid(row.id)
  out.text(row.type)
  out.int(row.profileId)
  out.int(row.personId)
  out.instant(row.at)
  out.json(row.json)
}

function* lines(rows: readonly EventRow[], constant: string): Generator<string> {
  for (const row of rows) {
    yield `${constant}\t${row.id}\t${row.type}\t${row.profileId ?? '\\N'}\t${row.personId ?? '\\N'}\t${row.at.toISOString()}\t${'copied' in row ? row.copied : copyField(row.json)}\n`
  }
}

function writtenOut({ data, ...event }: NewEvent): EventRow {
  return { ...event, json: jsonText(data) }
}
