/** Where the fields of a mapping stand in the rows of a file, and how faults of a row are collected. */
import type { DateOrder, Mapping } from '../../../contract/import.ts'
import type { Zone } from '../../platform/time/zone.ts'
import type { Cell, Row, RowProblem } from './row.ts'
import { shorten } from './row.ts'
import { Fault, showCell } from './values.ts'

export type ReadHow = { zone: Zone; latest: Date }

export class Columns {
  readonly #headings: readonly string[]
  readonly #fieldOf: ReadonlyMap<string, { heading: string; order: DateOrder }>
  readonly #places = new Map<string, number>()
  readonly #how: ReadHow
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
    const value = read(cell)
    if (!(value instanceof Fault)) return value as Exclude<T, Fault>
    this.fault(field, value.reason)
    return null
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
