/** Imports that are killed by SIGKILL and started again end as if nothing had happened. */
import { expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { emptyImports, fileOf, importInProcess, importWorld } from '../../../test/support/imports.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { importFile, undoImport } from './import-file.ts'
import { workOn } from './run.ts'

const db = await testDatabase()
const world = await importWorld(db)

const ROWS = 11_000
const BUYERS = 300
const lines = Array.from({ length: ROWS }, (_, n) => {
  const order = (n * 7) % (ROWS / 2)
  const phone = `1381234${String(order % BUYERS).padStart(4, '0')}`
  return `K${order},${order % 10 === 0 ? '' : phone},2025-01-02 10:00,S${n},1,${n % 50 === 0 ? 'x' : `${1 + (n % 90)}.50`}`
})
const FILE = `订单号,手机号,下单时间,商品编码,数量,单价\n${lines.join('\n')}\n`

async function outcome(): Promise<unknown> {
  return {
    orders: await db.row(sql`
      select count(*) as n, sum(total_cents)::bigint as total, sum(jsonb_array_length(body->'lines'))::bigint as lines, max(version) as version,
        md5(string_agg(external_id || body::text, ',' order by external_id)) as bodies, count(*) filter (where profile_id is null) as nobody
      from document where not deleted`),
    people: await db.row(sql`select count(*) as n from person where state = 'live'`),
    events: await db.rows(
      sql`select type, count(*) as n, count(distinct id) as ids from event_log group by 1 order by 1`,
    ),
    runs: await db.rows(sql`select state, counts, rejects_bytes > 0 as rejects from import_run`),
  }
}

/** The lease of a process that died, over at once instead of after five seconds. */
async function forgetLease(): Promise<void> {
  await db.run(sql`update lease set expires_at = '-infinity'`)
}

test('killed at every point between two effects, an import ends with the same orders, persons and rejected rows', async () => {
  await emptyImports(db)
  const file = await fileOf(world, 'killed.csv', FILE)
  // Three chunks, and each names every buyer: a buyer counts once, also where each chunk is rolled back.
  const everybody = { people: BUYERS * 0.9, peopleCreated: BUYERS * 0.9 }
  const dry = await importFile(world, { file, source: 'till', dryRun: true, now: world.clock.now() })
  expect(dry.run.forecast).toMatchObject(everybody)
  await emptyImports(db)
  expect(await importInProcess(world, { file, source: 'till' })).toBe('imported')
  const expected = await outcome()
  expect(expected).toMatchObject({
    orders: { n: 5500 - 110, version: 1 },
    people: { n: BUYERS * 0.9 },
    runs: [{ counts: { read: ROWS, rejected: 220, ...everybody } }],
  })
  // Three chunks: one is written before the third kill, two before the fifth, which comes when all is written.
  const points = [
    'import.sorted',
    'import.before-commit',
    'import.after-commit',
    'import.before-commit:2',
    'import.after-commit',
  ]
  await emptyImports(db)
  for (const crashAt of points) {
    expect(await importInProcess(world, { file, source: 'till', crashAt }), crashAt).toBe('killed')
    await forgetLease()
  }
  expect(await importInProcess(world, { file, source: 'till' })).toBe('imported')
  expect(await outcome()).toEqual(expected)
  await emptyImports(db)
  expect(await importInProcess(world, { file, source: 'till', killAfterMs: 1500 })).toMatch('killed')
  await forgetLease()
  expect(await importInProcess(world, { file, source: 'till', crashAt: 'import.finished' })).toBe('killed')
  expect(await outcome()).toEqual(expected)
})

test('a dry run that broke off counts from the beginning when it is taken up again', async () => {
  await emptyImports(db)
  const file = await fileOf(world, 'forecast.csv', FILE)
  const how = { file, source: 'till', dryRun: true, now: world.clock.now() }
  const { run: whole } = await importFile(world, how)
  await emptyImports(db)
  const stop = new AbortController()
  const onProgress = ({ stage }: { stage: string }) => stage === 'writing' && stop.abort()
  await expect(importFile(world, { ...how, signal: stop.signal, onProgress })).rejects.toThrow()
  // What it had counted so far, as it tells the progress bar twice a second.
  const partly = { accepted: 2000, created: 1999, people: 300 }
  await db.run(
    sql`update import_run set counts = counts || ${JSON.stringify(partly)}::jsonb where stage = 'writing'`,
  )
  const { id } = await db.row<{ id: string }>(sql`select id from import_run`)
  expect((await workOn(world, id))?.forecast).toEqual(whole.forecast)
})

test('an undo that was killed in the middle is taken up by whoever asks again', async () => {
  await emptyImports(db)
  const file = await fileOf(world, 'taken-back.csv', FILE)
  const { run } = await importFile(world, { file, source: 'till', now: world.clock.now() })
  const undo = { file, source: 'till', undo: run.id }
  for (const crashAt of ['import.undo-before-commit', 'import.undo-before-commit:2']) {
    expect(await importInProcess(world, { ...undo, crashAt }), crashAt).toBe('killed')
    await forgetLease()
  }
  expect(await db.row(sql`select state from import_run`)).toEqual({ state: 'undoing' })
  await workOn(world, run.id)
  expect(await outcome()).toMatchObject({ orders: { n: 0 }, people: { n: 0 }, runs: [{ state: 'undone' }] })
})

test('an undo that was interrupted goes on where it was', async () => {
  await emptyImports(db)
  const file = await fileOf(world, 'undone.csv', FILE)
  const { run } = await importFile(world, { file, source: 'till', now: world.clock.now() })
  const stop = new AbortController()
  let asked = 0
  const now = (): Date => {
    asked += 1
    if (asked > 2) stop.abort()
    return world.clock.now()
  }
  const parts = { ...world, clock: { now } }
  await expect(undoImport(parts, run.id, world.clock.now(), { signal: stop.signal })).rejects.toThrow()
  expect(await db.row(sql`select state from import_run`)).toEqual({ state: 'undoing' })
  await workOn(world, run.id)
  expect(await outcome()).toMatchObject({ orders: { n: 0 }, people: { n: 0 }, runs: [{ state: 'undone' }] })
})
