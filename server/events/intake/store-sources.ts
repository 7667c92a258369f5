/** SQL of sources. */
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import type { EventSource } from './event-source.ts'

type Row = EventSource & { lastAt: Date | null; events: number }

const columns = sql`s.id, s.code, s.name, s.write_key as "writeKey", s.origins, s.user_id_kind as "userIdKind",
  s.user_id_scope as "userIdScope", s.state, s.version, s.created_at as "createdAt"`

const withActivity = sql`${columns},
  (select max(last_at) from seen_event e where e.source = 'sdk:' || s.code) as "lastAt",
  (select coalesce(sum(count), 0)::bigint from seen_event e where e.source = 'sdk:' || s.code) as events`

export async function sourceByKey(db: Db, writeKey: string): Promise<EventSource | undefined> {
  return db.maybe<EventSource>(sql`select ${columns} from event_source s where s.write_key = ${writeKey}`)
}

export async function selectSources(db: Db): Promise<Row[]> {
  return db.rows<Row>(sql`select ${withActivity} from event_source s order by s.created_at, s.code`)
}

export async function selectSource(db: Db, id: string): Promise<Row | undefined> {
  return db.maybe<Row>(sql`select ${withActivity} from event_source s where s.id = ${id}`)
}

/** False where the code is taken. */
export async function insertSource(tx: Tx, row: Omit<EventSource, 'state' | 'version'>): Promise<boolean> {
  const written = await tx.run(sql`
    insert into event_source (id, code, name, write_key, origins, user_id_kind, user_id_scope, created_at)
    values (${row.id}, ${row.code}, ${row.name}, ${row.writeKey}, ${row.origins}::text[], ${row.userIdKind},
      ${row.userIdScope}, ${row.createdAt})
    on conflict (code) do nothing`)
  return written === 1
}

/** False where the version is no longer the present one. */
export async function updateSource(
  tx: Tx,
  row: Pick<EventSource, 'id' | 'name' | 'origins' | 'userIdKind' | 'userIdScope' | 'state' | 'version'> & {
    writeKey: string | undefined
  },
): Promise<boolean> {
  const written = await tx.run(sql`
    update event_source set name = ${row.name}, origins = ${row.origins}::text[], user_id_kind = ${row.userIdKind},
      user_id_scope = ${row.userIdScope}, state = ${row.state}, write_key = coalesce(${row.writeKey ?? null}, write_key),
      version = version + 1
    where id = ${row.id} and version = ${row.version}`)
  return written === 1
}
