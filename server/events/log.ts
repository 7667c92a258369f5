/**
 * The log: rows, positions and how they are read.
 *
 * Always true: rows appear in the order (xid, seq) to whoever reads only `xid < pg_snapshot_xmin(…)`: a transaction
 * that may still write has a greater xid than all that is read. An identity value alone is given before commit, and
 * reading by it loses rows. One transaction that stays open therefore holds every reader back.
 */
import type { EventType } from '../../contract/events.ts'
import { type Db, readInstant } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'

/** `live` is what happens now; `bulk` is imports, first synchronisations and backfill, and triggers nothing. */
export type Lane = 'live' | 'bulk'
export const lanes = ['live', 'bulk'] as const

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined }

/** `at` is when it happened. Give person-level events a profile of the person if one is known. */
export type NewEvent = {
  id: string
  type: EventType
  profileId: number | null
  personId: number | null
  at: Date
  /** The schema of `type` in contract/events.ts; `object` so that typed values need no cast. */
  data: object
}

/** `xid` is text: it is a 64-bit number. */
export type Position = { readonly xid: string; readonly seq: number }
export const START: Position = { xid: '0', seq: 0 }

export type LoggedEvent = Omit<NewEvent, 'data'> &
  Position & { lane: Lane; source: string; receivedAt: Date; data: Record<string, unknown> }

export type Reach = {
  lane: Lane
  after: Position
  limit: number
  upTo?: Position
  /** Types whose `data` is wanted; the others have an empty one. Data is most of what reading costs. Default: all. */
  dataOf?: readonly EventType[]
}

/** The next events of a lane after a position, in order; never one whose predecessor may still appear. */
export async function readLog(db: Db, reach: Reach): Promise<LoggedEvent[]> {
  const rows = await db.rows<{ line: string }>(sql`
    select ${eventLine(reach)} as line from event_log where ${within(reach)}
    order by event_log.lane, event_log.xid, event_log.seq
    limit ${reach.limit}`)
  const read = lineReader()
  return rows.map(({ line }) => read(line))
}

/**
 * An event as one text, its columns parted by tabs, which stand in none of them: JSON writes them as \t. A row of one
 * column costs the client a third of a row of eleven.
 */
function eventLine({ dataOf }: Pick<Reach, 'dataOf'>): Sql {
  const data = dataOf ? sql`case when type = any(${dataOf}::text[]) then data else '{}' end` : sql`data`
  return sql`concat_ws(E'\t', xid, seq, lane, id, type, coalesce(profile_id::text, ''), coalesce(person_id::text, ''),
    at, received_at, to_json(source), ${data})`
}

/** Reads such lines. What many of them share, as the moment of receipt, is made once. */
function lineReader(): (line: string) => LoggedEvent {
  let received = { text: '', at: instant(0) }
  let source = { text: '', of: '' }
  return (line) => {
    const parts = line.split('\t') as Columns
    if (parts[8] !== received.text) received = { text: parts[8], at: readInstant(parts[8]) as Date }
    if (parts[9] !== source.text) source = { text: parts[9], of: JSON.parse(parts[9]) as string }
    return {
      xid: parts[0],
      seq: Number(parts[1]),
      lane: parts[2] === '0' ? 'live' : 'bulk',
      id: parts[3],
      type: parts[4] as EventType,
      profileId: parts[5] === '' ? null : Number(parts[5]),
      personId: parts[6] === '' ? null : Number(parts[6]),
      at: readInstant(parts[7]) as Date,
      receivedAt: received.at,
      source: source.of,
      data: JSON.parse(parts[10]) as LoggedEvent['data'],
    }
  }
}

type Columns = [
  xid: string,
  seq: string,
  lane: string,
  id: string,
  type: string,
  profile: string,
  person: string,
  at: string,
  received: string,
  source: string,
  data: string,
]

function within({ lane, after, upTo }: Reach): Sql {
  const end = upTo ? sql`and (xid, seq) <= (${upTo.xid}::xid8, ${upTo.seq}::bigint)` : sql``
  return sql`lane = ${laneNumber(lane)} and (xid, seq) > (${after.xid}::xid8, ${after.seq}::bigint)
    and xid < pg_snapshot_xmin(pg_current_snapshot()) ${end}`
}

/** A stretch of a lane: of its events those of some types, where it ends, and how many events it has in all. */
export type Stretch = { events: LoggedEvent[]; to: Position; scanned: number }

/**
 * As `readLog`, only events of `types`, so that the others cost nothing but the look at their type. Undefined where
 * there is no event at all. Data is read of those in `dataOf` (default: all).
 */
export async function readStretch(
  db: Db,
  { types, ...reach }: Reach & { types: readonly EventType[] },
): Promise<Stretch | undefined> {
  const rows = await db.rows<{ line: string; scanned: number; wanted: boolean }>(sql`
    select ${eventLine(reach)} as line, scanned, type = any(${types}::text[]) as wanted
    from (
      select *, count(*) over () as scanned, lead(seq) over (order by xid, seq) is null as is_last
      from (
        select * from event_log where ${within(reach)}
        order by event_log.lane, event_log.xid, event_log.seq
        limit ${reach.limit}) next) stretch
    where is_last or type = any(${types}::text[])
    order by stretch.xid, stretch.seq`)
  const [first] = rows
  if (!first) return undefined
  const read = lineReader()
  const events = rows.map(({ line }) => read(line))
  const { xid, seq } = events.at(-1) as LoggedEvent
  return {
    events: events.filter((_, place) => rows[place]?.wanted === true),
    to: { xid, seq },
    scanned: first.scanned,
  }
}

/** The same events with their data, for those that were read without it. */
export async function withData(db: Db, events: readonly LoggedEvent[]): Promise<LoggedEvent[]> {
  if (events.length === 0) return []
  const rows = await db.rows<{ xid: string; seq: number; data: LoggedEvent['data'] }>(sql`
    select l.xid::text as xid, l.seq, l.data
    from unnest(${events.map((event) => laneNumber(event.lane))}::smallint[], ${events.map((event) => event.xid)}::text[],
      ${events.map((event) => event.seq)}::bigint[]) as n (lane, xid, seq)
    join event_log l on l.lane = n.lane and l.xid = n.xid::xid8 and l.seq = n.seq`)
  const data = new Map(rows.map((row) => [`${row.xid} ${row.seq}`, row.data]))
  return events.map((event) => ({ ...event, data: data.get(`${event.xid} ${event.seq}`) ?? event.data }))
}

/** 0 live, 1 bulk: how the stores write it. */
export function laneNumber(lane: Lane): 0 | 1 {
  return lane === 'live' ? 0 : 1
}

/** Negative, zero or positive as `a` stands before, at or after `b`. */
export function comparePositions(a: Position, b: Position): number {
  const first = BigInt(a.xid)
  const second = BigInt(b.xid)
  if (first === second) return a.seq - b.seq
  return first < second ? -1 : 1
}

/** Whether an event may still set something off: live, and received at most `maxHours` after it happened. */
export function isFresh(event: LoggedEvent, now: Date, maxHours = 24): boolean {
  const span = maxHours * 3_600_000
  const heard = event.receivedAt.getTime() - event.at.getTime()
  return event.lane === 'live' && heard <= span && now.getTime() - event.at.getTime() <= span + CATCHING_UP_MS
}

/** How far a consumer may have fallen behind before a fresh event counts as stale. */
const CATCHING_UP_MS = 24 * 3_600_000
