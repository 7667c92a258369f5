/**
 * The thread that makes the file of one export: pages of rows come in, numbers are opened, cells are formatted, bytes are
 * packed, sealed and written. The thread of the pages stays free for whoever looks at them.
 */
import type { KeyObject } from 'node:crypto'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { openFieldCipher } from '../../platform/crypto/field-cipher.ts'
import { BytesFile, type BytesSeal } from '../../platform/crypto/sealed-bytes.ts'
import { type Cell, csv, ndjson, type RowFormat } from '../../platform/table/csv.ts'
import { type SheetColumn, XlsxWriter } from '../../platform/table/xlsx.ts'
import { cellsOfPage, type ExportColumn, type ExportPage, type Open, type Shows } from './export-rows.ts'

export type ExportFormat = 'csv' | 'xlsx' | 'ndjson'

/** What the thread is told when it begins. */
export type FileOrder = {
  path: string
  format: ExportFormat
  columns: readonly ExportColumn[]
  open: Open
  /** Name of the sheets of a workbook, and how many rows one holds. */
  sheet: { name: string; maxRows?: number }
  /** Wraps the keys of profiles. */
  wrapping: KeyObject
  /** Undefined: the file stands in clear, for whoever asked for it by command. */
  seal: { key: KeyObject; context: string } | undefined
}
export type ToFile = { page: ExportPage } | { end: true }
export type FromFile =
  | { taken: true }
  | { done: { bytes: number; sheets: number } }
  | { failed: string; code: string | undefined }

/** `rows`: the cells of so many rows, a column each. */
type Writing = { rows(columns: readonly Cell[][], rows: number): Promise<void>; close(): Promise<number> }

function listen(link: MessagePort, order: FileOrder): void {
  const cipher = openFieldCipher(order.wrapping)
  const seal: BytesSeal | undefined = order.seal && { cipher, ...order.seal }
  const tell = (message: FromFile): void => link.postMessage(message)
  const fail = (error: unknown): void => {
    const { message, code } = error as NodeJS.ErrnoException
    tell({ failed: message, code })
  }
  let file: BytesFile
  let writing: Writing
  try {
    file = new BytesFile(order.path, seal)
    writing = order.format === 'xlsx' ? workbook(file, order) : lines(file, order)
  } catch (error) {
    fail(error)
    return
  }
  const hear = async (message: ToFile): Promise<void> => {
    if ('page' in message) {
      const { page } = message
      await writing.rows(cellsOfPage(page, order.columns, { cipher, open: order.open }), page.rows)
      tell({ taken: true })
      return
    }
    const sheets = await writing.close()
    file.close()
    tell({ done: { bytes: file.size, sheets } })
  }
  let before = Promise.resolve()
  link.on('message', (message: ToFile) => {
    before = before.then(() => hear(message)).catch(fail)
  })
}

function lines(file: BytesFile, { format, columns }: FileOrder): Writing {
  const text: RowFormat = format === 'csv' ? csv : ndjson
  const keys = columns.map(({ key, heading }) => (format === 'csv' ? heading : key))
  file.write(Buffer.from(text.head(keys)))
  return {
    async rows(cells, rows) {
      let page = ''
      for (let row = 0; row < rows; row += 1) page += text.row(keys, rowOf(cells, row))
      file.write(Buffer.from(page))
    },
    close: async () => 0,
  }
}

function rowOf(columns: readonly Cell[][], row: number): Cell[] {
  return columns.map((cells) => cells[row] ?? null)
}

const SHEET: Readonly<Record<Shows, SheetColumn['shows']>> = {
  text: 'text',
  number: 'number',
  cents: 'money',
  yes: 'text',
  day: 'day',
  minute: 'minute',
  name: 'text',
  phone: 'text',
}

function workbook(file: BytesFile, { columns, sheet }: FileOrder): Writing {
  const shown = columns.map(({ heading, shows }) => ({ heading, shows: SHEET[shows] }))
  const book = new XlsxWriter((bytes) => file.write(bytes), shown, sheet)
  return {
    rows: (cells, rows) => book.columns(cells, rows),
    async close() {
      await book.close()
      return book.sheets
    },
  }
}

if (parentPort) listen(parentPort, workerData as FileOrder)
