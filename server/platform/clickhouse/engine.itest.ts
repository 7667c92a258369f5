import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClickHouse, isClickHouseAway, openClickHouse } from './clickhouse.ts'
import { type Engine, startEngine } from './engine.ts'

const seen: object[] = []
const log = {
  info: (entry: object) => void seen.push(entry),
  warn: (entry: object) => void seen.push(entry),
  error: (entry: object) => void seen.push(entry),
}
const ENGINE = new URL('./engine.ts', import.meta.url).href

let folder: string
let engine: Engine
let ch: ClickHouse

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liuliang-engine-'))
  engine = await startEngine({ dataDir: folder, log })
  ch = openClickHouse({ ...engine, database: 'default' })
})
afterAll(async () => {
  await ch.close()
  await engine.stop()
  await rm(folder, { recursive: true, force: true })
})

const isAlive = (pid: number | undefined) => pid !== undefined && existsSync(`/proc/${pid}`)
describe('life and death', () => {
  test('a second engine on the same folder is refused in one sentence', async () => {
    await expect(startEngine({ dataDir: folder, log })).rejects.toThrow(
      `Another process uses the ClickHouse data in ${folder}. Stop it first.`,
    )
    expect(await ch.ping()).toBe(true)
  })

  test('a port that is taken is refused in one sentence', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    const other = await mkdtemp(join(tmpdir(), 'liuliang-engine-'))
    await expect(startEngine({ dataDir: other, port, log })).rejects.toThrow(
      `Port ${port} is taken. Choose another one.`,
    )
    taken.close()
    await rm(other, { recursive: true, force: true })
  })

  test('a folder that a newer version wrote is refused in one sentence', async () => {
    const other = await mkdtemp(join(tmpdir(), 'liuliang-engine-'))
    await writeFile(join(other, 'written-by'), '99.0.0\n')
    await expect(startEngine({ dataDir: other, log })).rejects.toThrow(
      /was written by a newer engine \(chdb 99\.0\.0\)\. Start that version/,
    )
    await rm(other, { recursive: true, force: true })
  })

  test('killed, it comes back on the same address with every row whose insert had been answered', async () => {
    await ch.command(
      'create table kept (id UInt64) engine = MergeTree order by id settings fsync_after_insert = 1, non_replicated_deduplication_window = 100',
    )
    let restarted = 0
    engine.onRestart(() => {
      restarted += 1
    })
    let answered = 0
    for (let life = 1; life <= 2; life += 1) {
      const pid = engine.pid
      const writing = (async () => {
        for (;;) {
          const rows = Array.from({ length: 500 }, (_, index) => ({ id: answered * 500 + index }))
          await ch.insert('kept', rows, { token: `kept:${answered}` })
          answered += 1
        }
      })()
      setTimeout(() => process.kill(pid ?? 0, 'SIGKILL'), 300)
      await expect(writing).rejects.toSatisfy(isClickHouseAway)
      await expect.poll(() => ch.ping(), { timeout: 120_000 }).toBe(true)
      expect(engine.pid).not.toBe(pid)
      // What was under way is sent again under its token, as the projection does.
      await ch.insert(
        'kept',
        Array.from({ length: 500 }, (_, index) => ({ id: answered * 500 + index })),
        { token: `kept:${answered}` },
      )
      answered += 1
      const [row] = await ch.rows<{ n: number; distinct: number }>(
        'select toUInt32(count()) as n, toUInt32(uniqExact(id)) as distinct from kept',
      )
      expect(row).toEqual({ n: answered * 500, distinct: answered * 500 })
    }
    expect(restarted).toBe(2)
  }, 60_000)

  test('stopped, it leaves no process and its data opens again', async () => {
    const other = await mkdtemp(join(tmpdir(), 'liuliang-engine-'))
    const first = await startEngine({ dataDir: other, log })
    const client = openClickHouse({ ...first, database: 'default' })
    await client.command('create table t (x UInt8) engine = MergeTree order by x')
    await client.insert('t', [{ x: 7 }])
    const running = client
      .rows('select sum(cityHash64(number)) from numbers(1000000000000)', {}, { lane: 'heavy' })
      .catch(() => 'ended')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const pid = first.pid
    await first.stop()
    expect([isAlive(pid), await running, await client.ping()]).toEqual([false, 'ended', false])
    await client.close()
    const second = await startEngine({ dataDir: other, log })
    const again = openClickHouse({ ...second, database: 'default' })
    expect(await again.rows('select x from t')).toEqual([{ x: 7 }])
    await again.close()
    await second.stop()
    await rm(other, { recursive: true, force: true })
  }, 60_000)

  test('when its parent is killed, it goes away', async () => {
    const other = await mkdtemp(join(tmpdir(), 'liuliang-engine-'))
    const script = `import { startEngine } from ${JSON.stringify(ENGINE)}
      const quiet = { info() {}, warn() {}, error() {} }
      const engine = await startEngine({ dataDir: ${JSON.stringify(other)}, log: quiet })
      process.stdout.write(String(engine.pid))`
    await writeFile(join(other, 'parent.ts'), script)
    const parent = spawn(process.execPath, [join(other, 'parent.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = Number(
      await new Promise<string>((resolve) => parent.stdout.once('data', (chunk) => resolve(String(chunk)))),
    )
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 120_000 }).toBe(false)
    await rm(other, { recursive: true, force: true })
  }, 30_000)
})

test('a backup goes into its folder and nowhere else', async () => {
  await ch.command('create table saved (x UInt8) engine = MergeTree order by x')
  await ch.insert('saved', [{ x: 5 }])
  await ch.command(`backup table saved to File('${folder}/backup/one')`)
  await ch.command('drop table saved')
  await ch.command(`restore table saved from File('${folder}/backup/one')`)
  expect(await ch.rows('select x from saved')).toEqual([{ x: 5 }])
  await expect(ch.command(`backup table saved to File('${folder}/elsewhere')`)).rejects.toThrow('not allowed')
})

test.runIf(process.getuid?.() === 0)('started by root, it works as the user it is given', async () => {
  const other = await mkdtemp(join(tmpdir(), 'liuliang-engine-'))
  await chmod(other, 0o755)
  const dropped = await startEngine({ dataDir: join(other, 'engine'), uid: 65_534, gid: 65_534, log })
  const status = readFileSync(`/proc/${dropped.pid}/status`, 'utf8')
  expect(/Uid:\s+(\d+)\s+(\d+)/.exec(status)?.slice(1)).toEqual(['65534', '65534'])
  expect(/Groups:(.*)/.exec(status)?.[1]?.trim()).toBe('65534')
  const client = openClickHouse({ ...dropped, database: 'default' })
  expect(await client.rows('select 1 as x')).toEqual([{ x: 1 }])
  await client.close()
  await dropped.stop()
  await rm(other, { recursive: true, force: true })
})
