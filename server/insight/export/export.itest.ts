import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse/sync'
import { beforeAll, expect, test } from 'vitest'
import type { ExportRun } from '../../../contract/exports.ts'
import { type TestApp, testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import type { ExportOrder } from '../../../test/support/export-worker.ts'
import { makeMembers, makeStaff } from '../../../test/support/reach.ts'
import { exportParts, membersDeps } from '../../joined.ts'
import { erasePerson, mergePersons } from '../../members/members.ts'
import { createStore, systemActor } from '../../org/org.ts'
import { withLease } from '../../platform/jobs/lease.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { exportLoop } from './jobs.ts'
import { forgetExports, writeExport } from './run.ts'

let app: TestApp
let owner: Awaited<ReturnType<TestApp['as']>>
let operator: Awaited<ReturnType<TestApp['as']>>
let analyst: Awaited<ReturnType<TestApp['as']>>
let manager: Awaited<ReturnType<TestApp['as']>>
let persons: number[] = []
let storeId = ''
let segmentId = 0
const MEMBERS = 12
const MASTER_KEY = Buffer.alloc(32, 5)
const WORKER = fileURLToPath(new URL('../../../test/support/export-worker.ts', import.meta.url))

beforeAll(async () => {
  app = await testApp(await testDatabase(), { masterKey: MASTER_KEY })
  const { db } = app
  const store = await createStore(db, systemActor(app.clock.now()), {
    code: 'S1',
    name: '西湖店',
    city: null,
    regionId: null,
    side: 'offline',
    state: 'open',
  })
  storeId = store.id
  owner = await app.as('owner', { rights: ['see_personal', 'export'] })
  operator = await app.as('operator')
  analyst = await app.as('analyst', { rights: ['export'] })
  manager = await app.as('store_manager', { storeIds: [storeId], rights: ['export'] })
  persons = await makeMembers(db, app.parts.stores.keyring, {
    count: MEMBERS,
    staffIds: await makeStaff(db, 1),
  })
  const names = ['=1+1', '𠮷野家', '<script>', '王"五', '李,四', '张\n三']
  for (const [index, id] of persons.entries())
    await db.run(sql`update person set name = ${names[index] ?? `会员${index}`}, joined_at = '2026-01-31T16:30:00Z',
      home_store_id = ${index < 4 ? storeId : null} where id = ${id}`)
  const row = await db.row<{ id: number }>(sql`
    insert into segment (name, rule, reading, created_at, changed_at)
    values ('春季老客', '{"kind":"all","rules":[]}', 0, ${app.clock.now()}, ${app.clock.now()}) returning id`)
  segmentId = row.id
  await db.run(sql`insert into person_segment (person_id, segments, reading, evaluated_at)
    select id, case when id = any(${persons.slice(0, 6)}::int[]) then array[${segmentId}::int] else '{}' end, 1, ${app.clock.now()}
    from unnest(${persons}::int[]) id`)
})

const parts = () => exportParts(app.parts.stores, app.parts.clock)

async function work(): Promise<void> {
  const loop = exportLoop({ ...parts(), disk: app.parts.stores.disk })
  await withLease(app.db, 'exports', (held) => loop.work(held))
}

type Caller = typeof owner

async function asked(who: Caller, input: object): Promise<ExportRun> {
  const { status, body } = await who('POST', '/api/exports', input)
  expect(status, JSON.stringify(body)).toBe(200)
  return body as ExportRun
}

const shown = async (who: Caller, id: string) => (await who('GET', `/api/exports/${id}`)).body as ExportRun

async function fetched(who: Caller, id: string): Promise<string[][]> {
  const { status, body, headers } = await who('GET', `/api/exports/${id}/file`)
  expect(status, JSON.stringify(body)).toBe(200)
  expect(headers.get('cache-control')).toBe('no-store')
  return parse(body as string, { bom: true, relax_column_count: true }) as string[][]
}

const trail = (action: string) =>
  app.db.rows<{ actor: string; after: Record<string, unknown> }>(
    sql`select actor_id as actor, after from audit_trail where action = ${action} order by at, id`,
  )

test('whole numbers of a segment, with a line that says who took how many of what', async () => {
  const run = await asked(owner, {
    segmentId,
    fullPhones: true,
    columns: ['name', 'phone', 'joined', 'store'],
  })
  expect(run).toMatchObject({ state: 'waiting', segment: '春季老客', total: null, fullPhones: true })
  expect((await owner('GET', `/api/exports/${run.id}/file`)).body).toMatchObject({ code: 'not_ready' })
  await work()
  expect(await shown(owner, run.id)).toMatchObject({ state: 'done', rows: 6, total: 6, done: 1 })
  const [heading, ...rows] = await fetched(owner, run.id)
  expect(heading).toEqual(['姓名', '手机号', '入会时间', '门店'])
  expect(rows).toHaveLength(6)
  expect(rows[0]).toEqual(["'=1+1", '13800000001', '2026-02-01 00:30', '西湖店'])
  expect(rows.map(([name]) => name)).toEqual(["'=1+1", '𠮷野家', '<script>', '王"五', '李,四', '张\n三'])
  for (const action of ['export.asked', 'export.finished', 'export.downloaded']) {
    const [line] = (await trail(action)).filter(({ after }) => after['segment'] === '春季老客')
    expect(line, action).toMatchObject({
      actor: owner.staffId,
      after: { segmentId, fullPhones: true, columns: ['name', 'phone', 'joined', 'store'] },
    })
    if (action !== 'export.asked') expect(line?.after['rows']).toBe(6)
  }
  expect((await operator('GET', `/api/exports/${run.id}/file`)).status).toBe(404)
  expect((await operator('GET', `/api/exports/${run.id}`)).status).toBe(404)
})

test('what stands on the disk is sealed: no name and no number is found in it', async () => {
  const run = await asked(owner, { fullPhones: true, columns: ['name', 'phone'] })
  await work()
  const file = join(app.parts.stores.folders.files, 'exports', `${run.id}.file`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const bytes = await readFile(file)
  for (const mark of ['13800000001', '𠮷野家', '姓名']) expect(bytes.includes(Buffer.from(mark))).toBe(false)
  expect((await fetched(owner, run.id)).flat()).toContain('13800000001')
})

test('without the right numbers are masked; who may not see personal data gets masked names too', async () => {
  const refused = await operator('POST', '/api/exports', { fullPhones: true })
  expect(refused).toMatchObject({ status: 403, body: { code: 'not_allowed', field: 'fullPhones' } })
  expect((await analyst('POST', '/api/exports', { fullPhones: true })).status).toBe(403)
  const columns = ['name', 'phone']
  const [byOperator, byAnalyst] = [await asked(operator, { columns }), await asked(analyst, { columns })]
  await work()
  const found = (await fetched(operator, byOperator.id)).find(([name]) => name === '会员7')
  expect(found).toEqual(['会员7', '138****0008'])
  const masked = await fetched(analyst, byAnalyst.id)
  expect(masked).toHaveLength(MEMBERS + 1)
  expect(masked.at(-1)).toEqual(['会***', '138****0012'])
})

test('a store manager exports the members of the own store, also of a segment', async () => {
  const columns = ['name', 'phone']
  const [all, some] = [
    await asked(manager, { columns, fullPhones: true }),
    await asked(manager, { columns, segmentId }),
  ]
  await work()
  expect(await fetched(manager, all.id)).toHaveLength(5)
  expect(await fetched(manager, some.id)).toHaveLength(5)
  const strange = await asked(manager, { columns })
  await app.db.run(sql`update staff set state = 'disabled' where id = ${manager.staffId}`)
  await work()
  const { state } = await app.db.row<{ state: string }>(
    sql`select state from export_run where id = ${strange.id}`,
  )
  expect(state).toBe('failed')
})

test('a workbook has one sheet with its heading, and a wrong column is named', async () => {
  const run = await asked(owner, {
    format: 'xlsx',
    lang: 'en',
    columns: ['name', 'purchases', 'tags', 'segments'],
  })
  await work()
  const response = await owner('GET', `/api/exports/${run.id}/file`)
  expect(response.headers.get('content-type')).toContain('spreadsheetml')
  expect((response.body as string).startsWith('PK')).toBe(true)
  expect(await shown(owner, run.id)).toMatchObject({ state: 'done', sheets: 1, rows: MEMBERS })
  const bad = await owner('POST', '/api/exports', { columns: ['name', 'salary'] })
  expect(bad).toMatchObject({ status: 400, body: { code: 'bad_input', field: 'columns.1' } })
  expect((await owner('POST', '/api/exports', { segmentId: 999 })).status).toBe(404)
})

test('who stops it gets nothing, and a fourth at once has to wait', async () => {
  const runs = [await asked(owner, {}), await asked(owner, {}), await asked(owner, {})]
  expect((await owner('POST', '/api/exports', {})).body).toMatchObject({ code: 'too_many' })
  for (const { id } of runs) {
    const { body } = await owner('POST', `/api/exports/${id}/cancel`)
    expect(body).toMatchObject({ state: 'cancelled' })
  }
  await work()
  expect((await owner('GET', `/api/exports/${runs[0]?.id}/file`)).body).toMatchObject({ code: 'gone' })
})

test('one that stops while it is written leaves no file', async () => {
  const run = await asked(owner, {})
  await app.db.run(sql`update export_run set cancel = true where id = ${run.id}`)
  await work()
  expect(await shown(owner, run.id)).toMatchObject({ state: 'cancelled' })
  const files = await readdir(join(app.parts.stores.folders.files, 'exports'))
  expect(files.filter((name) => name.startsWith(run.id))).toEqual([])
})

test('killed when the file is whole and nobody knows it, it is written once more, and shown once', async () => {
  const run = await asked(owner, { columns: ['name'] })
  const order: ExportOrder = {
    databaseUrl: app.db.url,
    masterKey: MASTER_KEY.toString('hex'),
    folder: app.parts.stores.folders.files,
    at: app.clock.now().toISOString(),
    crashAt: 'export.written',
  }
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect({ ended: signal ?? code, said }).toEqual({ ended: 'SIGKILL', said: '' })
  expect(await shown(owner, run.id)).toMatchObject({ state: 'writing' })
  expect((await owner('GET', `/api/exports/${run.id}/file`)).body).toMatchObject({ code: 'not_ready' })
  const finished = (await trail('export.finished')).length
  await work()
  expect(await fetched(owner, run.id)).toHaveLength(MEMBERS + 1)
  expect((await trail('export.finished')).length).toBe(finished + 1)
})

test('one whose process died is begun anew, and half a file is never shown', async () => {
  const run = await asked(owner, { columns: ['name'] })
  await app.db.run(sql`update export_run set state = 'writing', rows = 3, total = 12 where id = ${run.id}`)
  expect((await owner('GET', `/api/exports/${run.id}/file`)).body).toMatchObject({ code: 'not_ready' })
  await work()
  expect(await fetched(owner, run.id)).toHaveLength(MEMBERS + 1)

  const again = await asked(owner, { columns: ['name'] })
  const stopped = new AbortController()
  stopped.abort(new Error('the process ends'))
  const broken = withLease(app.db, 'exports', (held) =>
    writeExport(parts(), again.id, { ...held, signal: stopped.signal }),
  )
  await expect(broken).rejects.toThrow('the process ends')
  expect((await shown(owner, again.id)).state).toBe('writing')
  await work()
  expect(await fetched(owner, again.id)).toHaveLength(MEMBERS + 1)
})

test('a file ends after a day, with its key', async () => {
  const run = await asked(owner, { columns: ['name'] })
  await work()
  const { expiresAt } = await shown(owner, run.id)
  expect(new Date(expiresAt ?? 0).getTime() - app.clock.now().getTime()).toBe(24 * 3_600_000)
  app.clock.advance({ hours: 25 })
  expect((await owner('GET', `/api/exports/${run.id}/file`)).body).toMatchObject({ code: 'gone' })
  expect(await forgetExports(parts(), app.clock.now())).toBeGreaterThan(0)
  const files = await readdir(join(app.parts.stores.folders.files, 'exports'))
  expect(files).toEqual([])
  const [row] = await app.db.rows(sql`select state, data_key from export_run where id = ${run.id}`)
  expect(row).toEqual({ state: 'gone', data_key: null })
})

test('whoever was merged is written once, and an erasure ends every file', async () => {
  const deps = membersDeps(app.parts.stores.keyring)
  const at = app.clock.now()
  const [first = 0, second = 0, third = 0] = persons.slice(-3)
  await app.db.transaction((tx) => mergePersons(deps, tx, [first, second], { actor: null, at }))
  const run = await asked(owner, { columns: ['id', 'phone'], fullPhones: true })
  await work()
  const rows = (await fetched(owner, run.id)).slice(1)
  expect(rows).toHaveLength(MEMBERS - 1)
  expect(new Set(rows.map(([id]) => id)).size).toBe(MEMBERS - 1)
  const waiting = await asked(owner, { columns: ['id'] })
  await app.db.transaction((tx) => erasePerson(deps, tx, third, { actor: null, at }))
  expect((await owner('GET', `/api/exports/${run.id}/file`)).body).toMatchObject({ code: 'gone' })
  expect(await shown(owner, waiting.id)).toMatchObject({ state: 'failed' })
})
