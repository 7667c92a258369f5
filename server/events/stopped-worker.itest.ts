import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import type { Worker } from '../../test/support/events-worker.ts'
import { newId } from '../platform/ids.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { systemClock } from '../platform/time/clock.ts'
import { append } from './append.ts'
import { hasCaughtUp, registerConsumers } from './consumers.ts'
import { lanes, type NewEvent } from './log.ts'
import { PROJECT } from './project.ts'
import { REACT } from './react.ts'

const script = fileURLToPath(new URL('../../test/support/events-worker.ts', import.meta.url))

/** Stopped as long as `stopMs`, `times` times, with leases of `leaseMs`: what a virtual machine that is moved does to a process. */
async function disturb({
  leaseMs,
  stopMs,
  times,
}: {
  leaseMs: number
  stopMs: number
  times: number
}): Promise<void> {
  const db = await testDatabase()
  const clickhouse = await testClickHouse()
  await db.run(sql`create table noted (id uuid not null, worker text not null)`)
  const { name } = await db.row<{ name: string }>(sql`select current_database() as name`)
  // A transaction that its process does not end keeps the others waiting so long.
  await db.run(
    sql`alter database ${trusted(name)} set idle_in_transaction_session_timeout = ${trusted(String(leaseMs))}`,
  )
  await registerConsumers(db, [REACT, PROJECT])
  const said: string[] = []
  const start = (worker: string): ChildProcess => {
    const argument: Worker = { postgres: db.url, clickhouse: clickhouse.options, name: worker, leaseMs }
    const child = spawn(process.execPath, [script, JSON.stringify(argument)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr?.on('data', (text) => said.push(String(text)))
    return child
  }
  const workers = [start('a'), start('b')]
  const heldBy = async (some: readonly ChildProcess[]): Promise<ChildProcess> => {
    for (;;) {
      const held = await db.rows<{ holder: string }>(
        sql`select holder from lease where name = ${REACT} and expires_at > clock_timestamp()`,
      )
      const holder = some.find((worker) => held.some((lease) => lease.holder.endsWith(`:${worker.pid}`)))
      if (holder) return holder
      await sleep(10)
    }
  }
  const written: string[] = []
  let writing = true
  const writer = (async () => {
    while (writing) {
      const events = Array.from({ length: 10 }, (_, index): NewEvent => {
        const at = systemClock.now()
        return {
          id: newId(at),
          type: 'page_viewed',
          profileId: index + 1,
          personId: index + 1,
          at,
          data: { page: 'p', dwellSeconds: null },
        }
      })
      const lane = lanes[written.length % 20 === 0 ? 0 : 1]
      await db.transaction((tx) =>
        append(tx, events, { lane, source: 'test', receivedAt: systemClock.now() }),
      )
      written.push(...events.map((event) => event.id))
      await sleep(3)
    }
  })()
  try {
    for (let round = 0; round < times; round += 1) {
      const victim = await heldBy(workers)
      await sleep(leaseMs * Math.random())
      victim.kill('SIGSTOP')
      await sleep(stopMs)
      // By now, or as soon as it has come up, the other one works.
      await heldBy(workers.filter((worker) => worker !== victim))
      await sleep(leaseMs / 2)
      victim.kill('SIGCONT')
    }
    writing = false
    await writer
    while (!(await hasCaughtUp(db, REACT)) || !(await hasCaughtUp(db, PROJECT))) await sleep(20)
  } finally {
    writing = false
    await Promise.all(
      workers.map(async (worker) => {
        const ended = once(worker, 'close')
        worker.kill('SIGCONT')
        worker.kill('SIGTERM')
        await ended
      }),
    )
  }
  expect(said.join('')).toBe('')
  const noted = await db.rows<{ id: string; worker: string }>(sql`select id, worker from noted`)
  expect(noted.map((row) => row.id).sort()).toEqual(written.toSorted())
  expect(new Set(noted.map((row) => row.worker)).size).toBe(2)
  const [rows] = await clickhouse.rows<{ rows: number; ids: number }>(
    'select toUInt32(count()) as rows, toUInt32(uniqExact(id)) as ids from events',
  )
  expect(rows).toEqual({ rows: written.length, ids: written.length })
}

test(
  'a worker that is stopped and woken again does no harm',
  () => disturb({ leaseMs: 400, stopMs: 1200, times: 3 }),
  120_000,
)

// biome-ignore lint/style/noProcessEnv: an hour of long tests is asked for by the environment.
test.skipIf(process.env['LIULIANG_LONG'] === undefined)(
  'nor does one that is stopped for 20 seconds, with the leases of production',
  () => disturb({ leaseMs: 5000, stopMs: 20_000, times: 3 }),
  300_000,
)
