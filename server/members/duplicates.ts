/**
 * Looking for people who may be one person though they share no identifier. Reads the base in pages, counts how common
 * every word is (rarity.ts), compares who shares a key (likeness-keys.ts, blocking.ts), and puts the likely pairs
 * before somebody. Nothing is joined; a pair that was decided is not proposed again. Memory does not grow with the base:
 * a larger one is read more often.
 */
import { newId } from '../platform/ids.ts'
import { withLease } from '../platform/jobs/lease.ts'
import type { Database, Db } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { type Blocks, blocks, type Pair } from './blocking.ts'
import { type Likely, likeness, memberFields, wordsOf } from './likeness.ts'
import { keysOf } from './likeness-keys.ts'
import { nameInRemark } from './normalise.ts'
import { countRarity, type Rarity } from './rarity.ts'
import { openSecrets } from './secret.ts'
import type { MembersDeps } from './settle-world.ts'
import {
  countLikely,
  type LikelyPerson,
  likelyOf,
  likelyPage,
  type Said,
  saidOf,
} from './store-duplicates.ts'
import { type Proposal, putProposals } from './store-merges.ts'

/** Pages are answered in the same process: what is sealed of so many is opened in one go. */
const PAGE = 1_000
/** Keys of so many fit into 130 MB; of more, the base is read once for each such part. */
const PERSONS_AT_ONCE = 2_000_000
/** Enough for people to look at; the rest comes with the next search, when these are decided. */
const MOST_PROPOSED = 200_000

const LEASE = 'duplicates'

/**
 * Proposes likely duplicates; answers how many are new. One short transaction for each 500 pairs. Minutes for a million
 * people. Errors: `already_running` while another search runs, in whatever process; `LeaseLost`.
 */
export async function findDuplicates(
  deps: MembersDeps,
  db: Database,
  now: Date,
): Promise<{ proposed: number }> {
  const found = await withLease(db, LEASE, ({ signal }) => search(deps, db, now, signal))
  if (found === undefined)
    throw new Problem('already_running', 'Likely duplicates are being looked for already.')
  return found
}

async function search(
  deps: MembersDeps,
  db: Database,
  now: Date,
  signal: AbortSignal,
): Promise<{ proposed: number }> {
  const rarity = countRarity()
  const parts = Math.max(1, Math.ceil((await countLikely(db)) / PERSONS_AT_ONCE))
  let proposed = 0
  for (let part = 0; part < parts; part += 1) {
    const keys = blocks(part, parts)
    await collect(deps, db, keys, part === 0 ? rarity : undefined)
    for await (const pairs of keys.pairs()) {
      signal.throwIfAborted()
      const found = await judge(deps, db, pairs, { rarity, now })
      if (found.length === 0) continue
      proposed += (await db.transaction((tx) => putProposals(tx, found, now))).size
      if (proposed >= MOST_PROPOSED) return { proposed }
    }
  }
  return { proposed }
}

/** Puts the keys of everybody into `keys`, and counts their words where nobody did yet. */
async function collect(deps: MembersDeps, db: Db, keys: Blocks, rarity: Rarity | undefined): Promise<void> {
  for (let after = 0; ; ) {
    const page = await likelyPage(db, after, PAGE)
    for (const [id, { demo, likely }] of await whole(deps, db, page)) {
      rarity?.note(wordsOf(memberFields, likely))
      // Demo people and real ones never meet.
      for (const key of keysOf(memberFields, likely)) keys.add(demo ? `demo|${key}` : key, id)
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.id
  }
}

async function judge(
  deps: MembersDeps,
  db: Db,
  pairs: readonly Pair[],
  { rarity, now }: { rarity: Rarity; now: Date },
): Promise<Proposal[]> {
  const persons = await whole(deps, db, await likelyOf(db, [...new Set(pairs.flat())]))
  return pairs.flatMap(([low, high]) => {
    const [one, other] = [persons.get(low), persons.get(high)]
    if (!one || !other || one.demo !== other.demo) return []
    const { proposed, score, evidence } = likeness(memberFields, one.likely, other.likely, rarity)
    return proposed ? [{ id: newId(now), low, high, score, evidence }] : []
  })
}

type Known = { demo: boolean; likely: Likely }

/** What is known of these persons by all their profiles, sealed values opened. */
async function whole(
  deps: MembersDeps,
  db: Db,
  persons: readonly LikelyPerson[],
): Promise<Map<number, Known>> {
  const said = await saidOf(
    db,
    persons.map(({ id }) => id),
  )
  const sealed = await openSecrets(
    db,
    deps.keys,
    said.flatMap((one) => (one.address !== null || one.claims.length > 0 ? [one.id] : [])),
  )
  const by = Map.groupBy(said, ({ personId }) => personId)
  return new Map(
    persons.map((person) => {
      const known = by.get(person.id) ?? []
      const opened = known.map((one) => ({ ...one, values: sealed.get(one.id) ?? {} }))
      return [person.id, { demo: person.demo, likely: likelyFrom(person, opened) }]
    }),
  )
}

function likelyFrom(
  person: LikelyPerson,
  said: readonly (Said & { values: Readonly<Record<string, string>> })[],
): Likely {
  const claimed = (kind: string): string[] =>
    said.flatMap(({ claims, values }) =>
      claims.flatMap((claim) => (claim.kind === kind ? (values[claim.digest] ?? []) : [])),
    )
  return {
    name: each([
      person.name,
      ...said.flatMap(({ name, nickname }) => [name, nickname]),
      ...said.flatMap(({ remarks }) => remarks.map(nameInRemark)),
    ]),
    birthday: each([person.birthday === null ? null : `${person.lunar ? 'L' : ''}${person.birthday}`]),
    phone: each(claimed('phone')),
    address: each(said.map(({ address, values }) => (address === null ? null : values[address]))),
    city: each([person.city]),
    email: each(claimed('email').map((email) => email.replace(/@.*$/, ''))),
    card: each(claimed('card')),
    gender: each([person.gender]),
  }
}

function each(values: readonly (string | null | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== null && value !== undefined))]
}
