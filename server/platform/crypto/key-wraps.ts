/**
 * Unwrapping many data keys at once: AES-256-GCM (NIST SP 800-38D, 7.2) whose block cipher runs over the counters of all
 * of them in one call. For a key of 32 bytes a call of its own costs 8 µs here, this 2 (Node 24).
 */
import { createCipheriv, type KeyObject } from 'node:crypto'
import { ghashOf } from './ghash.ts'

const BLOCK = 16
const NONCE = 12
const TAG = 16
/** Counters of one key: the tag's, and those of its 32 bytes. */
const BLOCKS = 3
const KEY = 32

/** Nonce, tag and ciphertext of each stand one after the other from `at` on; `context` is authenticated with it. */
export type Wrap = { bytes: Buffer; at: number; context: Buffer }

/** Bytes of a wrap. */
export const WRAP_BYTES = NONCE + TAG + KEY

/** Opens wraps under one key; answers the keys one after the other, or undefined where one of them does not fit. */
export function unwrapper(master: KeyObject): (wraps: readonly Wrap[]) => Buffer | undefined {
  const encipher = (blocks: Buffer): Buffer =>
    createCipheriv('aes-256-ecb', master, null).setAutoPadding(false).update(blocks)
  const ghash = ghashOf(encipher(Buffer.alloc(BLOCK)))
  return (wraps) => {
    const stream = encipher(countersOf(wraps))
    const keys = Buffer.alloc(wraps.length * KEY)
    let differs = 0
    wraps.forEach(({ bytes, at, context }, index) => {
      const from = index * BLOCKS * BLOCK
      const sealed = at + NONCE + TAG
      ghash.begin()
      ghash.take(context, 0, context.length)
      ghash.take(bytes, sealed, sealed + KEY)
      const hash = ghash.end(context.length, KEY)
      for (let word = 0; word < 4; word += 1)
        differs |=
          (hash[word] ?? 0) ^ stream.readInt32BE(from + word * 4) ^ bytes.readInt32BE(at + NONCE + word * 4)
      for (let place = 0; place < KEY; place += 1)
        keys[index * KEY + place] = (bytes[sealed + place] ?? 0) ^ (stream[from + BLOCK + place] ?? 0)
    })
    return differs === 0 ? keys : undefined
  }
}

function countersOf(wraps: readonly Wrap[]): Buffer {
  const counters = Buffer.alloc(wraps.length * BLOCKS * BLOCK)
  let to = 0
  for (const { bytes, at } of wraps)
    for (let count = 1; count <= BLOCKS; count += 1, to += BLOCK) {
      for (let place = 0; place < NONCE; place += 1) counters[to + place] = bytes[at + place] ?? 0
      counters[to + BLOCK - 1] = count
    }
  return counters
}
