/**
 * Looking for people who may be one person though they share no identifier. Reads the base in pages, keeps only hashes
 * of keys in memory (about 60 bytes a person), compares who shares a key, and puts the likely pairs before somebody.
 * Nothing is joined; a pair that was decided is not proposed again. Pages are answered in the same process: keys are
 * sorted in pieces, with a breath after each.
 */
import { setImmediate as breath } from 'node:timers/promises'
import { newId } from '../platform/ids.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { isProposal, keysOf, type Likely, likeness } from './likeness.ts'
import { openSecrets } from './secret.ts'
import type { MembersDeps } from './settle-world.ts'
import { type LikelyRow, likelyOf, likelyPage } from './store-duplicates.ts'
import { type Proposal, putProposals } from './store-merges.ts'

const PAGE = 5_000
/** A key that more people share tells nobody apart (a common name in a big city). */
const MOST_OF_A_KEY = 20
/** Enough for people to look at; the rest comes with the next search, when these are decided. */
const MOST_PAIRS = 50_000
const PAIRS_AT_ONCE = 500

/** Proposes likely duplicates; answers how many are new. One transaction for each 500 pairs. */
export async function findDuplicates(
  deps: MembersDeps,
  db: Database,
  now: Date,
): Promise<{ proposed: number }> {
  const pairs = await pairsOf(await collectKeys(db))
  let proposed = 0
  for (let from = 0; from < pairs.length; from += PAIRS_AT_ONCE) {
    const part = pairs.slice(from, from + PAIRS_AT_ONCE)
    proposed += await db.transaction(async (tx) => {
      const persons = await loadLikely(deps, tx, [...new Set(part.flat())])
      return (
        await putProposals(
          tx,
          part.flatMap((pair) => propose(pair, persons, now)),
          now,
        )
      ).size
    })
  }
  return { proposed }
}

function propose(
  [low, high]: readonly [number, number],
  persons: ReadonlyMap<number, Likely>,
  now: Date,
): Proposal[] {
  const [one, other] = [persons.get(low), persons.get(high)]
  if (!one || !other) return []
  const found = likeness(one, other)
  return isProposal(found)
    ? [{ id: newId(now), low, high, score: found.score, evidence: found.evidence }]
    : []
}

/**
 * Keys with the same first bits of their hash: numbers of 64 bits, the hash above the person, so that one sort without a
 * comparison in JavaScript brings together who shares a key. `words` are their halves, the lower first.
 */
type Piece = { words: Uint32Array<ArrayBuffer>; count: number }
const PIECE_BITS = 6

async function collectKeys(db: Db): Promise<Piece[]> {
  const pieces = Array.from({ length: 1 << PIECE_BITS }, () => ({
    words: new Uint32Array(1 << 10),
    count: 0,
  }))
  for (let after = 0; ; ) {
    const page = await likelyPage(db, after, PAGE)
    for (const row of page) {
      for (const key of keysOf({ ...row, address: row.addressDigest })) add(pieces, hashOf(key), row.id)
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE) return pieces
    after = last.id
  }
}

function add(pieces: readonly Piece[], hash: number, person: number): void {
  const piece = pieces[hash >>> (32 - PIECE_BITS)]
  if (!piece) return
  if (piece.count * 2 === piece.words.length) {
    const larger = new Uint32Array(piece.words.length * 2)
    larger.set(piece.words)
    piece.words = larger
  }
  piece.words[piece.count * 2] = person
  piece.words[piece.count * 2 + 1] = hash
  piece.count += 1
}

/** Pairs that share a key, each once, in order. */
async function pairsOf(pieces: readonly Piece[]): Promise<[number, number][]> {
  const found = new Map<number, Set<number>>()
  let pairs = 0
  for (const { words, count } of pieces) {
    if (pairs >= MOST_PAIRS) break
    await breath()
    new BigUint64Array(words.buffer, 0, count).sort()
    const hashAt = (at: number): number | undefined => words[at * 2 + 1]
    for (let from = 0, to = 0; from < count && pairs < MOST_PAIRS; from = to) {
      while (to < count && hashAt(to) === hashAt(from)) to += 1
      if (to - from < 2) continue
      const members = new Set<number>()
      for (let at = from; at < to && members.size <= MOST_OF_A_KEY; at += 1) members.add(words[at * 2] ?? 0)
      if (members.size > MOST_OF_A_KEY) continue
      for (const [index, low] of [...members].entries()) {
        for (const high of [...members].slice(index + 1)) {
          const others = found.get(low) ?? new Set()
          if (!others.has(high)) pairs += 1
          found.set(low, others.add(high))
        }
      }
    }
  }
  return [...found]
    .flatMap(([low, others]) => [...others].map((high): [number, number] => [low, high]))
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
}

/** FNV-1a, 32 bits: two keys that collide cost one comparison more, nothing else. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

async function loadLikely(deps: MembersDeps, db: Db, ids: readonly number[]): Promise<Map<number, Likely>> {
  const rows = await likelyOf(db, ids)
  const sealed = await openSecrets(
    db,
    deps.keys,
    rows.flatMap(({ addressProfile }) => addressProfile ?? []),
  )
  const address = ({ addressProfile, addressDigest }: LikelyRow): string | null =>
    addressProfile === null || addressDigest === null
      ? null
      : (sealed.get(addressProfile)?.[addressDigest] ?? null)
  return new Map(rows.map((row) => [row.id, { ...row, address: address(row) }]))
}
