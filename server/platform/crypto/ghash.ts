/**
 * GHASH (NIST SP 800-38D, 6.4) for those who decrypt many short values under one key: a call into the library for each
 * costs several times what the work itself does.
 *
 * Always true: no branch and no place in memory depends on key or data. Products without carries are made of integer
 * products whose bits stand four apart, so that carries stay between them (T. Pornin, BearSSL, "ctmul32",
 * https://bearssl.org/constanttime.html#ghash-for-gcm); the upper half of a product is the lower one of the reversed words.
 */

const BLOCK = 16

/** 128 bits as four words, the first the most significant. */
type Words = Int32Array

export type Ghash = {
  /** Begins anew. */
  begin(): void
  /** Takes bytes in, filled up with zeros to a whole block. */
  take(bytes: Uint8Array, from: number, to: number): void
  /** Takes in the lengths in bytes of both parts; answers the hash as four words, good until the next call. */
  end(first: number, second: number): Words
}

/** `key`: the block of zeros, enciphered. */
export function ghashOf(key: Uint8Array): Ghash {
  const h0 = wordAt(key, 12, BLOCK)
  const h1 = wordAt(key, 8, BLOCK)
  const h2 = wordAt(key, 4, BLOCK)
  const h3 = wordAt(key, 0, BLOCK)
  const r0 = reversed(h0)
  const r1 = reversed(h1)
  const r2 = reversed(h2)
  const r3 = reversed(h3)
  let y0 = 0
  let y1 = 0
  let y2 = 0
  let y3 = 0
  const answer = new Int32Array(4)

  /** y = (y + block) · h, by Karatsuba over words and over pairs of them. */
  function multiply(w3: number, w2: number, w1: number, w0: number): void {
    const a0 = y0 ^ w0
    const a1 = y1 ^ w1
    const a2 = y2 ^ w2
    const a3 = y3 ^ w3
    const b0 = reversed(a0)
    const b1 = reversed(a1)
    const b2 = reversed(a2)
    const b3 = reversed(a3)

    const low0 = lower(a0, h0)
    const low1 = lower(a1, h1)
    const low = lower(a0 ^ a1, h0 ^ h1) ^ low0 ^ low1
    const lowUp0 = upper(b0, r0)
    const lowUp1 = upper(b1, r1)
    const lowUp = upper(b0 ^ b1, r0 ^ r1) ^ lowUp0 ^ lowUp1
    const l1 = lowUp0 ^ low
    const l2 = low1 ^ lowUp

    const high0 = lower(a2, h2)
    const high1 = lower(a3, h3)
    const high = lower(a2 ^ a3, h2 ^ h3) ^ high0 ^ high1
    const highUp0 = upper(b2, r2)
    const highUp1 = upper(b3, r3)
    const highUp = upper(b2 ^ b3, r2 ^ r3) ^ highUp0 ^ highUp1
    const u1 = highUp0 ^ high
    const u2 = high1 ^ highUp

    const mid0 = lower(a0 ^ a2, h0 ^ h2)
    const mid1 = lower(a1 ^ a3, h1 ^ h3)
    const mid = lower(a0 ^ a1 ^ a2 ^ a3, h0 ^ h1 ^ h2 ^ h3) ^ mid0 ^ mid1
    const midUp0 = upper(b0 ^ b2, r0 ^ r2)
    const midUp1 = upper(b1 ^ b3, r1 ^ r3)
    const midUp = upper(b0 ^ b1 ^ b2 ^ b3, r0 ^ r1 ^ r2 ^ r3) ^ midUp0 ^ midUp1
    const m0 = mid0 ^ low0 ^ high0
    const m1 = midUp0 ^ mid ^ l1 ^ u1
    const m2 = mid1 ^ midUp ^ l2 ^ u2
    const m3 = midUp1 ^ lowUp1 ^ highUp1

    reduce(low0, l1, l2 ^ m0, lowUp1 ^ m1, high0 ^ m2, u1 ^ m3, u2, highUp1)
  }

  /** The product of 255 bits, the least significant word first, modulo x^128 + x^7 + x^2 + x + 1 (bits reflected). */
  function reduce(
    p0: number,
    p1: number,
    p2: number,
    p3: number,
    p4: number,
    p5: number,
    p6: number,
    p7: number,
  ): void {
    const z0 = p0 << 1
    const z1 = (p1 << 1) | (p0 >>> 31)
    const z2 = (p2 << 1) | (p1 >>> 31)
    const z3 = ((p3 << 1) | (p2 >>> 31)) ^ down(z0)
    const z4 = ((p4 << 1) | (p3 >>> 31)) ^ folded(z0) ^ down(z1)
    const z5 = ((p5 << 1) | (p4 >>> 31)) ^ folded(z1) ^ down(z2)
    const z6 = ((p6 << 1) | (p5 >>> 31)) ^ folded(z2) ^ down(z3)
    y0 = z4
    y1 = z5
    y2 = z6
    y3 = ((p7 << 1) | (p6 >>> 31)) ^ folded(z3)
  }

  return {
    begin() {
      y0 = y1 = y2 = y3 = 0
    },
    take(bytes, from, to) {
      for (let at = from; at < to; at += BLOCK)
        multiply(
          wordAt(bytes, at, to),
          wordAt(bytes, at + 4, to),
          wordAt(bytes, at + 8, to),
          wordAt(bytes, at + 12, to),
        )
    },
    end(first, second) {
      multiply(Math.floor(first / 2 ** 29), first << 3, Math.floor(second / 2 ** 29), second << 3)
      answer[0] = y3
      answer[1] = y2
      answer[2] = y1
      answer[3] = y0
      return answer
    },
  }
}

