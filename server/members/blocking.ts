/**
 * Who shares a key, for a base of any size in flat memory: keys are kept as hashes of 32 bits beside the person, sorted
 * in pieces by numbers alone, and read off in runs. Two keys that collide cost one comparison more, nothing else. Pages
 * are answered in the same process: there is a breath after each piece.
 */
import { setImmediate as breath } from 'node:timers/promises'
import { hashOf } from './rarity.ts'

export type Pair = readonly [low: number, high: number]

/** A key that more people share tells nobody apart (a common name of one year). */
const MOST_OF_A_KEY = 20
const PIECE_BITS = 6
/** 16 MB. A pair whose keys come in two loads is compared twice, which changes nothing. */
const PAIRS_IN_MEMORY = 2_000_000
const PAIRS_AT_ONCE = 500

/** Numbers of 64 bits, the hash above the person: one sort without a comparison in JavaScript brings together who shares a key. */
type Piece = { words: Uint32Array<ArrayBuffer>; count: number }

export type Blocks = {
  /** Takes a key of a person (a positive 31-bit number); keys of other parts are left out. */
  add(key: string, person: number): void
  /** Pairs that share a key, up to 500 at once, lower number first; in order and each once in two millions. */
  pairs(): AsyncGenerator<Pair[]>
}

/** Keys of which only the `part`-th of `parts` is kept: with more parts, more passes over the base and less memory. */
export function blocks(part = 0, parts = 1): Blocks {
  const pieces = Array.from({ length: 1 << PIECE_BITS }, () => ({
    words: new Uint32Array(1 << 10),
    count: 0,
  }))
  return {
    add(key, person) {
      const hash = hashOf(key)
      if (hash % parts === part) put(pieces[hash >>> (32 - PIECE_BITS)], hash, person)
    },
    pairs: () => loads(pieces),
  }
}

function put(piece: Piece | undefined, hash: number, person: number): void {
  if (!piece) return
  if (piece.count * 2 === piece.words.length) {
    const larger = new Uint32Array(piece.words.length * 2)
    larger.set(piece.words)
    piece.words = larger
  }
  // The lower half first, as processors that Node runs on store it.
  piece.words[piece.count * 2] = person
  piece.words[piece.count * 2 + 1] = hash
  piece.count += 1
}

async function* loads(pieces: readonly Piece[]): AsyncGenerator<Pair[]> {
  const load = new BigUint64Array(PAIRS_IN_MEMORY)
  let filled = 0
  for (const { words, count } of pieces) {
    await breath()
    new BigUint64Array(words.buffer, 0, count).sort()
    for (const persons of runs(words, count)) {
      if (filled + MOST_OF_A_KEY ** 2 > load.length) {
        yield* distinct(load.subarray(0, filled))
        filled = 0
      }
      for (const [at, low] of persons.entries()) {
        for (const high of persons.slice(at + 1)) load[filled++] = (BigInt(low) << 32n) | BigInt(high)
      }
    }
  }
  yield* distinct(load.subarray(0, filled))
}

/** For each key of two persons or more, and not too many, its persons in order. */
function* runs(words: Uint32Array, count: number): Generator<number[]> {
  for (let from = 0, to = 0; from < count; from = to) {
    const persons: number[] = []
    while (to < count && words[to * 2 + 1] === words[from * 2 + 1]) {
      const person = words[to * 2] ?? 0
      if (persons.length <= MOST_OF_A_KEY && persons.at(-1) !== person) persons.push(person)
      to += 1
    }
    if (persons.length > 1 && persons.length <= MOST_OF_A_KEY) yield persons
  }
}

function* distinct(pairs: BigUint64Array): Generator<Pair[]> {
  pairs.sort()
  let found: Pair[] = []
  let last = -1n
  for (const pair of pairs) {
    if (pair === last) continue
    last = pair
    found.push([Number(pair >> 32n), Number(pair & 0xffffffffn)])
    if (found.length < PAIRS_AT_ONCE) continue
    yield found
    found = []
  }
  if (found.length > 0) yield found
}
