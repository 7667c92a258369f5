/** Persons whom time alone wakes again and again although nothing changes: a next moment that is too early, or a rule that is. */
import type { Db } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { dayOf, type Zone } from '../../platform/time/zone.ts'

export const MOST_IDLE_WAKES = 24

export type Restless = { personId: number; wakes: number; segments: number[] }

/** Those woken more than 24 times today (of the zone) without any change, the worst first; for `doctor`. */
export async function restlessPersons(
  db: Db,
  { now, zone, limit = 20 }: { now: Date; zone: Zone; limit?: number },
): Promise<Restless[]> {
  return db.rows<Restless>(sql`
    select person_id as "personId", idle_wakes as wakes, segments from person_segment
    where idle_day = ${dayOf(zone, now)}::date and idle_wakes > ${MOST_IDLE_WAKES}
    order by idle_wakes desc, person_id limit ${limit}`)
}
