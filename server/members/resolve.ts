/**
 * From rows to persons: at most 5,000 rows in one transaction.
 *
 * Always true: the same rows in any order and from any number of transactions at once end with the same persons. A
 * profile is unique by (source, key); a value is claimed first by whom the unique index (kind, scope, digest) lets in,
 * and whoever comes second waits for the first, sees it, and settles with it under the locks of settle.ts. Whoever
 * shares nothing with anybody takes no lock at all. Rows that bring nothing new write nothing.
 */
import { append, type NewEvent } from '../events/events.ts'
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { mergeAttributes } from './attributes.ts'
import { mergeClaims } from './claims.ts'
import { profileEvents } from './happenings.ts'
import { linksProfiles } from './identifier.ts'
import { type Facts, factsOf, type IncomingPerson, type NewClaim, type ResolveHow } from './incoming.ts'
import { foldRelations, type RelationWord, stands, wordsOf } from './relation.ts'
import { proposeFromRemarks } from './remarks.ts'
import { sealNew } from './secret.ts'
import { lockClosure, type Settled, settle } from './settle.ts'
import { followEvents, joinedEvent, kindsOf, ownerEvent } from './settle-events.ts'
import { personRow } from './settle-persons.ts'
import { withoutRepeats } from './settle-words.ts'
import { BY_IDENTIFIER, type MembersDeps } from './settle-world.ts'
import {
  insertProfiles,
  profilesByKey,
  putRelations,
  relationsOf,
  type StoredProfile,
  type StoredRelation,
  takeIds,
} from './store.ts'
import {
  type Claimant,
  type ClaimRow,
  claimantsOf,
  claimsOf,
  deleteHints,
  insertFirstClaims,
  insertFurtherClaims,
  updateClaims,
} from './store-claims.ts'
import { enterResolving, markedAmong } from './store-erasure.ts'
import { copyPersons, type PersonRow } from './store-persons.ts'

export const MOST_ROWS = 5_000

export type Resolved = {
  readonly profileId: number
  readonly personId: number
  /** The row made a profile. */
  readonly created: boolean
  /** The row made a person. */
  readonly newPerson: boolean
  /** Attributes that the profile says differently now. */
  readonly changed: readonly string[]
  /** Merges that the row's person took part in. */
  readonly merged: readonly string[]
  /** A question that somebody has to answer about this person. */
  readonly review: string | null
}

type Brought = { facts: Facts; rows: number[] }

/**
 * Resolves rows of one source to persons and writes what they say; answers in the order of the rows. Null for a row that
 * names somebody who was erased: nothing of it is kept.
 * Errors: `bad_row` where a row names nobody; RangeError beyond `MOST_ROWS`.
 */
export async function resolve(
  deps: MembersDeps,
  tx: Tx,
  rows: readonly IncomingPerson[],
  how: ResolveHow,
): Promise<(Resolved | null)[]> {
  if (rows.length > MOST_ROWS) throw new RangeError(`at most ${MOST_ROWS} rows at once`)
  const all = gather(rows.map((row, number) => factsOf(row, how, deps.keys, number)))
  await enterResolving(tx)
  const brought = await withoutErased(tx, all, how.source)
  const { existing, fresh } = await findOrMake(deps, tx, brought, how)
  const changing = await whatChanges(tx, existing, brought)
  await putRelations(
    tx,
    [...fresh].flatMap(([profileId, facts]) =>
      Object.entries(wordsOf(facts.relations)).map(([staffId, word]) => ({ ...word, profileId, staffId })),
    ),
  )
  const claims = await writeClaims(tx, { fresh, changing, brought })
  const start = startOf(claims.claimants, changing)
  const locked = start.length === 0 ? [] : await lockClosure(tx, start)
  const inClosure = new Set(locked)
  const alone = new Map([...fresh].filter(([id]) => !inClosure.has(id)))
  const entangled = new Map([...fresh].filter(([id]) => inClosure.has(id)))
  await writeAlone(tx, alone, how)
  const words = new Map(changing.map(({ profile }) => [profile.id, factsFor(brought, profile.key)]))
  const settled =
    locked.length === 0
      ? undefined
      : await settle(deps, tx, { start, locked, words, fresh: entangled, act: BY_IDENTIFIER }, how)
  const personOf = (id: number, before: number): number => settled?.personOf.get(id) ?? before
  const reviews = await proposeFromRemarks(tx, claims.claimants, personOf, how.at)
  return answers({ brought, existing, fresh, settled, personOf, reviews }, rows.length)
}

/**
 * Without those whose record, or one of whose identifiers, belongs to somebody who was erased. A record that is known is
 * somebody else's: it goes on, and only the identifier is not taken from it.
 */
