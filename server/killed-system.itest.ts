/**
 * The whole program on a data directory of its own: `serve`, `work` and `import` as processes, PostgreSQL, the engine.
 * Each of them, and all at once, are killed by SIGKILL at moments that a seed decides, and kept running as a supervisor
 * does, while orders come in by file and tags by HTTP. Afterwards the input, PostgreSQL, ClickHouse, an export and the
 * answers of the API agree about every order, every sum, every person's last order and the size of every segment.
 */
import type { ChildProcess } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { everyMember, ownerKey, prepareTag, putTag } from '../test/support/api-client.ts'
import { descendantsOf, Kept, killHard, runOnce } from '../test/support/program.ts'
import { countDue } from './audience/audience.ts'
import { readConfig } from './config.ts'
import { hasCaughtUp, isRebuilding } from './events/events.ts'
import { openLog } from './platform/logging/log.ts'
import { sql } from './platform/postgres/sql.ts'
import { openStores, type Stores } from './stores.ts'

const SEED = 20_260_302
const PEOPLE = 240
const ORDERS_A_FILE = 1500
/** Rows that a file repeats from the one before: they must count once. */
const REPEATED = 150
/** However slow the machine is, so many tags are put on while things fall or after. */
const LEAST_TAGGED = 30
const DAY_MS = 86_400_000
const PATIENCE_MS = 300_000

/** A person's last order lies this many days ago: in the middle of a band. */
const BANDS = [
  { state: 'active', before: 90, days: 40 },
  { state: 'silent', before: 180, days: 130 },
  { state: 'near_sleep', before: 365, days: 270 },
  { state: 'hibernating', before: 731, days: 550 },
  { state: 'lost', before: Number.POSITIVE_INFINITY, days: 900 },
]

type Victim = 'serve' | 'work' | 'import' | 'engine' | 'postgres' | 'all'
const victims: readonly Victim[] = [
  'serve',
  'work',
  'import',
  'engine',
  'postgres',
  'all',
  'import',
  'engine',
  'work',
  'all',
]

const folder = await mkdtemp(join(tmpdir(), 'liuliang-system-'))
await chmod(folder, 0o755)
const environment = { LIULIANG_DATA: join(folder, 'data'), LIULIANG_LOG: 'error' }
const serve = new Kept('serve', environment)
const others: Kept[] = []
let importing: ChildProcess | undefined
const random = seeded(SEED)

afterAll(async () => {
  importing?.kill('SIGKILL')
  for (const kept of others) await kept.stop()
  await serve.stop()
  await rm(folder, { recursive: true, force: true })
})

test('everything that is killed comes back, and nothing is lost, doubled or different anywhere', async () => {
  const call = await ownerKey(serve)
  const work = new Kept('work', environment)
  others.push(work)
  await work.tells('working')

  const model = new Model()
  await importFile(0, model)
  const { tagId, segmentId } = await prepareTag(call)
  const members = await everyMember(call)
  expect(members).toHaveLength(model.people.size)

  let killing = true
  const files = (async () => {
    let number = 1
    while (killing || number < 3) {
      await importFile(number, model)
      number += 1
    }
    return number
  })()
  const tagged: string[] = []
  const tagging = (async () => {
    for (const { id } of members) {
      if (!killing && tagged.length >= LEAST_TAGGED) return
      await putTag(call, id, tagId)
      tagged.push(id)
      await sleep(20)
    }
  })()
  const ended = new Map<Victim, number>()
  for (const victim of shuffled(victims)) {
    await sleep(300 + random() * 1500)
    ended.set(victim, (ended.get(victim) ?? 0) + (await kill(victim, work)))
    // Now and then the next one falls before everything has come back.
    if (random() < 0.6) await serve.tells('address', PATIENCE_MS)
  }
  killing = false
  const filesRead = await files
  await tagging
  await serve.tells('address', PATIENCE_MS)
  await work.tells('working', PATIENCE_MS)
  // Once more, with nobody to start the worker again: it finds the stores of the next serve by itself.
  const worker = work.pid
  const starts = serve.starts
  killHard(serve.pid)
  while (serve.starts === starts) await sleep(20)
  const late = members.find(({ id }) => !tagged.includes(id))
  if (late) {
    await putTag(call, late.id, tagId)
    tagged.push(late.id)
  }

  const stores = await openStores(readConfig(environment), openLog({ level: 'silent' }), 'either')
  try {
    expect(stores.mode).toBe('join')
    await settled(stores)
    expect(work.pid).toBe(worker)
    expect(await ordersInPostgres(stores)).toEqual(model.orderRows())
    expect(await ordersInClickHouse(stores)).toEqual(model.orderRows())
    const { logged, projected } = await eventsInBoth(stores)
    expect(projected).toEqual(logged)
    expect(new Set(logged).size).toBe(logged.length)
    expect(await tagEvents(stores)).toBe(tagged.length)
    expect(await buyersInClickHouse(stores)).toEqual(model.buyerRows())
  } finally {
    await stores.close()
  }
  expect(await ordersOfExport()).toEqual(model.buyerOrders())

  const people = await everyMember(call)
  expect(
    people
      .map(({ phone, purchases, spentCents, lastPurchaseAt }) => [
        phone,
        purchases,
        spentCents,
        lastPurchaseAt,
      ])
      .sort(),
  ).toEqual(model.memberRows())
  const home = (await call('GET', '/api/home')).body as {
    persons: number
    lifecycle: { state: string; persons: number }[]
  }
  expect(home.persons).toBe(model.people.size)
  expect(Object.fromEntries(home.lifecycle.map(({ state, persons }) => [state, persons]))).toMatchObject(
    model.lifecycle(Date.now()),
  )
  const segment = (await call('GET', `/api/segments/${segmentId}`)).body as { persons: number }
  expect(segment.persons).toBe(tagged.length)
  expect(filesRead).toBeGreaterThan(2)
  expect([...ended.keys()].sort()).toEqual([...new Set(victims)].sort())
  expect(Math.min(...ended.values())).toBeGreaterThan(0)
})

