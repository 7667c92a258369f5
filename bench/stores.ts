/** Built-in stores of their own for one benchmark, removed when it ends. */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouse, openClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { startEngine } from '../server/platform/clickhouse/engine.ts'
import { migrateClickHouse } from '../server/platform/clickhouse/migrate.ts'
import { startCluster } from '../server/platform/postgres/cluster.ts'
import { type Database, openDatabase } from '../server/platform/postgres/database.ts'
import { migratePostgres } from '../server/platform/postgres/migrate.ts'

export type BenchStores = { db: Database; clickhouse: ClickHouse; folder: string }

/** A folder that the built-in PostgreSQL may enter too, removed after `work`. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'liuliang-bench-'))
  await chmod(folder, 0o755)
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** PostgreSQL and the ClickHouse engine, migrated and empty; or as they were left in the folder `kept`. */
export function inStores(work: (stores: BenchStores) => Promise<void>, kept?: string): Promise<void> {
  const within = kept === undefined ? inFolder : inKept(kept)
  return within((folder) =>
    inPostgres(folder, async (db) => {
      const silent = { info() {}, warn() {}, error() {} }
      const engine = await startEngine({ dataDir: join(folder, 'clickhouse'), log: silent })
      const options = { url: engine.url, user: engine.user, password: engine.password, database: 'bench' }
      await migrateClickHouse(options)
      const clickhouse = openClickHouse(options)
      try {
        await work({ db, clickhouse, folder })
      } finally {
        await clickhouse.close()
        await engine.stop()
      }
    }),
  )
}

function inKept(folder: string): (work: (folder: string) => Promise<void>) => Promise<void> {
  return async (work) => {
    await mkdir(folder, { recursive: true })
    await chmod(folder, 0o755)
    await work(folder)
  }
}

/** PostgreSQL alone, migrated and empty. */
export async function inPostgres(folder: string, work: (db: Database) => Promise<void>): Promise<void> {
  const cluster = await startCluster({ dataDirectory: folder })
  const db = openDatabase(cluster.url)
  try {
    await migratePostgres(db)
    await work(db)
  } finally {
    await db.close()
    await cluster.stop()
  }
}