/** Four bytes, the first the most significant; zeros from `to` on. */
function wordAt(bytes: Uint8Array, at: number, to: number): number {
  if (at + 4 <= to)
    return (
      (byteAt(bytes, at) << 24) |
      (byteAt(bytes, at + 1) << 16) |
      (byteAt(bytes, at + 2) << 8) |
      byteAt(bytes, at + 3)
    )
  let word = 0
  for (let place = 0; place < 4; place += 1)
    word = (word << 8) | (at + place < to ? byteAt(bytes, at + place) : 0)
  return word
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}

const M0 = 0x1111_1111
const M1 = 0x2222_2222
const M2 = 0x4444_4444
const M3 = 0x8888_8888 | 0

/** The lower 32 bits of the product without carries. */
function lower(x: number, y: number): number {
  const x0 = x & M0
  const x1 = x & M1
  const x2 = x & M2
  const x3 = x & M3
  const y0 = y & M0
  const y1 = y & M1
  const y2 = y & M2
  const y3 = y & M3
  const z0 = Math.imul(x0, y0) ^ Math.imul(x1, y3) ^ Math.imul(x2, y2) ^ Math.imul(x3, y1)
  const z1 = Math.imul(x0, y1) ^ Math.imul(x1, y0) ^ Math.imul(x2, y3) ^ Math.imul(x3, y2)
  const z2 = Math.imul(x0, y2) ^ Math.imul(x1, y1) ^ Math.imul(x2, y0) ^ Math.imul(x3, y3)
  const z3 = Math.imul(x0, y3) ^ Math.imul(x1, y2) ^ Math.imul(x2, y1) ^ Math.imul(x3, y0)
  return (z0 & M0) | (z1 & M1) | (z2 & M2) | (z3 & M3)
}

/** The upper 31 bits of the product of the words whose reversed ones these are. */
function upper(x: number, y: number): number {
  return reversed(lower(x, y)) >>> 1
}

/** The bits of a word, the last first. */
function reversed(word: number): number {
  let x = word
  x = ((x & 0x5555_5555) << 1) | ((x >>> 1) & 0x5555_5555)
  x = ((x & 0x3333_3333) << 2) | ((x >>> 2) & 0x3333_3333)
  x = ((x & 0x0f0f_0f0f) << 4) | ((x >>> 4) & 0x0f0f_0f0f)
  x = ((x & 0x00ff_00ff) << 8) | ((x >>> 8) & 0x00ff_00ff)
  return (x << 16) | (x >>> 16)
}

function folded(word: number): number {
  return word ^ (word >>> 1) ^ (word >>> 2) ^ (word >>> 7)
}

function down(word: number): number {
  return (word << 31) ^ (word << 30) ^ (word << 25)
}
