/** All blocks of an answer as one set of columns, by name. */
import type { Block, Coded, Column } from './native.ts'

type Numbers = Float64Array | Int32Array | Uint32Array | Uint8Array
const NO_TEXTS: Coded = { keys: [], codes: new Int32Array(0) }

export class Gathered {
  readonly rows: number
  readonly #columns: ReadonlyMap<string, Numbers | Coded>

  constructor(rows: number, columns: ReadonlyMap<string, Numbers | Coded>) {
    this.rows = rows
    this.#columns = columns
  }

  /** Errors: a TypeError where there is no such column, or it is of texts. */
  numbers(name: string): Numbers {
    const column = this.#columns.get(name)
    if (column === undefined) return this.#empty(name, new Float64Array(0))
    if (!ArrayBuffer.isView(column)) throw new TypeError(`the column ${name} is of texts`)
    return column
  }

  /** Equal texts have one key. */
  texts(name: string): Coded {
    const column = this.#columns.get(name)
    if (column === undefined) return this.#empty(name, NO_TEXTS)
    if (ArrayBuffer.isView(column)) throw new TypeError(`the column ${name} is of numbers`)
    return column
  }

  /** Ids, four words a row. */
  words(name: string): Uint32Array {
    const column = this.#columns.get(name) ?? this.#empty(name, new Uint32Array(0))
    if (!(column instanceof Uint32Array)) throw new TypeError(`the column ${name} is not of ids`)
    return column
  }

  /** An answer without rows has no columns. */
  #empty<T>(name: string, none: T): T {
    if (this.rows > 0) throw new TypeError(`there is no column ${name}`)
    return none
  }
}

/** Reads to the end. Errors: those of the answer; a TypeError for a column that may be null. */
export async function gathered(blocks: AsyncIterable<Block>): Promise<Gathered> {
  const all: Block[] = []
  for await (const block of blocks) all.push(block)
  const columns = new Map<string, Numbers | Coded>()
  for (const [place, name] of (all[0]?.names ?? []).entries()) {
    columns.set(name, joined(all.map((block) => plain(block.columns[place]))))
  }
  return new Gathered(
    all.reduce((sum, { rows }) => sum + rows, 0),
    columns,
  )
}

type Part = Numbers | readonly string[] | Coded

function plain(column: Column | undefined): Part {
  if (column === undefined || 'absent' in column) throw new TypeError('a column that may be null')
  if ('words' in column) return column.words
  return column as Part
}

const isNumbers = (part: Part): part is Numbers => ArrayBuffer.isView(part)

function joined(parts: readonly Part[]): Numbers | Coded {
  const [first] = parts
  if (first === undefined) return NO_TEXTS
  if (!isNumbers(first)) return coded(parts as readonly (readonly string[] | Coded)[])
  if (parts.length === 1) return first
  const length = parts.reduce((sum, part) => sum + lengthOf(part), 0)
  const whole = new (first.constructor as new (length: number) => Numbers)(length)
  let at = 0
  for (const part of parts as Numbers[]) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const lengthOf = (part: Part): number => ('codes' in part ? part.codes.length : part.length)

function coded(parts: readonly (readonly string[] | Coded)[]): Coded {
  const places = new Map<string, number>()
  const keys: string[] = []
  const placeOf = (text: string): number => {
    let place = places.get(text)
    if (place === undefined) {
      place = keys.push(text) - 1
      places.set(text, place)
    }
    return place
  }
  const codes = new Int32Array(parts.reduce((sum, part) => sum + lengthOf(part), 0))
  let at = 0
  for (const part of parts) {
    if ('codes' in part) {
      const own = Int32Array.from(part.keys, placeOf)
      for (let row = 0; row < part.codes.length; row += 1) codes[at + row] = own[part.codes[row] ?? 0] ?? 0
    } else for (let row = 0; row < part.length; row += 1) codes[at + row] = placeOf(part[row] ?? '')
    at += lengthOf(part)
  }
  return { keys, codes }
}
