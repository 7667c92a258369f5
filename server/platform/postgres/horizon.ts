/** The oldest transaction that has written and not ended: readers of the log wait for it. */
import type { Db } from './database.ts'
import { sql } from './sql.ts'

export type Horizon = {
  /** Seconds that the oldest writing transaction is open; 0 when there is none. */
  ageSeconds: number
  holder: { pid: number; database: string; program: string; state: string } | undefined
}

/** Sees all databases of the server: transaction numbers are shared between them. */
export async function readHorizon(db: Db): Promise<Horizon> {
  const row = await db.maybe<{
    age: number
    pid: number
    database: string
    program: string
    state: string
  }>(sql`
    select extract(epoch from clock_timestamp() - since)::float8 as age, pid, database, program, state
    from (
      select xact_start as since, pid, datname as database, application_name as program, coalesce(state, '') as state, backend_xid as xid
      from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
      union all
      select prepared, 0, database, 'prepared transaction ' || gid, 'prepared', transaction from pg_prepared_xacts
    ) open
    order by age(xid) desc limit 1`)
  if (!row) return { ageSeconds: 0, holder: undefined }
  const { age, ...holder } = row
  return { ageSeconds: Math.max(0, age), holder }
}
