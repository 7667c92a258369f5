/**
 * Separated text to rows, piece by piece.
 *
 * Always true: every physical line of the file ends up in exactly one row. A record whose quotes do not close (or close
 * in mid-field) becomes one row with a problem, and reading goes on at the next line, so one bad quote costs one row
 * and not the rest of the file.
 */
import type { FileFormat } from '../../../contract/import.ts'
import { MAX_COLUMNS, ROWS_A_BATCH, type Row, type RowReader, shorten } from './row.ts'
import type { ByteSource } from './source.ts'

/** A record is given up as unclosed beyond this length or this many lines. */
const MAX_RECORD = 1_000_000
const MAX_RECORD_LINES = 200

/** Reads `source` in the given encoding. */
export function readCsv(source: ByteSource, format: Pick<FileFormat, 'encoding' | 'separator'>): RowReader {
  return { batches: batches(source, format), consumed: source.consumed }
}

async function* batches(
  source: ByteSource,
  format: Pick<FileFormat, 'encoding' | 'separator'>,
): AsyncGenerator<Row[]> {
  const decoder = new TextDecoder(format.encoding)
  const splitter = new CsvSplitter(format.separator)
  for await (const piece of source.pieces) {
    yield* inBatches(splitter.push(decoder.decode(piece, { stream: true }), false))
  }
  yield* inBatches(splitter.push(decoder.decode(), true))
}

function* inBatches(rows: Row[]): Generator<Row[]> {
  for (let from = 0; from < rows.length; from += ROWS_A_BATCH) yield rows.slice(from, from + ROWS_A_BATCH)
}

type Quoted = { cells: string[]; end: number; lines: number } | 'bad' | 'more'

export class CsvSplitter {
  readonly #separator: string
  readonly #blanks: boolean
  #text = ''
  #number = 0
  #line = '\n'
  #lineKnown = false

  /** A separator of one blank stands for any run of blanks. */
  constructor(separator: string) {
    this.#separator = separator
    this.#blanks = separator === ' '
  }

  /** The rows that are complete with this piece; with `last`, also what stands behind the last line end. */
  push(piece: string, last: boolean): Row[] {
    this.#text = this.#text === '' ? piece : this.#text + piece
    if (!this.#lineKnown) this.#learnLineEnd(last)
    const text = this.#text
    const rows: Row[] = []
    let from = 0
    let quote = text.indexOf('"')
    while (from < text.length) {
      if (quote !== -1 && quote < from) quote = text.indexOf('"', from)
      const found = text.indexOf(this.#line, from)
      if (found === -1 && !last) {
        if (text.length - from <= MAX_RECORD * 4) break
        rows.push(this.#bad(text.slice(from, from + 300)))
        from = text.length
        break
      }
      const end = found === -1 ? text.length : found
      if (quote === -1 || quote > end || this.#blanks) {
        rows.push(this.#row(this.#split(bare(text, from, end))))
        from = end + 1
        continue
      }
      const record = this.#quoted(text, from, last)
      if (record === 'more') break
      if (record === 'bad') {
        rows.push(this.#bad(text.slice(from, end)))
        from = end + 1
        continue
      }
      rows.push(this.#row(record.cells))
      from = record.end
    }
    this.#text = from === 0 ? text : text.slice(from)
    return rows
  }

  #learnLineEnd(last: boolean): void {
    const text = this.#text
    if (text.includes('\n')) this.#line = '\n'
    else if (text.includes('\r') && (last || text.length > MAX_RECORD)) this.#line = '\r'
    else return
    this.#lineKnown = true
  }

  #split(line: string): string[] {
    if (!this.#blanks) return line.split(this.#separator)
    const trimmed = line.trim()
    return trimmed === '' ? [''] : trimmed.split(/\s+/u)
  }

  #row(cells: string[]): Row {
    this.#number += 1
    const row: Row = { number: this.#number, cells }
    if (cells.length > MAX_COLUMNS) {
      row.cells = []
      row.problem = { column: '', reason: 'too_many_columns', value: shorten(cells.join(this.#separator)) }
      return row
    }
    for (const cell of cells) {
      if (cell.includes('\uFFFD')) row.problem = { column: '', reason: 'bad_bytes', value: shorten(cell) }
    }
    return row
  }

  #bad(line: string): Row {
    this.#number += 1
    return {
      number: this.#number,
      cells: [],
      problem: { column: '', reason: 'bad_quotes', value: shorten(line.replace(/\r$/u, '')) },
    }
  }

  /** A record with a quote in it, from `from`: `end` is behind its line end. */
  #quoted(text: string, from: number, last: boolean): Quoted {
    const cells: string[] = []
    let lines = 1
    let at = from
    for (;;) {
      if (text[at] === '"') {
        const closed = closingQuote(text, at + 1)
        if (closed === -1) {
          if (last || text.length - from > MAX_RECORD || tooManyLines(text, from)) return 'bad'
          return 'more'
        }
        const value = text.slice(at + 1, closed)
        if (closed - from > MAX_RECORD) return 'bad'
        if (value.includes('\n')) lines += value.split('\n').length - 1
        if (lines > MAX_RECORD_LINES) return 'bad'
        cells.push(value.includes('"') ? value.replaceAll('""', '"') : value)
        at = closed + 1
      } else {
        const end = this.#fieldEnd(text, at)
        if (end === text.length && !last) return 'more'
        cells.push(text.slice(at, end).replace(/\r$/u, ''))
        at = end
      }
      if (at >= text.length) return last ? { cells, end: at, lines } : 'more'
      const next = text[at]
      if (next === this.#separator) at += 1
      else if (next === this.#line) return { cells, end: at + 1, lines }
      else if (next === '\r' && text[at + 1] === '\n') return { cells, end: at + 2, lines }
      else if (next === '\r' && at + 1 >= text.length) return last ? { cells, end: at + 1, lines } : 'more'
      else return 'bad'
    }
  }

  #fieldEnd(text: string, from: number): number {
    const separator = text.indexOf(this.#separator, from)
    const line = text.indexOf(this.#line, from)
    if (separator === -1 && line === -1) return text.length
    if (separator === -1) return line
    return line === -1 ? separator : Math.min(separator, line)
  }
}

function bare(text: string, from: number, end: number): string {
  return text.slice(from, end > from && text.charCodeAt(end - 1) === 13 ? end - 1 : end)
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
  return at
}

function tooManyLines(text: string, from: number): boolean {
  let at = from
  for (let lines = 0; lines <= MAX_RECORD_LINES; lines += 1) {
    at = text.indexOf('\n', at) + 1
    if (at === 0) return false
  }
  return true
}
