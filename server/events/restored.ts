/**
 * Joining a ClickHouse that was restored from a backup to a PostgreSQL that was backed up after it.
 *
 * A mark is taken before ClickHouse is backed up: everything up to it is in there, what came later may be, in part.
 * After the restore what lies beyond the mark is taken out and projected again, under a new epoch. Where rows of
 * merged profiles were moved in between, the two do not fit and ClickHouse is made anew.
 */
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { type Lane, laneNumber, lanes, type Position, readLog } from './log.ts'
import { PROJECT, projectedTo } from './project.ts'

export type ProjectionMark = { epoch: number; positions: Record<Lane, Position>; moves: string }

const IDS_AT_ONCE = 5000

/** Undefined where a rebuild is under way or rows are being moved: such a ClickHouse is not worth keeping. */
export async function markProjection(db: Database): Promise<ProjectionMark | undefined> {
  const state = await stateOf(db)
  if (state.unsettled) return undefined
  const positions = { live: await projectedTo(db, 'live'), bulk: await projectedTo(db, 'bulk') }
  return { epoch: state.epoch, positions, moves: state.moves }
}

/** True when the projection can go on from the mark; false when ClickHouse must be rebuilt. Nothing else may run meanwhile. */
export async function continueFromMark(
  db: Database,
  clickhouse: ClickHouse,
  mark: ProjectionMark,
): Promise<boolean> {
  const state = await stateOf(db)
  if (state.unsettled || state.epoch !== mark.epoch || state.moves !== mark.moves) return false
  for (const lane of lanes) await takeOut(db, clickhouse, lane, mark.positions[lane])
  await db.transaction(async (tx) => {
    await tx.run(sql`delete from projection_batch`)
    await tx.run(sql`update projection set epoch = epoch + 1`)
    for (const lane of lanes) {
      const { xid, seq } = mark.positions[lane]
      await tx.run(sql`
        update consumer set xid = ${xid}::xid8, seq = ${seq} where name = ${PROJECT} and lane = ${laneNumber(lane)}`)
    }
  })
  return true
}

async function stateOf(db: Db): Promise<{ epoch: number; moves: string; unsettled: boolean }> {
  return db.row(sql`
    select epoch,
      (select coalesce(sum(move), 0)::text from profile_home) as moves,
      rebuilding_since is not null
        or exists (select from profile_home where moving_to is not null or left_person_id is not null) as unsettled
    from projection`)
}

/** Orders need nothing: the same version of a row again replaces itself. */
async function takeOut(db: Db, clickhouse: ClickHouse, lane: Lane, mark: Position): Promise<void> {
  let after = mark
  while (true) {
    const events = await readLog(db, { lane, after, limit: IDS_AT_ONCE })
    const last = events.at(-1)
    if (!last) return
    const ids = events.filter(({ type }) => type !== 'order_recorded').map(({ id }) => id)
    if (ids.length > 0) await clickhouse.remove('events', 'id in {ids: Array(UUID)}', { ids })
    after = { xid: last.xid, seq: last.seq }
  }
}
