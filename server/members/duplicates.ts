/**
 * Looking for people who may be one person though they share no identifier. Reads the base in pages, keeps only hashes
 * of keys in memory (about 60 bytes a person), compares who shares a key, and puts the likely pairs before somebody.
 * Nothing is joined; a pair that was decided is not proposed again.
 */
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
  const pairs = pairsOf(await collectKeys(db))
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

type Keys = { hashes: Uint32Array; persons: Uint32Array; count: number }

async function collectKeys(db: Db): Promise<Keys> {
  const keys: Keys = { hashes: new Uint32Array(1 << 16), persons: new Uint32Array(1 << 16), count: 0 }
  for (let after = 0; ; ) {
    const page = await likelyPage(db, after, PAGE)
    for (const row of page) {
      for (const key of keysOf({ ...row, address: row.addressDigest })) add(keys, hashOf(key), row.id)
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE) return keys
    after = last.id
  }
}

function add(keys: Keys, hash: number, person: number): void {
  if (keys.count === keys.hashes.length) {
    for (const field of ['hashes', 'persons'] as const) {
      const larger = new Uint32Array(keys[field].length * 2)
      larger.set(keys[field])
      keys[field] = larger
    }
  }
  keys.hashes[keys.count] = hash
  keys.persons[keys.count] = person
  keys.count += 1
}

/** Pairs that share a key, each once, in order. */
function pairsOf({ hashes, persons, count }: Keys): [number, number][] {
  const order = new Uint32Array(count)
  for (let at = 0; at < count; at += 1) order[at] = at
  order.sort((a, b) => (hashes[a] ?? 0) - (hashes[b] ?? 0) || (persons[a] ?? 0) - (persons[b] ?? 0))
  const found = new Map<number, Set<number>>()
  let pairs = 0
  for (let from = 0, to = 0; from < count && pairs < MOST_PAIRS; from = to) {
    const hash = hashes[order[from] ?? 0]
    while (to < count && hashes[order[to] ?? 0] === hash) to += 1
    const members = [
      ...new Set(
        Array.from(order.subarray(from, Math.min(to, from + MOST_OF_A_KEY + 1)), (at) => persons[at] ?? 0),
      ),
    ]
    if (members.length > MOST_OF_A_KEY) continue
    for (const [index, low] of members.entries()) {
      for (const high of members.slice(index + 1)) {
        const others = found.get(low) ?? new Set()
        if (!others.has(high)) pairs += 1
        found.set(low, others.add(high))
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
