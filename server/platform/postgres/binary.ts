/**
 * Values in PostgreSQL's binary form, for COPY and for long lists as parameters: reading and writing them as text costs
 * both sides more than all else about a small row.
 * Source: PostgreSQL's documentation of COPY, section "Binary Format", and the receive functions of each type: numbers in
 * network order, a moment as microseconds since 2000, a day as days since 2000, jsonb as its version and text, an array
 * as dimensions, flags, type, length, lower bound and elements.
 */
import { instant } from '../time/clock.ts'

const START_BYTES = 1 << 16
const EPOCH_MS = 946_684_800_000
const DAY_MS = 86_400_000
const WORD = 2 ** 32
const UUID_TYPE = 2950
const INT_TYPE = 23
/** Of an array. */
const HEAD_BYTES = 20
const NULL = -1
const JSONB_VERSION = 1

/** Fields one after the other, each with its length before it. */
export class BinaryRows {
  #bytes: Buffer
  #end = 0

  /** Grows beyond `bytes` where it must. */
  constructor(bytes = START_BYTES) {
    this.#bytes = Buffer.allocUnsafe(bytes)
  }

  get length(): number {
    return this.#end
  }

  /** What was written, to be used before more is; begins anew. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#end)
    this.#end = 0
    return bytes
  }

  /** Bytes as they are: fields that many rows share, made once. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** How many fields a row has; stands before them. */
  count(fields: number): void {
    this.#room(2)
    this.#end = this.#bytes.writeInt16BE(fields, this.#end)
  }

  smallint(value: number): void {
    this.#room(6)
    this.#int(2)
    this.#end = this.#bytes.writeInt16BE(value, this.#end)
  }

  int(value: number | null): void {
    this.#room(8)
    if (value === null) {
      this.#int(NULL)
      return
    }
    this.#int(4)
    this.#int(value)
  }

  /** 'YYYY-MM-DD'. */
  day(day: string): void {
    this.int(instant(day).getTime() / DAY_MS - EPOCH_MS / DAY_MS)
  }

  instant(at: Date): void {
    this.#room(12)
    this.#int(8)
    const micros = (at.getTime() - EPOCH_MS) * 1000
    if (Number.isSafeInteger(micros)) {
      const high = Math.floor(micros / WORD)
      this.#int(high)
      this.#end = this.#bytes.writeUInt32BE(micros - high * WORD, this.#end)
    } else {
      this.#end = this.#bytes.writeBigInt64BE(BigInt(at.getTime() - EPOCH_MS) * 1000n, this.#end)
    }
  }

  /** Errors: RangeError for what is no UUID. */
  uuid(id: string): void {
    this.#room(20)
    this.#int(16)
    if (id.length !== UUID_LENGTH) throw new RangeError('not a UUID')
    let wrong = 0
    for (const place of PAIRS) {
      const high = NIBBLES[id.charCodeAt(place)] ?? WRONG
      const low = NIBBLES[id.charCodeAt(place + 1)] ?? WRONG
      wrong |= high | low
      this.#bytes[this.#end] = (high << 4) | low
      this.#end += 1
    }
    if (wrong > 15) throw new RangeError('not a UUID')
  }

  text(text: string): void {
    this.#text(text, 0)
  }

  /** JSON text for a column of jsonb. */
  json(text: string): void {
    this.#text(text, JSONB_VERSION)
  }

  /** A head of an array of one dimension; its elements follow. */
  arrayOf(type: number, length: number): void {
    this.#room(HEAD_BYTES)
    this.#int(length === 0 ? 0 : 1)
    this.#int(0)
    this.#int(type)
    if (length === 0) return
    this.#int(length)
    this.#int(1)
  }

  #text(text: string, version: number): void {
    // A unit of UTF-16 is at most three bytes of UTF-8.
    this.#room(text.length * 3 + 5)
    const start = this.#end + 4
    let end = start
    if (version > 0) end = this.#bytes.writeUInt8(version, end)
    end += this.#bytes.write(text, end, 'utf8')
    this.#int(end - start)
    this.#end = end
  }

  #int(value: number): void {
    this.#end = this.#bytes.writeInt32BE(value, this.#end)
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + bytes))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}

const UUID_LENGTH = 36
const WRONG = 0xff
/** Where the pairs of digits stand in '00000000-0000-0000-0000-000000000000'. */
const PAIRS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const NIBBLES = new Uint8Array(128).fill(WRONG)
for (let digit = 0; digit < 16; digit += 1) {
  NIBBLES[digit.toString(16).charCodeAt(0)] = digit
  NIBBLES[digit.toString(16).toUpperCase().charCodeAt(0)] = digit
}

/** A parameter of type uuid[]. Errors: RangeError for what is no UUID. */
export function uuidArray(ids: readonly string[]): Buffer {
  const rows = new BinaryRows(HEAD_BYTES + 20 * ids.length)
  rows.arrayOf(UUID_TYPE, ids.length)
  for (const id of ids) rows.uuid(id)
  return rows.take()
}

/** A parameter of type int[]. */
export function intArray(values: readonly number[]): Buffer {
  const rows = new BinaryRows(HEAD_BYTES + 8 * values.length)
  rows.arrayOf(INT_TYPE, values.length)
  for (const value of values) rows.int(value)
  return rows.take()
}
