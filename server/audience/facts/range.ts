/**
 * Facts of a range of persons, read as columns: the same that `loadFacts` gives, a few persons at a
 * time in columns and objects that are used again, so that a recompute makes no object for any row.
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
import { AT_ONCE } from '../rule/bench.ts'
import { type FactNeeds, sinceOf } from '../rule/fact-needs.ts'
import type { ZoneDays } from '../rule/zone-days.ts'
import { type ColumnTable, eventTable, purchaseTable } from './column-table.ts'
import { type Group, groupOf, type Person } from './history-table.ts'
import { interactionTypes, loadFacts } from './load.ts'
import type { Claim } from './person-facts.ts'
import { selectSnapshotsWithin } from './store.ts'
import {
  type PersonColumns,
  type PersonRange,
  selectClaimsWithin,
  selectPersonColumns,
} from './store-columns.ts'

export type RangeHow = { needs: FactNeeds; now: number; days: ZoneDays }

/**
 * Shows the live persons of the range to `visit`, up to AT_ONCE at a time and in no order; answers how many there were.
 * What is shown is valid until `visit` returns. Persons whose rows a merge left elsewhere are read one by one.
 */
export async function visitRange(
  db: Database,
  clickhouse: ClickHouse,
  range: PersonRange,
  how: RangeHow,
  visit: (group: Group) => void,
): Promise<number> {
  const unsettled = await unsettledPersons(db)
  const columns = await readColumns(db, clickhouse, range, how)
  let persons = showColumns(columns, unsettled, visit)
  const apart = [...unsettled].filter((id) => id >= range.from && id < range.before)
  for (let from = 0; from < apart.length; from += AT_ONCE) {
    const some = await loadFacts(db, clickhouse, apart.slice(from, from + AT_ONCE), how)
    if (some.size > 0) visit(groupOf([...some.values()]))
    persons += some.size
  }
  return persons
}

type Columns = {
  persons: PersonColumns
  claims: Map<number, Claim[]>
  snapshots: ReadonlyMap<number, readonly number[]>
  purchases: ColumnTable
  events: ColumnTable
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
    needs.purchases ? purchaseColumns(clickhouse, range, needs.purchase) : undefined,
    needs.lines ? lineColumns(clickhouse, range) : undefined,
    needs.events.size > 0 ? eventColumns(clickhouse, range, pick) : undefined,
    needs.states ? lastEventColumns(clickhouse, range, interactionTypes) : undefined,
  ])
  return {
    persons,
    claims: Map.groupBy(
      claims.map((claim) => ({ ...claim, at: claim.at.getTime() })),
      ({ personId }) => personId,
    ),
    snapshots,
    purchases: purchaseTable(purchases, lines, needs.purchase),
    events: eventTable(events, needs),
    heard: { persons: heard?.numbers('person') ?? [], moments: heard?.numbers('moment') ?? [] },
  }
}

type Shown = { -readonly [Name in keyof Person]: Person[Name] } & {
  readonly attributes: AttributeRow
  readonly tags: number[]
}

function showColumns(
  { persons, claims, snapshots, purchases, events, heard }: Columns,
  without: ReadonlySet<number>,
  visit: (group: Group) => void,
): number {
  const all: Shown[] = []
  let shown: Shown[] = []
  let [tag, hear, count] = [0, 0, 0]
  const tell = (): void => {
    purchases.close()
    events.close()
    if (shown.length > 0) visit({ persons: shown, purchases, events })
    count += shown.length
    shown = []
    purchases.clear()
    events.clear()
  }
  for (let row = 0; row < persons.ids.length; row += 1) {
    const id = persons.ids[row] ?? 0
    if (without.has(id)) continue
    if (shown.length === AT_ONCE) tell()
    const one = all[shown.length] ?? another(persons)
    all[shown.length] = one
    shown.push(one)
    one.attributes.row = row
    const joinedAt = persons.joinedAt[row] ?? Number.NEGATIVE_INFINITY
    one.personId = id
    one.joinedAt = joinedAt === Number.NEGATIVE_INFINITY ? null : joinedAt
    one.birthday = persons.birthdays[row] ?? null
    one.lunar = persons.lunar[row] === 1
    one.tags.length = 0
    for (; tag < persons.tags.length && (persons.tags[tag] ?? 0) <= id; tag += 2) {
      if (persons.tags[tag] === id) one.tags.push(persons.tags[tag + 1] ?? 0)
    }
    one.claims = claims.get(id) ?? NO_CLAIMS
    one.snapshots = snapshots.get(id) ?? NO_SNAPSHOTS
    while (hear < heard.persons.length && (heard.persons[hear] ?? 0) < id) hear += 1
    one.lastInteractionAt = heard.persons[hear] === id ? (heard.moments[hear] ?? null) : null
    purchases.add(id)
    events.add(id)
  }
  tell()
  return count
}

function another(persons: PersonColumns): Shown {
  return {
    personId: 0,
    attributes: new AttributeRow(persons.attributes),
    birthday: null,
    lunar: false,
    joinedAt: null,
    tags: [],
    claims: NO_CLAIMS,
    snapshots: NO_SNAPSHOTS,
    lastInteractionAt: null,
  }
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
