/** Every command as it is typed: what it does beside a running program and alone, and the one sentence where it cannot. */
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emptyDatabase } from '../../test/support/database.ts'
import { type Ended, Kept, runOnce } from '../../test/support/program.ts'
import { readConfig } from '../config.ts'
import { openLog } from '../platform/logging/log.ts'
import { sql } from '../platform/postgres/sql.ts'
import { openStores, type Stores } from '../stores.ts'

const MEMBERS = '姓名,手机号,性别\n张三,13917264835,男\n李四,13917264836,女\n王五,12,女\n'
const ORDERS = `订单号,手机号,下单时间,商品编码,数量,单价
A1,13917264835,2025-06-01 10:00,S1,2,10.50
A2,13917264836,2025-06-02 11:00,S2,1,99
A3,,2025-06-03 12:00,S1,1,5
`

let folder: string
let environment: { LIULIANG_DATA: string; LIULIANG_LOG: string }
let program: Kept

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liuliang-commands-'))
  await chmod(folder, 0o755)
  environment = { LIULIANG_DATA: join(folder, 'data'), LIULIANG_LOG: 'error' }
  program = new Kept('start', environment)
  await program.tells('address')
})
afterAll(async () => {
  await program.stop()
  await rm(folder, { recursive: true, force: true })
})

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const run = (command: string, parameters: readonly string[] = [], more: Record<string, string> = {}) =>
  runOnce(command, { ...environment, ...more }, parameters)

/** The command did its work; its result, as a program reads it. */
async function result<T>(command: string, ...parameters: string[]): Promise<T> {
  const ended = await run(command, [...parameters, '--json'])
  expect(ended.code, ended.error).toBe(0)
  return JSON.parse(ended.out) as T
}

/** The command ended with code 1, and said one sentence that holds `words`, without where in the program. */
function expectRefusal(ended: Ended, words: string | RegExp): void {
  expect(ended.code).toBe(1)
  const lines = ended.error.trim().split('\n')
  expect(lines.at(-1)).toMatch(/^liuliang: /)
  expect(lines.at(-1)).toMatch(words)
  expect(ended.error).not.toContain('unexpected')
  expect(ended.error).not.toMatch(/\n\s+at /)
}

async function rows(what: string): Promise<Record<string, unknown>[]> {
  const path = join(folder, `${what}-${Math.random()}.ndjson`)
  const told = await result<{ rows: number }>('export', what, path)
  const lines = (await readFile(path, 'utf8')).split('\n').filter(Boolean)
  expect(lines).toHaveLength(told.rows)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function alone<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = await openStores(readConfig(environment), openLog({ level: 'silent' }), 'own')
  try {
    return await work(stores)
  } finally {
    await stores.close()
  }
}

type Run = {
  run: { id: string; state: string; counts: { read: number; accepted: number; rejected: number } }
}

