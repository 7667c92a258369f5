/**
 * A log that came from another server.
 *
 * Positions are transaction numbers, which mean nothing in another cluster: rows of a restored dump could lie in its
 * future and never be readable, or new rows could fall behind positions that were taken before. Stored: the server's
 * identity in `log_server`. Where it is another one, all rows get transaction 0 and are numbered in their order,
 * positions and dead letters keep their place between the rows, and ClickHouse is to be made again. All of it in one
 * transaction, before anything runs. A copy of the files keeps the identity, and everything stays as it is.
 */
import type { Database, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { closeLog } from './partitions.ts'

/** What a later capability does with positions of the log that it keeps: none of them means anything any more. */
export type Renumbered = (tx: Tx) => Promise<void>

/** True when the log came from elsewhere and was renumbered. No loop may run meanwhile. */
export async function adoptLog(
  db: Database,
  now: Date,
  followers: readonly Renumbered[] = [],
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { present } = await tx.row<{ present: string }>(
      sql`select system_identifier::text as present from pg_control_system()`,
    )
    const known = await tx.maybe<{ id: string }>(sql`select system_identifier as id from log_server`)
    if (known?.id === present) return false
    await closeLog(tx)
    await tx.run(sql`
      insert into log_server (system_identifier) values (${present})
      on conflict (one) do update set system_identifier = excluded.system_identifier`)
    if (!known) return false
    await renumber(tx, now)
    for (const follow of followers) await follow(tx)
    return true
  })
}

async function renumber(tx: Tx, now: Date): Promise<void> {
  await tx.run(sql`
    create temporary table log_place on commit drop as
    select day, xid, seq, row_number() over (order by xid, seq) as place from event_log`)
  await tx.run(sql`create index on log_place (xid, seq)`)
  await tx.run(sql`analyze log_place`)
  await tx.run(sql`
    update consumer c
    set xid = '0', seq = (select count(*) from log_place p where (p.xid, p.seq) <= (c.xid, c.seq))`)
  // Letters whose event is archived keep their order before those that are still here.
  await tx.run(sql`
    update dead_letter d set xid = '0', seq = n.place
    from (
      select id, coalesce(p.place, row_number() over (order by l.xid, l.seq) - count(*) over () - 1) as place
      from dead_letter l left join log_place p on p.xid = l.xid and p.seq = l.seq
    ) n
    where d.id = n.id`)
  await tx.run(sql`
    update event_log l set xid = '0', seq = p.place
    from log_place p where l.day = p.day and l.xid = p.xid and l.seq = p.seq`)
  await tx.run(sql`
    select setval(pg_get_serial_sequence('event_log', 'seq'), (select coalesce(max(place), 0) + 1 from log_place), false)`)
  await tx.run(sql`delete from projection_batch`)
  await tx.run(sql`update projection set rebuilding_since = ${now}`)
}
