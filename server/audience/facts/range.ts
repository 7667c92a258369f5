/**
 * Facts of a range of persons, read as columns: the same that `loadFacts` gives, in one object that shows one person
 * after the other, so that a recompute makes no object for any row.
 */
import {
  eventColumns,
  lastEventColumns,
  lineColumns,
  purchaseColumns,
  unsettledPersons,
} from '../../events/events.ts'
import type { ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { type FactNeeds, sinceOf } from '../rule/fact-needs.ts'
import type { ZoneDays } from '../rule/zone-days.ts'
import { EventCursor } from './event-cursor.ts'
import { interactionTypes, loadFacts } from './load.ts'
import type { Claim, PersonFacts } from './person-facts.ts'
import { PurchaseCursor } from './purchase-cursor.ts'
import { selectSnapshotsWithin } from './store.ts'
import {
  type PersonColumns,
  type PersonRange,
  selectClaimsWithin,
  selectPersonColumns,
} from './store-columns.ts'

export type RangeHow = { needs: FactNeeds; now: number; days: ZoneDays }

/**
 * Shows the live persons of the range to `visit`, in no order; answers how many there were. What is shown is valid
 * until `visit` returns. Persons whose rows a merge left elsewhere are read one by one.
 */
export async function visitRange(
  db: Database,
  clickhouse: ClickHouse,
  range: PersonRange,
  how: RangeHow,
  visit: (facts: PersonFacts) => void,
): Promise<number> {
  const unsettled = await unsettledPersons(db)
  const columns = await readColumns(db, clickhouse, range, how)
  let persons = showColumns(columns, unsettled, visit)
  const apart = [...unsettled].filter((id) => id >= range.from && id < range.before)
  for (let from = 0; from < apart.length; from += TOGETHER) {
    const some = await loadFacts(db, clickhouse, apart.slice(from, from + TOGETHER), how)
    for (const facts of some.values()) visit(facts)
    persons += some.size
  }
  return persons
}

const TOGETHER = 2000

type Columns = {
  persons: PersonColumns
  claims: Map<number, Claim[]>
  snapshots: ReadonlyMap<number, readonly number[]>
  purchases: PurchaseCursor
  events: EventCursor
  heard: { persons: ArrayLike<number>; moments: ArrayLike<number> }
}

async function readColumns(
  db: Database,
  clickhouse: ClickHouse,
  range: PersonRange,
  { needs, now, days }: RangeHow,
): Promise<Columns> {
  const pick = {
    types: needs.events,
    since: sinceOf(needs, now, days),
    fields: needs.event,
    texts: needs.texts,
    numbers: needs.numbers,
  }
  const [persons, claims, snapshots, purchases, lines, events, heard] = await Promise.all([
    selectPersonColumns(db, range, needs),
    selectClaimsWithin(db, range),
    selectSnapshotsWithin(db, range),
    purchaseColumns(clickhouse, range, needs.purchase),
    needs.lines ? lineColumns(clickhouse, range) : undefined,
    needs.events.size > 0 ? eventColumns(clickhouse, range, pick) : undefined,
    lastEventColumns(clickhouse, range, interactionTypes),
  ])
  return {
    persons,
    claims: Map.groupBy(
      claims.map((claim) => ({ ...claim, at: claim.at.getTime() })),
      ({ personId }) => personId,
    ),
    snapshots,
    purchases: new PurchaseCursor(purchases, lines, needs.purchase),
    events: new EventCursor(events, needs),
    heard: { persons: heard.numbers('person'), moments: heard.numbers('moment') },
  }
}

type Shown = { -readonly [Name in keyof PersonFacts]: PersonFacts[Name] }

function showColumns(
  { persons, claims, snapshots, purchases, events, heard }: Columns,
  without: ReadonlySet<number>,
  visit: (facts: PersonFacts) => void,
): number {
  const attributes = new AttributeRow(persons.attributes)
  const shown: Shown = {
    personId: 0,
    attributes,
    birthday: null,
    lunar: false,
    joinedAt: null,
    tags: [],
    claims: [],
    snapshots: NO_SNAPSHOTS,
    purchases: purchases.own,
    events: events.own,
    lastInteractionAt: null,
  }
  let [tag, hear, count] = [0, 0, 0]
  const tags: number[] = []
  for (let row = 0; row < persons.ids.length; row += 1) {
    const id = persons.ids[row] ?? 0
    if (without.has(id)) continue
    attributes.row = row
    const joinedAt = persons.joinedAt[row] ?? Number.NEGATIVE_INFINITY
    shown.personId = id
    shown.joinedAt = joinedAt === Number.NEGATIVE_INFINITY ? null : joinedAt
    shown.birthday = persons.birthdays[row] ?? null
    shown.lunar = persons.lunar[row] === 1
    tags.length = 0
    for (; tag < persons.tags.length && (persons.tags[tag] ?? 0) <= id; tag += 2) {
      if (persons.tags[tag] === id) tags.push(persons.tags[tag + 1] ?? 0)
    }
    shown.tags = tags
    shown.claims = claims.get(id) ?? NO_CLAIMS
    shown.snapshots = snapshots.get(id) ?? NO_SNAPSHOTS
    while (hear < heard.persons.length && (heard.persons[hear] ?? 0) < id) hear += 1
    shown.lastInteractionAt = heard.persons[hear] === id ? (heard.moments[hear] ?? null) : null
    purchases.moveTo(id)
    events.moveTo(id)
    visit(shown)
    count += 1
  }
  return count
}

const NO_CLAIMS: readonly Claim[] = []
const NO_SNAPSHOTS: readonly number[] = []

/** The attributes of one row of the columns, in the form in which `loadFacts` gives them. */
class AttributeRow {
  row = 0
  readonly #columns: ReadonlyMap<string, readonly unknown[]>

  constructor(columns: ReadonlyMap<string, readonly unknown[]>) {
    this.#columns = columns
  }

  get(name: string): string | undefined {
    const value = this.#columns.get(name)?.[this.row]
    if (typeof value === 'string') return value === '' ? undefined : value
    return value === null || value === undefined ? undefined : JSON.stringify(value)
  }
}
