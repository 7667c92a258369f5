/**
 * Who is to be evaluated because something happened.
 *
 * Always true: the consumer `evaluate` notes touched persons as soon as the log can be read, without waiting for
 * ClickHouse; a person is taken when the first event that touched him can be read there. So at the moment of writing
 * it is known whether facts that came with an import are among what was read: then the cause is `bulk`, whatever else
 * happened, and no SOP starts because of an import.
 */
import type { EventType } from '../../../contract/events.ts'
import {
  type Batch,
  isBulkComing,
  isFresh,
  type Lane,
  type LoggedEvent,
  lanes,
  moveOn,
  type Position,
  positionOf,
  presentPersons,
  takeBatch,
} from '../../events/events.ts'
import { fence, LeaseLost, type LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database, Db, Tx } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { presentEvaluator } from '../definitions.ts'
import { lockRevision } from './store.ts'

export const CONSUMER = 'evaluate'
/** Events that this capability writes as a result of evaluation: they touch nobody again. */
export const SOURCE = 'audience'

const MERGES: ReadonlySet<EventType> = new Set(['persons_merged', 'merge_undone'])
/** What touches whatever the rules are: attributes, tags, states. */
const TOUCHING: ReadonlySet<EventType> = new Set<EventType>([
  ...MERGES,
  'member_joined',
  'person_erased',
  'attributes_changed',
  'identifier_added',
  'contact_added',
  'contact_lost',
  'owner_changed',
  'order_recorded',
  'visited_store',
  'page_viewed',
  'member_replied',
  'tag_added',
  'tag_removed',
  's_tag_changed',
])
const NOTE_BATCH = 5000
const MAX_TRIES = 10
const BULK_ROOM = 5
/** What this many persons hold in memory is enough at once. */
const MOST_BULK = 5000

export type DueCause = 'event' | 'bulk' | 'merge'
export type Due = { personId: number; lane: 0 | 1; cause: DueCause }

export type NoteHow = { token: LeaseToken; now: Date; zone: Zone; freshHours: number }

/**
 * Reads the log to its readable end, both lanes, and notes who was touched. Answers how many events were read.
 * Evaluation and recompute both do this under leases of their own: where one finds the position moved, it goes on
 * from there. Beside what always touches, events touch that some rule of the present definitions asks for: a change of
 * definitions waits for the batch, and a batch is noted by the definitions that hold when it is. Errors: `LeaseLost`.
 */
export async function noteTouched(db: Database, how: NoteHow): Promise<number> {
  let read = 0
  for (const lane of lanes) {
    for (let tries = 0; ; ) {
      const { definitions, needs } = await presentEvaluator(db, how.zone)
      const types = [...TOUCHING.union(needs.events)]
      const batch = await takeBatch(db, {
        name: CONSUMER,
        lane,
        limit: NOTE_BATCH,
        types,
        dataOf: [...MERGES],
      })
      if (!batch) break
      if (!(await noteBatch(db, batch, { ...how, revision: definitions.revision }))) {
        tries += 1
        if (tries === MAX_TRIES) throw new LeaseLost('others keep moving the consumer of evaluation')
        continue
      }
      read += batch.scanned
      if (batch.scanned < NOTE_BATCH) break
    }
  }
  return read
}

/** False where somebody else has noted, or changed the definitions, meanwhile. */
async function noteBatch(db: Database, batch: Batch, how: NoteHow & { revision: number }): Promise<boolean> {
  try {
    return await db.transaction(async (tx) => {
      if ((await lockRevision(tx)) !== how.revision) return false
      await moveOn(tx, batch, how.token, how.now)
      await note(tx, batch.events, { lane: batch.lane, ...how })
      return true
    })
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error
    await db.transaction((tx) => fence(tx, how.token))
    return false
  }
}

type Noted = { first: Position; last: Position; cause: DueCause }

type NotingHow = NoteHow & { lane: Lane }

