/**
 * From the bytes of a Native answer to columns, block by block, without an object for any row.
 *
 * A block is: number of columns, number of rows (both as LEB128), then for each column its name, its type (texts with
 * their length before them) and its values one after the other, little-endian. No block information goes before it. A
 * server sends LowCardinality as its plain type over HTTP, the built-in engine as a dictionary and places in it.
 * Source: https://clickhouse.com/docs/interfaces/formats/Native, src/Formats/NativeWriter.cpp and
 * src/DataTypes/Serializations/SerializationLowCardinality.cpp.
 */
import { ByteSource } from './byte-source.ts'

/** Texts of which many are equal: each row has the place of its own among the keys. */
export type Coded = { readonly keys: readonly string[]; readonly codes: Int32Array }
/** Four 32-bit words a row: low and high word of the first half of the id, then of the second. */
export type Uuids = { readonly words: Uint32Array }
export type Column =
  | Float64Array
  | Int32Array
  | Uint32Array
  | Uint8Array
  | readonly (string | null)[]
  | Coded
  | Uuids
  | Nullable
/** Where `absent` is 1 there is no value. */
export type Nullable = { readonly absent: Uint8Array; readonly values: Column }
export type Block = {
  readonly rows: number
  readonly names: readonly string[]
  readonly columns: readonly Column[]
}

/** Beyond this an integer of 64 bits is no exact number any more. */
const GREATEST = 2 ** 53
const WORD = 2 ** 32

/** Yields each block as soon as it has come; empty ones are left out. Errors: what `pieces` throws; a broken or unknown column. */
export async function* nativeBlocks(pieces: AsyncIterable<Buffer>): AsyncGenerator<Block> {
  const source = new ByteSource(pieces)
  while (!(await source.ended())) {
    const count = await source.varint()
    const rows = await source.varint()
    const names: string[] = []
    const columns: Column[] = []
    for (let place = 0; place < count; place += 1) {
      names.push(await source.text())
      const type = await source.text()
      columns.push(rows === 0 ? new Uint8Array(0) : await columnOf(source, type, rows))
    }
    if (rows > 0) yield { rows, names, columns }
  }
}

async function columnOf(source: ByteSource, type: string, rows: number): Promise<Column> {
  const inner = /^Nullable\((.*)\)$/.exec(type)?.[1]
  if (inner !== undefined) {
    const absent = new Uint8Array(rows)
    await source.into(absent)
    return { absent, values: await columnOf(source, inner, rows) }
  }
  switch (type) {
    case 'String':
      return source.texts(rows)
    case 'LowCardinality(String)':
      return named(source, rows)
    case 'UUID': {
      const words = new Uint32Array(rows * 4)
      await source.into(bytesOf(words))
      return { words }
    }
    case 'Float64':
      return filled(source, new Float64Array(rows))
    case 'Int32':
      return filled(source, new Int32Array(rows))
    case 'UInt32':
      return filled(source, new Uint32Array(rows))
    case 'UInt8':
    case 'Bool':
      return filled(source, new Uint8Array(rows))
    case 'Int64':
      return wholes(source, rows, true)
    case 'UInt64':
      return wholes(source, rows, false)
    default:
      return decimals(source, type, rows)
  }
}

/** Flags beside the kind of the places: keys follow; they are the whole dictionary. */
const KEYS_FOLLOW = 1 << 9

/**
 * The version of the dictionary, then pieces until all rows are there: the kind of the places (0, 1, 2: of 1, 2, 4
 * bytes) with flags, the number of keys and the keys, the number of places and the places.
 */
async function named(source: ByteSource, rows: number): Promise<Coded> {
  const all: string[] = []
  const codes = new Int32Array(rows)
  await wholes(source, 1, false)
  for (let filledUp = 0; filledUp < rows; ) {
    const kind = (await wholes(source, 1, false))[0] ?? 0
    if ((kind & KEYS_FOLLOW) === 0)
      throw new TypeError('a dictionary that is not in its block cannot be read')
    const keys = await source.texts((await wholes(source, 1, false))[0] ?? 0)
    const count = (await wholes(source, 1, false))[0] ?? 0
    const places = await placesOf(source, kind & 0xff, count)
    for (let row = 0; row < count; row += 1) codes[filledUp + row] = all.length + (places[row] ?? 0)
    for (const key of keys) all.push(key)
    filledUp += count
  }
  return { keys: all, codes }
}

async function placesOf(source: ByteSource, kind: number, count: number): Promise<ArrayLike<number>> {
  if (kind === 0) return filled(source, new Uint8Array(count))
  if (kind === 1) return filled(source, new Uint16Array(count))
  return kind === 2 ? filled(source, new Uint32Array(count)) : wholes(source, count, false)
}

async function filled<T extends Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array>(
  source: ByteSource,
  column: T,
): Promise<T> {
  await source.into(bytesOf(column))
  return column
}

function bytesOf(column: ArrayBufferView): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
}

/** Integers of 64 bits as numbers. Errors: a RangeError beyond 2^53. */
async function wholes(source: ByteSource, rows: number, signed: boolean): Promise<Float64Array> {
  const words = new Uint32Array(rows * 2)
  await source.into(bytesOf(words))
  const high = signed ? new Int32Array(words.buffer) : words
  const values = new Float64Array(rows)
  for (let row = 0; row < rows; row += 1) {
    const value = (high[row * 2 + 1] ?? 0) * WORD + (words[row * 2] ?? 0)
    if (value > GREATEST || value < -GREATEST) throw new RangeError('an integer beyond 2^53')
    values[row] = value
  }
  return values
}

/** Decimals of up to 18 digits stand as whole numbers of their last place. */
async function decimals(source: ByteSource, type: string, rows: number): Promise<Float64Array> {
  const found = /^Decimal\((\d+), (\d+)\)$/.exec(type)
  const [digits, scale] = [Number(found?.[1]), Number(found?.[2])]
  if (!found || digits > 18) throw new TypeError(`no column of type ${type} can be read`)
  const units =
    digits > 9
      ? await wholes(source, rows, true)
      : Float64Array.from(await filled(source, new Int32Array(rows)))
  const one = 10 ** scale
  for (let row = 0; row < rows; row += 1) units[row] = (units[row] ?? 0) / one
  return units
}

/** The id as text. */
export function uuidText(words: Uint32Array, row: number): string {
  const hex = (place: number): string => (words[row * 4 + place] ?? 0).toString(16).padStart(8, '0')
  const [first, second, third, fourth] = [hex(1), hex(0), hex(3), hex(2)]
  return `${first}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${fourth}`
}

/** The order of the ids as texts: less than, equal to or greater than 0. */
export function compareUuids(
  left: Uint32Array,
  leftRow: number,
  right: Uint32Array,
  rightRow: number,
): number {
  for (const place of IN_TEXT) {
    const [one, other] = [left[leftRow * 4 + place] ?? 0, right[rightRow * 4 + place] ?? 0]
    if (one !== other) return one - other
  }
  return 0
}

const IN_TEXT = [1, 0, 3, 2] as const
