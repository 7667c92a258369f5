/** Lets a test stand between two transactions, of which one waits for the other. */
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'

/** Resolves when so many wait for a lock in this database, or when what should wait is over. */
export async function untilSomebodyWaits(
  db: Database,
  { many = 1, whatWaits }: { many?: number; whatWaits: Promise<unknown> },
): Promise<void> {
  let over = false
  const end = (): void => {
    over = true
  }
  whatWaits.then(end, end)
  const waiting = async (): Promise<number> => {
    const { n } = await db.row<{ n: number }>(sql`
      select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`)
    return n
  }
  while (!over && (await waiting()) < many);
}
