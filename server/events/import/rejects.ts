/** Rejected rows as CSV text: row number, column, value, reason. */
import type { RejectedRow, RejectReason } from '../../../contract/import.ts'
import type { RowProblem } from './row.ts'

/** The first line of the file; the mark makes spreadsheets read it as UTF-8. */
export const REJECTS_HEAD = '\uFEFFrow,column,value,reason\r\n'

export function rejectLine(row: number, { column, value, reason }: RowProblem): string {
  return `${row},${quote(column)},${quote(defuse(value))},${reason}\r\n`
}

/** The rows of a part of the file. */
export function parseRejects(text: string): RejectedRow[] {
  const rows: RejectedRow[] = []
  for (const line of text.split('\r\n')) {
    const parts = /^(\d+),("(?:[^"]|"")*"|[^,]*),("(?:[^"]|"")*"|[^,]*),(\w+)$/u.exec(line)
    if (!parts) continue
    const [, row = '0', column = '', value = '', reason = ''] = parts
    rows.push({
      row: Number(row),
      column: unquote(column),
      value: unquote(value),
      reason: reason as RejectReason,
    })
  }
  return rows
}

/** A spreadsheet must not run what somebody typed into a field. */
function defuse(value: string): string {
  return /^[=+\-@\t\r]/u.test(value) && !/^[+-]?[\d.,]+$/u.test(value) ? `'${value}` : value
}

function quote(text: string): string {
  const line = text.replace(/[\r\n]+/gu, ' ')
  return /[",]/u.test(line) ? `"${line.replaceAll('"', '""')}"` : line
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text
}