async function withoutErased(
  tx: Tx,
  all: ReadonlyMap<string, Brought>,
  source: string,
): Promise<Map<string, Brought>> {
  const claimed = ({ facts }: Brought): string[] =>
    facts.claims.filter(({ state, valid }) => state === 'active' && valid).map(({ digest }) => digest)
  const marked = await markedAmong(
    tx,
    [...all].flatMap(([key, { facts }]) => [key, ...facts.claims.map(({ digest }) => digest)]),
  )
  if (marked.size === 0) return new Map(all)
  const named = [...all].filter(([, one]) => claimed(one).some((digest) => marked.has(digest)))
  const known = new Set(
    (
      await profilesByKey(
        tx,
        source,
        named.map(([key]) => key),
      )
    ).map(({ key }) => key),
  )
  const left = new Map<string, Brought>()
  for (const [key, one] of all) {
    if (marked.has(key)) continue
    // A remark may name them: the hint is left out.
    if (known.has(key) || !claimed(one).some((digest) => marked.has(digest)))
      left.set(key, { ...one, facts: without(one.facts, marked) })
  }
  return left
}

function without(facts: Facts, digests: ReadonlySet<string>): Facts {
  return {
    ...facts,
    claims: facts.claims.filter(({ digest }) => !digests.has(digest)),
    secret: Object.fromEntries(Object.entries(facts.secret).filter(([digest]) => !digests.has(digest))),
  }
}

/** Rows of the same record come together; the later word wins within them too. */
function gather(all: readonly Facts[]): Map<string, Brought> {
  const brought = new Map<string, Brought>()
  for (const [number, facts] of all.entries()) {
    const known = brought.get(facts.key)
    if (!known) {
      brought.set(facts.key, {
        facts: { ...facts, claims: [...mergeClaims([], facts.claims, facts.timed).all] as NewClaim[] },
        rows: [number],
      })
      continue
    }
    known.rows.push(number)
    known.facts = together(known.facts, facts)
  }
  return brought
}

/** What two rows, or words, say of one record. */
export function together(known: Facts, facts: Facts): Facts {
  return {
    ...known,
    at: Math.max(known.at, facts.at),
    timed: known.timed || facts.timed,
    visitor: known.visitor && facts.visitor,
    claims: [...mergeClaims(known.claims, facts.claims, facts.timed).all] as NewClaim[],
    attributes: mergeAttributes(known.attributes, facts.attributes).attributes,
    secret: { ...known.secret, ...facts.secret },
    relations: [...known.relations, ...facts.relations],
  }
}

/** The profiles of the keys: those that stand, and new ones for the rest. */
async function findOrMake(
  deps: MembersDeps,
  tx: Tx,
  brought: ReadonlyMap<string, Brought>,
  how: ResolveHow,
): Promise<{ existing: Map<string, StoredProfile>; fresh: Map<number, Facts> }> {
  const keys = [...brought.keys()]
  const existing = new Map(
    (await profilesByKey(tx, how.source, keys)).map((profile) => [profile.key, profile]),
  )
  const missing = keys.filter((key) => !existing.has(key)).map((key) => factsFor(brought, key))
  if (missing.length === 0) return { existing, fresh: new Map() }
  const ids = new Map<Numbers, number[]>()
  for (const [of, list] of Map.groupBy(missing, numbersOf)) ids.set(of, await takeIds(tx, of, list.length))
  const made = missing.map((facts) => {
    const id = ids.get(numbersOf(facts))?.shift() ?? 0
    return {
      facts,
      row: {
        id,
        key: facts.key,
        attributes: facts.attributes,
        demo: facts.demo,
        ...sealNew(deps.keys, id, facts.secret),
      },
    }
  })
  const written = await insertProfiles(
    tx,
    made.map(({ row }) => row),
    { source: how.source, at: how.at, importId: how.importId ?? null },
  )
  const fresh = new Map(
    made.filter(({ row }) => written.has(row.id)).map(({ row, facts }) => [row.id, facts]),
  )
  if (written.size < made.length) {
    // Another transaction has made these meanwhile; it is committed, since the insert waited for it.
    const lost = made.filter(({ row }) => !written.has(row.id)).map(({ facts }) => facts.key)
    for (const profile of await profilesByKey(tx, how.source, lost)) existing.set(profile.key, profile)
  }
  return { existing, fresh }
}

type Numbers = Parameters<typeof takeIds>[1]

function numbersOf({ visitor, demo }: Facts): Numbers {
  const of = visitor ? 'visitor' : 'known'
  return demo ? `${of}_demo` : of
}

type Changing = { profile: StoredProfile; claims: NewClaim[]; renewed: NewClaim[] }

