/**
 * Purchases or events of persons who are looked at together, column by column: what conditions go through.
 *
 * Always true: the rows of a person stand together, ascending by (at, id), persons in the order in which they are given.
 * A column is made when it is asked for first.
 */
import type { PersonEvent, PersonFacts, Purchase, PurchaseLine } from './person-facts.ts'

/** Of each row the place of its text among the keys; keys may be there that no row has. */
export type TextColumn = { readonly keys: readonly string[]; readonly codes: Int32Array }

/** Texts and numbers by name; a property of an event has a colon before its name. */
export type HistoryTable = {
  readonly rows: number
  /** Where the rows of each person begin, and where those of the last one end. */
  readonly starts: Int32Array
  /** ms since 1970. */
  readonly at: Float64Array
  /** '' where nothing is known. */
  text(name: string): TextColumn
  /** Not a number where nothing is known. */
  number(name: string): Float64Array
  /** Lines of the purchase in that row. */
  lines(row: number): readonly PurchaseLine[]
}

/** The people of a group without their history, which stands beside them by the same places. */
export type Person = Omit<PersonFacts, 'purchases' | 'events'>
export type Group = {
  readonly persons: readonly Person[]
  readonly purchases: HistoryTable
  readonly events: HistoryTable
}

export const property = (name: string): string => `:${name}`

/** Out of facts as `loadFacts` gives them. */
export function groupOf(facts: readonly PersonFacts[]): Group {
  return {
    persons: facts,
    purchases: new RowTable(
      facts.map(({ purchases }) => purchases),
      purchaseReaders,
    ),
    events: new RowTable(
      facts.map(({ events }) => events),
      eventReaders,
    ),
  }
}

type Readers<Row> = {
  text(name: string): (row: Row) => string
  number(name: string): (row: Row) => number
  lines(row: Row): readonly PurchaseLine[]
}

type PurchaseText = 'store' | 'seller' | 'channel' | 'side' | 'campaign'
type PurchaseNumber = 'amount' | 'discount' | 'quantity'
const purchaseReaders: Readers<Purchase> = {
  text: (name) => (row) => row[name as PurchaseText],
  number: (name) =>
    name === 'coupon' ? ({ coupon }) => (coupon ? 1 : 0) : (row) => row[name as PurchaseNumber],
  lines: ({ lines }) => lines,
}

type EventText = 'type' | 'detail' | 'channel' | 'store' | 'subject'
const eventReaders: Readers<PersonEvent> = {
  text(name) {
    const told = name.slice(1)
    return name.startsWith(':') ? ({ texts }) => texts[told] ?? '' : (row) => row[name as EventText]
  },
  number(name) {
    const told = name.slice(1)
    return ({ numbers }) => numbers[told] ?? Number.NaN
  },
  lines: () => NO_LINES,
}
const NO_LINES: readonly PurchaseLine[] = []

/** Columns out of objects. */
class RowTable<Row extends { readonly at: number }> implements HistoryTable {
  readonly rows: number
  readonly starts: Int32Array
  readonly at: Float64Array
  readonly #all: readonly Row[]
  readonly #readers: Readers<Row>
  readonly #texts = new Map<string, TextColumn>()
  readonly #numbers = new Map<string, Float64Array>()

  constructor(persons: readonly (readonly Row[])[], readers: Readers<Row>) {
    this.#all = persons.length === 1 ? (persons[0] ?? []) : persons.flat()
    this.#readers = readers
    this.rows = this.#all.length
    this.starts = new Int32Array(persons.length + 1)
    for (const [place, own] of persons.entries())
      this.starts[place + 1] = (this.starts[place] ?? 0) + own.length
    this.at = Float64Array.from(this.#all, ({ at }) => at)
  }

  text(name: string): TextColumn {
    const known = this.#texts.get(name)
    if (known) return known
    const column = coded(this.#all.map(this.#readers.text(name)))
    this.#texts.set(name, column)
    return column
  }

  number(name: string): Float64Array {
    const known = this.#numbers.get(name)
    if (known) return known
    const column = Float64Array.from(this.#all, this.#readers.number(name))
    this.#numbers.set(name, column)
    return column
  }

  lines(row: number): readonly PurchaseLine[] {
    const found = this.#all[row]
    return found === undefined ? NO_LINES : this.#readers.lines(found)
  }
}

/** The texts as places among those that are there. */
function coded(texts: readonly string[]): TextColumn {
  const places = new Map<string, number>()
  const keys: string[] = []
  const codes = new Int32Array(texts.length)
  for (const [row, text] of texts.entries()) {
    let place = places.get(text)
    if (place === undefined) {
      place = keys.push(text) - 1
      places.set(text, place)
    }
    codes[row] = place
  }
  return { keys, codes }
}