async function note(tx: Tx, events: readonly LoggedEvent[], { lane, ...how }: NotingHow): Promise<void> {
  const found = new Map<number, Noted>()
  for (const event of events) {
    if (event.source === SOURCE) continue
    const cause = causeOf(event, how)
    for (const person of personsOf(event)) {
      const before = found.get(person)
      found.set(person, {
        first: before?.first ?? event,
        last: event,
        cause: before ? worse(before.cause, cause) : cause,
      })
    }
  }
  if (found.size === 0) return
  const present = await presentOf(tx, found)
  const rows = [...present].sort(([left], [right]) => left - right)
  await tx.run(sql`
    insert into evaluation_due (person_id, lane, first_xid, first_seq, last_xid, last_seq, cause)
    select person_id, ${lane === 'live' ? 0 : 1}, first_xid::xid8, first_seq, last_xid::xid8, last_seq, cause
    from unnest(${rows.map(([id]) => id)}::int[], ${rows.map(([, row]) => row.first.xid)}::text[],
      ${rows.map(([, row]) => row.first.seq)}::bigint[], ${rows.map(([, row]) => row.last.xid)}::text[],
      ${rows.map(([, row]) => row.last.seq)}::bigint[], ${rows.map(([, row]) => row.cause)}::text[])
      as t (person_id, first_xid, first_seq, last_xid, last_seq, cause)
    on conflict (person_id, lane) do update set last_xid = excluded.last_xid, last_seq = excluded.last_seq,
      cause = case when evaluation_due.cause = 'event' then excluded.cause else evaluation_due.cause end`)
}

function personsOf(event: LoggedEvent): number[] {
  if (!MERGES.has(event.type)) return event.personId === null ? [] : [event.personId]
  const { keptPersonId, absorbedPersonId, restoredPersonId } = event.data
  return [event.personId, keptPersonId, absorbedPersonId, restoredPersonId].filter(
    (id): id is number => typeof id === 'number',
  )
}

function causeOf(event: LoggedEvent, how: NoteHow): DueCause {
  if (MERGES.has(event.type)) return 'merge'
  return isFresh(event, how.now, how.freshHours) ? 'event' : 'bulk'
}

const worse = (left: DueCause, right: DueCause): DueCause => (left === 'event' ? right : left)

/** Those who were merged since count as who they are now; they themselves are looked at too, their rows must go. */
async function presentOf(tx: Tx, found: ReadonlyMap<number, Noted>): Promise<Map<number, Noted>> {
  const ids = [...found.keys()]
  const merged = await tx.rows<{ id: number; now: number }>(sql`
    select id, merged_into as now from person where id = any(${ids}::int[]) and merged_into is not null`)
  const all = new Map(found)
  for (const { id, now } of merged) {
    const own = found.get(id)
    if (!own) continue
    const [person] = await presentPersons(tx, [{ profileId: id, personId: now }])
    const target = person ?? now
    const before = all.get(target)
    all.set(target, before ? { ...own, first: before.first, cause: worse(before.cause, own.cause) } : own)
  }
  return all
}

export type Taken = { persons: Map<number, DueCause | 'time'>; project: Record<Lane, Position> }

/**
 * Where the next bulk persons are taken, kept by the caller from one call to the next. A round begins where `mayBegin`
 * allows it, told whether more is coming; `end` is called when it is over.
 */
export type BulkPlace = {
  after: number
  mayBegin?(moreIsComing: boolean): boolean
  end?(): void
}

/**
 * The next persons to evaluate, live ones first, then those whose time has come, then bulk: at most `limit`; of bulk
 * alone `BULK_ROOM` times as many, and no more than `MOST_BULK`. Bulk persons are taken round by round in the order of
 * their ids: neighbours stand together in ClickHouse, so that a batch reads a piece of it and not all; and whom a long
 * import touches often is evaluated once a round. `project` is how far ClickHouse could be read before anything else
 * was.
 */
