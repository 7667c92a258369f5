/**
 * The pulse of the sources: whether each of them still tells what it used to tell.
 *
 * Stored: `source_pulse`, a row for each source and day of receipt. A source is silent when nothing came for more than
 * twice its usual longest silence of a day (the median of four weeks), and for more than an hour; before its third day
 * nobody can say what is usual. One that has been silent for four weeks has no habit any more, and is left alone.
 */
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

const HABIT_DAYS = 28
const LEAST_DAYS = 3
const KEPT_DAYS = 60

/** To be called by every door when `source` has told something. */
export async function heard(db: Db, source: string, at: Date): Promise<void> {
  await db.run(sql`
    insert into source_pulse (source, day, last_at, longest_gap)
    select ${source}, (${at}::timestamptz at time zone 'UTC')::date, ${at},
      ${at}::timestamptz - (select max(last_at) from source_pulse where source = ${source} and last_at <= ${at})
    on conflict (source, day) do update set
      last_at = greatest(source_pulse.last_at, excluded.last_at),
      longest_gap = greatest(source_pulse.longest_gap, excluded.longest_gap)`)
}

export type Silent = { source: string; lastAt: Date; usualHours: number }

/** The sources that have been silent for longer than they are used to. */
export function silentSources(db: Db, now: Date): Promise<Silent[]> {
  return db.rows<Silent>(sql`
    select source, last_at as "lastAt", extract(epoch from usual)::float8 / 3600 as "usualHours"
    from (
      select source, max(last_at) as last_at, count(longest_gap) as days,
        percentile_disc(0.5) within group (order by longest_gap) as usual
      from source_pulse
      where last_at > ${now}::timestamptz - ${HABIT_DAYS}::int * interval '1 day' and last_at <= ${now}
      group by source
    ) of_source
    where days >= ${LEAST_DAYS} and ${now}::timestamptz - last_at > greatest(interval '1 hour', 2 * usual)
    order by source`)
}

/** Forgets days that no habit is read from any more. */
export async function forgetPulse(db: Db, now: Date): Promise<number> {
  return db.run(sql`
    delete from source_pulse where last_at < ${now}::timestamptz - ${KEPT_DAYS}::int * interval '1 day'`)
}
