/** The purchases of one person after the other, out of columns, in objects that are used again. */
import type { LineColumns, PurchaseColumns, PurchaseField } from '../../events/events.ts'
import { compareUuids } from '../../platform/clickhouse/native.ts'
import { lineCents, type Purchase, type PurchaseLine } from './person-facts.ts'

type Held = { -readonly [Name in keyof Purchase]: Purchase[Name] }

/** Text fields that stand in a column of their own where they are needed. */
const textFields = ['store', 'seller', 'channel', 'side', 'campaign'] as const

const NOTHING: readonly never[] = []

export class PurchaseCursor {
  /** Those of the present person, ascending by (at, id). Whatever holds one of them sees it change. */
  readonly own: Purchase[] = []
  readonly #held: Held[] = []
  readonly #persons: ArrayLike<number>
  readonly #moments: ArrayLike<number>
  readonly #amounts: ArrayLike<number>
  readonly #ids: Uint32Array
  readonly #standing: Int32Array
  readonly #discounts: ArrayLike<number> | undefined
  readonly #coupons: ArrayLike<number> | undefined
  readonly #texts: readonly (readonly [(typeof textFields)[number], readonly string[]])[]
  readonly #lines: LineCursor | undefined
  #place = 0

  constructor(
    { columns, standing }: PurchaseColumns,
    lines: LineColumns | undefined,
    fields: readonly PurchaseField[],
  ) {
    const has = (field: PurchaseField): boolean => fields.includes(field)
    this.#persons = columns.numbers('person')
    this.#moments = columns.numbers('moment')
    this.#amounts = columns.numbers('amount')
    this.#ids = columns.words('id')
    this.#standing = standing
    this.#discounts = has('discount') ? columns.numbers('f_discount') : undefined
    this.#coupons = has('coupon') ? columns.numbers('f_coupon') : undefined
    this.#texts = textFields.filter(has).map((field) => [field, columns.texts(`f_${field}`)] as const)
    this.#lines = lines && new LineCursor(lines)
  }

  /** Persons ascend from call to call. */
  moveTo(person: number): void {
    const standing = this.#standing
    while (this.#place < standing.length && this.#personAt(this.#place) < person) this.#place += 1
    let count = 0
    for (; this.#place < standing.length && this.#personAt(this.#place) === person; this.#place += 1) {
      this.own[count] = this.#fill(count, standing[this.#place] ?? 0)
      count += 1
    }
    this.own.length = count
  }

  #personAt(place: number): number {
    return this.#persons[this.#standing[place] ?? 0] ?? 0
  }

  #fill(place: number, row: number): Held {
    const held = this.#held[place] ?? this.#another()
    held.at = this.#moments[row] ?? 0
    held.amount = this.#amounts[row] ?? 0
    if (this.#discounts) held.discount = this.#discounts[row] ?? 0
    if (this.#coupons) held.coupon = this.#coupons[row] === 1
    for (const [field, values] of this.#texts) held[field] = values[row] ?? ''
    if (this.#lines) {
      held.lines = this.#lines.of(this.#persons[row] ?? 0, held.at, this.#ids, row)
      held.quantity = held.lines.reduce((sum, line) => sum + line.quantity, 0)
    }
    return held
  }

  #another(): Held {
    const held: Held = {
      at: 0,
      id: '',
      amount: 0,
      discount: 0,
      quantity: 0,
      store: '',
      seller: '',
      channel: '',
      side: '',
      campaign: '',
      coupon: false,
      lines: NOTHING,
    }
    this.#held.push(held)
    return held
  }
}

/** The lines of one order after the other, in the order in which the purchases stand. */
class LineCursor {
  readonly #lines: LineColumns
  readonly #persons: ArrayLike<number>
  readonly #moments: ArrayLike<number>
  readonly #ids: Uint32Array
  readonly #numbers: Record<'milli' | 'unit' | 'less' | 'back', ArrayLike<number>>
  readonly #skus: readonly string[]
  readonly #kinds: readonly string[]
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
      sku: this.#skus[row] ?? '',
      category: this.#kinds[row] ?? '',
      quantity,
      amount: lineCents(quantity, unit[row] ?? 0) - (less[row] ?? 0) - (back[row] ?? 0),
      discount: less[row] ?? 0,
    }
  }
}
