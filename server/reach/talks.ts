/**
 * Who of the staff last talked with whom: a mass message is pushed by that one. Heard from the log: a member replied,
 * a guide said that a member was spoken to or has received a text. Kept by profile, so that merges and their undo need nothing.
 */
import type { LoggedEvent } from '../events/events.ts'
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

/** Outcomes of a task by which the guide was in touch with the member. */
const TALKED = new Set(['sent', 'called', 'will_come', 'not_interested'])

export const talkTypes = ['member_replied', 'task_done'] as const

/** Notes what the events tell; a repeat or an older one changes nothing. */
export async function hearTalks(tx: Tx, events: readonly LoggedEvent[]): Promise<void> {
  const talks = events.filter(isTalk)
  if (talks.length === 0) return
  const rows = talks.map(({ profileId, data, at }) => ({ profileId, staffId: data['staffId'], at }))
  await tx.run(sql`
    insert into talk (profile_id, staff_id, at)
    select t."profileId", t."staffId", max(t.at)
    from json_to_recordset(${JSON.stringify(rows)}::json) as t("profileId" int, "staffId" uuid, at timestamptz)
    where exists (select from profile where id = t."profileId") and exists (select from staff where id = t."staffId")
    group by 1, 2 order by 1, 2
    on conflict (profile_id, staff_id) do update set at = greatest(talk.at, excluded.at)`)
}

function isTalk({ type, profileId, data }: LoggedEvent): boolean {
  if (profileId === null || typeof data['staffId'] !== 'string') return false
  return type === 'member_replied' || (type === 'task_done' && TALKED.has(String(data['outcome'])))
}

/** When each member of staff last talked with each person, by 'person staff'. */
export async function lastTalks(db: Db, personIds: readonly number[]): Promise<Map<string, Date>> {
  const rows = await db.rows<{ personId: number; staffId: string; at: Date }>(sql`
    select p.person_id as "personId", t.staff_id as "staffId", max(t.at) as at
    from profile p join talk t on t.profile_id = p.id
    where p.person_id = any(${personIds}::int[]) group by 1, 2`)
  return new Map(rows.map(({ personId, staffId, at }) => [`${personId} ${staffId}`, at]))
}