/** Of the profiles that stand, those to which the rows bring anything new. `claims`: those that they did not have. */
async function whatChanges(
  tx: Tx,
  existing: ReadonlyMap<string, StoredProfile>,
  brought: ReadonlyMap<string, Brought>,
): Promise<Changing[]> {
  if (existing.size === 0) return []
  const profiles = [...existing.values()]
  const stored = Map.groupBy(
    await claimsOf(
      tx,
      profiles.map(({ id }) => id),
    ),
    ({ profileId }) => profileId,
  )
  const told = profiles.filter(({ key }) => factsFor(brought, key).relations.length > 0)
  const relations = Map.groupBy(
    await relationsOf(
      tx,
      told.map(({ id }) => id),
    ),
    ({ profileId }) => profileId,
  )
  return profiles.flatMap((profile) => {
    const facts = factsFor(brought, profile.key)
    const known = stored.get(profile.id) ?? []
    const claims = mergeClaims(known, facts.claims, facts.timed)
    const said = withoutRepeats(profile.attributes, facts)
    const news =
      mergeAttributes(profile.attributes, said).attributes !== profile.attributes ||
      claims.added.length > 0 ||
      claims.changed.length > 0 ||
      bringsRelations(relations.get(profile.id) ?? [], facts)
    if (!news) return []
    // A hint that the source now says itself must pass the unique index like any new claim.
    const hints = new Set(known.filter(({ state }) => state === 'hint').map(({ digest }) => digest))
    const added = new Set(claims.added.map(({ digest }) => digest))
    const brings = facts.claims.filter(
      ({ digest, state }) => added.has(digest) || (hints.has(digest) && state === 'active'),
    )
    return [{ profile, claims: brings, renewed: facts.claims }]
  })
}

function bringsRelations(known: readonly StoredRelation[], facts: Facts): boolean {
  const words = wordsOf(facts.relations)
  const before = Object.fromEntries(
    known.map(({ profileId: _, standing: __, staffId, ...word }) => [staffId, word]),
  )
  const after = foldRelations([before, words])
  return Object.keys(words).some(
    (staffId) => JSON.stringify(wordOf(before[staffId])) !== JSON.stringify(wordOf(after[staffId])),
  )
}

type Written = { claimants: Claimant[] }

/** Writes the new claims in one order and answers who else claims the same values. */
async function writeClaims(
  tx: Tx,
  {
    fresh,
    changing,
    brought,
  }: {
    fresh: ReadonlyMap<number, Facts>
    changing: readonly Changing[]
    brought: ReadonlyMap<string, Brought>
  },
): Promise<Written> {
  const news: ClaimRow[] = [...fresh].flatMap(([profileId, { claims, demo }]) =>
    claims.map((claim) => ({ ...claim, profileId, demo })),
  )
  for (const { profile, claims } of changing) {
    news.push(...claims.map((claim) => ({ ...claim, profileId: profile.id, demo: profile.demo })))
    factsFor(brought, profile.key).newDigests = new Set(claims.map(({ digest }) => digest))
  }
  const own = (claim: ClaimRow): string => `${claim.profileId}|${claim.digest}`
  await dropHints(tx, changing)
  const first = await insertFirstClaims(
    tx,
    news.filter(({ state }) => state !== 'hint'),
  )
  const further = news.filter((claim) => !first.has(own(claim)))
  await insertFurtherClaims(tx, further)
  const renewed = changing.flatMap(({ profile, renewed: all }) =>
    all.map((claim) => ({ ...claim, profileId: profile.id, demo: profile.demo })),
  )
  const claimants = [
    ...(await claimantsOf(tx, distinct([...further, ...renewed]), 'all')),
    ...(await claimantsOf(tx, distinct(news.filter((claim) => first.has(own(claim)))), 'further')),
  ]
  const worn = new Set(claimants.filter(({ state }) => state === 'worn').map(({ digest }) => digest))
  if (worn.size > 0) {
    await updateClaims(
      tx,
      news
        .filter(({ digest, state }) => worn.has(digest) && state === 'active')
        .map((claim) => ({ ...claim, state: 'worn' })),
    )
  }
  const firsts = news.filter((claim) => first.has(own(claim)))
  return { claimants: withOwn(claimants, firsts, worn) }
}

/** The claimants of `further` do not tell of the row that came first in this very batch: it is added here. */
function withOwn(
  claimants: readonly Claimant[],
  firsts: readonly ClaimRow[],
  worn: ReadonlySet<string>,
): Claimant[] {
  const shared = new Set(claimants.map(({ digest }) => digest))
  const told = new Set(claimants.map(({ digest, profileId }) => `${profileId}|${digest}`))
  const own = firsts.filter(
    ({ digest, profileId }) => shared.has(digest) && !told.has(`${profileId}|${digest}`),
  )
  return [
    ...claimants.map((one) => (worn.has(one.digest) ? { ...one, links: false, state: 'worn' } : one)),
    ...own.map((claim) => ({
      ...claim,
      personId: claim.profileId,
      links: linksProfiles(claim) && !worn.has(claim.digest),
    })),
  ]
}

