/**
 * backup DIR: everything but the master key.
 *
 *   backup.json     written last: without it the backup is not whole
 *   files.ndjson    every file with size and SHA-256
 *   postgres/data   the cluster's files with the WAL that makes them whole, postgres/password
 *   postgres.dump   instead, where DATABASE_URL is set (pg_dump -Fc)
 *   clickhouse/     ClickHouse's own BACKUP, taken first; absent where it is to be rebuilt
 *   files/ archive/ what was uploaded, and the closed days of the log
 *
 * The program may run and be written to meanwhile: what the restore gives is the state at the end of the copy.
 */
import { execFile } from 'node:child_process'
import { hkdfSync } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { markProjection, type ProjectionMark } from '../events/events.ts'
import { type CopiedFile, copyFile, copyTree, flushDisk } from '../platform/copy-tree.ts'
import { writeWhole } from '../platform/files.ts'
import { copyCluster } from '../platform/postgres/file-backup.ts'
import { sql } from '../platform/postgres/sql.ts'
import { StartRefused } from '../platform/start-refused.ts'
import { systemClock } from '../platform/time/clock.ts'
import type { Stores } from '../stores.ts'
import { VERSION } from '../version.ts'
import { type Command, withStores } from './command.ts'

const run = promisify(execFile)

export type Manifest = {
  format: 1
  version: string
  takenAt: string
  /** Tells whether a master key is the one of this backup; the key cannot be found from it. */
  keyFingerprint: string
  postgres: 'files' | 'dump'
  clickhouse: { kind: 'backup'; mark: ProjectionMark; database: string } | { kind: 'rebuild' }
  files: number
  bytes: number
}

type Parts = { config: Command['config']; stores: Stores; terminal: Command['terminal'] }

export async function backup(command: Command, target: string): Promise<undefined> {
  const { config, terminal } = command
  const manifest = await withStores(command, 'either', (stores) =>
    takeBackup({ config, stores, terminal }, resolve(target)),
  )
  terminal.say(
    `${manifest.files.toLocaleString('en-US')} files, ${(manifest.bytes / 1024 ** 2).toFixed(1)} MB in ${resolve(target)}`,
  )
  terminal.say(
    'The master key is not in it. Without the key, kept elsewhere, nobody can read the personal data.',
  )
  terminal.result(manifest)
}

/** Errors: `StartRefused` for a folder that is not empty, and without pg_dump where DATABASE_URL is set. */
export async function takeBackup({ config, stores, terminal }: Parts, target: string): Promise<Manifest> {
  await refuseFull(target)
  const progress = terminal.progress('files')
  const all: CopiedFile[] = []
  const note = () => progress.tick(all.length)
  const keep = (folder: string, files: readonly CopiedFile[]) => {
    all.push(...files.map((file) => ({ ...file, path: `${folder}/${file.path}` })))
    note()
  }
  // ClickHouse first: what it lacks then is in the log that follows.
  const mark = config.clickhouseUrl === undefined ? await markProjection(stores.db) : undefined
  if (mark) keep('clickhouse', await backupClickHouse(stores, join(target, 'clickhouse')))
  if (config.databaseUrl === undefined) {
    const place = await engineFolder(stores.folders.path, 'postgres')
    keep('postgres/data', await copyCluster(stores.db, join(place, 'data'), join(target, 'postgres', 'data')))
    const password = await copyFile(join(place, 'password'), join(target, 'postgres', 'password'))
    if (password) keep('postgres', [{ path: 'password', ...password }])
  } else {
    await dump(config, config.databaseUrl, { stores, file: join(target, 'postgres.dump') })
  }
  for (const folder of ['files', 'archive'] as const)
    keep(folder, await copyTree(stores.folders[folder], join(target, folder)))
  progress.done()

  const manifest: Manifest = {
    format: 1,
    version: VERSION,
    takenAt: systemClock.now().toISOString(),
    keyFingerprint: keyFingerprint(stores.masterKey),
    postgres: config.databaseUrl === undefined ? 'files' : 'dump',
    clickhouse: mark ? { kind: 'backup', mark, database: stores.clickhouse.database } : { kind: 'rebuild' },
    files: all.length,
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  }
  for (let from = 0; from < all.length; from += 1000) {
    const lines = all.slice(from, from + 1000).map((file) => `${JSON.stringify(file)}\n`)
    await appendFile(join(target, 'files.ndjson'), lines.join(''), { mode: 0o600 })
  }
  await flushDisk(target)
  await writeWhole(join(target, 'backup.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return manifest
}

/** Where an engine keeps its files: inside the data directory, or where its pointer says. */
export async function engineFolder(
  dataDirectory: string,
  engine: 'postgres' | 'clickhouse',
): Promise<string> {
  const inside = join(dataDirectory, engine)
  return (await readFile(`${inside}.location`, 'utf8').catch(() => inside)).trim()
}

/** Another one than that in the database, so that neither helps with the other. */
export function keyFingerprint(key: Buffer): string {
  return Buffer.from(hkdfSync('sha256', key, 'liuliang', 'backup', 16)).toString('hex')
}

async function refuseFull(target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 })
  if ((await readdir(target)).length > 0) {
    throw new StartRefused(`${target} is not empty. Give a folder that is, or a new one.`)
  }
}

async function backupClickHouse({ clickhouse, folders }: Stores, to: string): Promise<CopiedFile[]> {
  const name = `take-${systemClock.now().getTime()}`
  const place = join(await engineFolder(folders.path, 'clickhouse'), 'backup', name)
  try {
    await clickhouse.command(`backup database ${clickhouse.database} to File(${quoted(place)})`)
    return await copyTree(place, to)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

export function quoted(path: string): string {
  return `'${path.replace(/[\\']/g, (sign) => `\\${sign}`)}'`
}

async function dump(
  config: Command['config'],
  url: string,
  { stores: { db }, file }: { stores: Stores; file: string },
): Promise<void> {
  const { major } = await db.row<{ major: number }>(
    sql`select current_setting('server_version_num')::int / 10000 as major`,
  )
  const found = await run('pg_dump', ['--version'], { env: { PATH: config.programPath } }).then(
    ({ stdout }) => Number(/(\d+)/.exec(stdout)?.[1]),
    () => undefined,
  )
  if (found === undefined) {
    throw new StartRefused(
      `With DATABASE_URL a backup needs pg_dump ${major}, and it was not found. Install the PostgreSQL ${major} client, or let your database service take backups.`,
    )
  }
  if (found < major) {
    throw new StartRefused(
      `pg_dump ${found} is older than the server (${major}). Install the PostgreSQL ${major} client.`,
    )
  }
  // The address holds a password, so it goes by the environment and not by the command line that others can list.
  const address = partsOf(url)
  await run('pg_dump', ['--format=custom', '--no-owner', `--file=${file}`], {
    env: { ...address, PATH: config.programPath },
  })
}

function partsOf(text: string): Record<string, string> {
  const url = new URL(text)
  return {
    PGHOST: url.hostname,
    PGPORT: url.port || '5432',
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    ...(url.searchParams.has('sslmode') ? { PGSSLMODE: url.searchParams.get('sslmode') ?? '' } : {}),
  }
}
