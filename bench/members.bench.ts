/**
 * Resolving rows to persons: new ones, the same again, and ones that meet (each row of a second system shares a phone).
 * The limit is COPY of the very rows that came out of it into the same tables with their indexes, in the same run.
 * Run: node bench/members.bench.ts [rows]
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IncomingPerson, resolve } from '../server/members/members.ts'
import { openKeyring } from '../server/platform/crypto/master-key.ts'
import { startCluster } from '../server/platform/postgres/cluster.ts'
import { type Database, openDatabase } from '../server/platform/postgres/database.ts'
import { migratePostgres } from '../server/platform/postgres/migrate.ts'
import { sql, trusted } from '../server/platform/postgres/sql.ts'

const ROWS = Number(process.argv[2] ?? 100_000)
const CHUNK = 5_000
const TABLES = ['person', 'profile', 'identifier', 'event_log'] as const
const FAMILY = [...'王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高']
const GIVEN = [...'伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚']
const deps = { keys: openKeyring(randomBytes(32)), followers: [] }
const at = new Date('2026-03-01T02:00:00Z')

const folder = await mkdtemp(join(tmpdir(), 'liuliang-bench-'))
await chmod(folder, 0o755)
const cluster = await startCluster({ dataDirectory: folder })
const db = openDatabase(cluster.url)
try {
  await migratePostgres(db)
  await report(db)
} finally {
  await db.close()
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
}

async function report(on: Database): Promise<void> {
  const single = await rate(ROWS, () => importAll(on, 'erp', 0, ROWS, 1))
  const same = await rate(ROWS, () => importAll(on, 'erp', 0, ROWS, 1))
  const copied = await copyAgain(on)
  await empty(on)
  const twice = await rate(ROWS, () => importAll(on, 'erp', 0, ROWS, 2))
  const meeting = await rate(ROWS / 4, () => importAll(on, 'shop', 0, ROWS / 4, 1))
  console.table({
    'new persons, one writer': line(single, copied),
    'new persons, two writers': line(twice, copied),
    'the same rows again': line(same, copied),
    'rows that join known persons': line(meeting, copied),
    'limit: COPY of the same rows, one session': line(copied, copied),
  })
}

function line(perSecond: number, limit: number): { 'rows/s': number; 'of the limit': string } {
  return { 'rows/s': Math.round(perSecond), 'of the limit': (perSecond / limit).toFixed(2) }
}

async function rate(rows: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (rows * 1000) / (performance.now() - start)
}

async function importAll(
  on: Database,
  source: string,
  from: number,
  to: number,
  writers: number,
): Promise<void> {
  const chunks: number[] = []
  for (let first = from; first < to; first += CHUNK) chunks.push(first)
  const work = async (): Promise<void> => {
    for (let first = chunks.shift(); first !== undefined; first = chunks.shift()) {
      const rows = Array.from({ length: Math.min(CHUNK, to - first) }, (_, index) =>
        personRow((first ?? 0) + index, source),
      )
      await on.transaction((tx) => resolve(deps, tx, rows, { lane: 'bulk', source, at }))
    }
  }
  await Promise.all(Array.from({ length: writers }, work))
}

function personRow(n: number, source: string): IncomingPerson {
  const pick = (list: readonly string[], by: number): string => list[Math.floor(n / by) % list.length] ?? ''
  return {
    externalId: `${source}-${n}`,
    identifiers: [
      { kind: 'phone', value: `13${String(100_000_000 + ((n * 7919) % 900_000_000))}` },
      source === 'erp'
        ? { kind: 'card', value: `VIP${n}`, scope: 'erp' }
        : { kind: 'unionid', value: `o${n}` },
    ],
    attributes: {
      name: `${pick(FAMILY, 1)}${pick(GIVEN, 20)}${pick(GIVEN, 400)}`,
      gender: n % 3 === 0 ? 'male' : 'female',
      birthday: `19${70 + (n % 30)}-0${1 + (n % 9)}-1${n % 10}`,
      joinedAt: new Date(Date.UTC(2023, n % 12, 1 + (n % 28))),
      city: n % 2 === 0 ? '上海' : '杭州',
      source: 'guide_recruited',
      registerChannel: 'offline',
    },
  }
}

/** Rows a second (of imported rows) at which COPY brings back what one import wrote. */
async function copyAgain(on: Database): Promise<number> {
  const out = join(folder, 'out')
  await mkdir(out, { mode: 0o777 })
  await chmod(out, 0o777)
  for (const table of TABLES)
    await on.run(sql`copy (select * from ${trusted(table)}) to ${trusted(`'${out}/${table}'`)}`)
  await empty(on)
  return rate(ROWS, async () => {
    await on.transaction(async (tx) => {
      for (const table of TABLES) {
        await tx.run(sql`copy ${trusted(table)} from ${trusted(`'${out}/${table}'`)}`)
      }
    })
  })
}

async function empty(on: Database): Promise<void> {
  await on.run(sql`truncate person, profile, identifier, relation, event_log cascade`)
}
