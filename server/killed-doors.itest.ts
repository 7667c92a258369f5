/**
 * The doors while things fall: `serve` killed by SIGKILL at each point between two effects and at random, then the
 * engine and PostgreSQL frozen under load. A client sends again whatever was not answered 200, as SDKs do. Afterwards
 * everything that was answered 200 stands in the log, and in ClickHouse, once; every other answer was 429 or 503.
 */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { EventSource } from '../contract/intake.ts'
import { ownerKey } from '../test/support/api-client.ts'
import { descendantsOf, Kept, killHard } from '../test/support/program.ts'
import { readConfig } from './config.ts'
import { hasCaughtUp } from './events/events.ts'
import { openLog } from './platform/logging/log.ts'
import { sql } from './platform/postgres/sql.ts'
import { openStores } from './stores.ts'

const PATIENCE_MS = 300_000
const FROZEN_MS = 60_000
const A_REQUEST = 20
/** Between any two effects of writing what came; each life ends at the fourth passing. */
const POINTS = ['intake.deduplicated', 'intake.written', 'intake.committed']

const folder = await mkdtemp(join(tmpdir(), 'liuliang-doors-'))
await chmod(folder, 0o755)
const environment = { LIULIANG_DATA: join(folder, 'data'), LIULIANG_LOG: 'error' }
const lives: Kept[] = []

afterAll(async () => {
  for (const one of lives) await one.stop()
  await rm(folder, { recursive: true, force: true })
})

function live(more: Record<string, string> = {}): Kept {
  const kept = new Kept('serve', { ...environment, ...more })
  lives.push(kept)
  return kept
}

/** A client with messages of its own, sending the same request until it is answered 200. */
class Client {
  readonly acknowledged: string[] = []
  readonly statuses = new Map<number, number>()
  #made = 0
  readonly #name: string
  readonly #key: string
  readonly #address: () => Promise<string>

  constructor(name: string, key: string, address: () => Promise<string>) {
    this.#name = name
    this.#key = key
    this.#address = address
  }

