/**
 * The first job of a brand, through the real program: members, then orders of two lines each, a tenth of the buyers new,
 * imported by command beside a running `start` with live segments, until the last person stands in the segment that only
 * the last order makes true, as the API answers it. The limit, in the same run: COPY of the very rows that came out of it
 * into the same tables with their indexes, plus the same rows inserted into the same ClickHouse tables.
 * Then members up to a million, every page opened once, and the memory of each process.
 * Run: node bench/import.bench.ts [orders] [members]
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Rule } from '../contract/rule.ts'
import { readConfig } from '../server/config.ts'
import { openLog } from '../server/platform/logging/log.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { openStores, type Stores } from '../server/stores.ts'
import { copyIntoPostgres, insertIntoClickHouse, markOf } from './copy-again.ts'
import { count, figure, inSeconds, secondsOf } from './figures.ts'
import { memoryFigure, openEveryPage, pagesFigure } from './pages.ts'
import { type Program, runCommand, type Session, signIn, startProgram } from './program.ts'
import { inFolder } from './stores.ts'

const ORDERS = Number(process.argv[2] ?? 1_000_000)
const MEMBERS = Number(process.argv[3] ?? 1_000_000)
const ORDERS_OF_ONE = 5
const BUYERS = Math.floor(ORDERS / ORDERS_OF_ONE)
const KNOWN = Math.floor(BUYERS * 0.9)
/** What an import and its consumers write. */
const WRITTEN = [
  ...['document', 'event_log', 'person', 'profile', 'identifier', 'import_chunk'],
  ...['person_segment', 'person_state', 'person_tag'],
]
/** The segment that only the last order of a buyer makes true. */
const LAST = 'bought five times'
const COPIES = ['events', 'orders', 'order_lines']

await inFolder(async (folder) => {
  const data = join(folder, 'data')
  const program = await startProgram(data, { LIULIANG_DEMO: 'off' })
  const stores = await openStores(
    readConfig({ ...process.env, LIULIANG_DATA: data }),
    openLog({ level: 'silent' }),
    'either',
  )
  try {
    await measure(folder, data, { program, stores })
  } finally {
    await stores.close()
    await program.stop()
  }
})

type Running = { program: Program; stores: Stores }

async function measure(folder: string, data: string, { program, stores }: Running): Promise<void> {
  const call = await signIn(program)
  const segments = new Map<string, string>()
  for (const [name, rule] of rules()) {
    const { id } = (await call('POST', '/segments', { name, description: '', rule })) as { id: string }
    segments.set(name, id)
  }
  const all = segments.get(LAST) ?? ''
  const members = await writeMembers(join(folder, 'members.csv'), 0, KNOWN)
  const orders = await writeOrders(join(folder, 'orders.csv'))
  await runCommand(data, ['import', members])
  await settled(stores, KNOWN)

  const mark = await markOf(stores.db)
  const begun = performance.now()
  const [end] = (await runCommand(data, ['import', orders])).slice(-1) as [Imported]
  const imported = (performance.now() - begun) / 1000
  if (end.run.counts.rejected > 0) throw new Error(`${end.run.counts.rejected} rows were rejected`)
  await until(async () => (await personsIn(call, all)) === BUYERS)
  const visible = (performance.now() - begun) / 1000
  await settled(stores, BUYERS)
  const again = await secondsOf(() => runCommand(data, ['import', orders]))
  const copied = await copyIntoPostgres(stores.db, { tables: WRITTEN, mark, folder })
  const limit = copied.seconds + (await insertIntoClickHouse(stores.clickhouse, COPIES))

  const size = `${count(ORDERS)} orders of 2 lines, ${count(BUYERS)} buyers, 1 in 10 new, ${Math.round((await stat(orders)).size / 1e6)} MB, ${segments.size} segments`
  figure({
    what: 'Import of orders until visible in segments',
    data: size,
    ours: `${inSeconds(visible)} (${count(ORDERS / visible)} orders/s)`,
    limit: `${inSeconds(limit)} for the same ${count(copied.rows)} rows COPYed and inserted`,
    ratio: limit / visible,
    wanted: 'ratio at least 0.25',
  })
  figure({ what: 'The same, until the import has ended', data: size, ours: inSeconds(imported) })
  figure({ what: 'The same file again, nothing changes', data: size, ours: inSeconds(again) })
  if (MEMBERS > BUYERS) await fillUp(folder, data, stores)
  pagesFigure(await openEveryPage(program.address), `${count(MEMBERS)} members`)
  memoryFigure(program, `${count(MEMBERS)} members`, 'at most 2,048 MB')
}

