/** A clock that several processes share: it stands in the database, is moved by the test, and runs from there. */
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'

/** It was `base` when this machine's clock said `sinceMs`. */
export type Epoch = { base: Date; sinceMs: number }

/** Business time runs this much faster than the machine's. */
const PACE = 8

/** Makes the clock of a test database; it shows `base` from now on. */
export async function setEpoch(db: Database, base: Date): Promise<Epoch> {
  const epoch = { base, sinceMs: Date.now() }
  await db.run(
    sql`create table if not exists test_time (base timestamptz not null, since_ms bigint not null)`,
  )
  await db.transaction(async (tx) => {
    await tx.run(sql`delete from test_time`)
    await tx.run(sql`insert into test_time values (${base}, ${epoch.sinceMs})`)
  })
  return epoch
}

export async function readEpoch(db: Database): Promise<Epoch> {
  return db.row<Epoch>(sql`select base, since_ms as "sinceMs" from test_time`)
}

export function timeOf({ base, sinceMs }: Epoch): Date {
  return new Date(base.getTime() + (Date.now() - sinceMs) * PACE)
}
