/** Rows as a file: CSV that a spreadsheet opens without harm, or NDJSON. */
export type Cell = string | number | boolean | null

/** A cell that a spreadsheet would run begins with one of these; a quote before it makes it text (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r]/
/** Most texts hold nothing of it, and are written as they are. */
const UNUSUAL = /[",\r\n]|^[=+\-@\t]/

export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/** Numbers stay numbers, also negative ones; only text is defused. */
export function csvCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  if (!UNUSUAL.test(cell)) return cell
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export type RowFormat = {
  head(columns: readonly string[]): string
  row(columns: readonly string[], cells: readonly Cell[]): string
}

/** Excel takes a CSV for UTF-8 only with a byte order mark. */
export const csv: RowFormat = {
  head: (columns) => `\ufeff${csvLine(columns)}`,
  row: (_, cells) => csvLine(cells),
}

export const ndjson: RowFormat = {
  head: () => '',
  row: (columns, cells) =>
    `${JSON.stringify(Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? null])))}\n`,
}
