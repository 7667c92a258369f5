/**
 * RFM cut points of the whole base: published once a day, by default at 04:00 of the brand's zone.
 *
 * A version stands for ever; scores are against the latest. Publishing cuts that are others than before re-evaluates
 * everybody, with the cause `definition`: a person who did nothing can get another score.
 */
import { type CutPoints, cutsFrom } from '../../../contract/rfm.ts'
import { append } from '../../events/events.ts'
import { idOf } from '../../platform/ids.ts'
import { fence, type LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database, Db } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { atLocalTime, type Day, dayOf, type Zone } from '../../platform/time/zone.ts'
import { changeDefinitions } from '../definitions.ts'

export const PUBLISH_AT = '04:00'

export type PublishedCuts = {
  version: number
  asOf: Day
  publishedAt: Date
  persons: number
  cuts: CutPoints
}

/** The latest version; undefined before the first. */
export async function presentCuts(db: Db): Promise<PublishedCuts | undefined> {
  return db.maybe<PublishedCuts>(sql`
    select version, as_of::text as "asOf", published_at as "publishedAt", persons, cuts
    from cut_points where name = 'rfm' order by version desc limit 1`)
}

/** Publishes when it is time, or at once with `always`. Undefined when it was not, or nobody has bought yet. */
export async function publishCutPoints(
  db: Database,
  { token, now, zone, always = false }: { token: LeaseToken; now: Date; zone: Zone; always?: boolean },
): Promise<PublishedCuts | undefined> {
  const today = dayOf(zone, now)
  const before = await presentCuts(db)
  if (!always && (before?.asOf === today || (before && now < atLocalTime(zone, today, PUBLISH_AT))))
    return undefined
  const values = await selectValues(db, today, zone)
  if (values.persons === 0) return undefined
  const cuts: CutPoints = {
    r: cutsFrom(values.r, 'r'),
    f: cutsFrom(values.f, 'f'),
    m: cutsFrom(values.m, 'm'),
  }
  return db.transaction(async (tx) => {
    await fence(tx, token)
    const changed = JSON.stringify(cuts) !== JSON.stringify(before?.cuts)
    const reading = changed ? await changeDefinitions(tx) : null
    const published = await tx.row<PublishedCuts>(sql`
      insert into cut_points (name, version, reading, as_of, published_at, persons, cuts)
      select 'rfm', coalesce(max(version), 0) + 1, coalesce(${reading}::bigint, max(reading), 0), ${today}::date, ${now}, ${values.persons}, ${JSON.stringify(cuts)}::jsonb
      from cut_points where name = 'rfm'
      returning version, as_of::text as "asOf", published_at as "publishedAt", persons, cuts`)
    const event = {
      id: idOf('cut_points_published', 'rfm', published.version),
      type: 'cut_points_published' as const,
      profileId: null,
      personId: null,
      at: now,
      data: { name: 'rfm', version: published.version },
    }
    await append(tx, [event], { lane: 'live', source: 'audience', receivedAt: now })
    return published
  })
}

/** The two neighbours of each quantile are all that its value needs; PostgreSQL's percentile_cont is the same type 7. */
async function selectValues(
  db: Db,
  today: Day,
  zone: Zone,
): Promise<{ persons: number; r: number[]; f: number[]; m: number[] }> {
  const shares = sql`array[0.2, 0.4, 0.6, 0.8]`
  const row = await db.row<{ persons: number } & Record<'r' | 'f' | 'm', number[] | null>>(sql`
    select count(*)::int as persons,
      percentile_cont(${shares}) within group (order by ${today}::date - (last_purchase_at at time zone ${zone})::date) as r,
      percentile_cont(${shares}) within group (order by purchases) as f,
      percentile_cont(${shares}) within group (order by spent_cents) as m
    from person_state s join person p on p.id = s.person_id and p.state = 'live' where purchases > 0`)
  return { persons: row.persons, r: row.r ?? [], f: row.f ?? [], m: row.m ?? [] }
}
