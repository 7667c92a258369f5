import type { IncomingMessage } from 'node:http'
import { Problem } from '../problem.ts'

/** The largest JSON body of an ordinary route. */
export const MAX_JSON_BYTES = 1_048_576

/**
 * Reads a JSON body whole; undefined where there is none.
 * Errors: `too_large` beyond `limit` (also while it streams), `bad_input` for another type or malformed JSON.
 */
export async function readJson(request: IncomingMessage, limit = MAX_JSON_BYTES): Promise<unknown> {
  const text = (await readBytes(request, limit)).toString('utf8')
  if (text === '') return undefined
  const type = request.headers['content-type'] ?? 'application/json'
  if (!type.toLowerCase().startsWith('application/json')) {
    throw new Problem('bad_input', `The body must be application/json, not ${type.slice(0, 60)}.`)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem('bad_input', 'The body is not well-formed JSON.')
  }
}

/**
 * Reads a body whole. Errors: `too_large`, `bad_input` where the caller broke off. By events and not by `streamBody`:
 * walking over a stream costs as much as the rest of a small request.
 */
export function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    refuseDeclaredLength(request, limit)
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) {
        chunks.push(chunk)
        return
      }
      chunks.length = 0
      request.pause()
      reject(tooLarge(limit))
    })
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
    const broken = () => {
      if (!request.readableEnded) reject(brokenOff())
    }
    request.on('error', broken)
    request.on('close', broken)
  })
}

/**
 * The body as chunks, for what must not be held whole. Errors: `too_large`, as soon as it is known; `bad_input` where
 * the connection ended in the middle: told apart here, since later it looks like a connection of our own that broke.
 */
export async function* streamBody(request: IncomingMessage, limit: number): AsyncGenerator<Buffer> {
  refuseDeclaredLength(request, limit)
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      yield chunk
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw brokenOff()
  }
}

function brokenOff(): Problem {
  return new Problem('bad_input', 'The connection ended in the middle of the request.')
}

function refuseDeclaredLength(request: IncomingMessage, limit: number): void {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
}

function tooLarge(limit: number): Problem {
  return new Problem('too_large', `The body is larger than ${limit} bytes.`, { details: { limit } })
}
