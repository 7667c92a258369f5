/** All blocks of an answer as one set of columns, by name. */
import type { Block, Column } from './native.ts'

type Numbers = Float64Array | Int32Array | Uint32Array | Uint8Array

export class Gathered {
  readonly rows: number
  readonly #columns: ReadonlyMap<string, Numbers | readonly string[]>

  constructor(rows: number, columns: ReadonlyMap<string, Numbers | readonly string[]>) {
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

  texts(name: string): readonly string[] {
    const column = this.#columns.get(name)
    if (column === undefined) return this.#empty(name, [])
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
  const columns = new Map<string, Numbers | readonly string[]>()
  for (const [place, name] of (all[0]?.names ?? []).entries()) {
    columns.set(name, joined(all.map((block) => plain(block.columns[place]))))
  }
  return new Gathered(
    all.reduce((sum, { rows }) => sum + rows, 0),
    columns,
  )
}

function plain(column: Column | undefined): Numbers | readonly string[] {
  if (column === undefined || 'absent' in column) throw new TypeError('a column that may be null')
  if ('words' in column) return column.words
  return column as Numbers | readonly string[]
}

function joined(parts: readonly (Numbers | readonly string[])[]): Numbers | readonly string[] {
  const [first] = parts
  if (first === undefined || parts.length === 1) return first ?? []
  if (!ArrayBuffer.isView(first)) return (parts as (readonly string[])[]).flat()
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const whole = new (first.constructor as new (length: number) => Numbers)(length)
  let at = 0
  for (const part of parts as Numbers[]) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
