/** From the bytes of a JSONCompactEachRow answer to batches of rows, in flat memory. */
import { ClickHouseError, parseError } from '@clickhouse/client'

const NEWLINE = 0x0a
const RETURN = 0x0d
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d
const MARKER = '__exception__'

/**
 * Yields the complete rows of each piece as it comes. `tag` is the header X-ClickHouse-Exception-Tag: an exception
 * that the server put into the stream is thrown as ClickHouseError. JSON escapes both newline and return, so a raw
 * newline ends a row and a raw return begins an exception.
 */
export async function* rowBatches<Row>(
  pieces: AsyncIterable<Buffer>,
  tag: string | undefined,
): AsyncGenerator<Row[]> {
  let rest: Buffer[] = []
  for await (const piece of pieces) {
    const broken = tag === undefined ? -1 : piece.indexOf(RETURN)
    if (broken !== -1) throw await exceptionIn(piece.subarray(broken), pieces)
    const end = piece.lastIndexOf(NEWLINE)
    if (end === -1) {
      rest.push(piece)
      continue
    }
    rest.push(piece.subarray(0, end))
    const rows = parsed<Row>(rest)
    rest = end + 1 < piece.length ? [piece.subarray(end + 1)] : []
    if (rows.length > 0) yield rows
  }
  const last = parsed<Row>(rest)
  if (last.length > 0) yield last
}

/** One parse for a whole batch, newlines made commas in the bytes: half the time of parsing row by row. */
function parsed<Row>(pieces: readonly Buffer[]): Row[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const text = Buffer.allocUnsafe(length + 2)
  text[0] = OPEN
  let end = 1
  for (const piece of pieces) end += piece.copy(text, end)
  for (let at = text.indexOf(NEWLINE); at !== -1 && at < end; at = text.indexOf(NEWLINE, at + 1))
    text[at] = COMMA
  text[end] = CLOSE
  return JSON.parse(text.toString('utf8')) as Row[]
}

/**
 * The pieces as they are, with an exception that the server put among them thrown as ClickHouseError. Bytes of a
 * binary format may look like anything, so the exception is looked for only where `tag` is told and the answer breaks
 * off: it stands in the last bytes.
 */
export async function* soundPieces(
  pieces: AsyncIterable<Buffer>,
  tag: string | undefined,
): AsyncGenerator<Buffer> {
  let last: Buffer = Buffer.alloc(0)
  try {
    for await (const piece of pieces) {
      last =
        piece.length >= MOST_OF_EXCEPTION ? piece : Buffer.concat([last.subarray(-MOST_OF_EXCEPTION), piece])
      if (!endsWith(last, tag)) yield piece
    }
  } catch (error) {
    throw exceptionOf(last, tag) ?? error
  }
  const found = exceptionOf(last, tag)
  if (found) throw found
}

const MOST_OF_EXCEPTION = 1 << 15

function endsWith(bytes: Buffer, tag: string | undefined): boolean {
  return tag !== undefined && bytes.subarray(-200).includes(`${tag}\r\n${MARKER}`)
}

function exceptionOf(bytes: Buffer, tag: string | undefined): Error | undefined {
  if (!endsWith(bytes, tag)) return undefined
  const begin = bytes.lastIndexOf(`\r\n${MARKER}\r\n${tag}\r\n`)
  return begin < 0 ? undefined : exceptionFrom(bytes.subarray(begin))
}

/** `\r\n__exception__\r\n<tag>\r\n<message>\n<length> <tag>\r\n__exception__\r\n`, and then the connection is cut. */
async function exceptionIn(begin: Buffer, pieces: AsyncIterable<Buffer>): Promise<Error> {
  const all = [begin]
  try {
    for await (const piece of pieces) all.push(piece)
  } catch {
    // What has come is all there is.
  }
  return exceptionFrom(Buffer.concat(all))
}

function exceptionFrom(bytes: Buffer): Error {
  const text = bytes.toString('utf8')
  const message = text.split('\r\n')[3] ?? ''
  if (!text.includes(MARKER) || message === '') return new Error('the answer broke off')
  const error = parseError(message.slice(0, message.lastIndexOf('\n')))
  return error instanceof ClickHouseError ? error : new Error(`ClickHouse: ${error.message}`)
}
