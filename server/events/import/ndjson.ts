/**
 * One JSON object a line, as rows. Objects inside become columns with dots; one array of objects (the lines of an
 * order) becomes several rows with the same number, its fields under the array's name.
 */
import { type Cell, MAX_COLUMNS, ROWS_A_BATCH, type Row, type RowReader, shorten } from './row.ts'
import type { ByteSource } from './source.ts'

const MAX_LINE = 4_000_000
const MAX_DEPTH = 5

/** `headings` grows while reading: a column that first stands in line 10,000 is a column all the same. */
export function readNdjson(source: ByteSource, headings: string[]): RowReader {
  const columns = new Map(headings.map((heading, index) => [heading, index]))
  const columnOf = (heading: string): number => {
    const known = columns.get(heading)
    if (known !== undefined) return known
    if (headings.length >= MAX_COLUMNS) return -1
    columns.set(heading, headings.length)
    headings.push(heading)
    return headings.length - 1
  }
  return { batches: batches(source, columnOf), consumed: source.consumed }
}

async function* batches(source: ByteSource, columnOf: (heading: string) => number): AsyncGenerator<Row[]> {
  let number = 0
  let batch: Row[] = []
  for await (const line of lines(source)) {
    number += 1
    if (line.trim() === '') continue
    for (const row of rowsOf(line, number, columnOf)) batch.push(row)
    if (batch.length >= ROWS_A_BATCH) {
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

async function* lines(source: ByteSource): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  for await (const piece of source.pieces) {
    const parts = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
    if (rest.length > MAX_LINE) {
      yield rest
      rest = ''
    }
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

function rowsOf(line: string, number: number, columnOf: (heading: string) => number): Row[] {
  const bad = (reason: 'bad_record' | 'bad_bytes' | 'too_many_columns'): Row[] => [
    { number, cells: [], problem: { column: '', reason, value: shorten(line) } },
  ]
  if (line.length > MAX_LINE) return bad('bad_record')
  let record: unknown
  try {
    record = JSON.parse(line)
  } catch {
    return bad(line.includes('\uFFFD') ? 'bad_bytes' : 'bad_record')
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return bad('bad_record')
  const flat = new Map<string, Cell>()
  const lists: [string, object[]][] = []
  flatten('', record, flat, lists, 0)
  if (lists.length > 1) return bad('bad_record')
  const own = spread(flat, columnOf)
  if (own === undefined) return bad('too_many_columns')
  const [list] = lists
  if (!list) return [marked({ number, cells: own })]
  const rows: Row[] = []
  for (const item of list[1]) {
    const parts = new Map<string, Cell>()
    flatten(`${list[0]}.`, item, parts, [], 1)
    const more = spread(parts, columnOf)
    if (more === undefined) return bad('too_many_columns')
    const cells = [...own]
    for (let column = 0; column < more.length; column += 1) {
      if (more[column] !== undefined && more[column] !== null) cells[column] = more[column] ?? null
    }
    for (let column = 0; column < cells.length; column += 1) cells[column] ??= null
    rows.push(marked({ number, cells }))
  }
  return rows
}

function marked(row: Row): Row {
  for (const cell of row.cells) {
    if (typeof cell === 'string' && cell.includes('\uFFFD')) {
      row.problem = { column: '', reason: 'bad_bytes', value: shorten(cell) }
    }
  }
  return row
}

function flatten(
  prefix: string,
  value: object,
  flat: Map<string, Cell>,
  lists: [string, object[]][],
  depth: number,
): void {
  for (const [key, item] of Object.entries(value)) {
    const name = `${prefix}${key}`
    if (item === null || typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') {
      flat.set(name, item)
    } else if (Array.isArray(item)) {
      const objects = item.filter((one): one is object => typeof one === 'object' && one !== null)
      if (objects.length === item.length && item.length > 0 && depth === 0) lists.push([name, objects])
      else if (item.length > 0)
        flat.set(
          name,
          item.map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))).join(','),
        )
    } else if (depth < MAX_DEPTH) {
      flatten(`${name}.`, item as object, flat, lists, depth + 1)
    }
  }
}

function spread(flat: ReadonlyMap<string, Cell>, columnOf: (heading: string) => number): Cell[] | undefined {
  const cells: Cell[] = []
  for (const [name, cell] of flat) {
    const column = columnOf(name)
    if (column === -1) return undefined
    while (cells.length < column) cells.push(null)
    cells[column] = cell
  }
  return cells
}
