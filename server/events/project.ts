/**
 * The projection: log → ClickHouse.
 *
 * Stored: its position in `consumer`, and the bounds of the batch in flight in `projection_batch`, written before the
 * first insert. Always true: a batch is inserted into each table at most once, because the same bounds give the same
 * `insert_deduplication_token` and the same rows (what is below the horizon never changes, and homes move only between
 * batches, under the same lease); the position moves after the last insert. After a crash the batch is done again with
 * the bounds that stand there. A holder that was stopped and woken inserts what the table has already seen.
 */
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { crashPoint } from '../platform/crash.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { moveOn, positionOf, takeBatch } from './consumers.ts'
import { type Lane, type LoggedEvent, laneNumber, type Position, readLog } from './log.ts'
import { finishMoves } from './move-rows.ts'
import { homesOf, profileFor } from './profile-home.ts'
import { projectedColumns, projectedRows, projectedTables } from './project-rows.ts'

/** The lease under which both lanes are projected, rows are moved and ClickHouse is rebuilt. */
export const PROJECT = 'project'
/** A live event must not wait long for what is in flight; a backlog goes faster in large pieces, of which each thousand holds some 6 MB. */
const BATCH: Record<Lane, number> = { live: 5_000, bulk: 10_000 }

export type Projecting = { lane: Lane; token: LeaseToken; now: Date; batch?: number }

/** Projects one batch of a lane. Answers how many events it had; 0 while ClickHouse is being rebuilt. */
export async function projectOnce(
  db: Database,
  clickhouse: ClickHouse,
  { lane, token, now, batch = BATCH[lane] }: Projecting,
): Promise<number> {
  const state = await db.row<{ epoch: number; rebuilding: boolean; moving: boolean }>(sql`
    select epoch, rebuilding_since is not null as rebuilding,
      exists (select from profile_home where moving_to is not null) as moving
    from projection`)
  if (state.rebuilding) return 0
  if (state.moving) await finishMoves(db, clickhouse, token)
  return projectBatch(db, clickhouse, { lane, token, now, batch, epoch: state.epoch })
}

/** As `projectOnce`, whoever is rebuilding. */
export async function projectBatch(
  db: Database,
  clickhouse: ClickHouse,
  { lane, token, now, batch, epoch }: Required<Projecting> & { epoch: number },
): Promise<number> {
  const work = (await pending(db, lane)) ?? (await begin(db, { lane, token, batch, epoch }))
  if (!work) return 0
  await insertEvents(db, clickhouse, work.events, tokenOf(epoch, lane, work.from, work.to))
  await db.transaction(async (tx) => {
    await moveOn(tx, { name: PROJECT, lane, from: work.from, to: work.to }, token, now)
    await tx.run(sql`delete from projection_batch where lane = ${laneNumber(lane)}`)
    crashPoint('project.moved')
  })
  crashPoint('project.done')
  return work.events.length
}

/** Inserts events into every table, each with its own token. The same token again inserts nothing. */
export async function insertEvents(
  db: Database,
  clickhouse: ClickHouse,
  events: readonly LoggedEvent[],
  token: string,
): Promise<void> {
  const profiles = new Set(events.map((event) => profileFor(event.profileId, event.personId)))
  const rows = projectedRows(events, await homesOf(db, [...profiles]))
  for (const table of projectedTables) {
    if (rows[table].length === 0) continue
    crashPoint(`project.before_${table}`)
    await clickhouse.insert(table, Buffer.from(rows[table].join('\n')), {
      token: `${token}:${table}`,
      columns: projectedColumns[table],
      arrays: true,
    })
    crashPoint(`project.after_${table}`)
  }
}

type Work = { from: Position; to: Position; events: LoggedEvent[] }

/** The batch whose bounds were written and which is not known to be complete. */
async function pending(db: Database, lane: Lane): Promise<Work | undefined> {
  const bounds = await db.maybe<{ fromXid: string; fromSeq: number; toXid: string; toSeq: number }>(sql`
    select from_xid::text as "fromXid", from_seq as "fromSeq", to_xid::text as "toXid", to_seq as "toSeq"
    from projection_batch where lane = ${laneNumber(lane)}`)
  if (!bounds) return undefined
  const from = { xid: bounds.fromXid, seq: bounds.fromSeq }
  const to = { xid: bounds.toXid, seq: bounds.toSeq }
  return { from, to, events: await readLog(db, { lane, after: from, limit: NO_LIMIT, upTo: to }) }
}

const NO_LIMIT = 1_000_000

async function begin(
  db: Database,
  { lane, token, batch, epoch }: { lane: Lane; token: LeaseToken; batch: number; epoch: number },
): Promise<Work | undefined> {
  const work = await takeBatch(db, { name: PROJECT, lane, limit: batch })
  if (!work) return undefined
  crashPoint('project.read')
  const { from, to } = work
  await db.transaction(async (tx) => {
    await fence(tx, token)
    await tx.run(sql`
      insert into projection_batch (lane, epoch, from_xid, from_seq, to_xid, to_seq)
      values (${laneNumber(lane)}, ${epoch}, ${from.xid}::xid8, ${from.seq}, ${to.xid}::xid8, ${to.seq})`)
    crashPoint('project.bounds')
  })
  crashPoint('project.begun')
  return work
}

/** How far the projection has come in a lane. */
export async function projectedTo(db: Db, lane: Lane): Promise<Position> {
  return positionOf(db, { name: PROJECT, lane })
}

function tokenOf(epoch: number, lane: Lane, from: Position, to: Position): string {
  return `${PROJECT}:${epoch}:${lane}:${from.xid}.${from.seq}-${to.xid}.${to.seq}`
}
