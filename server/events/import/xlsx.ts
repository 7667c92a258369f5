/**
 * A worksheet to rows in flat memory: the ZIP entry is inflated, parsed and given out piece by piece, and the shared
 * strings stand in a file (`xlsx-strings.ts`). What unpacks to more than `MAX_RATIO` times its size is refused before
 * anything is unpacked; yauzl holds an entry to the size it declares.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Entry, ZipFile } from 'yauzl'
import { Problem } from '../../platform/problem.ts'
import { ROWS_A_BATCH, type Row, type RowReader } from './row.ts'
import { listEntries, openZip, parse, scan, scanning } from './xlsx-parts.ts'
import { SheetRows, StringItems, type StringsByPlace } from './xlsx-sheet.ts'
import { SharedStrings } from './xlsx-strings.ts'
import { isDateFormat } from './xlsx-styles.ts'

export type Workbook = {
  sheets: string[]
  /** The first rows, without reading the strings that they do not use. */
  head(sheet: string | null, rows: number): Promise<Row[]>
  /** `sheet` null: the first one that is not hidden. `folder` holds the shared strings while reading. */
  read(sheet: string | null, folder: string): RowReader
  close(): void
}

type Book = { zip: ZipFile; entries: ReadonlyMap<string, Entry>; from1904: boolean; sheets: SheetPart[] }
type SheetPart = { name: string; hidden: boolean; path: string }

/** Errors: `Problem` unsupported_file where it is no workbook, damaged, protected or a ZIP bomb. */
export async function openWorkbook(path: string): Promise<Workbook> {
  const zip = await openZip(path)
  try {
    const entries = await listEntries(zip)
    const book = await readWorkbook(zip, entries)
    return {
      sheets: book.sheets.filter((sheet) => !sheet.hidden).map((sheet) => sheet.name),
      head: (sheet, rows) => readFirstRows(book, sheet, rows),
      read: (sheet, folder) => readSheet(book, sheet, folder),
      close: () => zip.close(),
    }
  } catch (error) {
    zip.close()
    throw error
  }
}

async function readWorkbook(zip: ZipFile, entries: ReadonlyMap<string, Entry>): Promise<Book> {
  const path = [...entries.keys()].find((name) => name.endsWith('workbook.xml'))
  if (path === undefined) throw new Problem('unsupported_file', 'This is no XLSX workbook.')
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  const targets = new Map<string, string>()
  await parse(zip, entries.get(`${folder}_rels/workbook.xml.rels`), {
    open(name, attributes) {
      const target = attributes['Target']
      if (name !== 'Relationship' || !attributes['Id'] || !target) return
      targets.set(attributes['Id'], target.startsWith('/') ? target.slice(1) : folder + target)
    },
  })
  const book: Book = { zip, entries, from1904: false, sheets: [] }
  await parse(zip, entries.get(path), {
    open(name, attributes) {
      if (name === 'workbookPr') book.from1904 = ['1', 'true'].includes(attributes['date1904'] ?? '')
      if (name !== 'sheet') return
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1]
      const part = id === undefined ? undefined : targets.get(id)
      if (part === undefined || !part.includes('worksheet')) return
      book.sheets.push({
        name: attributes['name'] ?? '',
        hidden: (attributes['state'] ?? 'visible') !== 'visible',
        path: part,
      })
    },
  })
  return book
}

function partsOf(book: Book, wanted: string | null): { sheet: Entry; strings: Entry | undefined } {
  const found =
    wanted === null
      ? (book.sheets.find((one) => !one.hidden) ?? book.sheets[0])
      : book.sheets.find((one) => one.name === wanted)
  const sheet = found && book.entries.get(found.path)
  if (!sheet) throw new Problem('unsupported_file', 'The workbook has no such sheet.', { field: 'sheet' })
  return { sheet, strings: entryNamed(book, 'sharedStrings.xml') }
}

function entryNamed(book: Book, ending: string): Entry | undefined {
  for (const [name, entry] of book.entries) if (name.endsWith(ending)) return entry
  return undefined
}

function readSheet(book: Book, wanted: string | null, folder: string): RowReader {
  const parts = partsOf(book, wanted)
  const total = parts.sheet.uncompressedSize + (parts.strings?.uncompressedSize ?? 0)
  const progress = { bytes: 0 }
  async function* batches(): AsyncGenerator<Row[]> {
    const strings = new SharedStrings(join(folder, `strings-${randomBytes(6).toString('hex')}`))
    try {
      await scan(book.zip, parts.strings, new StringItems((text) => strings.add(text)), progress)
      strings.seal()
      yield* sheetRows(book, parts.sheet, strings, progress)
    } finally {
      strings.close()
    }
  }
  return { batches: batches(), consumed: () => (total === 0 ? 1 : Math.min(1, progress.bytes / total)) }
}

async function readFirstRows(book: Book, wanted: string | null, count: number): Promise<Row[]> {
  const parts = partsOf(book, wanted)
  const used = new Map<number, string | undefined>()
  const first = async (get: (index: number) => string | undefined): Promise<Row[]> => {
    const rows: Row[] = []
    for await (const batch of sheetRows(book, parts.sheet, { get }, { bytes: 0 })) {
      rows.push(...batch)
      if (rows.length >= count) break
    }
    return rows.slice(0, count)
  }
  await first((index) => void used.set(index, undefined))
  let last = -1
  for (const index of used.keys()) last = Math.max(last, index)
  let place = -1
  const items = new StringItems((text) => {
    place += 1
    if (used.has(place)) used.set(place, text)
  })
  if (last >= 0) await scan(book.zip, parts.strings, items, { bytes: 0 }, () => place >= last)
  return first((index) => used.get(index))
}

async function* sheetRows(
  book: Book,
  entry: Entry,
  strings: StringsByPlace,
  progress: { bytes: number },
): AsyncGenerator<Row[]> {
  const rows = new SheetRows(strings, await readDateStyles(book), book.from1904)
  for await (const _ of scanning(book.zip, entry, rows, progress)) {
    const ready = rows.take()
    for (let from = 0; from < ready.length; from += ROWS_A_BATCH) yield ready.slice(from, from + ROWS_A_BATCH)
    if (rows.ended) return
  }
}

async function readDateStyles(book: Book): Promise<boolean[]> {
  const entry = entryNamed(book, 'styles.xml')
  const codes = new Map<number, string>()
  const dates: boolean[] = []
  let inFormats = false
  await parse(book.zip, entry, {
    open(name, attributes) {
      if (name === 'numFmt') codes.set(Number(attributes['numFmtId']), attributes['formatCode'] ?? '')
      if (name === 'cellXfs') inFormats = true
      if (name !== 'xf' || !inFormats) return
      const id = Number(attributes['numFmtId'] ?? 0)
      dates.push(isDateFormat(id, codes.get(id)))
    },
    close(name) {
      if (name === 'cellXfs') inFormats = false
    },
  })
  return dates
}