async function dropHints(tx: Tx, changing: readonly Changing[]): Promise<void> {
  const rows = changing.flatMap(({ profile, claims }) =>
    claims.filter(({ state }) => state === 'active').map(({ digest }) => ({ profileId: profile.id, digest })),
  )
  if (rows.length > 0) await deleteHints(tx, rows)
}

function distinct(claims: readonly ClaimRow[]): ClaimRow[] {
  return [...new Map(claims.map((claim) => [claim.digest, claim])).values()]
}

/**
 * Persons whose composition may change: those of profiles that say something new, and whoever shares a value with them
 * or with a new profile. Worn values join nobody and need no lock.
 */
function startOf(claimants: readonly Claimant[], changing: readonly Changing[]): number[] {
  const persons = new Set(changing.map(({ profile }) => profile.personId))
  for (const claims of Map.groupBy(
    claimants.filter(({ state }) => state !== 'hint' && state !== 'worn'),
    ({ digest }) => digest,
  ).values()) {
    if (new Set(claims.map(({ profileId }) => profileId)).size < 2) continue
    for (const { personId } of claims) persons.add(personId)
  }
  return [...persons].sort((a, b) => a - b)
}

/** New profiles that share nothing with anybody: each is a person. */
async function writeAlone(tx: Tx, alone: ReadonlyMap<number, Facts>, how: ResolveHow): Promise<void> {
  if (alone.size === 0) return
  const persons: PersonRow[] = []
  const events: NewEvent[] = []
  for (const [id, facts] of alone) {
    const standing = Object.entries(wordsOf(facts.relations)).map(([staffId, word]) => ({
      staffId,
      standing: stands(word),
    }))
    const { attributes, claims, demo } = facts
    persons.push(
      personRow(
        id,
        [{ id, attributes, claims, relations: standing, createdAt: how.at, demo }],
        newId(how.at),
        how.at,
      ),
    )
    events.push(...birthEvents(id, facts, how))
  }
  await copyPersons(tx, persons)
  await append(tx, events, { lane: how.lane, source: how.source, receivedAt: how.at })
}

function birthEvents(id: number, facts: Facts, how: ResolveHow): NewEvent[] {
  const { attributes } = facts
  const teller = { profileId: id, personId: id, at: instant(facts.at), how }
  const joinedAt = attributes['joinedAt']?.[0]
  return [
    ...(joinedAt === undefined
      ? []
      : [joinedEvent({ ...teller, at: instant(Number(joinedAt)) }, attributes)]),
    ...profileEvents(teller, attributes, {
      changed: Object.keys(attributes),
      identifiers: kindsOf(facts),
      born: true,
    }),
    ...(attributes['ownerStaffId'] || attributes['homeStoreId'] ? [ownerEvent(teller, attributes)] : []),
    ...followEvents(teller, facts),
  ]
}

type Outcome = {
  brought: ReadonlyMap<string, Brought>
  existing: ReadonlyMap<string, StoredProfile>
  fresh: ReadonlyMap<number, Facts>
  settled: Settled | undefined
  personOf: (profileId: number, before: number) => number
  reviews: ReadonlyMap<number, string>
}

function answers(
  { brought, existing, fresh, settled, personOf, reviews }: Outcome,
  count: number,
): (Resolved | null)[] {
  const byKey = new Map([...fresh].map(([id, facts]) => [facts.key, id]))
  const merges = new Map<number, string[]>()
  for (const { id, kept } of settled?.merges ?? []) merges.set(kept, [...(merges.get(kept) ?? []), id])
  const result = new Array<Resolved | null>(count).fill(null)
  for (const [key, { rows }] of brought) {
    const id = byKey.get(key) ?? existing.get(key)?.id
    if (id === undefined) throw new Error('a profile that was written cannot be found')
    const personId = personOf(id, existing.get(key)?.personId ?? id)
    const created = fresh.has(id)
    for (const [place, row] of rows.entries()) {
      result[row] = {
        profileId: id,
        personId,
        created: created && place === 0,
        newPerson: created && personId === id && place === 0,
        changed: created ? [] : (settled?.changed.get(id) ?? []),
        merged: merges.get(personId) ?? [],
        review: settled?.reviews.get(personId) ?? reviews.get(id) ?? null,
      }
    }
  }
  return result
}

function factsFor(brought: ReadonlyMap<string, Brought>, key: string): Facts {
  const known = brought.get(key)
  if (!known) throw new Error('a profile that nobody brought')
  return known.facts
}

/** In one order of fields, so that two can be compared. */
function wordOf(word: RelationWord | undefined): unknown[] {
  return word
    ? [word.externalUserid, word.remark, word.addWay, word.state, word.addedAt, word.lostAt, word.lostBy]
    : []
}
