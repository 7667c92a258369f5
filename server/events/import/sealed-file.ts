/**
 * Files with personal data that the import keeps for a while: rejected rows, and rows put aside while sorting.
 *
 * Stored: records of [length, sealed bytes], each at most about 64 KB of text, under the run's own key, readable by the
 * owner of the process only. A record counts from the moment that the database knows the file's new length; what a
 * crash left behind it is cut off by `cutTo`.
 */
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises'
import type { DataKey, FieldCipher } from '../../platform/crypto/field-cipher.ts'

const HEAD = 4
/** Text is sealed in pieces of this many characters. */
export const PIECE = 32 * 1024

export type Seal = { seal(text: string): Buffer; open(sealed: Buffer): string }

/** Seals with a run's key; `context` names the run, so that no record can be put into another file. */
export function sealOf(cipher: FieldCipher, key: DataKey['key'], context: string): Seal {
  return {
    seal: (text) => cipher.seal(key, text, context),
    open: (sealed) => cipher.open(key, sealed, context),
  }
}

/** One record as it stands in the file. */
export function recordOf(seal: Seal, text: string): Buffer {
  const sealed = seal.seal(text)
  const record = Buffer.allocUnsafe(HEAD + sealed.length)
  record.writeUInt32LE(sealed.length, 0)
  sealed.copy(record, HEAD)
  return record
}

/** Begins the file anew, with nothing in it. */
export async function beginSealed(path: string): Promise<void> {
  await writeFile(path, '', { mode: 0o600 })
}

/** Appends text behind `length` bytes (what stands there beyond is cut off). Answers the new length. */
export async function appendSealed(path: string, seal: Seal, length: number, text: string): Promise<number> {
  if (text === '') return length
  const file = await open(path, 'a+', 0o600)
  try {
    await file.truncate(length)
    let end = length
    for (let from = 0; from < text.length; from += PIECE) {
      const record = recordOf(seal, text.slice(from, from + PIECE))
      await file.write(record)
      end += record.length
    }
    return end
  } finally {
    await file.close()
  }
}

/** All text of a small file. */
export async function readSealed(path: string, seal: Seal): Promise<string> {
  const bytes = await readFile(path)
  const texts: string[] = []
  for (let at = 0; at + HEAD <= bytes.length; ) {
    const end = at + HEAD + bytes.readUInt32LE(at)
    texts.push(seal.open(bytes.subarray(at + HEAD, end)))
    at = end
  }
  return texts.join('')
}

/** The text of the first `length` bytes, record by record. */
export async function* streamSealed(path: string, seal: Seal, length: number): AsyncGenerator<string> {
  const file = await open(path, 'r')
  try {
    for (let at = 0; at < length; ) {
      const head = await take(file, at, HEAD)
      const size = head.readUInt32LE(0)
      yield seal.open(await take(file, at + HEAD, size))
      at += HEAD + size
    }
  } finally {
    await file.close()
  }
}

async function take(file: FileHandle, at: number, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(size), 0, size, at)
  if (bytesRead < size) throw new Error('a sealed file ends in the middle of a record')
  return buffer
}