test('import, export and undo-import beside a running program', async () => {
  const members = await file('members.csv', MEMBERS)
  const dry = await result<Run>('import', members, '--dry-run')
  expect(dry.run).toMatchObject({ state: 'checked' })
  expect(await rows('members')).toEqual([])

  const rejected = join(folder, 'rejected.csv')
  const taken = await result<Run>('import', members, '--rejected', rejected)
  expect(taken.run).toMatchObject({ state: 'imported', counts: { read: 3 } })
  if (taken.run.counts.rejected > 0) expect(await readFile(rejected, 'utf8')).toContain('王五')
  const phones = (await rows('members')).map((row) => row['phone'])
  expect(phones).toEqual(expect.arrayContaining(['13917264835', '13917264836']))

  const book = join(folder, 'members.xlsx')
  const everybody = (await rows('members')).length
  expect(await result('export', 'members', book)).toMatchObject({ what: 'members', rows: everybody })
  expect((await readFile(book)).subarray(0, 2).toString()).toBe('PK')
  const named = join(folder, 'named.csv')
  await result('export', 'members', named, '--columns', 'phone,kind', '--lang', 'en')
  expect(await readFile(named, 'utf8')).toMatch(
    /^\ufeffPhone,Kind\r\n1391726483\d,"Bought, not registered"\r\n/,
  )
  expectRefusal(await run('export', ['members', named, '--segment', '没有']), 'There is no segment')
  expectRefusal(
    await run('export', ['members', named, '--columns', 'salary']),
    '--columns are some of: id,name',
  )
  expectRefusal(await run('export', ['audit', named, '--segment', '1']), 'are for members')

  const orders = await file('orders.csv', ORDERS)
  const { run: sold } = await result<Run>('import', orders, '--source', 'till')
  expect(sold).toMatchObject({ state: 'imported', counts: { accepted: 3, rejected: 0 } })
  expect((await rows('orders')).map((row) => [row['number'], row['total']]).sort()).toEqual([
    ['A1', 21],
    ['A2', 99],
    ['A3', 5],
  ])
  const table = join(folder, 'orders.csv.csv')
  await result('export', 'orders', table)
  expect((await readFile(table, 'utf8')).split('\r\n')[0]).toMatch(/^\ufeffsource,number,/)
  expect((await rows('audit')).map((row) => row['action'])).toContain('data.exported')

  const undone = await result<Run>('undo-import', sold.id)
  expect(undone.run.state).toBe('undone')
  expect(await rows('orders')).toEqual([])
  expectRefusal(await run('undo-import', [sold.id]), 'undone')
  expectRefusal(await run('undo-import', ['00000000-0000-7000-8000-000000000000']), 'does not exist')
  expectRefusal(await run('undo-import', ['twelve']), 'number that import printed')

  expectRefusal(await run('import', [join(folder, 'nowhere.csv')]), 'There is no file')
  expectRefusal(await run('import', [orders, '--kind', 'cats']), '--kind is one of: members, orders')
  expectRefusal(await run('import', [orders, '--mapping', orders]), 'is no mapping')
  expectRefusal(
    await run('import', [await file('picture.csv', '\u0000\u0001PNG')]),
    'neither a text file nor an XLSX',
  )
  expectRefusal(
    await run('export', ['cats', join(folder, 'cats.csv')]),
    'Export one of: members, orders, audit',
  )
  expectRefusal(await run('export', ['orders', join(folder, 'orders.xlsx')]), '.csv or .ndjson')
  expectRefusal(
    await run('export', ['orders', join(folder, 'no', 'such', 'folder.csv')]),
    'cannot be written',
  )
})

test('a disk without room: import waits, doctor says it, and neither asks for more than room', async () => {
  const little = { LIULIANG_LEAST_FREE_GB: '1000000' }
  const orders = await file('later.csv', ORDERS)
  expectRefusal(await run('import', [orders], little), 'Make room')
  const looked = await run('doctor', ['--json'], little)
  expect(looked.code).toBe(1)
  const { findings } = JSON.parse(looked.out) as {
    findings: { check: string; state: string; advice?: string }[]
  }
  expect(findings.filter(({ state }) => state === 'bad').map(({ check }) => check)).toEqual(['disk'])
  expectRefusal(await run('doctor', [], { LIULIANG_LEAST_FREE_GB: 'much' }), 'LIULIANG_LEAST_FREE_GB')
})

test('rebuild waits its turn, then makes ClickHouse equal to the log', async () => {
  expectRefusal(await run('rebuild'), 'Stop "start" or "work"')
  await program.stop()
  const counts = () =>
    alone(async ({ db, clickhouse }) => {
      const logged = await db.row<{ n: number }>(
        sql`select count(*)::int as n from event_log where type <> 'order_recorded'`,
      )
      const [projected] = await clickhouse.rows<{ n: number }>('select toUInt32(count()) as n from events')
      return { logged: logged.n, projected: projected?.n }
    })
  await alone(({ clickhouse }) => clickhouse.command('truncate table events'))
  const before = await counts()
  expect(before.projected).toBe(0)
  const rebuilt = await result<{ events: number; days: number }>('rebuild')
  expect(rebuilt.events).toBeGreaterThan(before.logged)
  const after = await counts()
  expect(after.logged).toBeGreaterThan(0)
  expect(after.projected).toBe(after.logged)
})

