/**
 * restore DIR: a whole data directory out of a backup, with the key that is not in it.
 *
 * Every file is compared with its checksum before anything is written. ClickHouse goes on from the mark that was taken
 * before its backup; where it cannot, it is rebuilt from log and archive. A restore that was broken off leaves a data
 * directory with the file `restoring`, which nothing starts on: remove the directory and begin again.
 */
import { createReadStream } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { sweepDemoBrand } from '../demo-brand.ts'
import { continueFromMark, PROJECT, rebuildClickHouse } from '../events/events.ts'
import { openClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { migrateClickHouse } from '../platform/clickhouse/migrate.ts'
import { type CopiedFile, copyTree, fingerprint, flushDisk } from '../platform/copy-tree.ts'
import { masterKey, printKey } from '../platform/crypto/master-key.ts'
import { openDataDirectory } from '../platform/data-directory.ts'
import { placeEngine } from '../platform/engine-account.ts'
import { writeWhole } from '../platform/files.ts'
import { withLease } from '../platform/jobs/lease.ts'
import { StartRefused } from '../platform/start-refused.ts'
import { systemClock } from '../platform/time/clock.ts'
import { prepareStores } from '../prepare.ts'
import { openStores, RESTORING, type Stores } from '../stores.ts'
import { engineFolder, keyFingerprint, type Manifest, quoted } from './backup.ts'
import type { Command } from './command.ts'

export type RestoreOptions = { keyFile?: string | undefined }

export async function restore(command: Command, from: string, options: RestoreOptions): Promise<undefined> {
  const { terminal, config } = command
  const source = resolve(from)
  const manifest = await readManifest(source)
  const key = await rightKey(command, manifest, options)
  if (manifest.postgres === 'dump' || config.databaseUrl !== undefined) throw dumpRefused(manifest)
  await refuseUsed(config.dataDirectory)
  await refuseDamaged(source, terminal)
  await writeDataDirectory(config.dataDirectory, source, config.masterKey === undefined ? key : undefined)
  const rebuilt = await settleStores(command, source, manifest)
  await rm(join(config.dataDirectory, RESTORING))
  terminal.say(`Restored into ${config.dataDirectory}, as of ${manifest.takenAt}.`)
  if (rebuilt) terminal.say('ClickHouse was rebuilt from log and archive.')
  terminal.say('Start it with: npm start')
  terminal.result({ dataDirectory: config.dataDirectory, takenAt: manifest.takenAt, rebuilt })
}

async function readManifest(source: string): Promise<Manifest> {
  const text = await readFile(join(source, 'backup.json'), 'utf8').catch(() => undefined)
  if (text === undefined) {
    throw new StartRefused(`${source} holds no whole backup: backup.json, which is written last, is missing.`)
  }
  const manifest = JSON.parse(text) as Manifest
  if (manifest.format !== 1) {
    throw new StartRefused(
      `This backup was taken by a newer Liuliang (${manifest.version}). Restore it with that version.`,
    )
  }
  return manifest
}

async function rightKey(
  { config }: Command,
  manifest: Manifest,
  { keyFile }: RestoreOptions,
): Promise<Buffer> {
  const given = keyFile === undefined ? config.masterKey : await readFile(keyFile, 'utf8').catch(() => '')
  if (given === undefined || given.trim() === '') {
    throw new StartRefused(
      'The master key is needed: it is not in the backup. Give it by LIULIANG_MASTER_KEY, or in a file with --key-file.',
    )
  }
  const { key } = await masterKey({ given: given.trim(), directory: config.dataDirectory })
  if (keyFingerprint(key) !== manifest.keyFingerprint) {
    throw new StartRefused(
      'This is not the master key of this backup. Use the one that was printed at the first start.',
    )
  }
  return key
}

function dumpRefused(manifest: Manifest): StartRefused {
  return new StartRefused(
    manifest.postgres === 'dump'
      ? 'This backup holds a dump of your own PostgreSQL. See docs/backup.md for how to bring it back with pg_restore.'
      : 'DATABASE_URL is set, but this backup holds a built-in PostgreSQL. Unset DATABASE_URL to restore it into a data directory.',
  )
}

async function refuseUsed(path: string): Promise<void> {
  const names = await readdir(path).catch(() => [])
  if (names.length > 0) {
    throw new StartRefused(`${path} is not empty. Set LIULIANG_DATA to a new folder, and restore into that.`)
  }
}

async function refuseDamaged(source: string, terminal: Command['terminal']): Promise<void> {
  const progress = terminal.progress('files checked')
  let checked = 0
  const lines = createInterface({
    input: createReadStream(join(source, 'files.ndjson')),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  for await (const line of lines) {
    const file = JSON.parse(line) as CopiedFile
    const found = await fingerprint(join(source, file.path)).catch(() => undefined)
    if (!found) throw new StartRefused(`The backup is damaged: ${file.path} is missing.`)
    if (found.sha256 !== file.sha256)
      throw new StartRefused(`The backup is damaged: ${file.path} is not what was written.`)
    checked += 1
    progress.tick(checked)
  }
  progress.done()
}

/** Everything that must stand before an engine is started. */
async function writeDataDirectory(path: string, source: string, key: Buffer | undefined): Promise<void> {
  const directory = await openDataDirectory(path)
  try {
    await writeWhole(join(directory.path, RESTORING), '')
    const postgres = await placeEngine(directory.path, 'postgres')
    await copyTree(join(source, 'postgres', 'data'), join(postgres.folder, 'data'), {
      owner: postgres.account,
    })
    await chmod(join(postgres.folder, 'data'), 0o700)
    await copyTree(join(source, 'postgres'), postgres.folder, {
      owner: postgres.account,
      skip: (name) => name !== 'password',
    })
    for (const folder of ['files', 'archive'] as const)
      await copyTree(join(source, folder), directory[folder])
    await flushDisk(directory.path)
    if (key) {
      await mkdir(directory.keys, { recursive: true, mode: 0o700 })
      await writeWhole(join(directory.keys, 'master.key'), `${printKey(key)}\n`)
    }
  } finally {
    await directory.release()
  }
}

/** True where ClickHouse had to be rebuilt. */
async function settleStores(
  { config, log, terminal }: Command,
  source: string,
  manifest: Manifest,
): Promise<boolean> {
  const stores = await openStores(config, log, 'restore')
  try {
    if (manifest.clickhouse.kind === 'backup' && config.clickhouseUrl === undefined) {
      await restoreClickHouse(stores, source)
      await migrateClickHouse(stores.clickhouseOptions)
      if (await continueFromMark(stores.db, stores.clickhouse, manifest.clickhouse.mark)) {
        await prepareStores(stores)
        return false
      }
    }
    await prepareStores(stores)
    const progress = terminal.progress('events')
    const { db, clickhouse, folders } = stores
    const rebuilt = await withLease(db, PROJECT, (token) =>
      rebuildClickHouse(db, clickhouse, {
        folder: folders.archive,
        token,
        now: systemClock.now(),
        sweep: () => sweepDemoBrand({ db, clickhouse }),
        onProgress: ({ events }) => progress.tick(events),
      }),
    )
    progress.done()
    if (!rebuilt) throw new StartRefused('Something else projects already. Stop it and run: liuliang rebuild')
    return true
  } finally {
    await stores.close()
  }
}

async function restoreClickHouse({ clickhouseOptions, folders }: Stores, source: string): Promise<void> {
  const engine = await engineFolder(folders.path, 'clickhouse')
  const account = (await placeEngine(folders.path, 'clickhouse')).account
  const place = join(engine, 'backup', 'restored')
  await copyTree(join(source, 'clickhouse'), place, { owner: account })
  // Every other connection names the database, which is not there yet.
  const engineItself = openClickHouse({ ...clickhouseOptions, database: 'default' })
  try {
    await engineItself.command(`restore database ${clickhouseOptions.database} from File(${quoted(place)})`)
  } finally {
    await engineItself.close()
    await rm(place, { recursive: true, force: true })
  }
}
