/** What the two large parts of a workbook hold: rows of cells, and shared strings. */
import { instant } from '../../platform/time/clock.ts'
import { type Cell, MAX_CELL, MAX_COLUMNS, type Row, shorten } from './row.ts'
import { serialToWallClock } from './xlsx-styles.ts'
import { attribute, type ScanHandler } from './xml-scan.ts'

/** A shared string by its place; undefined where the workbook has fewer. */
export type StringsByPlace = { get(index: number): string | undefined }

/** The strings of a shared-strings part, rich text joined, reading aids for Japanese left out. */
export class StringItems implements ScanHandler {
  readonly #put: (text: string) => void
  #text = ''
  #inText = false
  #phonetic = false

  constructor(put: (text: string) => void) {
    this.#put = put
  }

  open(name: string): void {
    if (name === 't') this.#inText = !this.#phonetic
    else if (name === 'si') this.#text = ''
    else if (name === 'rPh') this.#phonetic = true
  }

  text(part: string): void {
    if (this.#inText) this.#text += part
  }

  close(name: string): void {
    if (name === 't') this.#inText = false
    else if (name === 'si') this.#put(this.#text)
    else if (name === 'rPh') this.#phonetic = false
  }
}

/** The cells of a sheet as they come by. */
export class SheetRows implements ScanHandler {
  ended = false
  readonly #strings: StringsByPlace
  readonly #dates: readonly boolean[]
  readonly #from1904: boolean
  #rows: Row[] = []
  #row: Row = { number: 0, cells: [] }
  #column = -1
  #kind = 'n'
  #date = false
  #text = ''
  #reading = false

  constructor(strings: StringsByPlace, dates: readonly boolean[], from1904: boolean) {
    this.#strings = strings
    this.#dates = dates
    this.#from1904 = from1904
  }

  take(): Row[] {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  open(name: string, tag: string): void {
    if (name === 'c') {
      const reference = attribute(tag, 'r')
      this.#column = reference === undefined ? this.#column + 1 : columnOf(reference)
      this.#kind = attribute(tag, 't') ?? 'n'
      this.#date = this.#dates[Number(attribute(tag, 's') ?? 0)] === true
      this.#text = ''
    } else if (name === 'v' || name === 't') {
      this.#reading = true
    } else if (name === 'row') {
      const number = attribute(tag, 'r')
      this.#row = { number: number === undefined ? this.#row.number + 1 : Number(number), cells: [] }
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
    else if (name === 'sheetData') this.ended = true
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
