/** How two segments lie over one another. */
import type { Db } from '../../platform/postgres/database.ts'
import { type Sql, sql } from '../../platform/postgres/sql.ts'
import { inSegment } from './segment.ts'

export type Overlap = {
  onlyFirst: number
  both: number
  onlySecond: number
  /** Everybody who could be in either: live persons that the viewer may see. */
  of: number
}

/**
 * Counts of persons whom `visible` (a condition over `person`; undefined for everybody) lets through. Two segments that
 * are followed are counted in one pass over the stored answers. Errors: as `inSegment`.
 */
export async function segmentOverlap(
  db: Db,
  [first, second]: readonly [number, number],
  visible: Sql | undefined,
): Promise<Overlap> {
  const [a, b] = [await inSegment(db, first), await inSegment(db, second)]
  const seen = visible ?? sql`person.state = 'live'`
  const { of } = await db.row<{ of: number }>(sql`select count(*)::int as of from person where ${seen}`)
  if (visible === undefined && a.followed && b.followed) {
    const counts = await db.row<Omit<Overlap, 'of'>>(sql`
      select count(*) filter (where first and not second)::int as "onlyFirst",
        count(*) filter (where first and second)::int as both, count(*) filter (where second and not first)::int as "onlySecond"
      from (select segments @> array[${first}::int] as first, segments @> array[${second}::int] as second
        from person_segment where segments && array[${first}::int, ${second}::int]) either`)
    return { ...counts, of }
  }
  const counts = await db.row<Omit<Overlap, 'of'>>(sql`
    select count(*) filter (where first and not second)::int as "onlyFirst",
      count(*) filter (where first and second)::int as both, count(*) filter (where second and not first)::int as "onlySecond"
    from (select ${a.condition} as first, ${b.condition} as second from person where ${seen}) either`)
  return { ...counts, of }
}