/** What was brought in, by the rules of the file alone. */
class Model {
  readonly people = new Map<string, { cents: number; last: number; orders: number }>()
  readonly #orders = new Map<string, { cents: number; phone: string; at: number }>()

  add(id: string, phone: string, cents: number, at: number): void {
    if (this.#orders.has(id)) return
    this.#orders.set(id, { cents, phone, at })
    if (phone === '') return
    const person = this.people.get(phone) ?? { cents: 0, last: 0, orders: 0 }
    person.cents += cents
    person.orders += 1
    person.last = Math.max(person.last, at)
    this.people.set(phone, person)
  }

  orderRows(): string[] {
    return [...this.#orders].map(([id, { cents }]) => `${id} ${cents}`).sort()
  }

  buyerOrders(): string[] {
    return [...this.#orders].map(([id, { cents, phone }]) => `${id} ${cents} ${phone}`).sort()
  }

  /** Orders, sum and last order, of each person and of those nobody is known of. */
  buyerRows(): string[] {
    return [...this.people.values()].map(({ cents, last, orders }) => `${orders} ${cents} ${last}`).sort()
  }

  memberRows(): unknown[] {
    return [...this.people]
      .map(([phone, { cents, last, orders }]) => {
        const masked = `${phone.slice(0, 3)}****${phone.slice(7)}`
        return [masked, orders, cents, new Date(last).toISOString()]
      })
      .sort()
  }

  /** All last orders lie in the middle of a band, so that no midnight during the test matters. */
  lifecycle(now: number): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { last } of this.people.values()) {
      const days = (now - last) / DAY_MS
      const state = BANDS.find(({ before }) => days < before)?.state ?? 'lost'
      counts[state] = (counts[state] ?? 0) + 1
    }
    return counts
  }
}

/** Noon of the day of the test in Shanghai, so that all days are whole. */
const NOON = Math.floor(Date.now() / DAY_MS) * DAY_MS + 4 * 3_600_000

/** An order: its person, amount and time follow from its number. */
function order(number: number): { id: string; phone: string; cents: number; at: number } {
  const person = (number * 37) % PEOPLE
  const phone = number % 11 === 0 ? '' : `1391234${String(person).padStart(4, '0')}`
  // The last order of a person is in the middle of a band; the others lie before it.
  const band = BANDS[person % BANDS.length]?.days ?? 0
  const at = NOON - (band + (number % 13) * 0.001) * DAY_MS - Math.floor(number / PEOPLE) * 60_000
  return {
    id: `K${number}`,
    phone,
    cents: 100 + ((number * 7919) % 90_000),
    at: Math.floor(at / 1000) * 1000,
  }
}

async function importFile(number: number, model: Model): Promise<void> {
  const first = Math.max(0, number * ORDERS_A_FILE - REPEATED)
  const orders = Array.from({ length: (number + 1) * ORDERS_A_FILE - first }, (_, at) => order(first + at))
  for (const { id, phone, cents, at } of orders) model.add(id, phone, cents, at)
  const lines = orders.map(
    ({ id, phone, cents, at }) =>
      `${id},${phone},${shanghai(at)},SKU${cents % 7},1,${(cents / 100).toFixed(2)}`,
  )
  const path = join(folder, `orders-${number}.csv`)
  await writeFile(path, `订单号,手机号,下单时间,商品编码,数量,单价\n${lines.join('\n')}\n`)
  const until = performance.now() + PATIENCE_MS * 2
  for (;;) {
    const ended = await runOnce('import', environment, [path, '--source', 'till', '--json'], (child) => {
      importing = child
    })
    if (ended.code === 0) return
    if (performance.now() > until) throw new Error(`the import does not end: ${ended.error}`)
    await sleep(200)
  }
}

function shanghai(at: number): string {
  return new Date(at + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}

/** How many processes it ended. */
async function kill(victim: Victim, work: Kept): Promise<number> {
  const find = {
    serve: () => serve.pid,
    work: () => work.pid,
    import: () => (importing?.exitCode === null && importing.signalCode === null ? importing.pid : undefined),
    engine,
    postgres,
  }
  if (victim !== 'all') return killHard(await running(find[victim])) ? 1 : 0
  const all = await Promise.all(Object.values(find).map((one) => one()))
  return all.filter((pid) => killHard(pid)).length
}

/** It may be between two lives. */
async function running(
  find: () => number | undefined | Promise<number | undefined>,
): Promise<number | undefined> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    const pid = await find()
    if (pid !== undefined) return pid
    await sleep(20)
  }
  return undefined
}

