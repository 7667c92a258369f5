/**
 * Plain numbered SQL files for ClickHouse, each applied once, in order.
 * Always true: `schema_migration` names what was applied with its checksum; a landed file that changed, or a database
 * that is newer than this program, is refused before anything runs. ClickHouse has no transactions over DDL, so a file
 * that a crash cut in two is applied again from its beginning: every `create` says `if not exists`.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { type ClickHouseOptions, clusterOf, createClickHouseDatabase, openClickHouse } from './clickhouse.ts'
import { type Cluster, schemaStatements } from './cluster.ts'

const FOLDER = new URL('../../../database/clickhouse/', import.meta.url)
const OLDEST_SERVER = 25
/** Before, a join over distributed tables could lose FINAL (docs/decisions/0015-cluster-mode.md). */
const OLDEST_OF_CLUSTER = 26

export const SCHEMA_MIGRATION = `create table if not exists schema_migration (
  name String, checksum String, applied_at DateTime64(3, 'UTC') default now64(3, 'UTC')
) engine = MergeTree order by name settings fsync_after_insert = 1`

export type ClickHouseMigrated = { applied: string[]; total: number }

/** The message is one sentence that says what to do. */
export class ClickHouseMigrationRefused extends Error {
  override name = 'ClickHouseMigrationRefused'
}

/**
 * Makes the database if it is missing and brings it to the schema of this program. One caller at a time (hold a
 * PostgreSQL lock). Errors: ClickHouseMigrationRefused.
 */
export async function migrateClickHouse(
  options: ClickHouseOptions,
  folder: URL = FOLDER,
): Promise<ClickHouseMigrated> {
  await refuseUnknownCluster(options)
  await createClickHouseDatabase(options)
  const clickhouse = openClickHouse(options)
  const cluster = clusterOf(options)
  try {
    const [server] = await clickhouse.rows<{ version: string }>('select version() as version')
    refuseOlder(server?.version ?? '0', cluster)
    for (const statement of everywhere(SCHEMA_MIGRATION, cluster)) await clickhouse.command(statement)
    const rows = await clickhouse.rows<{ name: string; checksum: string }>(
      'select name, any(checksum) as checksum from schema_migration group by name',
    )
    const known = new Map(rows.map((row) => [row.name, row.checksum]))
    const files = await readFiles(folder)
    refuseNewer(known, files)
    const applied: string[] = []
    for (const file of files) {
      if (known.get(file.name) === file.checksum) continue
      await apply((statement) => clickhouse.command(statement), file, cluster)
      await clickhouse.insert('schema_migration', [{ name: file.name, checksum: file.checksum }])
      applied.push(file.name)
    }
    return { applied, total: files.length }
  } finally {
    await clickhouse.close()
  }
}

async function refuseUnknownCluster(options: ClickHouseOptions): Promise<void> {
  if (options.cluster === undefined) return
  const server = openClickHouse({ ...options, database: 'default', cluster: undefined })
  try {
    const rows = await server.rows<{ name: string }>(
      'select distinct cluster as name from system.clusters order by name',
    )
    const names = rows.map(({ name }) => name)
    if (names.includes(options.cluster)) return
    throw new ClickHouseMigrationRefused(
      `This ClickHouse does not know the cluster ${options.cluster} that CLICKHOUSE_CLUSTER names; it knows ${names.length === 0 ? 'none' : names.join(', ')}. See remote_servers in its configuration.`,
    )
  } finally {
    await server.close()
  }
}

function refuseOlder(version: string, cluster: Cluster | undefined): void {
  const oldest = cluster === undefined ? OLDEST_SERVER : OLDEST_OF_CLUSTER
  if (Number.parseInt(version, 10) >= oldest) return
  const [what, leave] =
    cluster === undefined
      ? ['is', 'CLICKHOUSE_URL empty to use the built-in one']
      : ['of a cluster is', 'CLICKHOUSE_CLUSTER empty to use one server']
  throw new ClickHouseMigrationRefused(
    `ClickHouse ${oldest} or newer ${what} needed, this server is ${version}. Upgrade it, or leave ${leave}.`,
  )
}

type File = { name: string; text: string; checksum: string }

async function readFiles(folder: URL): Promise<File[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8')
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

function refuseNewer(known: ReadonlyMap<string, string>, files: readonly File[]): void {
  for (const [name, checksum] of known) {
    const file = files.find((each) => each.name === name)
    if (file === undefined) {
      throw new ClickHouseMigrationRefused(
        `The ClickHouse database is newer than this program (it has ${name}). Start the newer version of Liuliang, or restore an older backup.`,
      )
    }
    if (file.checksum !== checksum) {
      throw new ClickHouseMigrationRefused(
        `${name} was changed after it had been applied to ClickHouse. Restore the file. Or drop the database (built in: remove the folder clickhouse of the data directory while nothing runs) and run: liuliang rebuild.`,
      )
    }
  }
}

async function apply(
  run: (statement: string) => Promise<void>,
  { name, text }: File,
  cluster: Cluster | undefined,
): Promise<void> {
  for (const statement of statementsOf(text)) {
    if (/^create\s+(?!or\s+replace)(?!.*\bif\s+not\s+exists\b)/is.test(statement)) {
      throw new ClickHouseMigrationRefused(
        `${name}: every create says "if not exists", because a file may be applied again.`,
      )
    }
    try {
      for (const one of everywhere(statement, cluster)) await run(one)
    } catch (error) {
      throw new ClickHouseMigrationRefused(
        `${name} could not be applied: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}

function everywhere(statement: string, cluster: Cluster | undefined): string[] {
  return cluster === undefined ? [statement] : schemaStatements(statement, cluster)
}

/** Statements end with a semicolon and a newline; lines that are only a comment are left out. */
export function statementsOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('--'))
  return `${lines.join('\n')}\n`
    .split(/;[ \t]*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}
