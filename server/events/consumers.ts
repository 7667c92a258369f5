/**
 * Consumers of the log: each remembers how far it has come, by lane.
 *
 * Always true: a consumer's position moves in the same transaction as the effects of what it read, and only while it
 * holds its lease and nobody else has moved the position since it was read. A crash repeats a batch as a whole.
 */

import type { EventType } from '../../contract/events.ts'
import { crashPoint } from '../platform/crash.ts'
import { fence, LeaseLost, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import {
  comparePositions,
  type Lane,
  type LoggedEvent,
  laneNumber,
  lanes,
  type Position,
  type Reach,
  readLog,
  readStretch,
  START,
} from './log.ts'

export type ConsumerOf = { name: string; lane: Lane }

/** A stretch of the log that a consumer has read and not yet accounted for. */
export type Batch = ConsumerOf & {
  from: Position
  to: Position
  events: LoggedEvent[]
  /** How many events the stretch has, also those that were not asked for. */
  scanned: number
}

/**
 * Makes consumers known; their positions start at the beginning of the log. Known ones stay where they are.
 * A day of the log is dropped only when every known consumer has passed it.
 */
export async function registerConsumers(db: Db, names: readonly string[]): Promise<void> {
  await db.run(sql`
    insert into consumer (name, lane) select name, lane from unnest(${names}::text[]) name, (values (0), (1)) each (lane)
    on conflict do nothing`)
}

/** How far a consumer has come; the start of the log for one that has not begun. */
export async function positionOf(db: Db, { name, lane }: ConsumerOf): Promise<Position> {
  const row = await db.maybe<Position>(
    sql`select xid::text as xid, seq from consumer where name = ${name} and lane = ${laneNumber(lane)}`,
  )
  return row ?? START
}

/**
 * Reads the next batch, outside of any transaction; undefined when there is none.
 * `notBeyond` names a consumer of the same lane that must have been there before; `dataOf` as in `readLog`; with `types`
 * the events are those of these types, the position that of the whole stretch.
 */
export async function takeBatch(
  db: Db,
  {
    name,
    lane,
    limit,
    notBeyond,
    dataOf,
    types,
  }: ConsumerOf & { limit: number; notBeyond?: string; types?: readonly EventType[] } & Pick<Reach, 'dataOf'>,
): Promise<Batch | undefined> {
  const from = await positionOf(db, { name, lane })
  const upTo = notBeyond === undefined ? undefined : await positionOf(db, { name: notBeyond, lane })
  if (upTo && comparePositions(upTo, from) <= 0) return undefined
  const reach = { lane, after: from, limit, ...(upTo && { upTo }), ...(dataOf && { dataOf }) }
  if (types) {
    const stretch = await readStretch(db, { ...reach, types })
    return stretch && { name, lane, from, ...stretch }
  }
  const events = await readLog(db, reach)
  const last = events.at(-1)
  if (!last) return undefined
  return { name, lane, from, to: { xid: last.xid, seq: last.seq }, events, scanned: events.length }
}

/**
 * First statement of the transaction that accounts for a batch: proves the lease and moves the position.
 * Errors: `LeaseLost` when the lease or the position has passed to somebody else.
 */
export async function moveOn(
  tx: Tx,
  batch: Omit<Batch, 'events' | 'scanned'>,
  token: LeaseToken,
  now: Date,
): Promise<void> {
  await fence(tx, token)
  const moved = await tx.run(sql`
    insert into consumer (name, lane, xid, seq, moved_at)
    values (${batch.name}, ${laneNumber(batch.lane)}, ${batch.to.xid}::xid8, ${batch.to.seq}, ${now})
    on conflict (name, lane) do update set xid = excluded.xid, seq = excluded.seq, moved_at = excluded.moved_at
    where consumer.xid = ${batch.from.xid}::xid8 and consumer.seq = ${batch.from.seq}`)
  if (moved !== 1) throw new LeaseLost(`the consumer ${batch.name} was moved by another process`)
}

export type ConsumerRun = ConsumerOf & {
  token: LeaseToken
  now: Date
  /** At most so many events. */
  batch: number
  notBeyond?: string
  /** Only events of these types are read and handled; the position moves over the others. */
  types?: readonly EventType[]
  handle(tx: Tx, events: LoggedEvent[], now: Date): Promise<void>
} & Pick<Reach, 'dataOf'>

/** One batch: read, handled and accounted for in one transaction. Answers how many events it had. */
export async function runConsumer(db: Database, run: ConsumerRun): Promise<number> {
  const { name, lane, batch: limit, notBeyond, dataOf, types, token, now } = run
  const batch = await takeBatch(db, {
    name,
    lane,
    limit,
    ...(notBeyond !== undefined && { notBeyond }),
    ...(dataOf && { dataOf }),
    ...(types && { types }),
  })
  if (!batch) return 0
  crashPoint(`${name}.read`)
  await db.transaction(async (tx) => {
    await moveOn(tx, batch, token, now)
    crashPoint(`${name}.moved`)
    await run.handle(tx, batch.events, now)
    crashPoint(`${name}.handled`)
  })
  crashPoint(`${name}.committed`)
  return batch.scanned
}

export type Lag = ConsumerOf & {
  /** Events that it has not accounted for; counted up to 100,000. */
  behind: number
  /** Seconds since the oldest of them was received; 0 when there are none. */
  seconds: number
}

const MOST_COUNTED = 100_000

/** How far every known consumer is behind, for metrics, the home page and `doctor`. */
export async function readLag(db: Db, now: Date): Promise<Lag[]> {
  const consumers = await db.rows<{ name: string; lane: number } & Position>(
    sql`select name, lane, xid::text as xid, seq from consumer order by name, lane`,
  )
  return Promise.all(
    consumers.map(async ({ name, lane, xid, seq }) => {
      const after = { lane: lanes[lane === 0 ? 0 : 1], xid, seq }
      const { behind, oldest } = await countAfter(db, after, MOST_COUNTED)
      const seconds = oldest ? Math.max(0, (now.getTime() - oldest.getTime()) / 1000) : 0
      return { name, lane: after.lane, behind, seconds }
    }),
  )
}

/** How many events of both lanes a consumer has not accounted for; counts to about `most`. */
export async function countBehind(db: Db, name: string, most: number): Promise<number> {
  let found = 0
  for (const lane of lanes)
    found += (await countAfter(db, { lane, ...(await positionOf(db, { name, lane })) }, most)).behind
  return found
}

/** The position as a value, and the order of the index: joined to the consumer, a whole day was read and sorted. */
function countAfter(
  db: Db,
  { lane, xid, seq }: Position & { lane: Lane },
  most: number,
): Promise<{ behind: number; oldest: Date | null }> {
  return db.row(sql`
    select count(*)::int as behind, min(received_at) as oldest
    from (
      select received_at from event_log
      where lane = ${laneNumber(lane)}::smallint and (xid, seq) > (${xid}::xid8, ${seq}::bigint)
      order by event_log.lane, event_log.xid, event_log.seq
      limit ${most}::int
    ) open`)
}

/** Whether an import is writing, or what one wrote waits to be projected: who is touched now will be touched again. */
export async function isBulkComing(db: Db): Promise<boolean> {
  const { coming } = await db.row<{ coming: boolean }>(sql`
    select exists (select from import_run where stage is not null and state = 'importing')
      or exists (
        select from event_log l where l.lane = 1 and (l.xid, l.seq) > (
          select coalesce(max(c.xid), '0'::xid8), coalesce(max(c.seq), 0) from consumer c where c.name = 'project' and c.lane = 1))
      as coming`)
  return coming
}

/** Whether a consumer has passed everything that is committed now. */
export async function hasCaughtUp(db: Db, name: string): Promise<boolean> {
  const row = await db.maybe(sql`
    select 1 from (values (0), (1)) each (lane)
    left join consumer c on c.name = ${name} and c.lane = each.lane
    where exists (
      select from event_log l
      where l.lane = each.lane and (l.xid, l.seq) > (coalesce(c.xid, '0'::xid8), coalesce(c.seq, 0)))
    limit 1`)
  return row === undefined
}
