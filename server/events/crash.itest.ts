import { spawn } from 'node:child_process'
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import { inputOf, type Round } from '../../test/support/events-round.ts'
import { sql } from '../platform/postgres/sql.ts'
import { registerConsumers } from './consumers.ts'
import { PROJECT } from './project.ts'
import { projectedTables } from './project-rows.ts'
import { REACT } from './react.ts'
import { rowsOf } from './rows-of.ts'

const script = fileURLToPath(new URL('../../test/support/events-round.ts', import.meta.url))
const TABLE = /\{table\}/
const PLACEHOLDER = /\$\{\w+\}/
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liuliang-crash-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Every name that the source passes to crashPoint; names with a part that is filled in are listed for each of its values. */
async function crashPoints(): Promise<string[]> {
  const names: string[] = []
  for await (const file of glob('*.ts', { cwd: new URL('.', import.meta.url) })) {
    if (file.includes('test.')) continue
    const text = await readFile(new URL(file, import.meta.url), 'utf8')
    for (const [, plain, filled] of text.matchAll(/crashPoint\((?:'([^']+)'|`([^`]+)`)\)/g)) {
      if (plain !== undefined) names.push(plain)
      if (filled === undefined) continue
      const values = TABLE.test(filled) ? projectedTables : [REACT]
      for (const value of values) names.push(filled.replace(PLACEHOLDER, value))
    }
  }
  return names
}

type Ended = { signal: string | null; code: number | null; said: string; brought: boolean }

function start(round: Round): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, JSON.stringify(round)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // What was compiled once is not compiled by the forty that follow.
      env: { NODE_COMPILE_CACHE: join(folder, 'compiled') },
    })
    let said = ''
    let brought = false
    child.stdout.on('data', () => {
      brought = true
    })
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ signal, code, said, brought }))
  })
}

test('a process killed between any two effects loses nothing and doubles nothing', async () => {
  const db = await testDatabase()
  const clickhouse = await testClickHouse()
  await db.run(sql`create table noted (id uuid not null)`)
  await db.run(sql`create table swept (epoch int not null)`)
  await registerConsumers(db, [REACT, PROJECT])
  const points = await crashPoints()
  expect(points.length).toBeGreaterThan(30)
  let number = 0
  let open: number[] = []
  const round = (crashAt: string): Round => {
    number += 1
    open.push(number)
    const rebuild = crashAt.startsWith('rebuild')
    return {
      postgres: db.url,
      clickhouse: clickhouse.options,
      archive: folder,
      number,
      bring: open,
      crashAt,
      rebuild,
    }
  }
  for (const point of points) {
    const ended = await start(round(point))
    expect([point, ended.signal, ended.said]).toEqual([point, 'SIGKILL', ''])
    if (ended.brought) open = []
  }
  const last = await start(round(''))
  expect([last.code, last.said]).toEqual([0, ''])

  const inputs = Array.from({ length: number }, (_, index) => inputOf(index + 1))
  const ids = inputs.flatMap(({ events, merge }) => [...events, merge].map((event) => event.id))
  const noted = await db.rows<{ id: string }>(sql`select id from noted`)
  const orderEvents = 2 * number
  expect(noted).toHaveLength(ids.length + orderEvents)
  expect(noted.map((row) => row.id)).toEqual(expect.arrayContaining(ids))
  expect(new Set(noted.map((row) => row.id)).size).toBe(noted.length)

  const persons = inputs.map((_, index) => (index + 1) * 10 + 1)
  const people = await rowsOf(clickhouse, db, persons, { lines: true, events: ['page_viewed'] })
  expect(
    persons.map((person) =>
      people
        .get(person)
        ?.events.map((event) => event.id)
        .sort(),
    ),
  ).toEqual(inputs.map(({ events }) => events.map((event) => event.id).sort()))
  // What was absorbed counts for who absorbed it, refunds included.
  expect(
    persons.map((person) =>
      people.get(person)?.orders.map((order) => [order.totalCents, order.refundedCents, order.lines.length]),
    ),
  ).toEqual(inputs.map(({ orders }) => [[orders[1]?.totalCents, orders[1]?.refundedCents, 1]]))
  const [rows] = await clickhouse.rows<{ rows: number; ids: number }>(
    'select toUInt32(count()) as rows, toUInt32(uniqExact(id)) as ids from events',
  )
  expect(rows).toEqual({ rows: ids.length, ids: ids.length })
  expect(
    await db.row(
      sql`select count(*) as open from profile_home where person_id <> stored_person_id or moving_to is not null or left_person_id is not null`,
    ),
  ).toEqual({ open: 0 })
  // The last rebuild, whichever round began it, was swept before it counted as done.
  expect(
    await db.row(
      sql`select count(*)::int as swept from swept join projection using (epoch) where rebuilding_since is null`,
    ),
  ).toEqual({ swept: 1 })
})
