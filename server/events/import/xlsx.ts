/**
 * A worksheet to rows in flat memory: the ZIP entry is inflated, parsed and given out piece by piece, and the shared
 * strings stand in a file (`xlsx-strings.ts`). What unpacks to more than `MAX_RATIO` times its size is refused before
 * anything is unpacked; yauzl holds an entry to the size it declares.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { Problem } from '../../platform/problem.ts'
import { instant } from '../../platform/time/clock.ts'
import { type Cell, MAX_CELL, MAX_COLUMNS, ROWS_A_BATCH, type Row, type RowReader, shorten } from './row.ts'
import { MAX_RATIO } from './source.ts'
import { SharedStrings } from './xlsx-strings.ts'
import { isDateFormat, serialToWallClock } from './xlsx-styles.ts'

const MAX_ENTRIES = 10_000
const RATIO_FREE_BYTES = 64 * 1024 * 1024
const MAX_UNPACKED = 32 * 1024 ** 3

export type Workbook = {
  sheets: string[]
  /** `sheet` null: the first one that is not hidden. `folder` holds the shared strings while reading. */
  read(sheet: string | null, folder: string): RowReader
  close(): void
}

type Attributes = Record<string, string>
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
      read: (sheet, folder) => readSheet(book, sheet, folder),
      close: () => zip.close(),
    }
  } catch (error) {
    zip.close()
    throw error
  }
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error) reject(damaged())
      else resolve(zip)
    })
  })
}

function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) return Promise.reject(damaged())
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>()
    let unpacked = 0
    zip.on('entry', (entry: Entry) => {
      unpacked += entry.uncompressedSize
      const free = Math.max(RATIO_FREE_BYTES, entry.compressedSize * MAX_RATIO)
      if (entry.uncompressedSize > free || unpacked > MAX_UNPACKED) {
        reject(
          new Problem('unsupported_file', `The workbook unpacks to more than ${MAX_RATIO} times its size.`),
        )
        return
      }
      entries.set(entry.fileName.replaceAll('\\', '/'), entry)
      zip.readEntry()
    })
    zip.on('end', () => resolve(entries))
    zip.on('error', () => reject(damaged()))
    zip.readEntry()
  })
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

function readSheet(book: Book, wanted: string | null, folder: string): RowReader {
  const sheet =
    wanted === null
      ? (book.sheets.find((one) => !one.hidden) ?? book.sheets[0])
      : book.sheets.find((one) => one.name === wanted)
  const entry = sheet && book.entries.get(sheet.path)
  if (!entry) throw new Problem('unsupported_file', 'The workbook has no such sheet.', { field: 'sheet' })
  const strings = [...book.entries.entries()].find(([name]) => name.endsWith('sharedStrings.xml'))?.[1]
  const total = entry.uncompressedSize + (strings?.uncompressedSize ?? 0)
  const progress = { bytes: 0 }
  return {
    batches: sheetRows(book, entry, strings, folder, progress),
    consumed: () => (total === 0 ? 1 : Math.min(1, progress.bytes / total)),
  }
}

async function* sheetRows(
  book: Book,
  entry: Entry,
  stringsEntry: Entry | undefined,
  folder: string,
  progress: { bytes: number },
): AsyncGenerator<Row[]> {
  const strings = new SharedStrings(join(folder, `strings-${randomBytes(6).toString('hex')}`))
  try {
    await readStrings(book.zip, stringsEntry, strings, progress)
    const dates = await readDateStyles(book)
    const sheet = new SheetRows(strings, dates, book.from1904)
    const parser = new Xml(sheet)
    for await (const piece of entryPieces(book.zip, entry)) {
      progress.bytes += piece.length
      parser.write(piece)
      const rows = sheet.take()
      for (let from = 0; from < rows.length; from += ROWS_A_BATCH) yield rows.slice(from, from + ROWS_A_BATCH)
    }
    parser.end()
    yield sheet.take()
  } finally {
    strings.close()
  }
}

async function readStrings(
  zip: ZipFile,
  entry: Entry | undefined,
  strings: SharedStrings,
  progress: { bytes: number },
): Promise<void> {
  let text = ''
  let inText = false
  let phonetic = false
  await parse(
    zip,
    entry,
    {
      open(name) {
        if (name === 'si') text = ''
        else if (name === 't') inText = !phonetic
        else if (name === 'rPh') phonetic = true
      },
      text(part) {
        if (inText) text += part
      },
      close(name) {
        if (name === 't') inText = false
        else if (name === 'rPh') phonetic = false
        else if (name === 'si') strings.add(text)
      },
    },
    progress,
  )
  strings.seal()
}

