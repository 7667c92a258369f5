/**
 * A workbook written row by row in flat memory (ECMA-376-1, SpreadsheetML): texts stand inline, a sheet that is full is
 * followed by another with the same heading, and the parts that name the sheets come last.
 *
 * Always true: a text is a text whatever it begins with (no formula is ever written), and what XML cannot hold is left
 * out. A sheet holds 1,048,576 rows and a cell 32,767 characters, as spreadsheets do.
 */
import type { Cell } from './csv.ts'
import { type Sink, ZipWriter } from './zip.ts'

/** How a column is shown: `day` is 'YYYY-MM-DD', `minute` 'YYYY-MM-DD HH:MM', both without a zone. */
export type SheetColumn = { heading: string; shows: 'text' | 'number' | 'money' | 'day' | 'minute' }

export const MAX_SHEET_ROWS = 1_048_576
const MAX_CELL = 32_767
const CHUNK = 1 << 17
/** Rows are counted, but columns are wide: a sheet is also full at this size, well below what a ZIP part may hold. */
const MAX_SHEET_CHARS = 1.2e9

const STYLES = { text: 0, number: 0, day: 1, minute: 2, money: 3 } as const
const HEADING_STYLE = 4
const WIDTHS = { text: 18, number: 10, day: 12, minute: 17, money: 12 } as const

export class XlsxWriter {
  readonly #zip: ZipWriter
  readonly #columns: readonly SheetColumn[]
  readonly #letters: readonly string[]
  readonly #styles: readonly number[]
  readonly #name: string
  readonly #maxRows: number
  #pending = ''
  #chars = 0
  #row = 0
  sheets = 0

  /** `name`: of the sheets, numbered from the second on. `maxRows`: smaller in tests. */
  constructor(sink: Sink, columns: readonly SheetColumn[], how: { name: string; maxRows?: number }) {
    this.#zip = new ZipWriter(sink)
    this.#columns = columns
    this.#letters = columns.map((_, index) => letterOf(index))
    this.#styles = columns.map(({ shows }) => STYLES[shows])
    this.#name = sheetName(how.name)
    this.#maxRows = how.maxRows ?? MAX_SHEET_ROWS
  }

  /** Adds a row. Errors: `ArchiveTooLarge`. */
  async row(cells: readonly Cell[]): Promise<void> {
    await this.columns(
      cells.map((cell) => [cell]),
      1,
    )
  }

  /** Adds so many rows, whose cells come a column each. Errors: `ArchiveTooLarge`. */
  async columns(columns: readonly (readonly Cell[])[], rows: number): Promise<void> {
    for (let row = 0; row < rows; row += 1) {
      if (this.sheets === 0 || this.#row >= this.#maxRows || this.#chars >= MAX_SHEET_CHARS)
        await this.#beginSheet()
      this.#row += 1
      this.#pending += this.#rowXml(columns, row)
      if (this.#pending.length >= CHUNK) await this.#flush()
    }
  }

  #rowXml(columns: readonly (readonly Cell[])[], row: number): string {
    const number = String(this.#row)
    let text = `<row r="${number}">`
    for (let index = 0; index < columns.length; index += 1) {
      const cell = columns[index]?.[row]
      if (cell === null || cell === undefined || cell === '') continue
      const head = `<c r="${this.#letters[index]}${number}"`
      text += head + cellXml(cell, this.#styles[index] ?? STYLES.text)
    }
    return `${text}</row>`
  }

  /** Ends the workbook; it has a sheet with its heading also where there was no row. */
  async close(): Promise<void> {
    if (this.sheets === 0) await this.#beginSheet()
    await this.#endSheet()
    for (const [name, text] of workbookParts(this.#name, this.sheets)) {
      await this.#zip.begin(name)
      await this.#zip.write(text)
      await this.#zip.end()
    }
    await this.#zip.close()
  }

  async #beginSheet(): Promise<void> {
    await this.#endSheet()
    this.sheets += 1
    await this.#zip.begin(`xl/worksheets/sheet${this.sheets}.xml`)
    const widths = this.#columns.map(
      ({ shows }, index) =>
        `<col min="${index + 1}" max="${index + 1}" width="${WIDTHS[shows]}" customWidth="1"/>`,
    )
    const heading = this.#columns.map(
      (column, index) =>
        `<c r="${this.#letters[index]}1" s="${HEADING_STYLE}" t="inlineStr"><is><t>${escapeXml(column.heading)}</t></is></c>`,
    )
    this.#pending = `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${widths.join('')}</cols><sheetData><row r="1">${heading.join('')}</row>`
    this.#row = 1
    this.#chars = 0
  }

  async #endSheet(): Promise<void> {
    if (this.sheets === 0) return
    this.#pending += '</sheetData></worksheet>'
    await this.#flush()
    await this.#zip.end()
  }

  async #flush(): Promise<void> {
    const text = this.#pending
    this.#pending = ''
    this.#chars += text.length
    await this.#zip.write(text)
  }
}

