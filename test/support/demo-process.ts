/** A process that writes the demo brand or takes it out, until it is killed. Argument: JSON of `DemoTask`. Prints rows or members. */
import { DEMO_LEASE, removeDemo, seedDemo } from '../../server/demo/demo.ts'
import { membersDeps } from '../../server/joined.ts'
import { type ClickHouseOptions, openClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { openKeyring } from '../../server/platform/crypto/master-key.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { instant } from '../../server/platform/time/clock.ts'

export type DemoTask = {
  postgres: string
  clickhouse: ClickHouseOptions
  /** In hex. */
  key: string
  do: 'seed' | 'remove'
  members: number
  at: string
  crashAt: string
}

const task = JSON.parse(process.argv[2] ?? '') as DemoTask
const db = openDatabase(task.postgres, { max: 4, applicationName: 'demo-process' })
const clickhouse = openClickHouse(task.clickhouse)
const now = instant(task.at)
armCrashPoint(task.crashAt)
if (task.do === 'seed') {
  const members = membersDeps(openKeyring(Buffer.from(task.key, 'hex')))
  const seeded = await seedDemo({ db, members }, { now, members: task.members, seed: 'killed' })
  process.stdout.write(`${seeded.members}\n`)
} else {
  process.stdout.write(`${await removeDemo({ db, clickhouse }, { now, lease: DEMO_LEASE })}\n`)
}
await clickhouse.close()
await db.close()
