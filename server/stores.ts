/**
 * The stores of one process: PostgreSQL, ClickHouse, the key ring and the data directory.
 *
 * `own`: this process holds the data directory and runs the built-in engines. `join`: another process of this
 * machine does, and this one connects to them by the files that it left there. With DATABASE_URL and CLICKHOUSE_URL
 * nothing is held or run here. Closing goes in the opposite order of opening, and leaves no process.
 */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from './config.ts'
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from './platform/clickhouse/clickhouse.ts'
import { type Engine, type EngineOptions, EngineRefused, startEngine } from './platform/clickhouse/engine.ts'
import { armCrashPoint } from './platform/crash.ts'
import { type Keyring, masterKey, openKeyring, printKey } from './platform/crypto/master-key.ts'
import { openDataDirectory, runningAddress } from './platform/data-directory.ts'
import { type Disk, noDisk, watchDisk } from './platform/disk.ts'
import { placeEngine } from './platform/engine-account.ts'
import { writeWhole } from './platform/files.ts'
import type { Log } from './platform/logging/log.ts'
import { findCluster, startCluster } from './platform/postgres/cluster.ts'
import { type Database, openDatabase } from './platform/postgres/database.ts'
import { refuseUnreachable } from './platform/postgres/refusal.ts'
import { sql } from './platform/postgres/sql.ts'
import { StartRefused } from './platform/start-refused.ts'

export type Folders = {
  path: string
  clickhouse: string
  archive: string
  files: string
  keys: string
  logs: string
}

export type Stores = {
  db: Database
  clickhouse: ClickHouse
  clickhouseOptions: ClickHouseOptions
  keyring: Keyring
  masterKey: Buffer
  /** The key as text, when this start made it: to be shown once. */
  newMasterKey: string | undefined
  folders: Folders
  /** The room for the built-in stores. */
  disk: Disk
  /** Where the built-in engines keep their files; undefined for a store of one's own, and when joined. */
  postgresFolder: string | undefined
  clickhouseFolder: string | undefined
  /** `own` runs the engines, `join` uses those of another process, `remote` has none here. */
  mode: 'own' | 'join' | 'remote'
  /** Sentences for the operator. */
  notices: string[]
  /** Settles with one sentence when the built-in PostgreSQL ends without being told to, or has moved. */
  lost: Promise<string>
  /** Leaves the address of the pages for the sentence that a second start says. */
  announce(address: string): Promise<void>
  close(): Promise<void>
}

/** `own` must hold the data directory, `restore` also one that is being restored; `either` joins a running process, or is one for as long as the command runs. */
export type StoreMode = 'own' | 'either' | 'restore'

/** Stands in a data directory until a restore into it has ended. */
export const RESTORING = 'restoring'

const DATABASE = 'liuliang'
const ACCESS_FILE = 'clickhouse-access.json'

/** Errors: `StartRefused`, `EngineRefused`, `KeyRefused`, each with one sentence; whatever was opened is closed again. */
export async function openStores(config: Config, log: Log, mode: StoreMode): Promise<Stores> {
  armCrashPoint(config.crashPoint)
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const step of closers.splice(0).reverse()) await step()
  }
  try {
    return { ...(await open(config, { log, mode, closers })), close }
  } catch (error) {
    await close().catch((failure: unknown) => log.error({ event: 'stores.close_failed', err: failure }))
    throw error
  }
}

type Opening = { log: Log; mode: StoreMode; closers: (() => Promise<void>)[] }

async function open(config: Config, opening: Opening): Promise<Omit<Stores, 'close'>> {
  const { closers, log } = opening
  const held = await holdFolders(config, opening)
  const { folders } = held
  const key = await masterKey({ given: config.masterKey, directory: folders.keys })
  const postgres = await postgresAddress(config, held, opening)
  let closing = false
  const db = openDatabase(postgres.url, {
    max: config.databasePool,
    applicationName: 'liuliang',
    onIdleError(error) {
      // Closing does not wait for the goodbye of every connection.
      if (!closing) log.warn({ event: 'postgres.connection_lost', err: error })
    },
  })
  closers.push(() => {
    closing = true
    return db.close()
  })
  if (config.databaseUrl !== undefined) await refuseUnreachable(db)
  else if (held.mode === 'join') await awaitJoined(db, folders.path)
  const engine = await clickhouseAddress(config, held, opening)
  const clickhouse = openClickHouse(engine.options)
  closers.push(() => clickhouse.close())
  const disk = await diskOf(config, held)
  closers.push(async () => disk.stop())
  return {
    db,
    clickhouse,
    clickhouseOptions: engine.options,
    keyring: openKeyring(key.key),
    masterKey: key.key,
    newMasterKey: key.created ? printKey(key.key) : undefined,
    folders,
    disk,
    postgresFolder: postgres.folder,
    clickhouseFolder: engine.folder,
    mode: held.mode,
    notices: [postgres.notice, engine.notice].filter((notice) => notice !== undefined),
    lost: Promise.race([postgres.lost, engine.lost]),
    announce: held.announce,
  }
}

