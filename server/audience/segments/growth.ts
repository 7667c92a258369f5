/**
 * The size of a segment by day of the brand. The only truth is who is in it now and what was counted when people entered
 * and left (segment_day): the size at the end of a day is the present one less what moved since.
 */
import type { Db } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { Problem } from '../../platform/problem.ts'
import { addDays, type Day, dayOf, type Zone } from '../../platform/time/zone.ts'
import { findSegment } from './segment.ts'

export type GrowthDay = {
  day: Day
  /** At the end of the day; of today, now. */
  size: number
  entered: number
  left: number
}
export type Growth = {
  /** False for a segment on demand, which tells nothing of its days. */
  followed: boolean
  /** Ascending, the last is today; not before the segment was made. */
  days: GrowthDay[]
}

/** `days`: how many, today included. Errors: `not_found`. */
export async function segmentGrowth(
  db: Db,
  id: number,
  { days, now, zone }: { days: number; now: Date; zone: Zone },
): Promise<Growth> {
  const segment = await findSegment(db, id)
  if (!segment) throw new Problem('not_found', 'There is no such segment.')
  if (segment.kind === 'on_demand') return { followed: false, days: [] }
  const today = dayOf(zone, now)
  const made = dayOf(zone, segment.createdAt)
  const asked = addDays(today, 1 - days)
  const [, from = today] = [asked, made].sort()
  // One statement, so that the size and what led to it are of one moment.
  const rows = await db.rows<{ day: Day; size: number; entered: number; left: number }>(sql`
    with present as (select count(*)::int as size from person_segment where segments @> array[${id}::int]),
      moved as (select day, entered, "left", entered - "left" + otherwise as change
        from segment_day where segment_id = ${id} and day >= ${from}::date)
    select d::date as day, coalesce(m.entered, 0) as entered, coalesce(m."left", 0) as "left",
      (present.size - coalesce(sum(m.change) over (order by d desc rows between unbounded preceding and 1 preceding), 0))::int as size
    from present, generate_series(${from}::date, ${today}::date, interval '1 day') d left join moved m on m.day = d::date
    order by d`)
  return { followed: true, days: rows.map((row) => ({ ...row, size: Math.max(0, row.size) })) }
}
