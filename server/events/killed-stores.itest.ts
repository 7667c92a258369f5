import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { OrderState } from '../../contract/events.ts'
import type { Worker } from '../../test/support/events-worker.ts'
import { orderOf } from '../../test/support/orders.ts'
import { openClickHouse } from '../platform/clickhouse/clickhouse.ts'
import { startEngine } from '../platform/clickhouse/engine.ts'
import { migrateClickHouse } from '../platform/clickhouse/migrate.ts'
import { newId } from '../platform/ids.ts'
import { startCluster } from '../platform/postgres/cluster.ts'
import { openDatabase } from '../platform/postgres/database.ts'
import { migratePostgres } from '../platform/postgres/migrate.ts'
import { sql } from '../platform/postgres/sql.ts'
import { systemClock } from '../platform/time/clock.ts'
import { append } from './append.ts'
import { hasCaughtUp, registerConsumers } from './consumers.ts'
import { lanes, type NewEvent } from './log.ts'
import { orderTotals, recordOrders } from './orders.ts'
import { PROJECT } from './project.ts'
import { REACT } from './react.ts'

const script = fileURLToPath(new URL('../../test/support/events-worker.ts', import.meta.url))
const KILLS = 9
const PATIENCE_MS = 300_000
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

test('PostgreSQL, the engine and the worker, killed at random, agree afterwards about everything that was acknowledged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'liuliang-kill-'))
  await chmod(folder, 0o755)
  let cluster = await startCluster({ dataDirectory: folder })
  const engine = await startEngine({ dataDir: join(folder, 'clickhouse'), log: silent })
  const options = { url: engine.url, user: engine.user, password: engine.password, database: 'kill' }
  const db = openDatabase(cluster.url)
  await migratePostgres(db)
  await migrateClickHouse(options)
  const clickhouse = openClickHouse(options)
  await db.run(sql`create table noted (id uuid not null, worker text not null)`)
  await registerConsumers(db, [REACT, PROJECT])
  const argument: Worker = {
    postgres: cluster.url,
    clickhouse: options,
    name: 'a',
    leaseMs: 500,
    quiet: true,
  }
  const work = (): ChildProcess =>
    spawn(process.execPath, [script, JSON.stringify(argument)], { stdio: 'ignore' })
  let worker = work()
  try {
    let writing = true
    const ids: string[] = []
    const cents: number[] = []
    const writer = (async () => {
      for (let number = 1; writing; number += 1) {
        const { event, order } = input(number)
        await acknowledged(() =>
          db.transaction(async (tx) => {
            const how = {
              lane: lanes[number % 2 === 0 ? 0 : 1],
              source: 'test',
              receivedAt: systemClock.now(),
              dedupe: true,
            }
            await append(tx, event, how)
            await recordOrders(tx, [{ profileId: 1, personId: 1, order }], how)
          }),
        )
        ids.push(...event.map((each) => each.id))
        cents.push(order.totalCents)
        await sleep(5)
      }
    })()
    for (let kill = 0; kill < KILLS; kill += 1) {
      await sleep(200 + Math.random() * 600)
      if (kill % 3 === 0) {
        // It may be between two lives.
        while (engine.pid === undefined) await sleep(20)
        process.kill(engine.pid, 'SIGKILL')
      } else if (kill % 3 === 1) {
        const ended = once(worker, 'close')
        worker.kill('SIGKILL')
        await ended
        worker = work()
      } else {
        process.kill(cluster.pid, 'SIGKILL')
        await cluster.ended
        cluster = await startCluster({ dataDirectory: folder })
        expect(cluster.url).toBe(argument.postgres)
      }
    }
    writing = false
    await writer
    while (!(await acknowledged(() => caughtUp()))) await sleep(50)
    const noted = await db.rows<{ id: string }>(sql`select id from noted`)
    expect(noted.map((row) => row.id).sort()).toEqual(ids.toSorted())
    const projected = await clickhouse.rows<{ id: string }>(
      'select id from events',
      {},
      { settings: { max_result_rows: 0 } },
    )
    expect(projected.map((row) => row.id).sort()).toEqual(ids.toSorted())
    const sum = cents.reduce((total, each) => total + each, 0)
    expect(await orderTotals(db)).toMatchObject({ orders: cents.length, totalCents: sum })
    const [totals] = await clickhouse.rows<{ orders: number; cents: number }>(
      'select toUInt32(count()) as orders, toUInt32(sum(total) * 100) as cents from orders final',
    )
    expect(totals).toEqual({ orders: cents.length, cents: sum })
    expect(ids.length).toBeGreaterThan(100)
  } finally {
    worker.kill('SIGKILL')
    await clickhouse.close()
    await db.close()
    await engine.stop()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }

  async function caughtUp(): Promise<boolean> {
    return (await hasCaughtUp(db, REACT)) && (await hasCaughtUp(db, PROJECT))
  }
})

/** Tries until it is acknowledged, as a source does. */
async function acknowledged<T>(work: () => Promise<T>): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE_MS)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (patience.aborted) throw error
      await sleep(30)
    }
  }
}

function input(number: number): { event: NewEvent[]; order: OrderState } {
  const at = systemClock.now()
  const event = Array.from(
    { length: 5 },
    (): NewEvent => ({
      id: newId(at),
      type: 'page_viewed',
      profileId: 2,
      personId: 2,
      at,
      data: { page: 'p', dwellSeconds: null },
    }),
  )
  const order = orderOf(String(number), at, number, { source: 'test' })
  return { event, order }
}
