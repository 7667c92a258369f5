/**
 * The bytes of a file as a stream of bounded pieces, unpacked where they are gzip.
 * A file that unpacks to more than `MAX_RATIO` times its size (beyond the first 64 MB) is refused while it is read.
 */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Problem } from '../../platform/problem.ts'

const PIECE = 256 * 1024
export const MAX_RATIO = 250
const RATIO_FREE_BYTES = 64 * 1024 * 1024

export type ByteSource = { pieces: AsyncIterable<Buffer>; consumed(): number }

/** The pieces of `path`; `consumed()` counts bytes of the file itself, 0…1. */
export async function readBytes(path: string, gzip: boolean): Promise<ByteSource> {
  const { size } = await stat(path)
  const file = createReadStream(path, { highWaterMark: PIECE })
  const consumed = (): number => (size === 0 ? 1 : file.bytesRead / size)
  if (!gzip) return { pieces: file, consumed }
  const unpacked = createGunzip({ chunkSize: PIECE })
  file.on('error', (error) => unpacked.destroy(error))
  return { pieces: guarded(file.pipe(unpacked), () => file.bytesRead), consumed }
}

/** The first bytes of the file, unpacked. */
export async function readHead(path: string, gzip: boolean, bytes: number): Promise<Buffer> {
  const { pieces } = await readBytes(path, gzip)
  const head: Buffer[] = []
  let length = 0
  for await (const piece of pieces) {
    head.push(piece)
    length += piece.length
    if (length >= bytes) break
  }
  return Buffer.concat(head).subarray(0, bytes)
}

/** The first four bytes: enough to tell ZIP and gzip from text. */
export async function readMagic(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function* guarded(stream: Readable, packed: () => number): AsyncGenerator<Buffer> {
  let unpacked = 0
  try {
    for await (const piece of stream) {
      unpacked += (piece as Buffer).length
      if (unpacked > RATIO_FREE_BYTES && unpacked > packed() * MAX_RATIO) {
        throw new Problem('unsupported_file', `The file unpacks to more than ${MAX_RATIO} times its size.`)
      }
      yield piece as Buffer
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('unsupported_file', 'The gzip file is damaged: it cannot be unpacked to its end.')
  }
}