type Imported = { run: { counts: { rejected: number } } }

async function fillUp(folder: string, data: string, stores: Stores): Promise<void> {
  const more = await writeMembers(join(folder, 'more.csv'), BUYERS, MEMBERS)
  const seconds = await secondsOf(() => runCommand(data, ['import', more]))
  figure({
    what: 'Import of members',
    data: `${count(MEMBERS - BUYERS)} new members with phone and card, beside ${count(BUYERS)}`,
    ours: `${inSeconds(seconds)} (${count((MEMBERS - BUYERS) / seconds)} members/s)`,
  })
  await settled(stores, MEMBERS)
}

async function personsIn(call: Session, segment: string): Promise<number> {
  return ((await call('GET', `/segments/${segment}`)) as { persons: number }).persons
}

/** Nobody waits to be evaluated any more. */
async function settled(stores: Stores, persons: number): Promise<void> {
  await until(async () => {
    const { done } = await stores.db.row<{ done: number }>(
      sql`select count(*)::int as done from person_segment`,
    )
    const waiting = await stores.db.row<{ some: boolean }>(
      sql`select exists (select from evaluation_due) as some`,
    )
    return done >= persons && !waiting.some
  })
}

async function until(true_: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 3_600_000
  while (!(await true_())) {
    if (performance.now() > end) throw new Error('it did not come about in an hour')
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

function rules(): [string, Rule][] {
  const orders = (days: number | undefined, value: number): Rule => ({
    kind: 'orders',
    measure: { of: 'count' },
    filter: {},
    window: days === undefined ? { kind: 'ever' } : { kind: 'rolling', days },
    compare: { op: 'ge', value },
  })
  return [
    [LAST, orders(undefined, ORDERS_OF_ONE)],
    ['active', { kind: 'lifecycle', states: ['active'] }],
    ['asleep', { kind: 'lifecycle', states: ['silent', 'near_sleep'] }],
    ['best', { kind: 'rfm_group', groups: ['champions'] }],
    ['twice in half a year', orders(180, 2)],
  ]
}

function phoneOf(buyer: number): string {
  return `13${String(100_000_000 + ((buyer * 7919) % 900_000_000))}`
}

function writeMembers(path: string, from: number, to: number): Promise<string> {
  return writeLines(path, '会员编号,姓名,手机号,入会时间,门店', to - from, (row) => {
    const n = from + row
    return `M${n},会员${n},${phoneOf(n)},2023-0${1 + (n % 9)}-1${n % 10} 10:00,门店${n % 50}`
  })
}

function writeOrders(path: string): Promise<string> {
  const header = '订单号,会员编号,手机号,下单时间,付款时间,商品编码,商品名称,类目,数量,单价,门店,导购'
  return writeLines(path, header, ORDERS * 2, (row) => {
    const n = row >> 1
    const buyer = (n * 48_271) % BUYERS
    const time = `202${3 + (n % 3)}-${two(1 + (n % 12))}-${two(1 + (n % 28))} ${two(10 + (n % 12))}:${two(n % 60)}:00`
    const sku = (n * 31 + (row & 1)) % 2000
    const card = buyer < KNOWN ? `M${buyer}` : ''
    return `SO${String(n).padStart(10, '0')},${card},${phoneOf(buyer)},${time},${time},SKU${sku},商品名称${sku},类目${sku % 20},${1 + (row % 3)},${(9.9 + (sku % 300)).toFixed(2)},门店${n % 50},导购${n % 250}`
  })
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

async function writeLines(
  path: string,
  head: string,
  lines: number,
  row: (n: number) => string,
): Promise<string> {
  const out = createWriteStream(path)
  let text = `${head}\n`
  for (let n = 0; n < lines; n += 1) {
    text += `${row(n)}\n`
    if (text.length < 1 << 18) continue
    if (!out.write(text)) await once(out, 'drain')
    text = ''
  }
  out.end(text)
  await once(out, 'finish')
  return path
}
