/**
 * Rows sorted by what they belong to, on disk: the lines of one order can stand anywhere in a file, and an order is
 * written once, with all of them.
 *
 * A row goes to the bucket that the hash of its key names; a bucket is small enough to be sorted in memory. Always
 * true: the lines of a bucket, sorted, depend on the rows of the file alone and not on their order, so a position
 * (bucket, line) means the same after a crash, and the same rows in another order give the same chunks.
 */
import { hash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PIECE, readSealed, recordOf, type Seal } from './sealed-file.ts'

/** Unpacked bytes of the source that one bucket is made for. */
const BUCKET_BYTES = 8 * 1024 * 1024
const MAX_BUCKETS = 256

/** How many buckets a source of this many (unpacked) bytes needs. */
export function bucketsFor(bytes: number): number {
  return Math.min(MAX_BUCKETS, Math.max(1, Math.ceil(bytes / BUCKET_BYTES)))
}

export class BucketWriter {
  readonly #folder: string
  readonly #seal: Seal
  readonly #texts: string[][]
  readonly #sizes: number[]

  private constructor(folder: string, seal: Seal, count: number) {
    this.#folder = folder
    this.#seal = seal
    this.#texts = Array.from({ length: count }, () => [])
    this.#sizes = new Array(count).fill(0)
  }

  /** Empties `folder` first. */
  static async open(folder: string, seal: Seal, count: number): Promise<BucketWriter> {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return new BucketWriter(folder, seal, count)
  }

  /** Adds a line; true where `flush` should be called now. */
  add(key: string, line: string): boolean {
    const bucket = this.#texts.length === 1 ? 0 : bucketOf(key, this.#texts.length)
    this.#texts[bucket]?.push(line)
    const size = (this.#sizes[bucket] ?? 0) + line.length
    this.#sizes[bucket] = size
    return size > PIECE
  }

  /** Writes out the buckets that have much to write, or all. */
  async flush(all = false): Promise<void> {
    for (const [bucket, texts] of this.#texts.entries()) {
      if (texts.length === 0 || (!all && (this.#sizes[bucket] ?? 0) <= PIECE)) continue
      this.#texts[bucket] = []
      this.#sizes[bucket] = 0
      const file = await open(bucketPath(this.#folder, bucket), 'a', 0o600)
      try {
        await file.write(recordOf(this.#seal, `${texts.join('\n')}\n`))
        if (all) await file.sync()
      } finally {
        await file.close()
      }
    }
  }
}

/** The lines of a bucket in their order; empty where nothing fell into it. */
export async function readBucket(folder: string, seal: Seal, bucket: number): Promise<string[]> {
  const text = await readSealed(bucketPath(folder, bucket), seal).catch((error: unknown) => {
    if (isMissing(error)) return ''
    throw error
  })
  const lines = text.split('\n')
  lines.pop()
  return lines.sort()
}

function bucketPath(folder: string, bucket: number): string {
  return join(folder, `bucket-${bucket}`)
}

/** By 32 bits of SHA-256: keys that resemble each other spread evenly. */
export function bucketOf(key: string, count: number): number {
  return Number.parseInt(hash('sha256', key, 'hex').slice(0, 8), 16) % count
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
