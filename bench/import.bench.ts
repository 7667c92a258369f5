/**
 * An import of orders with two lines each, a tenth of the buyers new, from the file to the copy in ClickHouse.
 * The limit, in the same run: COPY of the very rows that came out of it into the same tables with their indexes, plus
 * the same rows inserted into the same ClickHouse tables.
 * Run: node bench/import.bench.ts [orders]
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lanes, PROJECT, projectOnce, registerConsumers } from '../server/events/events.ts'
import { importFile } from '../server/events/import/import-file.ts'
import type { ImportParts } from '../server/events/import/work.ts'
import { resolve } from '../server/members/members.ts'
import { type ClickHouse, openClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { startEngine } from '../server/platform/clickhouse/engine.ts'
import { migrateClickHouse } from '../server/platform/clickhouse/migrate.ts'
import { openKeyring } from '../server/platform/crypto/master-key.ts'
import { withLease } from '../server/platform/jobs/lease.ts'
import { startCluster } from '../server/platform/postgres/cluster.ts'
import { type Database, openDatabase } from '../server/platform/postgres/database.ts'
import { migratePostgres } from '../server/platform/postgres/migrate.ts'
import { sql, trusted } from '../server/platform/postgres/sql.ts'
import { systemClock } from '../server/platform/time/clock.ts'

const ORDERS = Number(process.argv[2] ?? 1_000_000)
const BUYERS = Math.max(100, Math.floor(ORDERS / 5))
const KNOWN = Math.floor(BUYERS * 0.9)
const TABLES = ['document', 'event_log', 'person', 'profile', 'identifier', 'import_chunk'] as const
/** What stood before the import that is measured: the limit brings back only what came with it. */
let before = '0'
const COPIES = ['events', 'orders', 'order_lines'] as const

const folder = await mkdtemp(join(tmpdir(), 'liuliang-bench-'))
await chmod(folder, 0o755)
const cluster = await startCluster({ dataDirectory: folder })
const silent = { info() {}, warn() {}, error() {} }
const engine = await startEngine({ dataDir: join(folder, 'clickhouse'), log: silent })
const clickhouseOptions = { url: engine.url, user: engine.user, password: engine.password, database: 'bench' }
const db = openDatabase(cluster.url)
await migratePostgres(db)
await migrateClickHouse(clickhouseOptions)
const clickhouse = openClickHouse(clickhouseOptions)
try {
  await report(db, clickhouse)
} finally {
  await clickhouse.close()
  await db.close()
  await engine.stop()
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
}

async function report(on: Database, into: ClickHouse): Promise<void> {
  await on.run(
    sql`insert into brand (name, zone, currency, created_at) values ('bench', 'Asia/Shanghai', 'CNY', ${systemClock.now()}) on conflict do nothing`,
  )
  await registerConsumers(on, [PROJECT])
  const keys = openKeyring(randomBytes(32))
  const parts: ImportParts = {
    db: on,
    cipher: keys.cipher,
    clock: systemClock,
    folder: join(folder, 'imports'),
    resolve: (tx, rows, how) => resolve({ keys, followers: [] }, tx, rows, how),
    undoPeople: () => Promise.reject(new Error('nothing is taken back here')),
  }
  const members = await writeMembers()
  const orders = await writeOrders()
  const base = await seconds(() => bring(parts, members))
  await projectAll(on, into)
  await mark(on)
  const start = performance.now()
  const projecting = projectUntil(on, into)
  const cpu = process.cpuUsage()
  const written = await seconds(() => bring(parts, orders))
  const used = process.cpuUsage(cpu)
  const memory = process.resourceUsage().maxRSS
  await projecting.stop()
  const visible = (performance.now() - start) / 1000
  const again = await seconds(() => bring(parts, orders))
  const limit = await copyAgain(on, into)
  const bytes = (await stat(orders)).size
  console.table({
    [`${KNOWN} members`]: { seconds: round(base), 'rows/s': Math.round(KNOWN / base) },
    [`${ORDERS} orders of ${ORDERS * 2} rows (${Math.round(bytes / 1e6)} MB) in PostgreSQL`]: line(written),
    'and in ClickHouse': line(visible),
    'the same file again': line(again),
    'limit: COPY of the same rows, with indexes': line(limit.postgres),
    'limit: with the same rows into ClickHouse': line(limit.postgres + limit.clickhouse),
  })
  const ratio = (limit.postgres + limit.clickhouse) / visible
  console.log(
    `ratio to the limit: ${ratio.toFixed(2)} (at least 0.25); peak memory ${Math.round(memory / 1024)} MB; processor ${round((used.user + used.system) / 1e6)} s`,
  )
}

