/**
 * How common each word of each field is in the base, in flat memory: a count-min sketch (Cormode and Muthukrishnan
 * 2005). Two words that fall together look more common than they are, so an agreement tells less, never more.
 */

/** Four rows of 4 MB each hold the words of some millions of people; a rare one looks rare in one of them. */
const WIDTH_BITS = 20
const WIDTH = 1 << WIDTH_BITS
const SALTS = [0, 0x5bd1e995, 0x2545f491, 0x6c078965] as const
/**
 * What is believed before anything was counted, and how many people that belief weighs: a base of ten must not hold
 * every name to be common, nor every city to be rare.
 */
const BELIEVED_PERSONS = 1_000
const BELIEVED_SHARE: Readonly<Record<string, number>> = {
  name: 1 / 2_000,
  address: 1 / 1_000,
  city: 1 / 50,
  date: 1 / 15_000,
  number: 1 / 100_000,
  text: 1 / 10,
}

export type Rarity = {
  /** Counts the words of one more person. */
  note(words: readonly (readonly [field: string, word: string])[]): void
  /** Bits that a word tells when two persons have it: log2(1/share). Between 0 and log2 of the size of the base. */
  bits(field: string, kind: string, word: string): number
  /** How many persons were counted. */
  readonly persons: number
  /** Bits against any two persons being one before anything was compared (see `DUPLICATES`). */
  readonly prior: number
}

/** Duplicates that are expected for each person of a base: one in ten. */
const DUPLICATES = 0.1

/** An empty count. */
export function countRarity(): Rarity {
  const counters = new Uint32Array(WIDTH * SALTS.length)
  let persons = 0
  const all = (): number => persons + BELIEVED_PERSONS
  return {
    note(words) {
      persons += 1
      for (const [field, word] of words) {
        const hash = hashOf(`${field}|${word}`)
        for (let row = 0; row < SALTS.length; row += 1) {
          const at = placeOf(hash, row)
          counters[at] = (counters[at] ?? 0) + 1
        }
      }
    },
    bits(field, kind, word) {
      const hash = hashOf(`${field}|${word}`)
      let counted = counters[placeOf(hash, 0)] ?? 0
      for (let row = 1; row < SALTS.length; row += 1)
        counted = Math.min(counted, counters[placeOf(hash, row)] ?? 0)
      const share = (Math.max(2, counted) + BELIEVED_PERSONS * (BELIEVED_SHARE[kind] ?? 0)) / all()
      return Math.max(0, -Math.log2(share))
    },
    get persons() {
      return persons
    },
    get prior() {
      return Math.log2(all() / (2 * DUPLICATES))
    },
  }
}

/** The counter of a word in a row: a multiplicative hash of each row's own (Knuth 6.4). */
function placeOf(hash: number, row: number): number {
  return row * WIDTH + (Math.imul(hash ^ (SALTS[row] ?? 0), 0x9e3779b1) >>> (32 - WIDTH_BITS))
}

/** FNV-1a, 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
