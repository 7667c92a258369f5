import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from './cluster.ts'
import { type Database, openDatabase } from './database.ts'
import { sql } from './sql.ts'

const HOLDER = fileURLToPath(new URL('../../../test/support/hold-cluster.ts', import.meta.url))
const IS_ROOT = process.getuid?.() === 0
const NOBODY = 65_534

type Held = { url: string; pid: number; notice?: string }

let place: string
const started: { child: ChildProcess; pid: number }[] = []

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'liuliang-cluster-'))
  await chmod(place, 0o755)
})

afterEach(async () => {
  for (const { child, pid } of started.splice(0)) {
    child.kill('SIGKILL')
    await gone(pid)
  }
})

afterAll(async () => {
  await rm(place, { recursive: true, force: true })
})

async function folder(name: string, mode = 0o755): Promise<string> {
  const path = join(place, name)
  await mkdir(path, { recursive: true })
  await chmod(path, mode)
  return path
}

async function hold(dataDirectory: string, uid?: number): Promise<Held & { child: ChildProcess }> {
  const child = spawn(process.execPath, [HOLDER, dataDirectory], {
    ...(uid === undefined ? {} : { uid, gid: uid }),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  const line = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  if (!Buffer.isBuffer(line[0])) throw new Error(complaint)
  const held = JSON.parse(line[0].toString()) as Held
  started.push({ child, pid: held.pid })
  return { ...held, child }
}

async function stop(held: { child: ChildProcess }): Promise<void> {
  held.child.kill('SIGTERM')
  await once(held.child, 'exit')
}

/** True when the process ends within 15 s; one that nobody has collected yet has ended. */
async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (!(await runs(pid))) return true
    await sleep(50)
  }
  return false
}

async function runs(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return !status.includes(') Z ')
}

async function asking<T>(url: string, ask: (db: Database) => Promise<T>): Promise<T> {
  const db = openDatabase(url, { max: 1 })
  try {
    return await ask(db)
  } finally {
    await db.close()
  }
}

async function remember(url: string, word: string): Promise<void> {
  await asking(url, async (db) => {
    await db.run(sql`create table if not exists memory (word text)`)
    await db.run(sql`insert into memory (word) values (${word})`)
  })
}

async function remembered(url: string): Promise<string[]> {
  return asking(url, async (db) => {
    const rows = await db.rows<{ word: string }>(sql`select word from memory order by word`)
    return rows.map(({ word }) => word)
  })
}

async function refusal(dataDirectory: string): Promise<string> {
  const outcome = await startCluster({ dataDirectory }).catch((error: Error) => error)
  if (!(outcome instanceof Error)) await (outcome as Cluster).stop()
  expect(outcome).toMatchObject({ name: 'StartRefused' })
  return (outcome as Error).message
}

test('what is committed is durable, Chinese names are searched and sorted, and all this survives a stop', async () => {
  const dataDirectory = await folder('plain')
  const first = await startCluster({ dataDirectory })
  const seen = await asking(first.url, async (db) => {
    await db.run(sql`create extension pg_trgm`)
    return db.row(sql`
      select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
             current_setting('full_page_writes') as pages, current_setting('timezone') as zone,
             current_setting('idle_in_transaction_session_timeout') as idle,
             cardinality(show_trgm('张三')) > 0 as trigrams, lower('Ä') as lower,
             (select string_agg(name, '' order by name collate "zh-Hans-CN-x-icu")
                from unnest(array['张', '李', '王', '阿']) as name) as names`)
  })
  expect(seen).toEqual({
    fsync: 'on',
    commit: 'on',
    pages: 'on',
    zone: 'UTC',
    idle: '30s',
    trigrams: true,
    lower: 'ä',
    names: '阿李王张',
  })
  await remember(first.url, 'kept')
  await first.stop()
  expect(await gone(first.pid)).toBe(true)

  const second = await startCluster({ dataDirectory })
  expect(second.port).toBe(first.port)
  expect(await remembered(second.url)).toEqual(['kept'])
  await second.stop()
})

test('nobody enters without the password, and the password is for the owner alone', async () => {
  const cluster = await startCluster({ dataDirectory: await folder('plain') })
  const wrong = new URL(cluster.url)
  wrong.password = 'guess'
  await expect(asking(wrong.href, (db) => db.row(sql`select 1`))).rejects.toMatchObject({ code: '28P01' })
  expect((await stat(join(cluster.folder, 'password'))).mode & 0o777).toBe(0o600)
  expect((await stat(cluster.folder)).mode & 0o777).toBe(0o700)
  await cluster.stop()
})

test('a port that another program has taken meanwhile is left to it', async () => {
  const dataDirectory = await folder('plain')
  const port = Number(await readFile(join(dataDirectory, 'postgres', 'port'), 'utf8'))
  const intruder = createServer().listen(port, '127.0.0.1')
  await once(intruder, 'listening')
  const cluster = await startCluster({ dataDirectory })
  expect(cluster.port).not.toBe(port)
  expect(await remembered(cluster.url)).toEqual(['kept'])
  await cluster.stop()
  intruder.close()
})

test('when the program is killed, the server ends by itself', async () => {
  const held = await hold(await folder('plain'))
  await remember(held.url, 'before the kill')
  held.child.kill('SIGKILL')
  expect(await gone(held.pid)).toBe(true)

  const next = await hold(join(place, 'plain'))
  expect(await remembered(next.url)).toContain('before the kill')
  await stop(next)
})

