/**
 * Moving the ClickHouse rows of merged profiles under the person they belong to.
 *
 * Stored, per profile, in `profile_home` (profile-home.ts says what counts). The steps, each safe to repeat: plan
 * (moving_to), copy (under moving_to, placed = move + 1, by a token that names the group of the plan), switch
 * (stored_person_id = moving_to, move + 1, left_person_id), delete what is left (placed = move − 1), done. A crash
 * leaves a step that is taken again. A holder that was stopped and woken can only insert what its token has already
 * inserted, or delete rows whose count of moves can never come again.
 */
import type { ClickHouse, Params } from '../platform/clickhouse/clickhouse.ts'
import { crashPoint } from '../platform/crash.ts'
import { idOf } from '../platform/ids.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { type Home, unsettledHomes } from './profile-home.ts'
import { projectedTables } from './project-rows.ts'

const PROFILES_AT_ONCE = 500

/**
 * Moves the rows of up to 500 profiles. Under the lease of the projection, between two of its batches: while a batch
 * is in flight nothing is moved. Answers how many profiles were moved.
 */
export async function moveMisplaced(
  db: Database,
  clickhouse: ClickHouse,
  { token }: { token: LeaseToken },
): Promise<number> {
  if (await isBusy(db)) return 0
  await deleteLeft(db, clickhouse, token)
  return move(db, clickhouse, token, await plan(db, token))
}

/**
 * Ends a move that was broken off. To be called before a batch is projected: what is written under the old key after
 * the copies were made would be left behind.
 */
export async function finishMoves(db: Database, clickhouse: ClickHouse, token: LeaseToken): Promise<void> {
  await move(db, clickhouse, token, await onTheWay(db))
}

async function move(
  db: Database,
  clickhouse: ClickHouse,
  token: LeaseToken,
  moving: readonly Home[],
): Promise<number> {
  if (moving.length === 0) return 0
  await copy(clickhouse, moving)
  crashPoint('move.copied')
  await fenced(db, token, async (tx) => {
    await tx.run(sql`
      update profile_home
      set left_person_id = stored_person_id, stored_person_id = moving_to, move = move + 1, moving_to = null
      where moving_to is not null`)
  })
  crashPoint('move.switched')
  await deleteLeft(db, clickhouse, token)
  return moving.length
}

/** Those on the way, or else the next ones that stand under somebody else. */
async function plan(db: Database, token: LeaseToken): Promise<Home[]> {
  const begun = await onTheWay(db)
  if (begun.length > 0) return begun
  await fenced(db, token, (tx) =>
    tx.run(sql`
      update profile_home set moving_to = person_id
      where profile_id in (
        select profile_id from profile_home
        where person_id <> stored_person_id and moving_to is null and left_person_id is null
        order by profile_id limit ${PROFILES_AT_ONCE}
        for update)`),
  )
  crashPoint('move.planned')
  return onTheWay(db)
}

async function onTheWay(db: Database): Promise<Home[]> {
  return (await unsettledHomes(db)).filter((home) => home.movingTo !== null)
}

async function copy(clickhouse: ClickHouse, moving: readonly Home[]): Promise<void> {
  const token = idOf('move', ...moving.flatMap((home) => [home.profileId, home.movingTo ?? 0, home.move]))
  const params: Params = {
    profiles: moving.map((home) => home.profileId),
    stored: moving.map((home) => home.storedPersonId),
    moves: moving.map((home) => home.move),
    targets: moving.map((home) => home.movingTo ?? 0),
  }
  for (const table of projectedTables) {
    // One thread and one order: the same rows make the same block when the step is repeated.
    await clickhouse.command(
      `insert into ${table}
      select * replace (transform(profile_id, {profiles:Array(Int32)}, {targets:Array(Int32)}, toInt32(0)) as person_id, placed + 1 as placed)
      from ${table} where ${standing(`${table}.`)} order by all`,
      params,
      {
        settings: { insert_deduplication_token: `${token}:${table}`, max_threads: 1, max_insert_threads: 1 },
      },
    )
    crashPoint(`move.copied_${table}`)
  }
}

/** `of` names the table where the statement gives person_id and placed new values under the same names, as the copy does. */
const standing = (
  of: string,
): string => `${of}person_id in {stored:Array(Int32)} and profile_id in {profiles:Array(Int32)}
  and ${of}person_id = transform(profile_id, {profiles:Array(Int32)}, {stored:Array(Int32)}, toInt32(0))
  and ${of}placed = transform(profile_id, {profiles:Array(Int32)}, {moves:Array(Int32)}, toInt32(0))`

async function deleteLeft(db: Database, clickhouse: ClickHouse, token: LeaseToken): Promise<void> {
  const left = (await unsettledHomes(db)).filter((home) => home.leftPersonId !== null)
  if (left.length === 0) return
  const params: Params = {
    profiles: left.map((home) => home.profileId),
    stored: left.map((home) => home.leftPersonId ?? 0),
    moves: left.map((home) => home.move - 1),
  }
  for (const table of projectedTables) {
    await clickhouse.remove(table, standing(''), params)
    crashPoint(`move.deleted_${table}`)
  }
  await fenced(db, token, (tx) =>
    tx.run(sql`
      update profile_home set left_person_id = null
      where left_person_id is not null and profile_id = any(${left.map((home) => home.profileId)}::int[])`),
  )
  crashPoint('move.done')
}

async function isBusy(db: Database): Promise<boolean> {
  return (
    (await db.maybe(sql`
    select 1 from projection_batch union all select 1 from projection where rebuilding_since is not null limit 1`)) !==
    undefined
  )
}

async function fenced<T>(db: Database, token: LeaseToken, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await fence(tx, token)
    return work(tx)
  })
}
