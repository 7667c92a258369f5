/** The lines of one order after the other, in the order in which the purchases stand. */
import type { LineColumns } from '../../events/events.ts'
import { compareUuids } from '../../platform/clickhouse/native.ts'
import type { TextColumn } from './history-table.ts'
import { lineCents, type PurchaseLine } from './person-facts.ts'

export class LineCursor {
  readonly #lines: LineColumns
  readonly #persons: ArrayLike<number>
  readonly #moments: ArrayLike<number>
  readonly #ids: Uint32Array
  readonly #numbers: Record<'milli' | 'unit' | 'less' | 'back', ArrayLike<number>>
  readonly #skus: TextColumn
  readonly #kinds: TextColumn
  #place = 0

  constructor(lines: LineColumns) {
    const { columns } = lines
    this.#lines = lines
    this.#persons = columns.numbers('person')
    this.#moments = columns.numbers('moment')
    this.#ids = columns.words('id')
    this.#numbers = {
      milli: columns.numbers('milli'),
      unit: columns.numbers('unit'),
      less: columns.numbers('less'),
      back: columns.numbers('back'),
    }
    this.#skus = columns.texts('sku')
    this.#kinds = columns.texts('kind')
  }

  /** Those of the order that stands in `row` of the ids. Lines of orders that are no purchases are passed over. */
  of(person: number, at: number, ids: Uint32Array, row: number): readonly PurchaseLine[] {
    const found: PurchaseLine[] = []
    const { standing } = this.#lines
    const isBefore = (line: number): boolean =>
      (this.#persons[line] ?? 0) < person ||
      (this.#persons[line] === person && (this.#moments[line] ?? 0) < at)
    while (this.#place < standing.length && isBefore(standing[this.#place] ?? 0)) this.#place += 1
    // Of one instant there may be several orders.
    for (let place = this.#place; place < standing.length; place += 1) {
      const line = standing[place] ?? 0
      if (this.#persons[line] !== person || this.#moments[line] !== at) break
      if (compareUuids(this.#ids, line, ids, row) === 0) found.push(this.#lineAt(line))
    }
    return found
  }

  #lineAt(row: number): PurchaseLine {
    const { milli, unit, less, back } = this.#numbers
    const quantity = milli[row] ?? 0
    return {
      sku: this.#skus.keys[this.#skus.codes[row] ?? 0] ?? '',
      category: this.#kinds.keys[this.#kinds.codes[row] ?? 0] ?? '',
      quantity,
      amount: lineCents(quantity, unit[row] ?? 0) - (less[row] ?? 0) - (back[row] ?? 0),
      discount: less[row] ?? 0,
    }
  }
}