export async function takeDue(
  db: Db,
  now: Date,
  limit: number,
  bulk: BulkPlace = { after: 0 },
): Promise<Taken> {
  const project = {
    live: await positionOf(db, { name: 'project', lane: 'live' }),
    bulk: await positionOf(db, { name: 'project', lane: 'bulk' }),
  }
  const persons = new Map<number, DueCause | 'time'>()
  const add = (rows: readonly { personId: number; cause: DueCause | 'time' }[]): void => {
    for (const { personId, cause } of rows) if (!persons.has(personId)) persons.set(personId, cause)
  }
  const readable = (lane: Lane): Sql => sql`
    lane = ${lane === 'live' ? 0 : 1} and (first_xid, first_seq) <= (${project[lane].xid}::xid8, ${project[lane].seq}::bigint)`
  type Row = { personId: number; cause: DueCause }
  add(
    await db.rows<Row>(sql`
      select person_id as "personId", cause from evaluation_due
      where ${readable('live')} order by lane, first_xid, first_seq limit ${limit}`),
  )
  if (persons.size < limit) {
    add(
      await db.rows<{ personId: number; cause: 'time' }>(sql`
        select person_id as "personId", 'time' as cause from person_segment
        where next_at <= ${now} order by next_at limit ${limit - persons.size}`),
    )
  }
  const begins = async () => bulk.mayBegin === undefined || bulk.mayBegin(await isBulkComing(db))
  if (persons.size < limit && (bulk.after > 0 || (await begins()))) {
    const room = persons.size === 0 ? Math.min(limit * BULK_ROOM, MOST_BULK) : limit - persons.size
    const rows = await db.rows<Row>(sql`
      select person_id as "personId", cause from evaluation_due
      where person_id > ${bulk.after} and ${readable('bulk')} order by person_id limit ${room}`)
    const last = rows.at(-1)
    const wrapped = rows.length < room
    if (wrapped) bulk.end?.()
    if (wrapped && rows.length === 0 && bulk.after > 0) {
      bulk.after = 0
      return persons.size > 0 ? { persons, project } : takeDue(db, now, limit, bulk)
    }
    bulk.after = wrapped ? 0 : (last?.personId ?? 0)
    add(rows)
  }
  return { persons, project }
}

/** In the transaction that writes the answers: what was noted of these persons until now, and done with where read. */
export async function settleDue(
  tx: Tx,
  personIds: readonly number[],
  project: Taken['project'],
): Promise<Map<number, DueCause>> {
  const rows = await tx.rows<Due>(sql`
    select person_id as "personId", lane, cause from evaluation_due
    where person_id = any(${personIds}::int[]) order by person_id, lane for update`)
  const causes = new Map<number, DueCause>()
  for (const { personId, cause } of rows) {
    const before = causes.get(personId)
    causes.set(personId, before ? worse(before, cause) : cause)
  }
  for (const lane of lanes) {
    const { xid, seq } = project[lane]
    const number = lane === 'live' ? 0 : 1
    const noted = rows.flatMap((row) => (row.lane === number ? [row.personId] : []))
    if (noted.length === 0) continue
    const settled = await tx.run(sql`
      delete from evaluation_due where person_id = any(${noted}::int[]) and lane = ${number}
        and (last_xid, last_seq) <= (${xid}::xid8, ${seq}::bigint)`)
    if (settled === noted.length) continue
    await tx.run(sql`
      update evaluation_due set first_xid = last_xid, first_seq = last_seq
      where person_id = any(${noted}::int[]) and lane = ${number}
        and (first_xid, first_seq) <= (${xid}::xid8, ${seq}::bigint)`)
  }
  return causes
}

/** Those of the persons whom an event has touched that was not evaluated yet. */
export async function touchedAmong(db: Db, personIds: readonly number[]): Promise<Set<number>> {
  const rows = await db.rows<{ id: number }>(
    sql`select person_id as id from evaluation_due where person_id = any(${personIds}::int[])`,
  )
  return new Set(rows.map((row) => row.id))
}

/** Persons that wait to be evaluated, by lane, for the gauges. */
export async function countDue(db: Db, now: Date): Promise<{ live: number; bulk: number; time: number }> {
  return db.row(sql`
    select (select count(*) from evaluation_due where lane = 0) as live,
      (select count(*) from evaluation_due where lane = 1) as bulk,
      (select count(*) from person_segment where next_at <= ${now}) as time`)
}