/** What whichever of our processes holds the data directory at the moment has started. */
async function childOfOwner(isIt: (args: string) => boolean): Promise<number | undefined> {
  const text = await readFile(join(environment.LIULIANG_DATA, 'running.json'), 'utf8').catch(() => '{}')
  const { process: owner } = JSON.parse(text) as { process?: number }
  const ours = [serve.pid, importing?.pid, ...others.map(({ pid }) => pid)]
  if (owner === undefined || !ours.includes(owner)) return undefined
  return (await descendantsOf(owner)).find(({ args }) => isIt(args))?.pid
}

function engine(): Promise<number | undefined> {
  return childOfOwner((args) => args.includes('liuliang-clickhouse') || args.includes('engine-process'))
}

function postgres(): Promise<number | undefined> {
  return childOfOwner((args) => args.includes('bin/postgres -D'))
}

/** Until every consumer has passed everything and nobody waits to be evaluated. */
async function settled({ db }: Stores): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  const isSettled = async () => {
    const due = await countDue(db, new Date())
    const passed = await Promise.all(['react', 'project', 'evaluate'].map((name) => hasCaughtUp(db, name)))
    const { open } = await db.row<{ open: number }>(sql`
      select (select count(*) from recompute where wanted > done)
        + (select count(*) from import_run where stage is not null)
        + (select count(*) from profile_home where person_id <> stored_person_id or moving_to is not null) as open`)
    return due.live + due.bulk + due.time + open === 0 && passed.every(Boolean) && !(await isRebuilding(db))
  }
  while (!(await isSettled().catch(() => false))) {
    if (performance.now() > until) {
      const lag = await db.rows(sql`select name, lane, xid::text, seq from consumer`)
      throw new Error(`not settled: ${JSON.stringify({ due: await countDue(db, new Date()), lag })}`)
    }
    await sleep(100)
  }
}

async function ordersInPostgres({ db }: Stores): Promise<string[]> {
  const rows = await db.rows<{ id: string; cents: number }>(
    sql`select external_id as id, total_cents as cents from document where kind = 'order' and not deleted`,
  )
  return rows.map(({ id, cents }) => `${id} ${cents}`).sort()
}

async function ordersInClickHouse({ clickhouse }: Stores): Promise<string[]> {
  const rows = await clickhouse.rows<{ id: string; cents: number }>(
    'select external_id as id, toUInt32(total * 100) as cents from orders final',
  )
  return rows.map(({ id, cents }) => `${id} ${cents}`).sort()
}

async function buyersInClickHouse({ clickhouse }: Stores): Promise<string[]> {
  const rows = await clickhouse.rows<{ orders: number; cents: number; last: string }>(`
    select toUInt32(count()) as orders, toUInt32(sum(total) * 100) as cents, toString(toUnixTimestamp64Milli(max(at))) as last
    from orders final where person_id > 0 group by person_id`)
  return rows.map(({ orders, cents, last }) => `${orders} ${cents} ${last}`).sort()
}

/** Time goes on: where an event came while they were read (cut points are published every day), they are read again. */
async function eventsInBoth(stores: Stores): Promise<{ logged: string[]; projected: string[] }> {
  for (;;) {
    const logged = await eventsInLog(stores)
    await settled(stores)
    const projected = await eventsInClickHouse(stores)
    if ((await eventsInLog(stores)).length === logged.length) return { logged, projected }
  }
}

async function eventsInLog({ db }: Stores): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(sql`select id from event_log where type <> 'order_recorded'`)
  return rows.map(({ id }) => id).sort()
}

async function eventsInClickHouse({ clickhouse }: Stores): Promise<string[]> {
  const found: string[] = []
  for await (const rows of clickhouse.stream<[string]>('select toString(id) from events'))
    for (const [id] of rows) found.push(id)
  return found.sort()
}

async function tagEvents({ db }: Stores): Promise<number> {
  const { n } = await db.row<{ n: number }>(
    sql`select count(*)::int as n from event_log where type = 'tag_added'`,
  )
  return n
}

/** Two exports by command, put together by the number of the member: order, amount and phone. */
async function ordersOfExport(): Promise<string[]> {
  const read = async (what: string): Promise<Record<string, unknown>[]> => {
    const path = join(folder, `${what}.ndjson`)
    const ended = await runOnce('export', environment, [what, path])
    expect(ended.code, ended.error).toBe(0)
    const text = await readFile(path, 'utf8')
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  const phones = new Map((await read('members')).map((row) => [row['id'], row['phone']]))
  const orders = await read('orders')
  return orders
    .map(
      (row) =>
        `${row['number']} ${Math.round(Number(row['total']) * 100)} ${phones.get(row['member_id']) ?? ''}`,
    )
    .sort()
}

function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values]
  return values.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T)
}

/** Numbers in 0…1 that follow from the seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