/** Engines that could not live in the data directory may stand on another disk. */
async function diskOf({ leastFree }: Config, { mode, folders: { path } }: Held): Promise<Disk> {
  if (mode === 'remote') return noDisk
  const places = await Promise.all(
    ['postgres', 'clickhouse'].map((engine) =>
      readFile(join(path, `${engine}.location`), 'utf8').then(
        (text) => [text.trim()],
        () => [],
      ),
    ),
  )
  return watchDisk([path, ...places.flat()], { least: leastFree })
}

type Held = { folders: Folders; mode: Stores['mode']; announce(address: string): Promise<void> }

async function holdFolders(config: Config, { mode, closers }: Opening): Promise<Held> {
  const path = config.dataDirectory
  if (config.databaseUrl !== undefined && config.clickhouseUrl !== undefined) {
    return { folders: await makeFolders(path), mode: 'remote', announce: async () => undefined }
  }
  if (mode === 'either' && (await runningAddress(path)) !== undefined) {
    return { folders: await makeFolders(path), mode: 'join', announce: async () => undefined }
  }
  const directory = await openDataDirectory(path)
  closers.push(() => directory.release())
  if (mode !== 'restore') await refuseHalfRestored(path)
  return { folders: directory, mode: 'own', announce: (address) => directory.announce(address) }
}

async function refuseHalfRestored(path: string): Promise<void> {
  if (!(await stat(join(path, RESTORING)).catch(() => undefined))) return
  throw new StartRefused(`A restore into ${path} was broken off. Remove that folder and restore again.`)
}

async function makeFolders(path: string): Promise<Folders> {
  const folders = {
    clickhouse: join(path, 'clickhouse'),
    archive: join(path, 'archive'),
    files: join(path, 'files'),
    keys: join(path, 'keys'),
    logs: join(path, 'logs'),
  }
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 })
  return { path, ...folders }
}

type Address = { url: string; folder: string | undefined; notice: string | undefined; lost: Promise<string> }

const NEVER = new Promise<string>(() => undefined)

async function postgresAddress(config: Config, held: Held, { closers }: Opening): Promise<Address> {
  if (config.databaseUrl !== undefined)
    return { url: config.databaseUrl, folder: undefined, notice: undefined, lost: NEVER }
  const { path } = held.folders
  if (held.mode === 'join') {
    const url = await untilThere(() => findCluster(path))
    if (url === undefined) throw notYet(path)
    const moved = watchAddress('PostgreSQL', url, () => findCluster(path))
    closers.push(async () => moved.stop())
    return { url, folder: undefined, notice: undefined, lost: moved.lost }
  }
  const cluster = await startCluster({ dataDirectory: path })
  let stopping = false
  closers.push(() => {
    stopping = true
    return cluster.stop()
  })
  const lost = cluster.ended.then((last) => (stopping ? NEVER : `PostgreSQL has ended: ${last}`))
  return { url: cluster.url, folder: cluster.folder, notice: cluster.notice, lost }
}

const JOIN_PATIENCE_MS = 15_000
const JOIN_TRY_MS = 200
const ADDRESS_WATCH_MS = 2000

/** Asks again while the process that runs the engines is just starting. */
async function untilThere<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  const until = performance.now() + JOIN_PATIENCE_MS
  for (;;) {
    const answer = await ask()
    if (answer !== undefined || performance.now() > until) return answer
    await sleep(JOIN_TRY_MS)
  }
}

