/** Which rows of a table a filter lets through, one test after the other over all rows. */
import type { HistoryTable, TextColumn } from '../facts/history-table.ts'

/** 1 for each row that is let through, undefined where all are; what it says counts until the next filter is asked. */
export type RowFilter = (table: HistoryTable) => Uint8Array | undefined
/** Takes away what does not pass. */
export type RowTest = (table: HistoryTable, kept: Uint8Array) => void

let letThrough = new Uint8Array(1 << 12)

export function rowFilter(tests: readonly RowTest[]): RowFilter {
  if (tests.length === 0) return () => undefined
  return (table) => {
    if (letThrough.length < table.rows) letThrough = new Uint8Array(table.rows * 2)
    letThrough.fill(1, 0, table.rows)
    for (const test of tests) test(table, letThrough)
    return letThrough
  }
}

/** Rows whose text passes; each text is tried once a dictionary. */
export function textTest(name: string, passes: (text: string) => boolean): RowTest {
  const known = new PassingTexts(passes)
  return (table, kept) => {
    const column = table.text(name)
    const passing = known.of(column)
    const { codes } = column
    for (let row = 0; row < table.rows; row += 1) if (passing[codes[row] ?? 0] === 0) kept[row] = 0
  }
}

/** Which texts of a column pass: kept for as long as the keys stay the same. */
export class PassingTexts {
  readonly #passes: (text: string) => boolean
  #keys: readonly string[] | undefined
  #passing = new Uint8Array(0)

  constructor(passes: (text: string) => boolean) {
    this.#passes = passes
  }

  /** 1 for each key that passes. */
  of({ keys }: TextColumn): Uint8Array {
    if (this.#keys !== keys) {
      this.#keys = keys
      this.#passing = Uint8Array.from(keys, (key) => (this.#passes(key) ? 1 : 0))
    }
    return this.#passing
  }
}

export function numberTest(name: string, passes: (number: number) => boolean): RowTest {
  return (table, kept) => {
    const numbers = table.number(name)
    for (let row = 0; row < table.rows; row += 1)
      if (kept[row] === 1 && !passes(numbers[row] ?? Number.NaN)) kept[row] = 0
  }
}
