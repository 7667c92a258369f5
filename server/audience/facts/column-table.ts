/**
 * Purchases or events of a range as they were read, of which a few persons are shown at a time: a table for a group.
 * Persons ascend, in a group and from group to group. A column is put in order when it is asked for first.
 */
import type { EventColumns, LineColumns, PurchaseColumns, PurchaseField } from '../../events/events.ts'
import { AT_ONCE } from '../rule/bench.ts'
import type { FactNeeds } from '../rule/fact-needs.ts'
import { type HistoryTable, property, type TextColumn } from './history-table.ts'
import { LineCursor } from './line-cursor.ts'
import type { PurchaseLine } from './person-facts.ts'

const textFields = ['store', 'seller', 'channel', 'side', 'campaign'] as const satisfies PurchaseField[]
const numberFields = ['discount', 'coupon'] as const satisfies PurchaseField[]

/** `quantity` and lines are there where lines were read. Without columns nobody has any. */
export function purchaseTable(
  found: PurchaseColumns | undefined,
  lines: LineColumns | undefined,
  fields: readonly PurchaseField[],
): ColumnTable {
  if (!found) return noRows(0)
  const { columns, standing } = found
  const has = (field: PurchaseField): boolean => fields.includes(field)
  const ids = columns.words('id')
  const persons = columns.numbers('person')
  const moments = columns.numbers('moment')
  const cursor = lines && new LineCursor(lines)
  return new ColumnTable({
    standing,
    persons,
    moments,
    texts: new Map(textFields.filter(has).map((field) => [field, columns.texts(`f_${field}`)])),
    numbers: new Map([
      ['amount', columns.numbers('amount')],
      ...numberFields.filter(has).map((field) => [field, columns.numbers(`f_${field}`)] as const),
    ]),
    unknown: 0,
    linesOf: (row) => cursor?.of(persons[row] ?? 0, moments[row] ?? 0, ids, row) ?? NO_LINES,
  })
}

/** Without columns nobody has any. */
export function eventTable(
  found: EventColumns | undefined,
  { event, texts, numbers }: FactNeeds,
): ColumnTable {
  if (!found) return noRows(Number.NaN)
  const { columns, standing } = found
  const told: [string, TextColumn][] = [
    ['type', columns.texts('what')],
    ['detail', columns.texts('told')],
    ...event.map((field): [string, TextColumn] => [field, columns.texts(`f_${field}`)]),
    ...texts.map((name, place): [string, TextColumn] => [property(name), columns.texts(`t${place}`)]),
  ]
  const counted = numbers.map((name, place) => [property(name), columns.numbers(`n${place}`)] as const)
  return new ColumnTable({
    standing,
    persons: columns.numbers('person'),
    moments: columns.numbers('moment'),
    texts: new Map(told),
    numbers: new Map(counted),
    unknown: Number.NaN,
    linesOf: () => NO_LINES,
  })
}

function noRows(unknown: number): ColumnTable {
  return new ColumnTable({
    standing: new Int32Array(0),
    persons: [],
    moments: [],
    texts: new Map(),
    numbers: new Map(),
    unknown,
    linesOf: () => NO_LINES,
  })
}

const NO_LINES: readonly PurchaseLine[] = []
const NO_TEXT = ['']

type Source = {
  /** Places of rows, ascending by person, time and id. */
  readonly standing: Int32Array
  readonly persons: ArrayLike<number>
  readonly moments: ArrayLike<number>
  readonly texts: ReadonlyMap<string, TextColumn>
  readonly numbers: ReadonlyMap<string, ArrayLike<number>>
  /** Stands for a number that was not read. */
  readonly unknown: number
  /** Rows ascend from call to call. */
  linesOf(row: number): readonly PurchaseLine[]
}

type Kept<T> = { readonly column: T; shown: number }

export class ColumnTable implements HistoryTable {
  rows = 0
  readonly starts = new Int32Array(AT_ONCE + 1)
  at = new Float64Array(0)
  readonly #source: Source
  #place = 0
  #persons = 0
  /** Where each row of the group stands among all that were read. */
  #places = new Int32Array(1 << 12)
  /** How many groups have been shown. */
  #shown = 0
  readonly #texts = new Map<string, Kept<TextColumn>>()
  readonly #numbers = new Map<string, Kept<Float64Array>>()
  #lines: (readonly PurchaseLine[])[] | undefined

  constructor(source: Source) {
    this.#source = source
  }

  /** Whoever was shown so far is not looked at any more. */
  clear(): void {
    this.rows = 0
    this.#persons = 0
    this.#lines = undefined
    this.#shown += 1
  }

  /** One person more, who comes after those before. */
  add(person: number): void {
    const { standing, persons } = this.#source
    const at = (place: number): number => persons[standing[place] ?? 0] ?? 0
    while (this.#place < standing.length && at(this.#place) < person) this.#place += 1
    for (; this.#place < standing.length && at(this.#place) === person; this.#place += 1) {
      if (this.rows === this.#places.length) this.#places = doubled(this.#places)
      this.#places[this.rows] = standing[this.#place] ?? 0
      this.rows += 1
    }
    this.#persons += 1
    this.starts[this.#persons] = this.rows
  }

  /** Everybody is there. */
  close(): void {
    if (this.at.length < this.rows) this.at = new Float64Array(this.#places.length)
    this.#gather(this.#source.moments, this.at)
  }

  text(name: string): TextColumn {
    const kept = this.#texts.get(name)
    if (kept?.shown === this.#shown) return kept.column
    let codes = kept?.column.codes
    if (codes === undefined || codes.length < this.rows) codes = new Int32Array(this.#places.length)
    const from = this.#source.texts.get(name)
    if (from)
      for (let row = 0; row < this.rows; row += 1) codes[row] = from.codes[this.#places[row] ?? 0] ?? 0
    const column = { keys: from?.keys ?? NO_TEXT, codes }
    this.#texts.set(name, { column, shown: this.#shown })
    return column
  }

  number(name: string): Float64Array {
    const kept = this.#numbers.get(name)
    if (kept?.shown === this.#shown) return kept.column
    let values = kept?.column
    if (values === undefined || values.length < this.rows) values = new Float64Array(this.#places.length)
    const from = this.#source.numbers.get(name)
    if (from) this.#gather(from, values)
    else if (name === 'quantity') this.#addQuantities(values)
    else values.fill(this.#source.unknown)
    this.#numbers.set(name, { column: values, shown: this.#shown })
    return values
  }

  lines(row: number): readonly PurchaseLine[] {
    this.#lines ??= Array.from({ length: this.rows }, (_, nth) =>
      this.#source.linesOf(this.#places[nth] ?? 0),
    )
    return this.#lines[row] ?? NO_LINES
  }

  #addQuantities(values: Float64Array): void {
    for (let row = 0; row < this.rows; row += 1)
      values[row] = this.lines(row).reduce((sum, { quantity }) => sum + quantity, 0)
  }

  #gather(from: ArrayLike<number>, into: Float64Array): void {
    for (let row = 0; row < this.rows; row += 1) into[row] = from[this.#places[row] ?? 0] ?? 0
  }
}

function doubled(full: Int32Array): Int32Array<ArrayBuffer> {
  const next = new Int32Array(full.length * 2)
  next.set(full)
  return next
}
