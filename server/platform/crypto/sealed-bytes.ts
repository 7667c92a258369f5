/**
 * Files whose bytes are sealed: records of [length, sealed bytes], each of at most 64 KiB of what was written. The place
 * of a record is part of what is authenticated, so records cannot be left out, repeated or put in another order.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { DataKey, FieldCipher } from './field-cipher.ts'

/** With which key, and whose file it is ('export:<id>'). */
export type BytesSeal = { cipher: FieldCipher; key: DataKey['key']; context: string }

const PIECE = 1 << 16
const HEAD = 4

/** Writes a file from front to back, by calls that wait: for a thread of its own. Without a seal as it comes. */
export class BytesFile {
  readonly #file: number
  readonly #seal: BytesSeal | undefined
  #pending: Buffer[] = []
  #waiting = 0
  #record = 0
  /** Bytes that were given to it. */
  size = 0

  /** A new file, readable by its owner only. Errors: those of the file system, also where it is there already. */
  constructor(path: string, seal: BytesSeal | undefined) {
    this.#file = openSync(path, 'wx', 0o600)
    this.#seal = seal
  }

  write(bytes: Buffer): void {
    this.size += bytes.length
    this.#pending.push(bytes)
    this.#waiting += bytes.length
    if (this.#waiting < PIECE) return
    const all = Buffer.concat(this.#pending)
    let from = 0
    for (; all.length - from >= PIECE; from += PIECE) this.#put(all.subarray(from, from + PIECE))
    this.#pending = from < all.length ? [all.subarray(from)] : []
    this.#waiting = all.length - from
  }

  /** Everything stands on the disk afterwards. */
  close(): void {
    if (this.#waiting > 0) this.#put(Buffer.concat(this.#pending))
    this.#pending = []
    this.#waiting = 0
    fsyncSync(this.#file)
    closeSync(this.#file)
  }

  /** Leaves what was written as it is. */
  abandon(): void {
    closeSync(this.#file)
  }

  #put(piece: Buffer): void {
    if (!this.#seal) {
      writeAll(this.#file, piece)
      return
    }
    const { cipher, key, context } = this.#seal
    const sealed = cipher.sealBytes(key, piece, `${context}:${this.#record}`)
    const head = Buffer.alloc(HEAD)
    head.writeUInt32LE(sealed.length)
    writeAll(this.#file, Buffer.concat([head, sealed]))
    this.#record += 1
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; ) from += writeSync(file, bytes, from)
}

/** What stands in a sealed file, piece by piece. Errors: `Unreadable` where key, context or order do not fit. */
export async function* readSealedBytes(path: string, seal: BytesSeal): AsyncGenerator<Buffer> {
  const file = await open(path, 'r')
  try {
    for (let at = 0, record = 0; ; record += 1) {
      const head = await take(file, at, HEAD)
      if (head.length === 0) return
      const size = head.readUInt32LE(0)
      const sealed = await take(file, at + HEAD, size)
      yield seal.cipher.openBytes(seal.key, sealed, `${seal.context}:${record}`)
      at += HEAD + size
    }
  } finally {
    await file.close()
  }
}

async function take(file: FileHandle, at: number, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, at)
  if (bytesRead < size && !(size === HEAD && bytesRead === 0))
    throw new Error('a sealed file ends in the middle of a record')
  return buffer.subarray(0, bytesRead)
}
