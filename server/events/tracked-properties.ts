/** The properties of some events of one person, as they came: for a page that shows them, never for rules. */
import type { TrackedProperties } from '../../contract/events.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import type { Db } from '../platform/postgres/database.ts'
import { unsettledHomes } from './profile-home.ts'

/** By event id, those that have any; wherever merges left the rows. `ids`: at most some hundreds. */
export async function trackedProperties(
  { db, clickhouse }: { db: Db; clickhouse: ClickHouse },
  personId: number,
  ids: readonly string[],
): Promise<Map<string, TrackedProperties>> {
  if (ids.length === 0) return new Map()
  const homes = await unsettledHomes(db, [personId])
  const keys = [...new Set([personId, ...homes.map((home) => home.storedPersonId)])]
  const found = new Map<string, TrackedProperties>()
  const query = `select id, data from events
    where person_id in {keys:Array(Int32)} and id in {ids:Array(UUID)} and type in ('tracked', 'page_viewed')`
  for await (const rows of clickhouse.stream<[string, string]>(
    query,
    { keys, ids: [...ids] },
    { lane: 'page' },
  )) {
    for (const [id, data] of rows) {
      const { properties } = JSON.parse(data) as { properties?: TrackedProperties }
      if (properties && Object.keys(properties).length > 0) found.set(id, properties)
    }
  }
  return found
}
