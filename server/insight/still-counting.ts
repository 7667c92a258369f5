/**
 * Whether figures about persons are still coming: what the log says of many persons was not evaluated yet, as in the first minute
 * of a new base or while an import ends. Asked by every open page, so it looks at some thousands of rows and no further.
 */
import type { StillCounting } from '../../contract/insight.ts'
import { countBehind } from '../events/events.ts'
import type { Db } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'

/** Counted up to here. */
const MOST = 10_000
/** What a stream of events always has waiting is no reason to warn: a hundredth of the base, within these bounds. */
const LEAST_MANY = 20
const MOST_MANY = 5000

export async function stillCounting(db: Db): Promise<StillCounting> {
  const unread = await countBehind(db, 'evaluate', MOST)
  const { noted, base, wanted, done, total } = await db.row<Standing>(sql`
    select
      (select count(*)::int from (select from evaluation_due limit ${MOST}) due) as noted,
      (select greatest(reltuples, 0)::int from pg_class where oid = 'person'::regclass) as base,
      greatest(c.wanted, c.running) > c.done as wanted, case when c.running > c.done then c.persons else 0 end as done, c.total
    from recompute c where c.id = 1`)
  const persons = Math.min(MOST, Math.max(noted, unread))
  const many = Math.min(MOST_MANY, Math.max(LEAST_MANY, base / 100))
  return {
    persons: persons > many ? persons : 0,
    orMore: persons >= MOST,
    everybody: wanted ? { done, of: total > 0 ? Math.max(done, total) : null } : null,
  }
}

type Standing = {
  noted: number
  base: number
  wanted: boolean
  done: number
  total: number
}
