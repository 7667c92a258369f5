/**
 * Resolving rows to persons: new ones, the same again, and ones that meet (each row of a second system shares a phone).
 * The limit is COPY of the very rows that came out of it into the same tables with their indexes, in the same run.
 * Run: node bench/members.bench.ts [rows]
 */
import { randomBytes } from 'node:crypto'
import { type IncomingPerson, resolve } from '../server/members/members.ts'
import { openKeyring } from '../server/platform/crypto/master-key.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { copyIntoPostgres, markOf } from './copy-again.ts'
import { count, figure } from './figures.ts'
import { inFolder, inPostgres } from './stores.ts'

const ROWS = Number(process.argv[2] ?? 100_000)
const CHUNK = 5_000
const TABLES = ['person', 'profile', 'identifier', 'event_log'] as const
const FAMILY = [...'王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高']
const GIVEN = [...'伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚']
const deps = { keys: openKeyring(randomBytes(32)), followers: [] }
const at = new Date('2026-03-01T02:00:00Z')

await inFolder((folder) => inPostgres(folder, (db) => report(db, folder)))

async function report(on: Database, folder: string): Promise<void> {
  const mark = await markOf(on)
  const single = await rate(ROWS, () => importAll(on, 'erp', 0, ROWS, 1))
  const same = await rate(ROWS, () => importAll(on, 'erp', 0, ROWS, 1))
  const { seconds } = await copyIntoPostgres(on, { tables: TABLES, mark, folder })
  const copied = ROWS / seconds
  await empty(on)
  const twice = await rate(ROWS, () => importAll(on, 'erp', 0, ROWS, 2))
  const meeting = await rate(ROWS / 4, () => importAll(on, 'shop', 0, ROWS / 4, 1))
  const found: [string, number][] = [
    ['new persons, one writer', single],
    ['new persons, two writers', twice],
    ['the same rows again', same],
    ['rows that join known persons', meeting],
  ]
  for (const [what, perSecond] of found)
    figure({
      what: `Resolve ${what}, against COPY of what they became`,
      data: `${count(ROWS)} rows in chunks of ${count(CHUNK)}`,
      ours: `${count(perSecond)} rows/s`,
      limit: `${count(copied)} rows/s`,
      ratio: perSecond / copied,
    })
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

async function empty(on: Database): Promise<void> {
  await on.run(sql`truncate person, profile, identifier, relation, event_log cascade`)
}
