/** Where the fields of a mapping stand in the rows of a file, and how faults of a row are collected. */
import type { DateOrder, Mapping } from '../../../contract/import.ts'
import type { Zone } from '../../platform/time/zone.ts'
import type { Cell, Row, RowProblem } from './row.ts'
import { ownText, shorten } from './row.ts'
import { Fault, showCell } from './values.ts'

export type ReadHow = { zone: Zone; latest: Date }

export class Columns {
  readonly #headings: readonly string[]
  readonly #fieldOf: ReadonlyMap<string, { heading: string; order: DateOrder }>
  readonly #places = new Map<string, number>()
  readonly #how: ReadHow
  readonly #memos = new Map<string, Memo>()
  #known = -1
  #cells: readonly Cell[] = []
  #faults: RowProblem[] = []

  /** `headings` may grow while the file is read. */
  constructor(headings: readonly string[], mapping: Mapping, how: ReadHow) {
    this.#headings = headings
    this.#how = how
    this.#fieldOf = new Map(
      mapping.columns.flatMap(({ field, heading, dateOrder }) =>
        field === null ? [] : [[field, { heading, order: dateOrder ?? 'ymd' }] as const],
      ),
    )
  }

  has(field: string): boolean {
    return this.#fieldOf.has(field)
  }

  /** `attribute:<name>` fields of the mapping. */
  attributes(): string[] {
    return [...this.#fieldOf.keys()].filter((field) => field.startsWith('attribute:'))
  }

  /** From here on `get` reads this row. */
  enter(row: Row): void {
    this.#cells = row.cells
    this.#faults = []
    if (this.#known !== this.#headings.length) {
      this.#known = this.#headings.length
      for (const [field, { heading }] of this.#fieldOf) {
        const place = this.#headings.indexOf(heading)
        if (place !== -1) this.#places.set(field, place)
      }
    }
  }

  /** The value of a field in the row, by one of the readers of `values.ts`; null where it is empty, absent or at fault. */
  get<T>(field: string, read: (cell: Cell | undefined) => T | Fault): Exclude<T, Fault> | null {
    const place = this.#places.get(field)
    if (place === undefined) return null
    const cell = this.#cells[place]
    if (cell === undefined || cell === null || cell === '') return null
    const memo = this.#memoOf(field)
    const known = memo.get(cell)
    if (known !== undefined) return known as Exclude<T, Fault> | null
    const value = read(cell)
    if (!(value instanceof Fault)) {
      memo.set(cell, value)
      return value as Exclude<T, Fault>
    }
    this.fault(field, value.reason)
    return null
  }

  #memoOf(field: string): Memo {
    const known = this.#memos.get(field)
    if (known) return known
    const memo = new Memo()
    this.#memos.set(field, memo)
    return memo
  }

  /** As `get`, for kinds that need zone and the order of day and month. */
  getTime<T>(
    field: string,
    read: (cell: Cell | undefined, how: { zone: Zone; order: DateOrder; latest: Date }) => T | Fault,
  ): Exclude<T, Fault> | null {
    const order = this.#fieldOf.get(field)?.order ?? 'ymd'
    return this.get(field, (cell) => read(cell, { ...this.#how, order }))
  }

  /** Notes that the row cannot go in because of this field. */
  fault(field: string, reason: RowProblem['reason']): void {
    const place = this.#places.get(field)
    this.#faults.push({
      column: this.#fieldOf.get(field)?.heading ?? field,
      reason,
      value: place === undefined ? '' : shorten(showCell(this.#cells[place])),
    })
  }

  get faults(): readonly RowProblem[] {
    return this.#faults
  }
}

const MOST_REMEMBERED = 4096
/** After so many cells it is known whether a column repeats itself. */
const TRIAL = 8192

/** What the cells of a column came to, where the same ones come again and again: stores, goods, prices, buyers. */
class Memo {
  readonly #values = new Map<Cell, unknown>()
  #asked = 0
  #found = 0
  #worth = true

  /** Undefined: not known. Values are shared: nobody changes them. */
  get(cell: Cell): unknown {
    if (!this.#worth) return undefined
    const value = this.#values.get(cell)
    this.#asked += 1
    if (value !== undefined) this.#found += 1
    else if (this.#asked > TRIAL && this.#found < this.#asked / 2) {
      this.#worth = false
      this.#values.clear()
    }
    return value
  }

  set(cell: Cell, value: unknown): void {
    if (!this.#worth || value === undefined || cell instanceof Date) return
    if (this.#values.size >= MOST_REMEMBERED) this.#values.clear()
    const own = (of: unknown): unknown => (typeof of === 'string' ? ownText(of) : of)
    this.#values.set(own(cell) as Cell, own(value))
  }
}
