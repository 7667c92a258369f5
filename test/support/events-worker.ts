/** A process that reacts and projects for ever, as `work` does, with short leases. Argument: JSON of `Worker`. */
import type { Handler } from '../../server/events/handler.ts'
import { lanes } from '../../server/events/log.ts'
import { PROJECT, projectOnce } from '../../server/events/project.ts'
import { REACT, reactOnce } from '../../server/events/react.ts'
import { type ClickHouseOptions, openClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { type Held, LeaseLost } from '../../server/platform/jobs/lease.ts'
import { keepWorking } from '../../server/platform/jobs/loop.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { systemClock } from '../../server/platform/time/clock.ts'

export type Worker = {
  postgres: string
  clickhouse: ClickHouseOptions
  name: string
  leaseMs: number
  /** The stores are killed as well: errors are expected and not told. */
  quiet?: boolean
}

const worker = JSON.parse(process.argv[2] ?? '') as Worker
const db = openDatabase(worker.postgres, { max: 6 })
const clickhouse = openClickHouse(worker.clickhouse)
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())

/** Notes what it is given and who did it, without any de-duplication of its own. */
const noting: Handler = {
  name: 'noting',
  types: ['page_viewed'],
  async handle(tx, events) {
    const ids = events.map((event) => event.id)
    await tx.run(sql`insert into noted (id, worker) select unnest(${ids}::uuid[]), ${worker.name}`)
  },
}

/** Losing a lease, or the connection that was idle while this process was stopped, is what the test is about. */
function onError(error: unknown): void {
  const away = error instanceof Error && /terminat|onnection|idle/.test(error.message)
  if (worker.quiet !== true && !(error instanceof LeaseLost) && !away)
    process.stderr.write(`${String(error)}\n`)
}

const times = { leaseMs: worker.leaseMs, renewMs: worker.leaseMs / 3 }
const react = async (token: Held) => {
  let done = 0
  for (const lane of lanes)
    done += await reactOnce(db, [noting], { lane, token, now: systemClock.now(), batch: 20 })
  return done
}
const project = async (token: Held) => {
  let done = 0
  for (const lane of lanes)
    done += await projectOnce(db, clickhouse, { lane, token, now: systemClock.now(), batch: 300 })
  return done
}
await Promise.all([
  keepWorking(db, { name: REACT, restMs: 5, work: react, onError, ...times }, stop.signal),
  keepWorking(db, { name: PROJECT, restMs: 5, work: project, onError, ...times }, stop.signal),
])
await clickhouse.close()
await db.close()
