import type { Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

/**
 * After the log was numbered anew: whoever waits to be evaluated is as if touched by the last event of the lane, so that
 * nobody is evaluated before ClickHouse holds all that the log did, and everybody is then.
 */
export async function followRenumbering(tx: Tx): Promise<void> {
  await tx.run(sql`
    update evaluation_due d set first_xid = '0', first_seq = e.seq, last_xid = '0', last_seq = e.seq
    from (
      select lane, coalesce((select max(l.seq) from event_log l where l.lane = each.lane), 0) as seq
      from (values (0), (1)) each (lane)
    ) e
    where d.lane = e.lane`)
}
