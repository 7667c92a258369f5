import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemFromBody } from '../../../contract/base.ts'
import { type TestApp, testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import { sql } from '../postgres/sql.ts'

let here: TestApp
let web: string

beforeAll(async () => {
  web = await mkdtemp(join(tmpdir(), 'liuliang-web-'))
  await mkdir(join(web, 'assets'))
  await mkdir(join(web, 'workbench'))
  await writeFile(join(web, 'index.html'), '<p>console')
  await writeFile(join(web, 'workbench', 'index.html'), '<p>workbench')
  await writeFile(join(web, 'assets', 'a-1234.js'), 'export {}')
  here = await testApp(await testDatabase(), { webFolder: web })
})
afterAll(() => rm(web, { recursive: true, force: true }))

test('health answers without a question to the stores, readiness names the store that is away', async () => {
  expect(await here.anonymous('GET', '/healthz')).toMatchObject({ status: 200, body: { alive: true } })
  expect(await here.anonymous('GET', '/readyz')).toMatchObject({
    status: 503,
    body: { ready: false, reason: 'ClickHouse does not answer.' },
  })
})

test('metrics are for this machine and count requests by the pattern of their route', async () => {
  await here.anonymous('GET', '/api/brand')
  const { body } = await here.anonymous('GET', '/metrics')
  expect(body).toMatch(
    /liuliang_http_request_seconds_count\{method="GET",route="\/brand",status="401"\} [1-9]/,
  )

  const forwarded = await here.anonymous('GET', '/metrics', undefined, { 'x-forwarded-for': '203.0.113.9' })
  expect(forwarded).toMatchObject({ status: 403, body: { code: 'not_allowed' } })
  const key = await here.withKey(['metrics:read'])
  expect((await key('GET', '/metrics', undefined, { 'x-forwarded-for': '203.0.113.9' })).status).toBe(200)
})

test('the OpenAPI document holds every route with who may call it, and its page needs nothing from elsewhere', async () => {
  const { body } = await here.anonymous('GET', '/openapi.json')
  const document = body as {
    openapi: string
    paths: Record<string, Record<string, { description: string; responses: object }>>
  }
  expect(document.openapi).toMatch(/^3\.1/)
  expect(document.paths['/staff']?.['post']?.description).toContain('Who: owner.')
  expect(document.paths['/stores/{id}']?.['put']?.responses).toHaveProperty('default')

  const page = await here.anonymous('GET', '/docs/api')
  expect(page.status).toBe(200)
  for (const address of String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect(address[1]).toMatch(/^\/(?!\/)/)
    expect((await here.anonymous('GET', address[1] ?? '')).status).toBe(200)
  }
})

test('every reply carries the headers that protect a browser, and the id of the request', async () => {
  for (const path of ['/', '/api/session', '/healthz', '/assets/a-1234.js']) {
    const { headers } = await here.anonymous('GET', path)
    expect(headers.get('content-security-policy')).toContain("script-src 'self'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/)
  }
  const { headers } = await here.anonymous('GET', '/healthz', undefined, { 'x-request-id': 'trace-12345678' })
  expect(headers.get('x-request-id')).toBe('trace-12345678')
  const forged = await here.anonymous('GET', '/healthz', undefined, { 'x-request-id': 'a b' })
  expect(forged.headers.get('x-request-id')).not.toBe('a b')
})

test('pages come from their application, files for ever, and nothing from outside the folder', async () => {
  expect((await here.anonymous('GET', '/members/42')).body).toBe('<p>console')
  expect((await here.anonymous('GET', '/workbench/tasks')).body).toBe('<p>workbench')
  const file = await here.anonymous('GET', '/assets/a-1234.js')
  expect(file.headers.get('cache-control')).toContain('immutable')
  expect((await here.anonymous('GET', '/assets/a-9999.js')).status).toBe(404)
  expect(await rawGet(here.address, '/../../../../../../etc/hostname')).not.toContain(
    '200 OK\r\ncontent-type: application/octet',
  )
  expect(await rawGet(here.address, '/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/hostname')).toContain('<p>console')
  expect((await here.anonymous('POST', '/members')).status).toBe(404)
})

test('every refusal has one shape that the typed client understands', async () => {
  const owner = await here.as('owner')
  const refusals = [
    { reply: await here.anonymous('GET', '/api/brand'), status: 401, code: 'not_signed_in' },
    { reply: await here.anonymous('GET', '/api/nothing'), status: 404, code: 'not_found' },
    { reply: await owner('POST', '/api/stores', '{"code": '), status: 400, code: 'bad_input' },
    {
      reply: await owner('POST', '/api/stores', 'code=1', { 'content-type': 'text/plain' }),
      status: 400,
      code: 'bad_input',
    },
    { reply: await owner('POST', '/api/stores', { code: '' }), status: 400, code: 'bad_input' },
    { reply: await owner('GET', '/api/stores?limit=9999'), status: 400, code: 'bad_input' },
    { reply: await owner('GET', '/api/stores?cursor=nonsense'), status: 400, code: 'bad_input' },
    {
      reply: await owner('POST', '/api/stores', { name: 'x'.repeat(1_100_000) }),
      status: 413,
      code: 'too_large',
    },
  ]
  for (const { reply, status, code } of refusals) {
    expect(reply).toMatchObject({ status, body: { code } })
    expect(problemFromBody(reply.body)).toMatchObject({ code, status, defined: true })
  }
  const { body } = await owner('POST', '/api/stores', { code: '', name: 'x' })
  expect(body).toMatchObject({
    field: 'code',
    details: { issues: expect.arrayContaining([expect.objectContaining({ field: 'side' })]) },
  })
})

test('a database that goes away in the middle is no fault of the caller: 503, and when to try again', async () => {
  const owner = await here.as('owner')
  const answer = await here.db.transaction(async (tx) => {
    await tx.run(sql`lock table product in access exclusive mode`)
    const asked = owner('GET', '/api/products')
    const waiting = sql`
      select pg_terminate_backend(pid) from pg_locks
      where relation = 'product'::regclass and not granted and database = (select oid from pg_database where datname = current_database())`
    while ((await tx.run(waiting)) === 0) await sleep(20)
    return asked
  })
  expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } })
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('a fault in the program is told to the log and not to the caller', async () => {
  const owner = await here.as('owner')
  await here.db.run(sql`alter table product rename to product_gone`)
  const { status, body, headers } = await owner('GET', '/api/products')
  await here.db.run(sql`alter table product_gone rename to product`)
  expect(status).toBe(500)
  expect(body).toMatchObject({ code: 'internal', details: { requestId: headers.get('x-request-id') } })
  expect(JSON.stringify(body)).not.toContain('product')
  expect(here.logged.some((line) => line.includes('"http.failed"') && line.includes('product'))).toBe(true)
})

test('a POST repeated with its Idempotency-Key answers the same and does nothing', async () => {
  const owner = await here.as('owner')
  const region = { code: 'north', name: '华北' }
  const key = { 'idempotency-key': 'make-north' }
  const first = await owner('POST', '/api/regions', region, key)
  const again = await owner('POST', '/api/regions', { name: '华北', code: 'north' }, key)
  expect(first.status).toBe(200)
  expect(again.body).toEqual(first.body)
  expect(await here.db.rows(sql`select code from region where code = 'north'`)).toHaveLength(1)
  const guessed = createHash('sha256').update(JSON.stringify(region)).digest()
  expect(await here.db.rows(sql`select from idempotency where digest = ${guessed}`)).toEqual([])

  expect(await owner('POST', '/api/regions', { ...region, name: '华东' }, key)).toMatchObject({
    status: 409,
    body: { code: 'idempotency_mismatch' },
  })
  const other = await here.as('owner')
  expect(await other('POST', '/api/regions', region, key)).toMatchObject({
    status: 409,
    body: { code: 'conflict', field: 'code' },
  })
})

test('a refused POST frees its key, and of two at once one runs', async () => {
  const owner = await here.as('owner')
  const key = { 'idempotency-key': 'second-try' }
  expect((await owner('POST', '/api/regions', { code: '', name: '' }, key)).status).toBe(400)
  const both = await Promise.all(
    [1, 2].map(() => owner('POST', '/api/regions', { code: 'south', name: '华南' }, key)),
  )
  expect(both.map(({ status }) => status).filter((status) => status === 200).length).toBeGreaterThanOrEqual(1)
  expect(await here.db.rows(sql`select code from region where code = 'south'`)).toHaveLength(1)
})

test('a reply with a secret is never stored, and its repeat says so', async () => {
  const owner = await here.as('owner')
  const body = { name: 'shop', scopes: ['orders:write'], perMinute: 100, expiresAt: null }
  const made = await owner('POST', '/api/api-keys', body, { 'idempotency-key': 'key-1' })
  const { secret } = made.body as { secret: string }
  expect(secret).toMatch(/^llk_/)
  expect(await owner('POST', '/api/api-keys', body, { 'idempotency-key': 'key-1' })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  })
  const kept = await here.db.rows<{ kept: string }>(
    sql`select idempotency::text as kept from idempotency union all select api_key::text from api_key`,
  )
  expect(kept.map((row) => row.kept).join('\n')).not.toContain(secret)
})

