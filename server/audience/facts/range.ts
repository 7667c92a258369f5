/**
 * Facts of many persons, a range of them or those named, read as columns: the same that `loadFacts` gives, a few persons at a
 * time in columns and objects that are used again, so that a recompute makes no object for any row.
 */
import {
  eventColumns,
  lastEventColumns,
  lineColumns,
  type PersonSet,
  purchaseColumns,
  unsettledPersons,
} from '../../events/events.ts'
import type { CallOptions, ClickHouse } from '../../platform/clickhouse/clickhouse.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { AT_ONCE } from '../rule/bench.ts'
import { type FactNeeds, sinceOf } from '../rule/fact-needs.ts'
import type { ZoneDays } from '../rule/zone-days.ts'
import { type ColumnTable, eventTable, purchaseTable } from './column-table.ts'
import { type Group, groupOf, type Person } from './history-table.ts'
import { interactionTypes, loadFacts } from './load.ts'
import type { Claim } from './person-facts.ts'
import { selectSnapshotsWithin } from './store.ts'
import { type PersonColumns, selectClaimsWithin, selectPersonColumns } from './store-columns.ts'

/** `call`: how ClickHouse is asked; as for work on everybody unless told. */
export type RangeHow = { needs: FactNeeds; now: number; days: ZoneDays; call?: CallOptions }

/**
 * Shows the live ones of the persons to `visit`, up to AT_ONCE at a time and in no order; answers how many there were.
 * What is shown is valid until `visit` returns. Persons whose rows a merge left elsewhere are read one by one.
 */
export async function visitRange(
  db: Database,
  clickhouse: ClickHouse,
  whom: PersonSet,
  how: RangeHow,
  visit: (group: Group) => void,
): Promise<number> {
  const { unsettled, columns } = await settledColumns(db, clickhouse, whom, how)
  let persons = showColumns(columns, unsettled, visit)
  const apart =
    'ids' in whom
      ? whom.ids.filter((id) => unsettled.has(id))
      : [...unsettled].filter((id) => id >= whom.from && id < whom.before)
  for (let from = 0; from < apart.length; from += AT_ONCE) {
    const some = await loadFacts(db, clickhouse, apart.slice(from, from + AT_ONCE), how)
    if (some.size > 0) visit(groupOf([...some.values()]))
    persons += some.size
  }
  return persons
}

const MAX_TRIES = 8

/** Of those named, rows that are being moved meanwhile are read again. */
async function settledColumns(
  db: Database,
  clickhouse: ClickHouse,
  whom: PersonSet,
  how: RangeHow,
): Promise<{ unsettled: ReadonlySet<number>; columns: Columns }> {
  const named = 'ids' in whom ? whom.ids : undefined
  let unsettled = await unsettledPersons(db, named)
  for (let attempt = 1; ; attempt += 1) {
    const columns = await readColumns(db, clickhouse, whom, how)
    if (!named) return { unsettled, columns }
    const after = await unsettledPersons(db, named)
    if (after.symmetricDifference(unsettled).size === 0) return { unsettled, columns }
    if (attempt === MAX_TRIES) throw new Error('the rows of merged persons kept moving while they were read')
    unsettled = after
  }
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
  whom: PersonSet,
  { needs, now, days, call }: RangeHow,
): Promise<Columns> {
  const wanted = { ...whom, call }
  const pick = {
    types: needs.events,
    since: sinceOf(needs, now, days),
    fields: needs.event,
    texts: needs.texts,
    numbers: needs.numbers,
  }
  const [persons, claims, snapshots, purchases, lines, events, heard] = await Promise.all([
    selectPersonColumns(db, whom, needs),
    selectClaimsWithin(db, whom),
    selectSnapshotsWithin(db, whom),
    needs.purchases ? purchaseColumns(clickhouse, wanted, needs.purchase) : undefined,
    needs.lines ? lineColumns(clickhouse, wanted) : undefined,
    needs.events.size > 0 ? eventColumns(clickhouse, wanted, pick) : undefined,
    needs.states ? lastEventColumns(clickhouse, wanted, interactionTypes) : undefined,
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