test('a server killed in mid-write recovers what was committed', async () => {
  const held = await hold(await folder('plain'))
  await remember(held.url, 'committed')
  process.kill(held.pid, 'SIGKILL')
  held.child.kill('SIGKILL')
  expect(await gone(held.pid)).toBe(true)

  const next = await hold(join(place, 'plain'))
  expect(await remembered(next.url)).toContain('committed')
  await stop(next)
})

test.runIf(process.platform === 'linux')(
  'a server that lost its guard too is stopped by the next start',
  async () => {
    const held = await hold(await folder('plain'))
    await remember(held.url, 'orphan')
    process.kill(await guardOf(held.pid), 'SIGKILL')
    held.child.kill('SIGKILL')
    await once(held.child, 'exit')
    await sleep(300)
    expect(await runs(held.pid)).toBe(true)

    const next = await hold(join(place, 'plain'))
    expect(await gone(held.pid)).toBe(true)
    expect(await remembered(next.url)).toContain('orphan')
    await stop(next)
  },
)

async function guardOf(server: number): Promise<number> {
  for (const name of await readdir('/proc')) {
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (command.split('\0').slice(-3, -1).join(' ') === `liuliang-guard ${server}`) return Number(name)
  }
  throw new Error('no guard')
}

test('a process number that now belongs to another program is no obstacle', async () => {
  const dataDirectory = await folder('plain')
  const stale = join(dataDirectory, 'postgres', 'data', 'postmaster.pid')
  await writeFile(stale, `${process.pid}\n${dirname(stale)}\n1\n1\n\n127.0.0.1\n\nready   \n`)
  const held = await hold(dataDirectory)
  expect(await remembered(held.url)).toContain('orphan')
  await stop(held)
})

test('a crash while the files are made leaves nothing half done', async () => {
  const dataDirectory = await folder('half')
  const draft = join(dataDirectory, 'postgres', 'draft')
  await mkdir(draft, { recursive: true })
  await writeFile(join(draft, 'PG_VERSION'), '18\n')
  const cluster = await startCluster({ dataDirectory, durable: false })
  expect(await readdir(cluster.folder)).not.toContain('draft')
  await cluster.stop()
})

test('damaged files and those of another version are refused in one sentence', async () => {
  const version = join(await folder('half'), 'postgres', 'data', 'PG_VERSION')
  await writeFile(version, '17\n')
  expect(await refusal(join(place, 'half'))).toContain('was made by PostgreSQL 17, this Liuliang brings 18')
  await rm(version)
  expect(await refusal(join(place, 'half'))).toContain('is damaged: it has no PG_VERSION')
  await writeFile(version, '18\n')
  await rm(join(place, 'half', 'postgres', 'data', 'global', 'pg_control'))
  expect(await refusal(join(place, 'half'))).toMatch(/^The built-in PostgreSQL could not start: .*pg_control/)
})

test.runIf(IS_ROOT)(
  'root under a closed parent keeps the engine outside, says so, and finds it again',
  async () => {
    const closed = await folder('closed', 0o700)
    const dataDirectory = join(closed, 'data')
    await mkdir(dataDirectory)
    const first = await startCluster({ dataDirectory })
    expect(first.folder).toMatch(/^\/var\/lib\/liuliang\/[0-9a-f]{16}\/postgres$/)
    expect(first.notice).toBe(
      `Started as root and ${dataDirectory} is closed to other users, so PostgreSQL keeps its files in ${first.folder}.`,
    )
    await remember(first.url, 'outside')
    await first.stop()

    await chmod(closed, 0o755)
    const second = await startCluster({ dataDirectory })
    expect(second.folder).toBe(first.folder)
    expect(await remembered(second.url)).toEqual(['outside'])
    await second.stop()
    await rm(dirname(first.folder), { recursive: true })
    expect(await refusal(dataDirectory)).toContain('but that folder is missing')
  },
)

test.runIf(IS_ROOT)('the server never runs as root', async () => {
  const cluster = await startCluster({ dataDirectory: await folder('plain') })
  expect((await stat(`/proc/${cluster.pid}`)).uid).not.toBe(0)
  await cluster.stop()
})

test.runIf(IS_ROOT)(
  'an ordinary user runs it as himself, and root later keeps his files his',
  async (context) => {
    if (!(await canReach(NOBODY))) return context.skip('an ordinary user cannot read this checkout')
    const dataDirectory = await folder('ordinary')
    await chown(dataDirectory, NOBODY, NOBODY)
    const held = await hold(dataDirectory, NOBODY)
    expect((await stat(join(dataDirectory, 'postgres', 'data'))).uid).toBe(NOBODY)
    await remember(held.url, 'mine')
    await stop(held)

    const byRoot = await startCluster({ dataDirectory })
    expect(await remembered(byRoot.url)).toEqual(['mine'])
    await byRoot.stop()

    const again = await hold(dataDirectory, NOBODY)
    expect(await remembered(again.url)).toEqual(['mine'])
    await stop(again)
  },
)

async function canReach(uid: number): Promise<boolean> {
  const child = spawn('test', ['-r', HOLDER], { uid, gid: uid, stdio: 'ignore', cwd: '/' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0
}
