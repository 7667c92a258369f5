/**
 * Rows sorted by what they belong to, on disk: the lines of one order can stand anywhere in a file, and an order is
 * written once, with all of them.
 *
 * A row goes to the bucket that the hash of its key names; a bucket is small enough to be sorted in memory. Always
 * true: the lines of a bucket, sorted, depend on the rows of the file alone and not on their order, so a position
 * (bucket, line) means the same after a crash, and the same rows in another order give the same chunks.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PIECE, readSealed, recordOf, type Seal } from './sealed-file.ts'

/** Unpacked bytes of the source that one bucket is made for. */
const BUCKET_BYTES = 8 * 1024 * 1024
const MAX_BUCKETS = 256

/** How many buckets a source of this many (unpacked) bytes needs. */
export function bucketsFor(bytes: number): number {
  return Math.min(MAX_BUCKETS, Math.max(1, Math.ceil(bytes / BUCKET_BYTES)))
}

/**
 * Lines are copied into bytes at once: kept as strings, each would hold on to the piece of the file that it was cut from.
 * Writing is synchronous: a record of 32 KB into the page cache takes less time than handing it to another thread.
 */
export class BucketWriter {
  readonly #seal: Seal
  readonly #files: number[]
  readonly #buffers: Buffer[]
  readonly #sizes: number[]

  private constructor(files: number[], seal: Seal) {
    this.#files = files
    this.#seal = seal
    this.#buffers = files.map(() => Buffer.allocUnsafeSlow(PIECE))
    this.#sizes = files.map(() => 0)
  }

  /** Empties `folder` first. */
  static async open(folder: string, seal: Seal, count: number): Promise<BucketWriter> {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const files = Array.from({ length: count }, (_, bucket) =>
      openSync(bucketPath(folder, bucket), 'a', 0o600),
    )
    return new BucketWriter(files, seal)
  }

  add(key: string, line: string): void {
    const bucket = this.#files.length === 1 ? 0 : bucketOf(key, this.#files.length)
    const text = `${line}\n`
    // Three bytes a character at most.
    if ((this.#sizes[bucket] ?? 0) + text.length * 3 > PIECE) this.#flush(bucket)
    if (text.length * 3 > PIECE) {
      this.#write(bucket, text)
      return
    }
    const size = this.#sizes[bucket] ?? 0
    this.#sizes[bucket] = size + (this.#buffers[bucket]?.write(text, size) ?? 0)
  }

  /** Everything is on disk afterwards. */
  sync(): void {
    for (const [bucket, file] of this.#files.entries()) {
      this.#flush(bucket)
      fsyncSync(file)
    }
  }

  close(): void {
    for (const file of this.#files.splice(0)) closeSync(file)
  }

  #flush(bucket: number): void {
    const size = this.#sizes[bucket] ?? 0
    if (size > 0) this.#write(bucket, this.#buffers[bucket]?.toString('utf8', 0, size) ?? '')
    this.#sizes[bucket] = 0
  }

  #write(bucket: number, text: string): void {
    const file = this.#files[bucket]
    if (file !== undefined) writeSync(file, recordOf(this.#seal, text))
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

/**
 * By 32 bits that keys which resemble each other spread over evenly: FNV-1a (draft-eastlake-fnv) over UTF-16, then the
 * finalizer of MurmurHash3. Nobody gains by keys that fall together: a bucket then takes more memory, as does a file that
 * is one order.
 */
export function bucketOf(key: string, count: number): number {
  let mixed = 0x811c9dc5
  for (let at = 0; at < key.length; at += 1) mixed = Math.imul(mixed ^ key.charCodeAt(at), 0x01000193)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) % count
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
