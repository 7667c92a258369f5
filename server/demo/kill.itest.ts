/** Processes that write the demo brand or take it out are killed between two effects; the next one finishes their work. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import type { DemoTask } from '../../test/support/demo-process.ts'
import type { Database } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { DEMO_BIT } from './removal-store.ts'
import { readDemo } from './store.ts'

/** Two chunks, the second not full. */
const MEMBERS = 1200
const SCRIPT = fileURLToPath(new URL('../../test/support/demo-process.ts', import.meta.url))

const [db, whole] = [await testDatabase(), await testDatabase()]
const clickhouse = await testClickHouse()

/** What the process printed, or 'killed'. */
async function run(where: Database, what: DemoTask['do'], crashAt = ''): Promise<string> {
  const task: DemoTask = {
    postgres: where.url,
    clickhouse: clickhouse.options,
    key: 'ab'.repeat(32),
    do: what,
    members: MEMBERS,
    at: '2026-03-02T01:00:00Z',
    crashAt,
  }
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (piece: Buffer) => {
    said += piece.toString()
  })
  return new Promise((resolve) => {
    child.on('close', (_code, signal) => resolve(signal === 'SIGKILL' ? 'killed' : said.trim()))
  })
}

/** Everything that was written, without ids of the run. */
async function written(where: Database): Promise<unknown> {
  return {
    brand: await where.row(sql`select state, members, seeded from demo_brand`),
    people: await where.row(sql`
      select count(*)::int as people, count(*) filter (where state = 'absorbed')::int as absorbed from person`),
    profiles: await where.row(
      sql`select count(*)::int as profiles, (select count(*)::int from identifier) as identifiers from profile`,
    ),
    orders: await where.row(sql`
      select count(*)::int as orders, sum(total_cents)::bigint as cents, sum(refunded_cents)::bigint as refunded,
        count(distinct external_id)::int as numbers from document`),
    tags: await where.row(sql`select count(*)::int as tags from person_tag`),
    events: await where.rows(
      sql`select type, lane, count(*)::int as events from event_log group by 1, 2 order by 1, 2`,
    ),
  }
}

test('writing that is killed at any place goes on where it stood, and ends as if nobody had killed it', async () => {
  expect(await run(whole, 'seed')).toBe(`${MEMBERS}`)
  for (const point of [
    'demo.people_written',
    'demo.orders_written',
    'demo.people_written:2',
    'demo.chunk_done',
  ])
    expect([point, await run(db, 'seed', point)]).toEqual([point, 'killed'])
  expect(await readDemo(db)).toMatchObject({ state: 'seeding' })
  expect(await run(db, 'seed')).toBe(`${MEMBERS}`)
  expect(await written(db)).toEqual(await written(whole))
})

test('a removal that is killed again and again is finished by the next, and nothing is left', async () => {
  for (const point of ['demo.step', 'demo.step:3', 'demo.step:9', 'demo.before_commit:4', 'demo.forgotten'])
    expect([point, await run(db, 'remove', point)]).toEqual([point, 'killed'])
  expect(await readDemo(db)).toMatchObject({ state: 'removing' })
  expect(Number(await run(db, 'remove'))).toBeGreaterThanOrEqual(0)
  expect(await readDemo(db)).toMatchObject({ state: 'removed' })
  const left = await db.row(sql`
    select (select count(*)::int from person) as people, (select count(*)::int from profile) as profiles,
      (select count(*)::int from document) as orders, (select count(*)::int from staff where demo) as staff,
      (select count(*)::int from store) as stores, (select count(*)::int from segment) as segments,
      (select count(*)::int from event_log where (person_id & ${DEMO_BIT}) <> 0) as events`)
  expect(left).toEqual({ people: 0, profiles: 0, orders: 0, staff: 0, stores: 0, segments: 0, events: 0 })
})