async function readDateStyles(book: Book): Promise<boolean[]> {
  const entry = [...book.entries.entries()].find(([name]) => name.endsWith('styles.xml'))?.[1]
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

/** The cells of a sheet as they come by. */
class SheetRows implements XmlHandler {
  readonly #strings: SharedStrings
  readonly #dates: readonly boolean[]
  readonly #from1904: boolean
  #rows: Row[] = []
  #row: Row = { number: 0, cells: [] }
  #column = -1
  #kind = 'n'
  #date = false
  #text = ''
  #reading = false

  constructor(strings: SharedStrings, dates: readonly boolean[], from1904: boolean) {
    this.#strings = strings
    this.#dates = dates
    this.#from1904 = from1904
  }

  take(): Row[] {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  open(name: string, attributes: Attributes): void {
    if (name === 'c') {
      const reference = attributes['r']
      this.#column = reference === undefined ? this.#column + 1 : columnOf(reference)
      this.#kind = attributes['t'] ?? 'n'
      this.#date = this.#dates[Number(attributes['s'] ?? 0)] === true
      this.#text = ''
    } else if (name === 'v' || name === 't') {
      this.#reading = true
    } else if (name === 'row') {
      const number = attributes['r'] === undefined ? this.#row.number + 1 : Number(attributes['r'])
      this.#row = { number, cells: [] }
      this.#column = -1
    }
  }

  text(part: string): void {
    if (this.#reading) this.#text += part
  }

  close(name: string): void {
    if (name === 'v' || name === 't') this.#reading = false
    else if (name === 'c') this.#put()
    else if (name === 'row') this.#rows.push(this.#row)
  }

  #put(): void {
    if (this.#column >= MAX_COLUMNS) {
      this.#row.problem = { column: '', reason: 'too_many_columns', value: shorten(this.#text) }
      return
    }
    const { cells } = this.#row
    while (cells.length < this.#column) cells.push(null)
    cells[this.#column] = this.#cell()
  }

  #cell(): Cell {
    const text = this.#text
    if (text === '') return null
    switch (this.#kind) {
      case 's':
        return this.#strings.get(Number(text)) ?? null
      case 'b':
        return text === '1'
      case 'd':
        return isoWallClock(text) ?? text
      case 'n': {
        const value = Number(text)
        if (Number.isNaN(value)) return text
        if (!this.#date) return value
        const at = serialToWallClock(value, this.#from1904)
        return Math.abs(at) > 8.64e15 ? text : instant(at)
      }
      default:
        return text.slice(0, MAX_CELL)
    }
  }
}

function isoWallClock(text: string): Date | undefined {
  const ms = Date.parse(/[zZ]$/u.test(text) ? text : `${text}${text.includes('T') ? '' : 'T00:00:00'}Z`)
  return Number.isNaN(ms) ? undefined : instant(ms)
}

/** 'AB12' → 27. */
function columnOf(reference: string): number {
  let column = 0
  for (let at = 0; at < reference.length; at += 1) {
    const letter = reference.charCodeAt(at) & 0xdf
    if (letter < 65 || letter > 90) break
    column = column * 26 + letter - 64
  }
  return column - 1
}

type XmlHandler = {
  open(name: string, attributes: Attributes): void
  text?(part: string): void
  close?(name: string): void
}

/** Names without prefix, bytes in, a `Problem` where it is no XML. */
class Xml {
  readonly #parser = new SaxesParser({ xmlns: false, position: false })
  readonly #decoder = new TextDecoder('utf-8')

  constructor(handler: XmlHandler) {
    this.#parser.on('opentag', (tag) => handler.open(local(tag.name), tag.attributes))
    this.#parser.on('closetag', (tag) => handler.close?.(local(tag.name)))
    this.#parser.on('text', (text) => handler.text?.(text))
    this.#parser.on('cdata', (text) => handler.text?.(text))
  }

  write(piece: Buffer): void {
    this.#feed(() => this.#parser.write(this.#decoder.decode(piece, { stream: true })))
  }

  end(): void {
    this.#feed(() => this.#parser.write(this.#decoder.decode()).close())
  }

  #feed(step: () => void): void {
    try {
      step()
    } catch (error) {
      throw error instanceof Problem ? error : damaged()
    }
  }
}

function local(name: string): string {
  const colon = name.indexOf(':')
  return colon === -1 ? name : name.slice(colon + 1)
}

async function parse(
  zip: ZipFile,
  entry: Entry | undefined,
  handler: XmlHandler,
  progress?: { bytes: number },
): Promise<void> {
  if (!entry) return
  const parser = new Xml(handler)
  for await (const piece of entryPieces(zip, entry)) {
    if (progress) progress.bytes += piece.length
    parser.write(piece)
  }
  parser.end()
}

async function* entryPieces(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  if ((entry.generalPurposeBitFlag & 1) === 1) {
    throw new Problem('unsupported_file', 'The workbook is protected by a password: save it without one.')
  }
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => (error ? reject(damaged()) : resolve(opened)))
  })
  try {
    for await (const piece of stream) yield piece as Buffer
  } catch (error) {
    throw error instanceof Problem ? error : damaged()
  }
}

function damaged(): Problem {
  return new Problem(
    'unsupported_file',
    'The workbook is damaged or not complete: save it again and upload that.',
  )
}
