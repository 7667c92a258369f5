/**
 * The limit of whatever writes: COPY of the very rows that came out of it, into tables of the same shape with the same
 * indexes, and the same rows inserted into the same ClickHouse tables.
 */
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql, trusted } from '../server/platform/postgres/sql.ts'
import { secondsOf } from './figures.ts'

const INSERTED_AT_ONCE = 10_000

/** Number of the present transaction: what is written later can be told by it. */
export async function markOf(db: Database): Promise<string> {
  return (await db.row<{ xid: string }>(sql`select pg_current_xact_id()::text as xid`)).xid
}

/**
 * Seconds that COPY takes for the rows written after `mark`, one session, one transaction a table. `folder` must be
 * one that PostgreSQL can write in. Whoever wrote must be still.
 */
export async function copyIntoPostgres(
  db: Database,
  given: { tables: readonly string[]; mark: string; folder: string },
): Promise<{ seconds: number; rows: number }> {
  const out = join(given.folder, 'out')
  await mkdir(out, { mode: 0o777, recursive: true })
  await chmod(out, 0o777)
  await db.run(sql`create schema if not exists again`)
  let rows = 0
  for (const table of given.tables) {
    const copied = await db.run(
      sql`copy (select * from ${trusted(table)} where xmin::text::bigint > ${trusted(given.mark)}) to ${trusted(`'${out}/${table}'`)}`,
    )
    rows += copied ?? 0
    await db.run(sql`create table ${trusted(`again.${table}`)} (like ${trusted(table)} including all)`)
  }
  await db.run(sql`checkpoint`)
  const seconds = await secondsOf(async () => {
    for (const table of given.tables)
      await db.run(sql`copy ${trusted(`again.${table}`)} from ${trusted(`'${out}/${table}'`)}`)
  })
  await db.run(sql`drop schema again cascade`)
  return { seconds, rows }
}

/** Seconds that inserting the rows of these tables takes, prepared, into tables of the same shape. */
export async function insertIntoClickHouse(
  clickhouse: ClickHouse,
  tables: readonly string[],
): Promise<number> {
  let seconds = 0
  for (const table of tables) {
    await clickhouse.command(`create table again_${table} as ${table}`)
    const columns = await clickhouse.rows<{ name: string }>(`describe table ${table}`)
    let batch: object[] = []
    const flush = async (): Promise<void> => {
      const body = Buffer.from(batch.map((row) => JSON.stringify(row)).join('\n'))
      batch = []
      if (body.length > 0) seconds += await secondsOf(() => clickhouse.insert(`again_${table}`, body))
    }
    for await (const rows of clickhouse.stream<unknown[]>(`select * from ${table}`)) {
      for (const row of rows)
        batch.push(Object.fromEntries(columns.map(({ name }, place) => [name, row[place]])))
      if (batch.length >= INSERTED_AT_ONCE) await flush()
    }
    await flush()
    await clickhouse.command(`drop table again_${table} sync`)
  }
  return seconds
}
