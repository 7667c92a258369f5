/** Request bodies: decompressed, bounded, whole. */
import type { IncomingMessage } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { ClickHouseException, refusal } from './exception.ts'

const MiB = 1024 * 1024
/** One insert is one block of rows under one deduplication token, so its body is held whole. */
export const MAX_BODY_BYTES = 256 * MiB

const decoders = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
])

/** The decompressed body. Refuses more than MAX_BODY_BYTES, an unknown encoding and a broken one. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
  const source = encoding === 'identity' ? request : decompressed(request, encoding)
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY_BYTES)
        throw refusal(307, 'TOO_MANY_BYTES', `A request body has at most ${MAX_BODY_BYTES} bytes.`)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ClickHouseException) throw error
    throw refusal(
      354,
      'ZLIB_INFLATE_FAILED',
      `The request body could not be read: ${error instanceof Error ? error.message : 'unknown'}`,
    )
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)
}

function decompressed(request: IncomingMessage, encoding: string): Readable {
  const create = decoders.get(encoding)
  if (create === undefined)
    throw refusal(48, 'NOT_IMPLEMENTED', `Content-Encoding '${encoding}' is not known.`)
  const decoder = create()
  request.on('error', (error) => decoder.destroy(error))
  request.on('close', () => {
    if (!request.complete) decoder.destroy(new Error('the client went away'))
  })
  return request.pipe(decoder)
}

/** The text fields of a multipart/form-data body (`query`, `param_…`). Files (external tables) are refused. */
export function formFields(contentType: string, body: Buffer): Map<string, string> {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1]
  const fields = new Map<string, string>()
  if (boundary === undefined) throw refusal(36, 'BAD_ARGUMENTS', 'A multipart body needs a boundary.')
  const delimiter = Buffer.from(`--${boundary}`)
  let at = body.indexOf(delimiter)
  while (at !== -1) {
    const start = at + delimiter.length
    const end = body.indexOf(delimiter, start)
    if (end === -1) break
    const part = body.subarray(start, end)
    const blank = part.indexOf('\r\n\r\n')
    const head = blank === -1 ? '' : part.subarray(0, blank).toString('latin1')
    const name = /name="([^"]*)"/i.exec(head)?.[1]
    if (/filename=/i.test(head)) throw refusal(48, 'NOT_IMPLEMENTED', 'External tables are not known here.')
    if (name !== undefined) fields.set(name, part.subarray(blank + 4, part.length - 2).toString('utf8'))
    at = end
  }
  return fields
}
