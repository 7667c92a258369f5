/**
 * The built-in PostgreSQL: made, started and stopped by us, as a child with its own session, on the loopback only.
 *
 * In the folder of the engine: `data` (the cluster), `password`, `port`, `log`. `data` appears by one rename, so a
 * crash while it is made leaves nothing half done. Only the holder of the data directory's lock may call
 * `startCluster`; therefore a server that still runs on `data` is an orphan of a start that was killed, and is
 * stopped first. A guard process stops the server when this program dies without stopping it.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Account, placeEngine } from '../engine-account.ts'
import { writeWhole } from '../files.ts'
import { StartRefused } from '../start-refused.ts'
import { postgresBinaries } from './binaries.ts'
import { ACCESS_TEXT, settingsText } from './cluster-settings.ts'
import { openDatabase } from './database.ts'
import { runServer, type Server, stopOrphan } from './server-process.ts'
import { sql, trusted } from './sql.ts'

const run = promisify(execFile)
const MAJOR = '18'
const USER = 'liuliang'
const DATABASE = 'liuliang'
const MAX_STARTS = 40

export type ClusterOptions = {
  /** Absolute path of a data directory whose lock the caller holds. */
  dataDirectory: string
  /** False in tests only. */
  durable?: boolean
  maxConnections?: number
}

export type Cluster = {
  /** For `openDatabase`; carries the password, so it is never logged. */
  url: string
  port: number
  pid: number
  folder: string
  /** A sentence for the operator, when the files are not inside the data directory. */
  notice: string | undefined
  /** Settles when the server ends, whoever ended it, with the last line that it said. */
  ended: Promise<string>
  /** Ends open transactions, writes a checkpoint and waits until every process is gone. */
  stop(): Promise<void>
}

/** Errors: `StartRefused` with one sentence. Takes about 1.5 s the first time, 0.2 s later. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, account, notice } = await placeEngine(options.dataDirectory, 'postgres')
  const binaries = await postgresBinaries(account)
  const data = join(folder, 'data')
  await stopOrphan(data)
  const password = await rememberedPassword(folder, account)
  await makeCluster({ folder, binaries, account }, options.durable ?? true)
  await refuseOtherVersion(data)

  const server = await startOnFreePort({ folder, binaries, account }, options)
  const urlOf = (database: string) => `postgres://${USER}:${password}@127.0.0.1:${server.port}/${database}`
  try {
    await makeDatabase(urlOf('postgres'))
  } catch (error) {
    await server.stop()
    throw error
  }
  return { ...server, url: urlOf(DATABASE), folder, notice }
}

/**
 * The address of the server that another process of Liuliang runs for this data directory;
 * undefined where none was ever made. Whether it answers is for the caller to see.
 */
export async function findCluster(dataDirectory: string): Promise<string | undefined> {
  const inside = join(dataDirectory, 'postgres')
  const folder = (await readFile(`${inside}.location`, 'utf8').catch(() => inside)).trim()
  const [password, port] = await Promise.all([
    readFile(join(folder, 'password'), 'utf8').catch(() => ''),
    readFile(join(folder, 'port'), 'utf8').catch(() => ''),
  ])
  if (password === '' || port === '') return undefined
  return `postgres://${USER}:${password.trim()}@127.0.0.1:${port.trim()}/${DATABASE}`
}

type Place = { folder: string; binaries: string; account: Account }

async function rememberedPassword(folder: string, account: Account): Promise<string> {
  const path = join(folder, 'password')
  const known = await readFile(path, 'utf8').catch(() => '')
  if (known !== '') return known.trim()
  const password = randomBytes(24).toString('hex')
  await writeWhole(path, password)
  if (account) await chown(path, account.uid, account.gid)
  return password
}

async function makeCluster({ folder, binaries, account }: Place, durable: boolean): Promise<void> {
  const data = join(folder, 'data')
  if (await stat(data).catch(() => undefined)) return
  const draft = join(folder, 'draft')
  await rm(draft, { recursive: true, force: true })
  // The built-in locale provider sorts and classifies by Unicode whatever the system's C library knows.
  const parameters = [
    `--pgdata=${draft}`,
    `--username=${USER}`,
    `--pwfile=${join(folder, 'password')}`,
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    `--locale=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`,
    '--auth=scram-sha-256',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ]
  try {
    await run(join(binaries, 'bin', 'initdb'), parameters, {
      ...account,
      cwd: folder,
      env: cleanEnvironment(),
    })
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw new StartRefused(`PostgreSQL could not make its files in ${folder}: ${lastWords(error)}`)
  }
  await rename(draft, data)
}

function lastWords(error: unknown): string {
  const said = String((error as { stderr?: string }).stderr || error)
  if (/No space left on device/.test(said)) return 'the disk is full. Free some space and start again.'
  const lines = said.split('\n').filter((line) => /error|fatal|could not/i.test(line))
  return (lines[0] ?? said.split('\n')[0] ?? '').replace(/^initdb: /, '').trim()
}

async function refuseOtherVersion(data: string): Promise<void> {
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => '')).trim()
  if (version === MAJOR) return
  throw new StartRefused(
    version === ''
      ? `${data} is damaged: it has no PG_VERSION. Restore a backup into an empty data directory.`
      : `${data} was made by PostgreSQL ${version}, this Liuliang brings ${MAJOR}. Start the version of Liuliang that made it and move with backup and restore.`,
  )
}

/** Bytes of the files below a folder; those that go away meanwhile count nothing. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Tries the remembered port, then free ones; waits for the last processes of a server that was killed. */
async function startOnFreePort(place: Place, options: ClusterOptions): Promise<Server & { port: number }> {
  const { folder, account } = place
  const data = join(folder, 'data')
  const remembered = Number(await readFile(join(folder, 'port'), 'utf8').catch(() => 0))
  let port = await freePort(remembered)
  await mkdir(join(folder, 'log'), { recursive: true, mode: 0o700 })
  if (account) await chown(join(folder, 'log'), account.uid, account.gid)
  const dataBytes = await bytesIn(join(data, 'base'))
  for (let attempt = 1; ; attempt += 1) {
    const durable = options.durable ?? true
    const text = settingsText({ port, durable, dataBytes, maxConnections: options.maxConnections ?? 60 })
    await writeFile(join(data, 'postgresql.conf'), text)
    await writeFile(join(data, 'pg_hba.conf'), ACCESS_TEXT)
    const answer = await runServer({ ...place, environment: cleanEnvironment() })
    if ('stop' in answer) {
      await writeWhole(join(folder, 'port'), String(port))
      return { ...answer, port }
    }
    if (attempt >= MAX_STARTS || answer.failure === 'other') throw new StartRefused(answer.sentence)
    if (answer.failure === 'port') port = await freePort(0)
    else await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

async function makeDatabase(url: string): Promise<void> {
  const db = openDatabase(url, { max: 1 })
  try {
    const known = await db.maybe(sql`select 1 as known from pg_database where datname = ${DATABASE}`)
    if (!known) await db.run(sql`create database ${trusted(DATABASE)}`)
  } finally {
    await db.close()
  }
}

function freePort(wished: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', () => (wished === 0 ? reject(new Error('no free port')) : resolve(freePort(0))))
    probe.listen(wished, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : wished))
    })
  })
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', TZ: 'UTC', LC_ALL: 'C.UTF-8' }
}