/** Errors: `StartRefused` where the PostgreSQL of the other process does not answer in time. */
async function awaitJoined(db: Database, path: string): Promise<void> {
  const answers = await untilThere(() =>
    db.maybe<{ there: number }>(sql`select 1 as there`).catch(() => undefined),
  )
  if (answers === undefined) throw notYet(path)
}

/** Settles where an engine that this process has joined was started again under another address, which a taken port does. */
function watchAddress(
  engine: string,
  url: string,
  find: () => Promise<string | undefined>,
): { lost: Promise<string>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<string>()
  const timer = setInterval(() => {
    find().then(
      (present) => {
        if (present !== undefined && present !== url)
          resolve(`${engine} was started again on another port. Start this process again.`)
      },
      () => undefined,
    )
  }, ADDRESS_WATCH_MS)
  timer.unref()
  return { lost: promise, stop: () => clearInterval(timer) }
}

type EngineAddress = Omit<Address, 'url'> & { options: ClickHouseOptions }

async function clickhouseAddress(
  config: Config,
  held: Held,
  { log, closers }: Opening,
): Promise<EngineAddress> {
  if (config.clickhouseUrl !== undefined) {
    const options = clickhouseOptions(config.clickhouseUrl, config.clickhouseCluster)
    return { options, folder: undefined, notice: undefined, lost: NEVER }
  }
  const access = join(held.folders.keys, ACCESS_FILE)
  if (held.mode === 'join') {
    // The file may still be that of an earlier life; an engine that is just away is waited for by whoever asks it.
    const options = (await untilThere(() => answeringAccess(access))) ?? (await readAccess(access))
    if (options === undefined) throw notYet(held.folders.path)
    const moved = watchAddress('ClickHouse', options.url, async () => (await readAccess(access))?.url)
    closers.push(async () => moved.stop())
    return { options, folder: undefined, notice: undefined, lost: moved.lost }
  }
  const { folder, account, notice } = await placeEngine(held.folders.path, 'clickhouse')
  const engine = await startOnKnownPort(
    { dataDir: folder, ...(account ?? {}), log },
    await readAccess(access),
  )
  closers.push(() => engine.stop())
  const options = { url: engine.url, user: engine.user, password: engine.password, database: DATABASE }
  await writeWhole(access, JSON.stringify(options))
  return { options, folder, notice, lost: NEVER }
}

/** Undefined until an engine answers at the address that the file names. */
async function answeringAccess(path: string): Promise<ClickHouseOptions | undefined> {
  const options = await readAccess(path)
  if (options === undefined) return undefined
  const clickhouse = openClickHouse(options)
  try {
    return (await clickhouse.ping()) ? options : undefined
  } finally {
    await clickhouse.close()
  }
}

async function readAccess(path: string): Promise<ClickHouseOptions | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as ClickHouseOptions)
}

/** The port and password of the last time, so that processes that joined find the engine again; another port where that one is taken. */
async function startOnKnownPort(
  options: EngineOptions,
  known: ClickHouseOptions | undefined,
): Promise<Engine> {
  if (known === undefined) return startEngine(options)
  const { password } = known
  try {
    return await startEngine({ ...options, password, port: Number(new URL(known.url).port) })
  } catch (error) {
    if (!(error instanceof EngineRefused) || !error.message.startsWith('Port ')) throw error
    return startEngine({ ...options, password })
  }
}

/** CLICKHOUSE_URL: http://user:password@host:8123/database */
function clickhouseOptions(text: string, cluster: string | undefined): ClickHouseOptions {
  const url = URL.parse(text)
  if (!url)
    throw new StartRefused(
      'CLICKHOUSE_URL is no address. Write it as http://user:password@host:8123/database.',
    )
  const database = url.pathname.replace(/^\//, '') || DATABASE
  if (cluster !== undefined && !/^\w+$/.test(database))
    throw new StartRefused(
      'CLICKHOUSE_URL names a database that a cluster cannot have. Use letters, digits and _ only.',
    )
  return {
    url: `${url.protocol}//${url.host}`,
    user: decodeURIComponent(url.username) || 'default',
    password: decodeURIComponent(url.password),
    database,
    cluster,
  }
}

function notYet(path: string): StartRefused {
  return new StartRefused(`Liuliang is just starting on ${path}. Try again in a few seconds.`)
}
