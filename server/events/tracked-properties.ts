/** What some events of one person carry, as it came: for a page that shows it, never for rules. */
import type { EventType, TrackedProperties } from '../../contract/events.ts'
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import type { Db } from '../platform/postgres/database.ts'
import { unsettledHomes } from './profile-home.ts'

type Stores = { db: Db; clickhouse: ClickHouse }

/** By event id, those that have any; wherever merges left the rows. `ids`: at most some hundreds. */
export async function trackedProperties(
  stores: Stores,
  personId: number,
  ids: readonly string[],
): Promise<Map<string, TrackedProperties>> {
  const found = new Map<string, TrackedProperties>()
  for (const [id, data] of await dataOf(stores, personId, ids, ['tracked', 'page_viewed'])) {
    const { properties } = data as { properties?: TrackedProperties }
    if (properties && Object.keys(properties).length > 0) found.set(id, properties)
  }
  return found
}

/** Segments that a person entered and left, by the id of the event that tells of all of them; as above. */
export async function changedSegments(
  stores: Stores,
  personId: number,
  ids: readonly string[],
): Promise<Map<string, { entered: number[]; left: number[] }>> {
  const found = await dataOf(stores, personId, ids, ['segments_changed'])
  return found as Map<string, { entered: number[]; left: number[] }>
}

async function dataOf(
  { db, clickhouse }: Stores,
  personId: number,
  ids: readonly string[],
  types: readonly EventType[],
): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  if (ids.length === 0) return found
  const homes = await unsettledHomes(db, [personId])
  const keys = [...new Set([personId, ...homes.map((home) => home.storedPersonId)])]
  const query = `select id, data from events
    where person_id in {keys:Array(Int32)} and id in {ids:Array(UUID)} and type in {types:Array(String)}`
  const params = { keys, ids: [...ids], types: [...types] }
  for await (const rows of clickhouse.stream<[string, string]>(query, params, { lane: 'page' }))
    for (const [id, data] of rows) found.set(id, JSON.parse(data))
  return found
}
