/**
 * A file of any kind as headings and rows: recognises container, packing, encoding, separator and heading row, and
 * opens it again with what was recognised (or what the operator corrected).
 */
import { type FileFormat, separators } from '../../../contract/import.ts'
import { foldHeading, importFields, importKinds } from '../../../contract/import-fields.ts'
import { Problem } from '../../platform/problem.ts'
import { CsvSplitter, readCsv } from './csv.ts'
import { detectEncoding } from './encoding.ts'
import { readNdjson } from './ndjson.ts'
import { isEmpty, type Row, type RowReader } from './row.ts'
import { readBytes, readHead, readMagic } from './source.ts'
import { showCell } from './values.ts'
import { openWorkbook } from './xlsx.ts'

/** How far a title may stand above the headings. */
const LOOK_AT = 30
const HEAD_BYTES = 256 * 1024

export type Sheet = {
  headings: string[]
  /** Rows below the headings, empty ones left out. */
  batches: AsyncIterable<Row[]>
  consumed(): number
  close(): void
}

/** What the file is. Errors: `Problem` unsupported_file with a sentence that says what to do. */
export async function recognise(path: string): Promise<{ format: FileFormat; sheets: string[] }> {
  const magic = await readMagic(path)
  if (magic.length === 0) throw new Problem('unsupported_file', 'The file is empty.')
  if (magic.readUInt16BE(0) === 0x504b) return recogniseWorkbook(path)
  if (magic.length >= 4 && magic.readUInt32BE(0) === 0xd0cf11e0) {
    throw new Problem(
      'unsupported_file',
      'This is an old .xls workbook or one with a password: save it as .xlsx without a password.',
    )
  }
  const gzip = magic[0] === 0x1f && magic[1] === 0x8b
  const encoding = await detectEncoding(await readBytes(path, gzip))
  const head = new TextDecoder(encoding)
    .decode(await readHead(path, gzip, HEAD_BYTES))
    .replace(/\uFFFD+$/u, '')
  if (head.includes('\u0000'))
    throw new Problem('unsupported_file', 'This is neither a text file nor an XLSX workbook.')
  const base = { gzip, encoding, separator: ',', headingRow: 1, sheet: null } as const
  if (/^\s*\{/u.test(head)) return { format: { ...base, container: 'ndjson', headingRow: 0 }, sheets: [] }
  const separator = detectSeparator(head)
  const rows = new CsvSplitter(separator).push(head, true).slice(0, LOOK_AT)
  return { format: { ...base, container: 'csv', separator, headingRow: findHeadings(rows) }, sheets: [] }
}

async function recogniseWorkbook(path: string): Promise<{ format: FileFormat; sheets: string[] }> {
  const workbook = await openWorkbook(path)
  try {
    const rows = await workbook.head(null, LOOK_AT)
    const format: FileFormat = {
      container: 'xlsx',
      gzip: false,
      encoding: 'utf-8',
      separator: ',',
      headingRow: findHeadings(rows),
      sheet: null,
    }
    return { format, sheets: workbook.sheets }
  } finally {
    workbook.close()
  }
}

/**
 * Opens the file from its beginning. `folder` takes what reading has to put aside. With `headOnly` no more than that
 * many rows are asked for, and a workbook need not be read whole for them.
 */
export async function openSheet(
  path: string,
  format: FileFormat,
  folder: string,
  { headOnly }: { headOnly?: number } = {},
): Promise<Sheet> {
  if (format.container === 'ndjson') {
    const headings: string[] = []
    const reader = readNdjson(await readBytes(path, format.gzip), headings)
    return { headings, batches: reader.batches, consumed: reader.consumed, close: () => undefined }
  }
  if (format.container === 'xlsx') {
    const workbook = await openWorkbook(path)
    if (headOnly === undefined) {
      return withHeadings(workbook.read(format.sheet, folder), format, () => workbook.close())
    }
    const rows = await workbook.head(format.sheet, headOnly + format.headingRow)
    return withHeadings({ batches: once(rows), consumed: () => 0 }, format, () => workbook.close())
  }
  const reader = readCsv(await readBytes(path, format.gzip), format)
  return withHeadings(reader, format, () => undefined)
}

async function* once(rows: Row[]): AsyncGenerator<Row[]> {
  yield rows
}

async function withHeadings(reader: RowReader, format: FileFormat, close: () => void): Promise<Sheet> {
  const iterator = reader.batches[Symbol.asyncIterator]()
  const held: Row[] = []
  let ended = false
  while (!ended && (held.at(-1)?.number ?? 0) < Math.max(format.headingRow, 1)) {
    const next = await iterator.next()
    if (next.done === true) ended = true
    else held.push(...next.value)
  }
  const headings = headingsOf(held, format.headingRow)
  const first = held.filter((row) => row.number > format.headingRow)
  async function* batches(): AsyncGenerator<Row[]> {
    try {
      yield withoutEmpty(first)
      while (!ended) {
        const next = await iterator.next()
        if (next.done === true) return
        yield withoutEmpty(next.value)
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { headings, batches: batches(), consumed: reader.consumed, close }
}

function withoutEmpty(rows: Row[]): Row[] {
  return rows.filter((row) => row.problem !== undefined || !isEmpty(row.cells))
}

/** Every heading once: a second 金额 becomes '金额 (2)', one without a name is called by its column letter. */
function headingsOf(rows: readonly Row[], headingRow: number): string[] {
  const row = rows.find((one) => one.number === headingRow)
  const width = Math.max(0, ...rows.slice(0, LOOK_AT).map((one) => one.cells.length))
  const seen = new Map<string, number>()
  return Array.from({ length: Math.max(width, row?.cells.length ?? 0) }, (_, column) => {
    const text = showCell(row?.cells[column]).trim().slice(0, 200)
    const name = text === '' ? columnLetters(column) : text
    const before = seen.get(name) ?? 0
    seen.set(name, before + 1)
    return before === 0 ? name : `${name} (${before + 1})`
  })
}

/** 0 → 'A', 27 → 'AB'. */
export function columnLetters(column: number): string {
  const letter = String.fromCharCode(65 + (column % 26))
  return column < 26 ? letter : columnLetters(Math.floor(column / 26) - 1) + letter
}

/** The separator that cuts the first lines into the most equal parts; runs of blanks only where nothing else does. */
export function detectSeparator(head: string): string & FileFormat['separator'] {
  const cut = Math.max(head.lastIndexOf('\n'), head.lastIndexOf('\r'))
  const whole = cut > 0 ? head.slice(0, cut) : head
  let best: { separator: FileFormat['separator']; score: number } = { separator: ',', score: 0 }
  for (const separator of separators) {
    const rows = new CsvSplitter(separator).push(whole, true).slice(0, LOOK_AT)
    const widths = rows.filter((row) => !isEmpty(row.cells)).map((row) => row.cells.length)
    const common = mostCommon(widths)
    if (common.value < 2) continue
    const share = common.times / widths.length
    const score = separator === ' ' ? share * 0.5 : share * (1 + Math.min(common.value, 50) / 100)
    if (score > best.score) best = { separator, score }
  }
  return best.separator
}

function mostCommon(values: readonly number[]): { value: number; times: number } {
  const times = new Map<number, number>()
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1)
  let best = { value: 0, times: 0 }
  for (const [value, count] of times) if (count > best.times) best = { value, times: count }
  return best
}

const knownHeadings = new Set(
  importKinds.flatMap((kind) =>
    importFields[kind].flatMap((field) => [field.zh, field.en, ...field.synonyms].map(foldHeading)),
  ),
)

/**
 * The number of the heading row: the row with the most known headings; else the first that is as wide as the others
 * and holds only words. 0 where the first row is data already.
 */
export function findHeadings(rows: readonly Row[]): number {
  const width = Math.max(0, ...rows.map((row) => filled(row)))
  let best = { number: 0, known: 0 }
  for (const row of rows) {
    const known = row.cells.filter((cell) => knownHeadings.has(foldHeading(showCell(cell)))).length
    if (known > best.known) best = { number: row.number, known }
  }
  if (best.known >= 2 || (best.known === 1 && width <= 2)) return best.number
  const wordy = rows.find((row) => filled(row) >= width * 0.6 && filled(row) > 0)
  if (!wordy) return 0
  const words = wordy.cells.every(
    (cell) => cell === null || (typeof cell === 'string' && !/^[\d¥$(.+-]/u.test(cell.trim())),
  )
  return words ? wordy.number : 0
}

function filled(row: Row): number {
  return row.cells.filter((cell) => cell !== null && cell !== '').length
}