  async send(): Promise<void> {
    const ids = Array.from({ length: A_REQUEST }, (_, at) => `${this.#name}-${this.#made + at}`)
    this.#made += A_REQUEST
    const batch = ids.map((id, at) => ({
      type: 'track',
      messageId: id,
      userId: `M${at % 7}`,
      event: 'Sent',
      properties: { id },
    }))
    const body = JSON.stringify({ writeKey: this.#key, batch })
    for (;;) {
      const status = await this.#post(body)
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
      if (status === 200) break
      if (![0, 429, 503].includes(status)) throw new Error(`answered ${status}`)
      await sleep(50)
    }
    this.acknowledged.push(...ids)
  }

  /** 0 where the connection broke off. */
  async #post(body: string): Promise<number> {
    try {
      const answer = await fetch(`${await this.#address()}/v1/batch`, { method: 'POST', body })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 0
    }
  }
}

async function makeSource(serve: Kept): Promise<EventSource> {
  const call = await ownerKey(serve)
  const { status, body } = await call('POST', '/api/event-sources', { code: 'clients', name: 'clients' })
  expect(status, JSON.stringify(body)).toBe(200)
  return body as EventSource
}

let key = ''
let serving: Kept
const sent: string[] = []

/** Everything sent stands in the log once, and nothing else does. */
async function expectAllOnce(): Promise<void> {
  const config = readConfig(environment)
  const stores = await openStores(config, openLog({ level: 'silent' }), 'either')
  try {
    const rows = await stores.db.rows<{ id: string }>(sql`
      select data -> 'properties' ->> 'id' as id from event_log where type = 'tracked' and data ->> 'name' = 'Sent' order by 1`)
    expect(rows.map(({ id }) => id)).toEqual(sent.toSorted())
  } finally {
    await stores.close()
  }
}

test('killed at each point, every event that was answered is there once', async () => {
  let serve = live()
  key = (await makeSource(serve)).writeKey
  await serve.stop()
  for (const point of POINTS) {
    serve = live({ LIULIANG_CRASH_POINT: `${point}:4` })
    const own = serve
    const client = new Client(point, key, async () => String(await own.tells('address', PATIENCE_MS)))
    for (let n = 0; n < 9; n += 1) await client.send()
    expect(serve.starts, point).toBeGreaterThan(1)
    sent.push(...client.acknowledged)
    await serve.stop()
  }
  serving = live()
  await address()
  await expectAllOnce()
})

test('the engine and PostgreSQL frozen under load, and serve killed: 200 is durable, all else 429 or 503', async () => {
  const work = new Kept('work', environment)
  lives.push(work)
  await work.tells('working', PATIENCE_MS)
  tries += 1
  const clients = Array.from({ length: 8 }, (_, n) => new Client(`load-${tries}-${n}`, key, address))
  let loading = true
  const load = Promise.all(
    clients.map(async (client) => {
      while (loading) await client.send()
    }),
  )
  try {
    await sleep(1000)
    await freezeEach(clients)
    await sleep(1000)
    killHard(serving.pid)
    await sleep(500)
    await address()
  } finally {
    loading = false
    await load
    // One by one: there are more than fit into the arguments of a call.
    for (const { acknowledged: ids } of clients) for (const id of ids) sent.push(id)
    await work.stop()
  }
  const statuses = new Set(clients.flatMap((client) => [...client.statuses.keys()]))
  expect([...statuses].filter((status) => ![0, 200, 429, 503].includes(status))).toEqual([])
  await expectAllProjected()
  await expectAllOnce()
})

let tries = 0
const address = async (): Promise<string> => String(await serving.tells('address', PATIENCE_MS))

async function freezeEach(clients: readonly Client[]): Promise<void> {
  const engine = (): Promise<Running[]> => storesOf(serving, 'liuliang-clickhouse')
  const postgres = (): Promise<Running[]> => storesOf(serving, 'postgres')
  // Without the engine intake goes on as if nothing were.
  const before = acknowledged(clients)
  await frozen(engine, async () => {
    await sleep(FROZEN_MS)
    expect(acknowledged(clients)).toBeGreaterThan(before + 5 * A_REQUEST)
  })
  // Without PostgreSQL a bounded number waits, and whoever comes beyond it is told so.
  const most = await frozen(postgres, async () => {
    const statuses = new Set<number>()
    const burst = Array.from({ length: 40 }, () => overflow(statuses))
    await Promise.all([...burst, sleep(FROZEN_MS)])
    expect([...statuses].filter((status) => status !== 429 && status !== 503)).toEqual([])
    expect(statuses).toContain(429)
    return residentMegabytes(serving.pid ?? 0)
  })
  expect(most).toBeLessThan(600)
}

/** Everything sent stands in ClickHouse once. */
async function expectAllProjected(): Promise<void> {
  const work = new Kept('work', environment)
  const stores = await openStores(readConfig(environment), openLog({ level: 'silent' }), 'either')
  try {
    await expect
      .poll(() => hasCaughtUp(stores.db, 'project').catch(() => false), { timeout: PATIENCE_MS })
      .toBe(true)
    const [found] = await stores.clickhouse.rows<{ count: number; distinct: number }>(
      `select toUInt32(count()) as count, toUInt32(uniqExact(id)) as distinct from events where type = 'tracked' and detail = 'Sent'`,
    )
    expect(found).toEqual({ count: sent.length, distinct: sent.length })
  } finally {
    await stores.close()
    await work.stop()
  }
}

function acknowledged(clients: readonly Client[]): number {
  return clients.reduce((sum, client) => sum + client.acknowledged.length, 0)
}

/** Requests of 1,000 events, more than may wait; what they are answered is added to `statuses`. */
async function overflow(statuses: Set<number>): Promise<void> {
  const batch = Array.from({ length: 1000 }, (_, at) => ({
    type: 'track',
    userId: `O${at}`,
    event: 'Overflow',
    messageId: `o-${at}`,
  }))
  const body = JSON.stringify({ writeKey: key, batch })
  for (let n = 0; n < 3; n += 1) {
    const answer = await fetch(`${await address()}/v1/batch`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(FROZEN_MS / 4),
    }).catch(() => undefined)
    if (answer) statuses.add(answer.status)
  }
}

type Running = { pid: number; args: string }

async function storesOf(serve: Kept, name: string): Promise<Running[]> {
  const all = await descendantsOf(serve.pid ?? 0)
  return all.filter(({ args }) => args.includes(name))
}

/** Stops these processes, those that they began meanwhile too, for as long as `work` takes. */
async function frozen<T>(processes: () => Promise<readonly Running[]>, work: () => Promise<T>): Promise<T> {
  const stopped = new Set<number>()
  try {
    for (let more = true; more; ) {
      const found = (await processes()).filter(({ pid }) => !stopped.has(pid))
      for (const { pid } of found) {
        stopped.add(pid)
        signal(pid, 'SIGSTOP')
      }
      more = found.length > 0
    }
    expect(stopped.size).toBeGreaterThan(0)
    return await work()
  } finally {
    for (const pid of stopped) signal(pid, 'SIGCONT')
  }
}

/** A connection of PostgreSQL may have ended since it was seen. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}
