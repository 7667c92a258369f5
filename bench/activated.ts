/** The large base with a hundred live segments whose answers are stored: made where it is not there yet. */
import { createSegment, publishCutPoints, recompute } from '../server/audience/audience.ts'
import { lanes, PROJECT, projectOnce, registerConsumers } from '../server/events/events.ts'
import type { ClickHouse } from '../server/platform/clickhouse/clickhouse.ts'
import { type LeaseToken, takeLease } from '../server/platform/jobs/lease.ts'
import type { Database } from '../server/platform/postgres/database.ts'
import { sql } from '../server/platform/postgres/sql.ts'
import { type Spent, spentOn } from './figures.ts'
import { hundredSegments } from './hundred-segments.ts'
import { type BaseSize, fillBase, NOW, ZONE } from './large-base.ts'
import { storeAnswers } from './stored-answers.ts'

const LEASE_MS = 10 * 3_600_000
/** Of larger bases the first answers are stored without the log, which tells of everything that was entered. */
const TOLD = 100_000

/** `first`: what the first recompute took, where it was made here and told the log. */
export async function activated(
  db: Database,
  clickhouse: ClickHouse,
  size: BaseSize,
): Promise<{ persons: number; first: Spent | undefined }> {
  const { found } = await db.row<{ found: number }>(sql`select count(*) as found from person`)
  const persons = found || size.persons
  if (found === 0) {
    await registerConsumers(db, [PROJECT, 'evaluate'])
    const { seconds } = await spentOn(() => fillBase(db, clickhouse, size))
    process.stdout.write(`filled in ${seconds.toFixed(0)} s\n`)
  }
  if (await db.maybe(sql`select from person_segment limit 1`)) {
    await projected(db, clickhouse)
    return { persons, first: undefined }
  }
  await db.transaction(async (tx) => {
    for (const [name, rule] of hundredSegments())
      await createSegment(tx, { name, description: '', rule }, { by: null, at: NOW })
  })
  return { persons, first: await activate(db, clickhouse, persons) }
}

async function activate(db: Database, clickhouse: ClickHouse, persons: number): Promise<Spent | undefined> {
  const token = await leaseOf(db, 'evaluate')
  const publish = () => publishCutPoints(db, { token, now: NOW, zone: ZONE, always: true })
  const run = () => recompute(db, clickhouse, { token, now: () => NOW, zone: ZONE, always: true })
  let first: Spent | undefined
  if (persons > TOLD) {
    await storeAnswers(db, clickhouse, persons)
    await publish()
    await storeAnswers(db, clickhouse, persons)
    await db.run(sql`update recompute set done = wanted, after_person = 0`)
  } else {
    first = await spentOn(run)
    await projected(db, clickhouse)
    await publish()
    await run()
  }
  await projected(db, clickhouse)
  await db.run(sql`vacuum analyze`)
  return first
}

/** What was told the log must be readable before the next recompute may begin. */
export async function projected(db: Database, clickhouse: ClickHouse): Promise<void> {
  const token = await leaseOf(db, PROJECT)
  for (const lane of lanes) while ((await projectOnce(db, clickhouse, { lane, token, now: NOW })) > 0);
}

/** Whoever held it in a run that was broken off does not any more. */
export async function leaseOf(db: Database, name: string): Promise<LeaseToken> {
  await db.run(sql`delete from lease where name = ${name}`)
  const token = await takeLease(db, name, LEASE_MS)
  if (!token) throw new Error('held')
  return token
}
