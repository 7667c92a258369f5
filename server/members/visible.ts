/** Who may see whom, as part of the query, so that no page can forget it. */
import type { Viewer } from '../org/org.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'

/**
 * A condition on a row of `person`. Headquarters see everybody; a store's staff those whose home store is theirs (for
 * a regional manager, of the region) or whom they follow themselves. Only live persons are seen by anybody.
 */
export function visibleTo(viewer: Pick<Viewer, 'all' | 'staffId' | 'storeIds'>): Sql {
  if (viewer.all) return sql`person.state = 'live'`
  return sql`(person.state = 'live' and (person.home_store_id = any(${viewer.storeIds}::uuid[]) or person.id in (
    select p.person_id from relation r join profile p on p.id = r.profile_id
    where r.staff_id = ${viewer.staffId}::uuid and r.standing)))`
}
