/**
 * Plain numbered SQL files, each applied once in a transaction of its own, in order.
 * Always true: `schema_migration` holds name and checksum of what was applied; a landed file that changed,
 * or a database that is newer than this program, is refused before anything runs.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { type Database, sqlState } from './database.ts'
import { sql, trusted } from './sql.ts'

const FOLDER = new URL('../../../database/postgres/', import.meta.url)
const MIGRATION_LOCK = 7_300_001
const OLDEST_SERVER = 180_000

export type Migrated = { applied: string[]; total: number }

/**
 * Brings the database to the schema of this program.
 * Errors: `MigrationRefused` with one sentence that says what to do.
 */
export async function migratePostgres(db: Database, folder: URL = FOLDER): Promise<Migrated> {
  await refuseOldServer(db)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const client = await db.connect()
  const applied: string[] = []
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await client.query(
      'create table if not exists schema_migration (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    )
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migration',
    )
    const known = new Map(rows.map((row) => [row.name, row.checksum]))
    for (const name of known.keys()) {
      if (!files.includes(name)) {
        throw new MigrationRefused(
          `The database is newer than this program (it has ${name}). Start the newer version of Liuliang, or restore an older backup.`,
        )
      }
    }
    for (const name of files) {
      const text = await readFile(new URL(name, folder), 'utf8')
      const checksum = createHash('sha256').update(text).digest('hex')
      const before = known.get(name)
      if (before === checksum) continue
      if (before !== undefined) {
        throw new MigrationRefused(
          `${name} was changed after it had been applied. Restore the file, or use a fresh data directory.`,
        )
      }
      await client.query('begin')
      try {
        await client.query(text)
        await client.query('insert into schema_migration (name, checksum) values ($1, $2)', [name, checksum])
        await client.query('commit')
      } catch (error) {
        await client.query('rollback')
        throw new MigrationRefused(
          `${name} could not be applied: ${error instanceof Error ? error.message : String(error)}`,
        )
      }
      applied.push(name)
    }
    await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK])
  } finally {
    client.release()
  }
  return { applied, total: files.length }
}

export class MigrationRefused extends Error {
  override name = 'MigrationRefused'
}

/** PostgreSQL ≥ 18 with trigrams that see Chinese; anything else is refused in one sentence. */
async function refuseOldServer(db: Database): Promise<void> {
  const { version } = await db.row<{ version: number }>(
    sql`select current_setting('server_version_num')::int as version`,
  )
  if (version < OLDEST_SERVER) {
    throw new MigrationRefused(
      `PostgreSQL 18 or newer is needed, this server is ${Math.floor(version / 10_000)}. Upgrade it, or leave DATABASE_URL empty to use the built-in one.`,
    )
  }
  try {
    await db.run(sql`create extension if not exists pg_trgm`)
  } catch (error) {
    if (sqlState(error) !== '23505')
      throw new MigrationRefused(
        'The extension pg_trgm is missing and could not be created. Ask the database administrator for: create extension pg_trgm',
      )
  }
  const { seen } = await db.row<{ seen: number }>(
    sql`select coalesce(cardinality(${trusted("show_trgm('张三')")}), 0)::int as seen`,
  )
  if (seen === 0) {
    throw new MigrationRefused(
      'This database cannot search Chinese names (its locale is C). Create it with: createdb --encoding=UTF8 --locale=C.UTF-8',
    )
  }
}