test('what was interrupted is unknown and not run again', async () => {
  const owner = await here.as('owner')
  const input = { code: 'west', name: '西部' }
  await owner('POST', '/api/regions', input, { 'idempotency-key': 'interrupted' })
  await here.db.run(sql`delete from region where code = 'west'`)
  await here.db.run(sql`update idempotency set state = 'running', reply = null where key = 'interrupted'`)
  here.clock.advance({ minutes: 5 })
  const { body } = await owner('POST', '/api/regions', input, { 'idempotency-key': 'interrupted' })
  expect(body).toMatchObject({ code: 'conflict', message: expect.stringContaining('unknown') })
  expect(await here.db.rows(sql`select code from region where code = 'west'`)).toHaveLength(0)
})

test('a key that asks too often waits as long as Retry-After says', async () => {
  const key = await here.withKey(['org:read'], 3)
  for (let request = 0; request < 3; request += 1) expect((await key('GET', '/api/brand')).status).toBe(200)
  const refused = await key('GET', '/api/brand')
  expect(refused).toMatchObject({ status: 429, body: { code: 'too_many' } })
  // The bucket is filled by the clock of PostgreSQL.
  const seconds = Number(refused.headers.get('retry-after'))
  await here.db.run(sql`update rate_bucket set filled_at = filled_at - ${seconds}::float8 * interval '1 s'`)
  expect((await key('GET', '/api/brand')).status).toBe(200)
})

/** A request line exactly as written: fetch would tidy the path. */
function rawGet(address: string, path: string): Promise<string> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    )
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8')
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}
