/** Facts of a range of persons, in flat memory: orders are streamed in order of person, events are held for few at once. */
import {
  type EventRow,
  type PersonOrders,
  placement,
  rangeEvents,
  streamOrders,
  unsettledPersons,
} from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Db } from '../../platform/postgres/database.ts'
import type { FactNeeds } from '../rule/fact-needs.ts'
import { interactionTypes, loadFacts, loadPersons, pickOf, purchasesOf } from './load.ts'
import type { PersonFacts } from './person-facts.ts'

/** So many persons' events are held in memory. */
const WITH_EVENTS = 2000

/**
 * Facts of `ids`, ascending. Persons whose rows a merge left elsewhere, and rules about lines, are read person by
 * person; of events only the types, details and properties that rules ask for.
 */
export async function* rangeFacts(
  db: Db,
  clickhouse: ClickHouse,
  ids: readonly number[],
  needs: FactNeeds,
): AsyncGenerator<PersonFacts> {
  const unsettled = await unsettledPersons(db)
  const apart = needs.lines ? [...ids] : ids.filter((id) => unsettled.has(id))
  for (let from = 0; from < apart.length; from += WITH_EVENTS) {
    yield* (await loadFacts(db, clickhouse, apart.slice(from, from + WITH_EVENTS), needs)).values()
  }
  if (needs.lines) return
  const settled = ids.filter((id) => !unsettled.has(id))
  const size = needs.events.size > 0 ? WITH_EVENTS : ids.length
  for (let from = 0; from < settled.length; from += size) {
    yield* settledFacts(db, clickhouse, settled.slice(from, from + size), { needs, unsettled })
  }
}

async function* settledFacts(
  db: Db,
  clickhouse: ClickHouse,
  ids: readonly number[],
  { needs, unsettled }: { needs: FactNeeds; unsettled: ReadonlySet<number> },
): AsyncGenerator<PersonFacts> {
  const range = { from: ids[0] ?? 0, before: (ids.at(-1) ?? 0) + 1, without: unsettled }
  const [persons, heard] = await Promise.all([
    loadPersons(db, ids),
    lastInteractions(db, clickhouse, range.from, range.before),
  ])
  const happened: ReadonlyMap<number, EventRow[]> =
    needs.events.size > 0 ? await rangeEvents(clickhouse, range, pickOf(needs)) : new Map()
  const complete = (person: number, orders: PersonOrders['orders']): PersonFacts | undefined => {
    const own = persons.get(person)
    persons.delete(person)
    return (
      own && {
        ...own,
        purchases: purchasesOf(orders),
        events: happened.get(person) ?? [],
        lastInteractionAt: heard.get(person) ?? null,
      }
    )
  }
  for await (const batch of streamOrders(clickhouse, range)) {
    for (const { personId, orders } of batch) {
      const facts = complete(personId, orders)
      if (facts) yield facts
    }
  }
  for (const person of [...persons.keys()]) {
    const facts = complete(person, [])
    if (facts) yield facts
  }
}

async function lastInteractions(
  db: Db,
  clickhouse: ClickHouse,
  from: number,
  before: number,
): Promise<Map<number, number>> {
  const { person, counts, params } = await placement(db)
  const found = new Map<number, number>()
  const query = `select ${person} as present, toUnixTimestamp64Milli(max(events.at)) from events
    where person_id >= {from:Int32} and person_id < {before:Int32} and type in {types:Array(String)} and ${counts}
    group by present`
  const bound = { from, before, types: interactionTypes, ...params }
  for await (const rows of clickhouse.stream<[number, number | string]>(query, bound)) {
    for (const [id, at] of rows) found.set(id, Number(at))
  }
  return found
}
