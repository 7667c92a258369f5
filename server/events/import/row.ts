/** What every reader gives: rows of cells, in the order of the file, in batches of at most `ROWS_A_BATCH`. */
import type { RejectReason } from '../../../contract/import.ts'

/**
 * A cell as the file has it. A Date holds a wall-clock time in its UTC fields: a spreadsheet knows no zone, the brand
 * does, and `values.ts` joins the two.
 */
export type Cell = string | number | boolean | Date | null

export type RowProblem = { column: string; reason: RejectReason; value: string }

/** `number` is the row's number as a spreadsheet shows it, counted from 1, the heading and empty rows included. */
export type Row = { number: number; cells: Cell[]; problem?: RowProblem }

/** `consumed` is how much of the file has been read, 0…1. */
export type RowReader = { batches: AsyncIterable<Row[]>; consumed(): number }

export const ROWS_A_BATCH = 1000
export const MAX_COLUMNS = 500
/** The longest cell: what Excel allows. */
export const MAX_CELL = 32_767

/** What of a bad value goes into the file of rejected rows. */
export function shorten(value: string): string {
  return value.length > 200 ? `${value.slice(0, 200)}…` : value
}

/** The same text, holding on to nothing else: what is cut out of a piece of a file keeps the whole piece in memory. */
export function ownText(text: string): string {
  // Joined and cut again it is a string of its own; shorter ones V8 copies anyway (SlicedString::kMinLength).
  return text.length < 13 ? text : ` ${text}`.slice(1)
}

/** True where no cell holds anything. */
export function isEmpty(cells: readonly Cell[]): boolean {
  return cells.every((cell) => cell === null || (typeof cell === 'string' && cell.trim() === ''))
}
