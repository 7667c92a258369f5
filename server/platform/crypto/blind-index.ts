/**
 * Blind index: a keyed hash by which an encrypted value can be looked up without being readable.
 * HMAC-SHA256 (RFC 2104) cut to 16 bytes: two of 2^32 values collide with a probability below 2^-64.
 * Written with one-shot hashes because `createHmac` costs three times as much and imports hash millions of values.
 */
import { hash } from 'node:crypto'

const BLOCK = 64
const DIGEST_BYTES = 16
/** Bytes of the longest message; identifiers are shorter than a thousand characters. */
const LONGEST = 4096

export type BlindIndex = {
  /** 16 bytes that stand for `parts` in this order; no two lists of parts share a digest by concatenation. */
  digest(...parts: readonly string[]): Buffer
}

/** A blind index under `key` (32 bytes). */
export function openBlindIndex(key: Buffer): BlindIndex {
  if (key.length !== 32) throw new RangeError('a blind index needs a key of 32 bytes')
  const inner = Buffer.alloc(BLOCK + LONGEST, 0x36)
  const outer = Buffer.alloc(BLOCK + 32, 0x5c)
  for (const [at, byte] of key.entries()) {
    inner[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  return {
    digest(...parts) {
      const text = parts.join('\u0000')
      if (text.length * 3 > LONGEST) throw new RangeError('too long for a blind index')
      const length = inner.write(text, BLOCK, 'utf8')
      outer.write(hash('sha256', inner.subarray(0, BLOCK + length), 'hex'), BLOCK, 'hex')
      return Buffer.from(hash('sha256', outer, 'hex').slice(0, DIGEST_BYTES * 2), 'hex')
    },
  }
}