/** What follows the place of a cell. */
function cellXml(cell: string | number | boolean, style: number): string {
  if (typeof cell === 'boolean') return ` t="b"><v>${cell ? 1 : 0}</v></c>`
  if (typeof cell === 'number') return ` s="${style}"><v>${cell}</v></c>`
  if (style === STYLES.day || style === STYLES.minute) {
    const serial = serialOf(cell)
    if (serial !== undefined) return ` s="${style}"><v>${serial}</v></c>`
  }
  const text = escapeXml(cell.length > MAX_CELL ? cell.slice(0, MAX_CELL) : cell)
  const space = /^\s|\s$/.test(text) ? ' xml:space="preserve"' : ''
  return ` t="inlineStr"><is><t${space}>${text}</t></is></c>`
}

const DAY_MS = 86_400_000
const DAY_MINUTES = 1440
/** Days from 1899-12-30 to 1970-01-01. */
const EPOCH = 25_569
/** Before 1 March 1900 spreadsheets count a day that never was (29 February 1900). */
const FIRST_SERIAL = 61

/** The number by which spreadsheets know 'YYYY-MM-DD' or 'YYYY-MM-DD HH:MM'; undefined for anything else. */
export function serialOf(text: string): number | undefined {
  if (!DATE.test(text)) return undefined
  const day = dayOf(text)
  if (day === undefined) return undefined
  const minutes = text.length === 10 ? 0 : twoDigits(text, 11) * 60 + twoDigits(text, 14)
  if (minutes >= DAY_MINUTES) return undefined
  const serial = Math.round((day + minutes / DAY_MINUTES + EPOCH) * 1e6) / 1e6
  return serial >= FIRST_SERIAL ? serial : undefined
}

const DATE = /^\d{4}-\d\d-\d\d(?: \d\d:\d\d)?$/
/** 'YYYY-MM-DD' to days since 1970, undefined for what is no date: an export asks for the same few thousand all the time. */
const days = new Map<string, number | undefined>()
const MOST_DAYS = 50_000

function dayOf(text: string): number | undefined {
  const date = text.length === 10 ? text : text.slice(0, 10)
  const known = days.get(date)
  if (known !== undefined || days.has(date)) return known
  const at = Date.UTC(Number(text.slice(0, 4)), twoDigits(text, 5) - 1, twoDigits(text, 8))
  // Beyond the month it would run over, and years before 100 would be of the 20th century.
  const day = new Date(at).toISOString().startsWith(date) ? at / DAY_MS : undefined
  if (days.size >= MOST_DAYS) days.clear()
  days.set(date, day)
  return day
}

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * ZERO
}

const ZERO = 48

/** Controls but tab and ends of lines, and what XML writes otherwise. Most texts hold none. */
const UNUSUAL = /[&<>\ufffe\uffff]|[^\P{Cc}\t\n\r]/u
const MARKS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** What XML 1.0 cannot hold is left out. */
function escapeXml(text: string): string {
  if (!UNUSUAL.test(text)) return text
  return text.replace(new RegExp(UNUSUAL, 'gu'), (sign) => MARKS[sign] ?? '')
}

/** 0 → A, 25 → Z, 26 → AA. */
function letterOf(index: number): string {
  const last = String.fromCharCode(65 + (index % 26))
  return index < 26 ? last : `${letterOf(Math.floor(index / 26) - 1)}${last}`
}

/** A name of a sheet has at most 31 characters, a number included, and none of these signs. */
function sheetName(name: string): string {
  let cleared = ''
  for (const sign of name.replace(/[[\]:*?/\\'"]/g, ' ').trim())
    if (cleared.length + sign.length <= 24) cleared += sign
  return escapeXml(cleared.trim()) || 'Sheet'
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml'

function workbookParts(name: string, sheets: number): [string, string][] {
  const numbers = Array.from({ length: sheets }, (_, index) => index + 1)
  const title = (number: number): string => (number === 1 ? name : `${name} ${number}`)
  return [
    [
      'xl/workbook.xml',
      `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets>${numbers
        .map((number) => `<sheet name="${title(number)}" sheetId="${number}" r:id="rId${number}"/>`)
        .join('')}</sheets></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      `${XML}<Relationships xmlns="${PACKAGE}/relationships">${numbers
        .map(
          (number) =>
            `<Relationship Id="rId${number}" Type="${RELATIONS}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
        )
        .join(
          '',
        )}<Relationship Id="rId${sheets + 1}" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
    ],
    ['xl/styles.xml', STYLES_XML],
    [
      '_rels/.rels',
      `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ],
    [
      '[Content_Types].xml',
      `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPES}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${TYPES}.styles+xml"/>${numbers
        .map(
          (number) =>
            `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${TYPES}.worksheet+xml"/>`,
        )
        .join('')}</Types>`,
    ],
  ]
}

/** Styles by number: text, day, minute, money, heading. */
const STYLES_XML = `${XML}<styleSheet xmlns="${MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts><fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="5"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf numFmtId="4" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>`
