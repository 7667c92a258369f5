import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClickHouse, openClickHouse } from './clickhouse.ts'
import { type Engine, startEngine } from './engine.ts'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

let folder: string
let engine: Engine
let ch: ClickHouse

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liuliang-engine-'))
  engine = await startEngine({ dataDir: folder, memoryBytes: 600 * 2 ** 20, log })
  ch = openClickHouse({ ...engine, database: 'default' })
})
afterAll(async () => {
  await ch.close()
  await engine.stop()
  await rm(folder, { recursive: true, force: true })
})

const memoryOf = (pid: number | undefined, kind: string) =>
  Number(new RegExp(`${kind}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

test('ten million rows pass through in flat memory on both sides, also with a slow reader', async () => {
  const most = { first: { engine: 0, own: 0 }, second: { engine: 0, own: 0 } }
  let rows = 0
  let last = -1
  for await (const batch of ch.stream<[number, string]>(
    'select number, toString(number) from numbers(10000000)',
  )) {
    for (const [number] of batch) {
      if (number !== last + 1) throw new Error(`row ${number} came after ${last}`)
      last = number
    }
    rows += batch.length
    if (rows % 250_000 >= batch.length) continue
    const half = rows < 5_000_000 ? most.first : most.second
    half.engine = Math.max(half.engine, memoryOf(engine.pid, 'RssAnon'))
    half.own = Math.max(half.own, process.memoryUsage().rss / 2 ** 20)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
  expect(rows).toBe(10_000_000)
  // The result is 200 MB as text, and over 1 GB as objects.
  expect(most.second.engine - most.first.engine).toBeLessThan(80)
  expect(most.second.own - most.first.own).toBeLessThan(120)
})

test('a statement that computes much does not delay the answers to pages', async () => {
  const heavy = ch.rows(
    'with (select sum(cityHash64(number)) from numbers(1500000000)) as x select x',
    {},
    { lane: 'heavy' },
  )
  let done = false
  void heavy.finally(() => {
    done = true
  })
  const waits: number[] = []
  while (!done && waits.length < 40) {
    const asked = performance.now()
    await ch.rows('select 1 as x')
    waits.push(performance.now() - asked)
  }
  await heavy
  waits.sort((a, b) => a - b)
  expect(waits[Math.floor(waits.length / 2)]).toBeLessThan(500)
})

test('a statement that wants more memory than there is fails alone', async () => {
  const pid = engine.pid
  const greedy = 'select length(groupArray(toString(number))) from numbers(100000000)'
  await expect(ch.rows(greedy, {}, { lane: 'heavy' })).rejects.toMatchObject({ code: '241' })
  expect(await ch.rows('select 1 as x')).toEqual([{ x: 1 }])
  expect(engine.pid).toBe(pid)
})

test('a body larger than the limit is refused, also when it is small on the wire', async () => {
  const bomb = gzipSync(Buffer.alloc(257 * 2 ** 20, ' '), { level: 1 })
  const answer = await fetch(
    `${engine.url}/?query=${encodeURIComponent('insert into t format JSONEachRow')}`,
    {
      method: 'POST',
      headers: {
        Authorization: `Basic ${btoa(`${engine.user}:${engine.password}`)}`,
        'Content-Encoding': 'gzip',
      },
      body: bomb,
    },
  )
  expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining('TOO_MANY_BYTES')])
})
