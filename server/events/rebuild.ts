/**
 * Making ClickHouse again from archive and log.
 *
 * Stored: `projection.epoch` (part of every token) and `rebuilding_since`. Always true: while it is set the projection
 * does nothing else and no day is dropped; a rebuild begins with empty tables and a new epoch, so one that crashed is
 * simply begun again, the sweep at its end included. Rows of merged profiles are written under their present person.
 */
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { crashPoint } from '../platform/crash.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import type { Day } from '../platform/time/zone.ts'
import { readArchive } from './archive.ts'
import { lanes } from './log.ts'
import { insertEvents, PROJECT, projectBatch } from './project.ts'
import { projectedTables } from './project-rows.ts'

const BATCH = 20_000

export type Rebuilding = {
  /** The archive's folder. */
  folder: string
  token: LeaseToken
  now: Date
  /** Takes out of ClickHouse what archived days still tell of things that are gone for good. */
  sweep(): Promise<unknown>
  /** Ends it between two steps; it is begun again later. */
  signal?: AbortSignal
  onProgress?(done: { day: Day | undefined; events: number }): void
}

export type Rebuilt = { days: number; events: number }

/**
 * Empties the projected tables and fills them again. Evaluation waits meanwhile, because nothing counts as projected.
 * Errors: `ArchiveBroken` before anything is emptied where a file is missing or changed; `LeaseLost`; the reason of
 * `signal`.
 */
export async function rebuildClickHouse(
  db: Database,
  clickhouse: ClickHouse,
  { folder, token, now, sweep, signal, onProgress }: Rebuilding,
): Promise<Rebuilt> {
  const days = await db.rows<{ day: Day }>(sql`select day from log_day where state = 'dropped' order by day`)
  for (const { day } of days) await readArchive(db, folder, day).next()
  const epoch = await begin(db, token, now)
  crashPoint('rebuild.begun')
  for (const table of projectedTables) await clickhouse.truncate(table)
  crashPoint('rebuild.emptied')
  let events = 0
  for (const { day } of days) {
    let page = 0
    for await (const some of readArchive(db, folder, day)) {
      signal?.throwIfAborted()
      await insertEvents(db, clickhouse, some, `${PROJECT}:${epoch}:archive:${day}:${page}`)
      page += 1
      events += some.length
      onProgress?.({ day, events })
    }
    crashPoint('rebuild.day')
  }
  for (const lane of lanes) {
    while (true) {
      signal?.throwIfAborted()
      const done = await projectBatch(db, clickhouse, { lane, token, now, batch: BATCH, epoch })
      if (done === 0) break
      events += done
      onProgress?.({ day: undefined, events })
    }
  }
  crashPoint('rebuild.filled')
  await sweep()
  crashPoint('rebuild.swept')
  await db.transaction(async (tx) => {
    await fence(tx, token)
    await tx.run(sql`update projection set rebuilding_since = null`)
  })
  crashPoint('rebuild.done')
  return { days: days.length, events }
}

/** Whether a rebuild was begun and not finished: it must be run again. */
export async function isRebuilding(db: Db): Promise<boolean> {
  return (await db.maybe(sql`select 1 from projection where rebuilding_since is not null`)) !== undefined
}

async function begin(db: Database, token: LeaseToken, now: Date): Promise<number> {
  return db.transaction(async (tx) => {
    await fence(tx, token)
    await tx.run(sql`delete from projection_batch`)
    await tx.run(sql`update consumer set xid = '0', seq = 0, moved_at = ${now} where name = ${PROJECT}`)
    await tx.run(sql`
      update profile_home set stored_person_id = person_id, move = move + 1, moving_to = null, left_person_id = null`)
    const { epoch } = await tx.row<{ epoch: number }>(
      sql`update projection set epoch = epoch + 1, rebuilding_since = ${now} returning epoch`,
    )
    return epoch
  })
}
