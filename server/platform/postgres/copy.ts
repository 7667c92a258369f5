/** COPY … FROM STDIN inside an open transaction: the fastest way in. Text format, one line a row. */
import type { Connection, Submittable } from 'pg'
import { heard, type Tx } from './database.ts'

const CHUNK = 1 << 16

/**
 * Runs `copy` (text that the code itself wrote: `copy t (a, b) from stdin`) with the given lines, each ending in a
 * newline and built by `copyField`. Answers the number of rows. Errors: those of the database.
 */
export async function copyIn(tx: Tx, copy: string, lines: Iterable<string>): Promise<number> {
  return heard(
    new Promise((resolve, reject) => {
      tx.client.query(new CopyIn(copy, lines, resolve, reject))
    }),
  )
}

/** A value in COPY's text format; null is \N. */
export function copyField(value: string | number | null): string {
  if (value === null) return '\\N'
  if (typeof value === 'number') return String(value)
  return SPECIAL.test(value) ? value.replace(/[\\\n\r\t]/g, (sign) => ESCAPED[sign] ?? sign) : value
}

const SPECIAL = /[\\\n\r\t]/
const ESCAPED: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

type CopyConnection = Connection & {
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
}

/** What node-postgres asks of a query object. */
class CopyIn implements Submittable {
  readonly #copy: string
  readonly #lines: Iterable<string>
  readonly #resolve: (rows: number) => void
  readonly #reject: (error: Error) => void
  #failure: Error | undefined
  #rows = 0

  constructor(
    copy: string,
    lines: Iterable<string>,
    resolve: (rows: number) => void,
    reject: (error: Error) => void,
  ) {
    this.#copy = copy
    this.#lines = lines
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    connection.query(this.#copy)
  }

  handleCopyInResponse(connection: CopyConnection): void {
    try {
      let chunk = ''
      for (const line of this.#lines) {
        chunk += line
        if (chunk.length >= CHUNK) {
          connection.sendCopyFromChunk(Buffer.from(chunk))
          chunk = ''
        }
      }
      if (chunk !== '') connection.sendCopyFromChunk(Buffer.from(chunk))
      connection.endCopyFrom()
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      connection.sendCopyFail('the rows could not be built')
    }
  }

  handleCommandComplete(message: { text: string }): void {
    this.#rows = Number(/\d+$/.exec(message.text)?.[0] ?? 0)
  }

  handleError(error: Error): void {
    this.#reject(this.#failure ?? error)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#rows)
  }
}