test('doctor names a clock that leapt or went back, and takes it for right when told so', async () => {
  const clockFinding = async (...more: string[]) => {
    const { out } = await run('doctor', ['--json', ...more])
    const { findings } = JSON.parse(out) as { findings: { check: string; state: string; found: string }[] }
    return findings.find(({ check }) => check === 'clock')
  }
  await alone(({ db }) =>
    db.run(sql`update business_clock set reached = clock_timestamp() - interval '2 days'`),
  )
  expect(await clockFinding()).toMatchObject({ state: 'bad', found: expect.stringContaining('ahead') })
  expect(await clockFinding('--accept-clock')).toMatchObject({ state: 'good' })
  await alone(({ db }) =>
    db.run(sql`update business_clock set reached = clock_timestamp() + interval '3 hours'`),
  )
  expect(await clockFinding()).toMatchObject({ state: 'bad', found: expect.stringContaining('behind') })
  expect(await clockFinding('--accept-clock')).toMatchObject({ state: 'good' })
})

test('the demo brand is written into an empty directory only, and taken out whole', async () => {
  const there = { LIULIANG_DATA: join(folder, 'demo') }
  const ask = (...parameters: string[]) => run('demo', parameters, there)
  expectRefusal(await ask('--members', 'many'), '1 to')
  const seeded = await ask('--members', '60', '--seed', 'commands', '--json')
  expect(seeded.code, seeded.error).toBe(0)
  expect((JSON.parse(seeded.out) as { seeded: { members: number } }).seeded.members).toBe(60)
  expectRefusal(await ask(), 'The demo brand is here already')
  const removed = await ask('--remove', '--json')
  expect(removed.code, removed.error).toBe(0)
  expect((JSON.parse(removed.out) as { removed: number }).removed).toBeGreaterThan(60)
  const out = join(folder, 'no-demo.ndjson')
  await runOnce('export', { ...environment, ...there }, ['members', out])
  expect(await readFile(out, 'utf8')).toBe('')
})

test('a backup over DATABASE_URL is taken by pg_dump, whose command line holds no password', async () => {
  const db = await emptyDatabase()
  const own = { LIULIANG_DATA: join(folder, 'remote'), DATABASE_URL: db.url }
  const target = join(folder, 'dumped')
  const programs = join(folder, 'programs')
  await mkdir(programs)
  // What the start asks the system for; a pg_dump of this machine is not among it.
  for (const name of ['id', 'getent', 'useradd', 'sync'])
    for (const place of ['/usr/bin', '/usr/sbin', '/bin'])
      if (await stat(join(place, name)).catch(() => undefined))
        await symlink(join(place, name), join(programs, name)).catch(() => undefined)
  expectRefusal(await run('backup', [target], { ...own, PATH: programs }), 'needs pg_dump 18')
  await rm(target, { recursive: true, force: true })
  const pgDump = join(programs, 'pg_dump')
  const script = (version: number) => `#!/bin/sh
if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) ${version}.1"; exit 0; fi
for each in "$@"; do case "$each" in --file=*) echo "$* | $PGUSER@$PGHOST:$PGPORT/$PGDATABASE \${PGPASSWORD:+with password}" > "\${each#--file=}";; esac; done
`
  await writeFile(pgDump, script(12), { mode: 0o755 })
  expectRefusal(
    await run('backup', [target], { ...own, PATH: programs }),
    'pg_dump 12 is older than the server',
  )
  await rm(target, { recursive: true, force: true })
  await writeFile(pgDump, script(99), { mode: 0o755 })
  const taken = await run('backup', [target, '--json'], { ...own, PATH: programs })
  expect(taken.code, taken.error).toBe(0)
  expect(JSON.parse(taken.out)).toMatchObject({ postgres: 'dump' })
  const called = await readFile(join(target, 'postgres.dump'), 'utf8')
  const { hostname, port, pathname, username, password } = new URL(db.url)
  expect(called).toContain(`--format=custom --no-owner --file=${join(target, 'postgres.dump')}`)
  expect(called).toContain(`${username}@${hostname}:${port}${pathname} with password`)
  expect(called).not.toContain(password)
  expectRefusal(await run('backup', [target], { ...own, PATH: programs }), 'is not empty')
  const key = await readFile(join(own.LIULIANG_DATA, 'keys', 'master.key'), 'utf8')
  const into = { LIULIANG_DATA: join(folder, 'back'), LIULIANG_MASTER_KEY: key.trim() }
  expectRefusal(await run('restore', [target], into), 'docs/backup.md')
  expectRefusal(await run('restore', [join(folder, 'nothing')], into), 'holds no whole backup')
})

test('reset-owner prints a new password', async () => {
  const reset = await result<{ login: string; oneTimePassword: string }>('reset-owner')
  expect(reset.oneTimePassword.length).toBeGreaterThan(8)
})
