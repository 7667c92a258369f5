/**
 * One row of great values (whole columns, put together by string_agg or json_agg) as bytes: COPY … TO STDOUT in the
 * binary format, which costs no text and no object for each row that went into it.
 * Source: https://www.postgresql.org/docs/18/sql-copy.html, "Binary Format".
 */
import pg, { type Connection, type Submittable } from 'pg'
import { type Database, heard } from './database.ts'
import type { Sql } from './sql.ts'

/** Signature of 11 bytes, flags, and the length of an extension that has none. */
const HEADER_BYTES = 19

/**
 * Runs a query that answers exactly one row (text that the code itself wrote; COPY takes no parameters) and gives the
 * bytes of each field, undefined where it is null. Errors: those of the database.
 */
export async function copyRow(db: Database, query: string): Promise<(Buffer | undefined)[]> {
  const client = await db.connect()
  try {
    const bytes = await heard(
      new Promise<Buffer>((resolve, reject) => {
        client.query(new CopyOut(`copy (${query}) to stdout (format binary)`, resolve, reject))
      }),
    )
    return fieldsOf(bytes)
  } finally {
    client.release()
  }
}

/**
 * The statement with its values written into it, as COPY needs it: each as the text that it would travel as, quoted, so
 * that its type is found as a parameter's is. Errors: TypeError for a value that has no such text here.
 */
export function written({ text, values }: Sql): string {
  return text.replace(/\$(\d+)/g, (_, place: string) => literal(values[Number(place) - 1]))
}

function literal(value: unknown): string {
  if (value === null) return 'null'
  return pg.escapeLiteral(Array.isArray(value) ? `{${value.map(element).join(',')}}` : plainText(value))
}

function element(value: unknown): string {
  return value === null ? 'null' : `"${plainText(value).replace(/["\\]/g, '\\$&')}"`
}

function plainText(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  throw new TypeError(`a ${typeof value} cannot be written into a statement`)
}

function fieldsOf(bytes: Buffer): (Buffer | undefined)[] {
  let at = HEADER_BYTES
  const count = bytes.readInt16BE(at)
  at += 2
  const fields: (Buffer | undefined)[] = []
  for (let place = 0; place < count; place += 1) {
    const length = bytes.readInt32BE(at)
    at += 4
    fields.push(length < 0 ? undefined : bytes.subarray(at, at + length))
    at += Math.max(0, length)
  }
  return fields
}

type CopyData = { chunk: Buffer }

/** What node-postgres asks of a query object. */
class CopyOut implements Submittable {
  readonly #copy: string
  readonly #resolve: (bytes: Buffer) => void
  readonly #reject: (error: Error) => void
  readonly #pieces: Buffer[] = []

  constructor(copy: string, resolve: (bytes: Buffer) => void, reject: (error: Error) => void) {
    this.#copy = copy
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    connection.query(this.#copy)
  }

  /** The memory is the connection's, which writes over it. */
  handleCopyData({ chunk }: CopyData): void {
    this.#pieces.push(Buffer.from(chunk))
  }

  handleCommandComplete(): void {
    // The end is said by `handleReadyForQuery`.
  }

  handleError(error: Error): void {
    this.#reject(error)
  }

  handleReadyForQuery(): void {
    this.#resolve(Buffer.concat(this.#pieces))
  }
}

/** Numbers that `int4send` put one after the other. */
export function int4s(bytes: Buffer | undefined): Int32Array {
  const found = new Int32Array((bytes?.length ?? 0) >> 2)
  for (let place = 0; place < found.length; place += 1) found[place] = bytes?.readInt32BE(place * 4) ?? 0
  return found
}

/** Numbers that `int8send` put one after the other; those beyond 2^53 are not exact. */
export function int8s(bytes: Buffer | undefined): Float64Array {
  const found = new Float64Array((bytes?.length ?? 0) >> 3)
  for (let place = 0; place < found.length; place += 1) {
    found[place] = (bytes?.readInt32BE(place * 8) ?? 0) * WORD + (bytes?.readUInt32BE(place * 8 + 4) ?? 0)
  }
  return found
}

/** Numbers that `float8send` put one after the other. */
export function float8s(bytes: Buffer | undefined): Float64Array {
  const found = new Float64Array((bytes?.length ?? 0) >> 3)
  for (let place = 0; place < found.length; place += 1) found[place] = bytes?.readDoubleBE(place * 8) ?? 0
  return found
}

/** Instants that `timestamptz_send` put one after the other, in ms since 1970; ± Infinity for those of PostgreSQL. */
export function instants(bytes: Buffer | undefined): Float64Array {
  const found = int8s(bytes)
  for (let place = 0; place < found.length; place += 1) {
    const micros = found[place] ?? 0
    if (micros >= ENDLESS) found[place] = Number.POSITIVE_INFINITY
    else if (micros <= -ENDLESS) found[place] = Number.NEGATIVE_INFINITY
    else found[place] = Math.floor(micros / 1000) + MS_OF_2000
  }
  return found
}

const WORD = 2 ** 32
const ENDLESS = 2 ** 62
/** PostgreSQL counts microseconds from 2000-01-01. */
const MS_OF_2000 = 946_684_800_000
