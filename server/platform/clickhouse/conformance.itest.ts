/**
 * What Liuliang needs of ClickHouse's HTTP interface, held against the built-in engine, and against a real server too
 * when CLICKHOUSE_URL (with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD) is set. Run both when chDB is upgraded.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import {
  type ClickHouse,
  clickHouseCode,
  createClickHouseDatabase,
  dropClickHouseDatabase,
  openClickHouse,
} from './clickhouse.ts'
import { type Engine, startEngine } from './engine.ts'

type Server = {
  name: string
  start(): Promise<{
    url: string
    user: string
    password: string
    pid: number | undefined
    stop(): Promise<void>
  }>
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
// biome-ignore lint/style/noProcessEnv: where a real server is, is the business of whoever runs the suite.
const environment = process.env

const servers: Server[] = [{ name: 'the built-in engine', start: startBuiltIn }]
const elsewhere = environment['CLICKHOUSE_URL']
if (elsewhere !== undefined && elsewhere !== '') {
  const user = environment['CLICKHOUSE_USER'] ?? 'default'
  const password = environment['CLICKHOUSE_PASSWORD'] ?? ''
  servers.push({
    name: 'a real server',
    start: async () => ({ url: elsewhere, user, password, pid: undefined, stop: async () => undefined }),
  })
}

async function startBuiltIn() {
  const folder = await mkdtemp(join(tmpdir(), 'liuliang-clickhouse-'))
  const engine: Engine = await startEngine({ dataDir: folder, log: quiet })
  return {
    ...engine,
    pid: engine.pid,
    stop: async () => {
      await engine.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const database = 'liuliang_conformance'
const broken = (at: number) => `select number, throwIf(number = ${at}) from system.numbers limit 100000000`
const endless = 'select sum(cityHash64(number)) from numbers(1000000000000)'

describe.each(servers)('$name', ({ start }) => {
  let server: Awaited<ReturnType<Server['start']>>
  let ch: ClickHouse

  beforeAll(async () => {
    server = await start()
    await createClickHouseDatabase({ ...server, database })
    ch = openClickHouse({ ...server, database })
    await ch.command('drop table if exists thing')
    await ch.command(`create table thing (id UInt64, name String, at DateTime64(3, 'UTC')) engine = MergeTree order by id
      settings non_replicated_deduplication_window = 100, fsync_after_insert = 1`)
  })
  afterAll(async () => {
    await dropClickHouseDatabase({ ...server, database })
    await ch.close()
    await server.stop()
  })

  const send = (path: string, init: RequestInit = {}) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      ...init,
      headers: { Authorization: `Basic ${btoa(`${server.user}:${server.password}`)}`, ...init.headers },
    })
  const answerIs = async (expected: number) => {
    // Every session that could have been dirtied: both of the pages and the heavy one.
    const lanes = ['page', 'page', 'page', 'heavy', 'heavy'] as const
    const answers = await Promise.all(
      lanes.map((lane) => ch.rows<{ x: number }>('select {x: UInt32} as x', { x: expected }, { lane })),
    )
    expect(answers).toEqual(lanes.map(() => [{ x: expected }]))
  }
  const consume = async (rows: AsyncIterable<unknown[]>) => {
    let count = 0
    for await (const batch of rows) count += batch.length
    return count
  }

  describe('after a statement went wrong, the next one gets its own rows', () => {
    test.each(['page', 'heavy'] as const)('an error before the first row (%s)', async (lane) => {
      await expect(ch.rows('select nothing', {}, { lane })).rejects.toMatchObject({
        code: '47',
        type: 'UNKNOWN_IDENTIFIER',
      })
      await answerIs(1)
    })

    test('an error in the middle of a streamed result', async () => {
      await expect(consume(ch.stream(broken(1_000_000)))).rejects.toSatisfy(
        (error) => clickHouseCode(error) === '395',
      )
      await answerIs(2)
    })

    test('an error in the middle of a result that is one document', async () => {
      const answer = await send('/?default_format=JSON', {
        body: 'select number, throwIf(number = 150000) from numbers(200000) settings max_block_size = 10000',
      })
      const text = await answer.text().catch(() => 'cut')
      expect(answer.ok && !/395|cut/.test(text)).toBe(false)
      const next = await send('/', { body: 'select 7' })
      expect(await next.text()).toBe('7\n')
      await answerIs(3)
    })

    test('a time-out', async () => {
      await expect(ch.rows(endless, {}, { timeoutMs: 300 })).rejects.toMatchObject({ code: '159' })
      await answerIs(4)
    })

    test('a kill while rows are flowing', async () => {
      const id = `flowing-${Date.now()}`
      const answer = await send(`/?query_id=${id}&max_block_size=1000`, {
        body: 'select number, sleepEachRow(0.0001) from numbers(10000000)',
      })
      const reader = answer.body?.getReader()
      await reader?.read()
      await send('/', { body: `kill query where query_id = '${id}' async` })
      await expect(
        (async () => {
          for (;;) if ((await reader?.read())?.done !== false) return 'ended'
        })(),
      ).rejects.toThrow()
      await answerIs(5)
    })

    test('a kill while it computes', async () => {
      const id = `computing-${Date.now()}`
      const answer = send(`/?query_id=${id}`, { body: endless })
      await untilRunning(id)
      await send('/', { body: `kill query where query_id = '${id}' sync` })
      expect(await (await answer).text()).toContain('QUERY_WAS_CANCELLED')
      await answerIs(6)
    })

    test('a reader that leaves in the middle', async () => {
      for await (const batch of ch.stream('select number from system.numbers')) {
        expect(batch.length).toBeGreaterThan(0)
        break
      }
      await answerIs(7)
      expect(await runningLike('system.numbers')).toBe(0)
    })

    test('a client that goes away while it computes, also within a scalar subquery', async () => {
      for (const query of [endless, `with (${endless}) as x select x`]) {
        const leave = new AbortController()
        const call = ch.rows(query, {}, { signal: leave.signal })
        setTimeout(() => leave.abort(), 200)
        await expect(call).rejects.toThrow()
        await expect.poll(() => runningLike('1000000000000'), { timeout: 120_000 }).toBe(0)
      }
      await answerIs(8)
    })

    test('an insert with a row that does not fit', async () => {
      await expect(
        ch.insert('thing', [{ id: 900, name: 'ok', at: '2025-01-01 00:00:00.000' }, { id: 'x' }]),
      ).rejects.toMatchObject({ code: /^(27|117|26)$/ })
      expect(await ch.rows('select count() as n from thing where id = 900')).toEqual([{ n: 0 }])
      await answerIs(9)
    })
  })

  const runningLike = async (text: string) => {
    const [row] = await ch.rows<{ n: number }>(
      "select toUInt32(count()) as n from system.processes where position(query, {text: String}) > 0 and query not like '%system.processes%'",
      { text },
    )
    return row?.n
  }
  const untilRunning = (id: string) =>
    expect
      .poll(
        () =>
          ch.rows<{ n: number }>(
            `select toUInt32(count()) as n from system.processes where {id: String} in (query_id, Settings['log_comment'])`,
            { id },
          ),
        { timeout: 120_000 },
      )
      .toEqual([{ n: 1 }])

  test('two requests run at once, and a slow one does not hold up the others', async () => {
    const started = performance.now()
    const slow = ch.rows(
      'with (select sum(cityHash64(number)) from numbers(300000000)) as x select x',
      {},
      { lane: 'heavy' },
    )
    const both = await Promise.all([ch.rows('select sleep(0.5)'), ch.rows('select sleep(0.5)')])
    expect(both).toHaveLength(2)
    expect(performance.now() - started).toBeLessThan(5_000)
    await slow
  })

  describe('settings', () => {
    test('a setting holds for its statement alone', async () => {
      const ask = "select getSetting('max_threads') as x"
      const usual = await ch.rows(ask)
      expect(await ch.rows(ask, {}, { settings: { max_threads: 7 } })).not.toEqual(usual)
      expect(await ch.rows(ask)).toEqual(usual)
    })

    test('an unknown one is refused', async () => {
      await expect(ch.rows('select 1', {}, { settings: { no_such_setting: 1 } })).rejects.toMatchObject({
        code: '115',
      })
      const answer = await send('/?no_such_setting=1', { body: 'select 1' })
      expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([404, '115'])
    })

    test('quoted text stays text', async () => {
      const text = `it's "so" \\ ;\n𠮷`
      const answer = await send(`/?${new URLSearchParams({ count_distinct_implementation: text })}`, {
        body: "select getSetting('count_distinct_implementation')",
      })
      expect(await answer.text()).toBe(`it\\'s "so" \\\\ ;\\n𠮷\n`)
    })

    test('a request by GET may not write', async () => {
      const answer = await send(
        `/?database=${database}&query=${encodeURIComponent("insert into thing values (1, 'x', now())")}`,
        { method: 'GET' },
      )
      expect(await answer.text()).toContain('READONLY')
      expect(await ch.rows('select count() as n from thing where id = 1')).toEqual([{ n: 0 }])
    })

    test('the database of a request is its own', async () => {
      expect(await ch.rows('select currentDatabase() as d')).toEqual([{ d: database }])
      expect(await (await send('/', { body: 'select currentDatabase()' })).text()).toBe('default\n')
      expect((await send('/?database=no_such', { body: 'select 1' })).status).toBe(404)
    })
  })

  describe('parameters', () => {
    test('any text arrives as it was, alone and in lists', async () => {
      const hard = [
        '',
        'a\tb',
        'a\nb\r',
        "it's",
        '"',
        '\\',
        '\\N',
        '\\t',
        '𠮷野家',
        '{x: String}',
        '; select 1 --',
        '\0',
        '%41+&=?#',
      ]
      for (const text of hard) {
        expect(
          await ch.rows('select {x: String} as x, {l: Array(String)} as l', { x: text, l: [text, 'b'] }),
        ).toEqual([{ x: text, l: [text, 'b'] }])
      }
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: 'binary' }),
          fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 }),
          async (x, l) => {
            fc.pre(x.isWellFormed())
            expect(await ch.rows('select {x: String} as x, {l: Array(String)} as l', { x, l })).toEqual([
              { x, l },
            ])
          },
        ),
        { numRuns: 15 },
      )
    })

    test('numbers, booleans, nulls and moments', async () => {
      const at = new Date('1965-02-03T04:05:06.789Z')
      const query =
        "select {n: Int64} as n, {d: Decimal(18, 2)} as d, {b: Bool} as b, {z: Nullable(String)} as z, {at: DateTime64(3, 'UTC')} as at, {ids: Array(UInt32)} as ids"
      expect(await ch.rows(query, { n: -5n, d: '12.50', b: true, z: null, at, ids: [1, 2] })).toEqual([
        { n: -5, d: 12.5, b: true, z: null, at: '1965-02-03 04:05:06.789', ids: [1, 2] },
      ])
    })

    test('long lists go with the body, whatever the call', async () => {
      const ids = Array.from({ length: 20_000 }, (_, index) => index)
      const names = ids.map((id) => `it's\t${id}\n`)
      const query = 'select toUInt32(length({ids: Array(UInt32)})) as n, {names: Array(String)}[2] as name'
      expect(await ch.rows(query, { ids, names })).toEqual([{ n: 20_000, name: names[1] }])
      for await (const batch of ch.stream(query, { ids, names })) expect(batch).toEqual([[20_000, names[1]]])
      await ch.command('insert into thing (id, name) select 70000, {names: Array(String)}[3]', { names })
      expect(await ch.rows('select name from thing where id = 70000')).toEqual([{ name: names[2] }])
    })

    test('a missing one is an error, and none is left from the request before', async () => {
      await ch.rows('select {left: String}', { left: 'x' })
      await expect(ch.rows('select {left: String}')).rejects.toMatchObject({ code: '456' })
    })

    test('two requests at once keep their own values', async () => {
      const calls = Array.from({ length: 60 }, (_, index) => ch.rows('select {x: UInt32} as x', { x: index }))
      expect(await Promise.all(calls)).toEqual(calls.map((_, index) => [{ x: index }]))
    })
  })

  describe('inserts', () => {
    const rows = (from: number) =>
      Array.from({ length: 100 }, (_, index) => ({
        id: from + index,
        name: `名字 "${index}"\n`,
        at: '2025-01-01 00:00:00.123',
      }))
    const count = async (from: number) =>
      (
        await ch.rows<{ n: number }>(
          'select toUInt32(count()) as n from thing where id >= {from: UInt64} and id < {from: UInt64} + 1000',
          { from },
        )
      )[0]?.n

    test('the same token twice is one insert, another token is another', async () => {
      await ch.insert('thing', rows(10_000), { token: 'project:1:10' })
      await ch.insert('thing', rows(10_000), { token: 'project:1:10' })
      expect(await count(10_000)).toBe(100)
      await ch.insert('thing', rows(10_000), { token: 'project:10:20' })
      expect(await count(10_000)).toBe(200)
    })

    test('objects, bytes and columns give the same rows', async () => {
      const bytes = Buffer.from(
        rows(30_000)
          .map((row) => JSON.stringify(row))
          .join('\n'),
      )
      await ch.insert('thing', rows(20_000), { columns: ['id', 'name', 'at'] })
      await ch.insert('thing', bytes)
      const names =
        'select groupArray(name) as names from (select name from thing where id >= {from: UInt64} and id < {from: UInt64} + 1000 order by id)'
      expect(await ch.rows(names, { from: 20_000 })).toEqual(await ch.rows(names, { from: 30_000 }))
    })

    test('an unknown column is an error, not a loss', async () => {
      await expect(ch.insert('thing', [{ id: 1, colour: 'red' }])).rejects.toMatchObject({ code: '117' })
    })

    test.each([
      [
        'values',
        "insert into thing values (40000, 'a;b', '2025-01-01 00:00:00.000'), (40001, 'it''s', '2025-01-01 00:00:00.000')",
      ],
      [
        'rows after the format',
        'insert into thing (id, name) format JSONEachRow\n{"id": 40002, "name": "c"}\n{"id": 40003, "name": "; drop table thing"}',
      ],
      ['a select', "insert into thing select number + 40004, 'x', now() from numbers(2)"],
    ])('%s', async (_, statement) => {
      const before = (await count(40_000)) ?? 0
      await ch.command(statement)
      expect(await count(40_000)).toBe(before + 2)
    })
  })

  describe('formats and compression', () => {
    test('formats with a heading and formats that are one document come out whole', async () => {
      const body = 'select number as n from numbers(200000)'
      const csv = await (await send('/?default_format=CSVWithNames', { body })).text()
      expect(csv.split('\n').filter((line) => line === '"n"')).toHaveLength(1)
      expect(csv.trim().split('\n')).toHaveLength(200_001)
      const json = (await (await send('/?default_format=JSON', { body })).json()) as { rows: number }
      expect(json.rows).toBe(200_000)
      expect(
        await (await send('/', { body: 'select 1 as a, 2 as b format JSONCompact' })).json(),
      ).toMatchObject({ data: [[1, 2]] })
    })

    test('the official client works unchanged, compressed both ways', async () => {
      const client = createClient({
        ...server,
        username: server.user,
        database,
        compression: { request: true, response: true },
        log: { level: ClickHouseLogLevel.OFF },
      })
      const values = Array.from({ length: 5_000 }, (_, id) => ({
        id: 50_000 + id,
        name: 'zip',
        at: '2025-01-01 00:00:00.000',
      }))
      await client.insert({ table: 'thing', values, format: 'JSONEachRow' })
      const result = await client.query({
        query: "select id from thing where name = 'zip' order by id",
        format: 'JSON',
      })
      expect((await result.json<{ id: number }>()).rows).toBe(5_000)
      expect(result.response_headers['content-encoding']).toMatch(/gzip/)
      expect((await client.ping()).success && (await client.ping({ select: true })).success).toBe(true)
      const bad = await client.query({ query: broken(300_000), format: 'JSONEachRow' })
      await expect(bad.json()).rejects.toThrow()
      await client.close()
    })

    test('a broken or unknown compression is refused', async () => {
      const answer = await send('/', { body: 'select 1', headers: { 'Content-Encoding': 'gzip' } })
      expect(answer.ok).toBe(false)
      expect((await send('/', { body: 'select 1', headers: { 'Content-Encoding': 'rot13' } })).ok).toBe(false)
    })
  })

  describe('the interface', () => {
    test('an error has ClickHouse’s text, code and status', async () => {
      const answer = await send('/', { body: 'select * from no_such_table' })
      const text = await answer.text()
      expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([404, '60'])
      expect(text).toMatch(/^Code: 60\. DB::Exception: .*no_such_table.*\(UNKNOWN_TABLE\) \(version .*\)\n$/s)
    })

    test.each([
      ['basic', { Authorization: `Basic ${btoa('liuliang:wrong')}` }, ''],
      ['headers', { Authorization: '', 'X-ClickHouse-User': 'liuliang', 'X-ClickHouse-Key': 'wrong' }, ''],
      ['the address', { Authorization: '' }, 'user=liuliang&password=wrong'],
    ])('a wrong password is refused (%s)', async (_, headers, search) => {
      const answer = await send(`/?${search}`, { body: 'select 1', headers })
      expect([401, 403]).toContain(answer.status)
      expect(await answer.text()).toMatch(/AUTHENTICATION_FAILED|REQUIRED_PASSWORD/)
    })

    test('the right one is taken by headers and in the address', async () => {
      const byHeaders = await send('/', {
        body: 'select 1',
        headers: { Authorization: '', 'X-ClickHouse-User': server.user, 'X-ClickHouse-Key': server.password },
      })
      const search = new URLSearchParams({ user: server.user, password: server.password })
      const byAddress = await fetch(`${server.url}/?${search}`, { method: 'POST', body: 'select 1' })
      expect([await byHeaders.text(), await byAddress.text()]).toEqual(['1\n', '1\n'])
    })

    test('two statements in one request are refused', async () => {
      for (const body of [
        'select 1; select 2',
        'drop table if exists a; drop table if exists b',
        "select ';'; select 2",
      ]) {
        expect(await (await send('/', { body })).text()).toContain('SYNTAX_ERROR')
      }
      expect(await (await send('/', { body: "select ';--' /* ; */ ; -- the end" })).text()).toBe(';--\n')
    })

    test('a summary tells how much was written', async () => {
      const answer = await send(
        `/?database=${database}&query=${encodeURIComponent('insert into thing (id) format TSV')}`,
        { body: '60000\n60001\n' },
      )
      expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '{}')).toMatchObject({
        written_rows: '2',
      })
      expect(answer.headers.get('x-clickhouse-query-id')).toBeTruthy()
    })

    test('a statement id that runs is not used twice', async () => {
      const id = `same-${Date.now()}`
      const first = send(`/?query_id=${id}`, { body: 'select sleep(1)' })
      await untilRunning(id)
      expect(await (await send(`/?query_id=${id}`, { body: 'select 1' })).text()).toContain(
        'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING',
      )
      await first
    })

    test('rows refuses a result without bound', async () => {
      await expect(ch.rows('select number from numbers(100001)')).rejects.toMatchObject({ code: '396' })
    })
  })
})