function line(took: number): { seconds: number; 'rows/s': number } {
  return { seconds: round(took), 'rows/s': Math.round((ORDERS * 2) / took) }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

async function bring(parts: ImportParts, file: string): Promise<void> {
  const { run } = await importFile(parts, { file, now: systemClock.now() })
  if (run.state !== 'imported' || run.counts.rejected > 0)
    throw new Error(`import ended as ${run.state}: ${run.failure}`)
}

function phoneOf(buyer: number): string {
  return `13${String(100_000_000 + ((buyer * 7919) % 900_000_000))}`
}

async function writeMembers(): Promise<string> {
  return writeLines(
    join(folder, 'members.csv'),
    '会员编号,姓名,手机号,入会时间,门店',
    KNOWN,
    (n) => `M${n},会员${n},${phoneOf(n)},2023-0${1 + (n % 9)}-1${n % 10} 10:00,门店${n % 50}`,
  )
}

async function writeOrders(): Promise<string> {
  const header = '订单号,会员编号,手机号,下单时间,付款时间,商品编码,商品名称,类目,数量,单价,门店,导购'
  return writeLines(join(folder, 'orders.csv'), header, ORDERS * 2, (row) => {
    const n = row >> 1
    const buyer = (n * 48_271) % BUYERS
    const known = buyer < KNOWN
    const time = `202${3 + (n % 3)}-${String(1 + (n % 12)).padStart(2, '0')}-${String(1 + (n % 28)).padStart(2, '0')} ${String(10 + (n % 12))}:${String(n % 60).padStart(2, '0')}:00`
    const sku = (n * 31 + (row & 1)) % 2000
    return `SO${String(n).padStart(10, '0')},${known ? `M${buyer}` : ''},${phoneOf(buyer)},${time},${time},SKU${sku},商品名称${sku},类目${sku % 20},${1 + (row % 3)},${(9.9 + (sku % 300)).toFixed(2)},门店${n % 50},导购${n % 250}`
  })
}

async function writeLines(
  path: string,
  head: string,
  count: number,
  row: (n: number) => string,
): Promise<string> {
  const out = createWriteStream(path)
  let text = `${head}\n`
  for (let n = 0; n < count; n += 1) {
    text += `${row(n)}\n`
    if (text.length < 1 << 18) continue
    if (!out.write(text)) await once(out, 'drain')
    text = ''
  }
  out.end(text)
  await once(out, 'finish')
  return path
}

async function projectAll(on: Database, into: ClickHouse): Promise<void> {
  await withLease(on, PROJECT, async (token) => {
    for (const lane of lanes)
      while ((await projectOnce(on, into, { lane, token, now: systemClock.now() })) > 0);
  })
}

/** Projects while the import runs, as `work` does; `stop` ends when nothing is left. */
function projectUntil(on: Database, into: ClickHouse): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await projectAll(on, into)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    await projectAll(on, into)
  })()
  return {
    stop() {
      stopping.abort()
      return running
    },
  }
}

async function mark(on: Database): Promise<void> {
  before = (await on.row<{ xid: string }>(sql`select pg_current_xact_id()::text as xid`)).xid
}

/** Seconds that the stores need for the same rows without Liuliang. */
async function copyAgain(on: Database, into: ClickHouse): Promise<{ postgres: number; clickhouse: number }> {
  const out = join(folder, 'out')
  await mkdir(out, { mode: 0o777 })
  await chmod(out, 0o777)
  await on.run(sql`create schema again`)
  for (const table of TABLES) {
    await on.run(
      sql`copy (select * from ${trusted(table)} where xmin::text::bigint > ${trusted(before)}) to ${trusted(`'${out}/${table}'`)}`,
    )
    await on.run(sql`create table ${trusted(`again.${table}`)} (like ${trusted(table)} including all)`)
  }
  await on.run(sql`checkpoint`)
  const postgres = await seconds(async () => {
    for (const table of TABLES)
      await on.run(sql`copy ${trusted(`again.${table}`)} from ${trusted(`'${out}/${table}'`)}`)
  })
  let clickhouseSeconds = 0
  for (const table of COPIES) {
    await into.command(`create table again_${table} as ${table}`)
    const columns = await into.rows<{ name: string }>(`describe table ${table}`)
    let batch: object[] = []
    const flush = async (): Promise<void> => {
      const body = Buffer.from(batch.map((row) => JSON.stringify(row)).join('\n'))
      batch = []
      if (body.length > 0) clickhouseSeconds += await seconds(() => into.insert(`again_${table}`, body))
    }
    for await (const rows of into.stream<unknown[]>(`select * from ${table}`)) {
      for (const row of rows)
        batch.push(Object.fromEntries(columns.map(({ name }, place) => [name, row[place]])))
      if (batch.length >= 10_000) await flush()
    }
    await flush()
  }
  return { postgres, clickhouse: clickhouseSeconds }
}
