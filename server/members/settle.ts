/**
 * Settling: what profiles newly say is written, who is the same person is decided again for everybody it touches, and
 * persons, merges, reviews and events follow, all in the caller's transaction.
 *
 * Always true: whoever changes profiles, claims or verdicts of a person holds the row locks of every person that could
 * become one with it (taken in id order, checked again after they are held), so two transactions never decide about
 * the same people at once. A crash leaves either the whole transaction or nothing.
 */
import { append, type NewEvent } from '../events/events.ts'
import type { Keyring } from '../platform/crypto/master-key.ts'
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { type Attributes, foldLayers, mergeAttributes } from './attributes.ts'
import { type ClaimWords, foldClaimWords, mergeClaims, type StoredClaim, wordsOfClaims } from './claims.ts'
import { type FoldProfile, foldPerson, preferred } from './fold.ts'
import type { Follower } from './follower.ts'
import { event, profileEvents, type Teller } from './happenings.ts'
import { claimKey, linksProfiles } from './identifier.ts'
import type { Facts, ResolveHow } from './incoming.ts'
import { type Contested, type Partition, partition } from './partition.ts'
import { type Merge, type Regrouping, regroup } from './regroup.ts'
import { foldRelations, type RelationsByStaff, stands, wordsOf } from './relation.ts'
import { sealMore } from './secret.ts'
import { type Side, sourceOf } from './source.ts'
import {
  absorbPersons,
  type ClaimOfProfile,
  claimsOf,
  closureOf,
  layersOf,
  lockPersons,
  NO_ORIGIN,
  type PersonRow,
  personRows,
  profilesOf,
  putLayers,
  putPersons,
  putRelations,
  relationsOf,
  type StoredProfile,
  type StoredRelation,
  sameFold,
  updateClaims,
  updateProfiles,
} from './store.ts'
import {
  closeMerges,
  insertMerges,
  type MergeRow,
  markWorn,
  openMerges,
  putConflicts,
  type Via,
  verdictsAmong,
} from './store-merges.ts'

/** What members needs from the rest of the program. */
export type MembersDeps = { readonly keys: Keyring; readonly followers: readonly Follower[] }

/** Who or what makes persons come together or part. */
export type Act = {
  readonly cause: 'identifier' | 'hand'
  readonly actor: string | null
  /** The merge that is made by hand: its id, and who comes under whom. */
  readonly merge?: { readonly id: string; readonly absorbed: number }
  /** The merge that is undone, or that an import is. */
  readonly undoes?: { readonly cause: 'hand' | 'import'; readonly mergeId?: string }
}

export const BY_IDENTIFIER: Act = { cause: 'identifier', actor: null }

export type Settled = {
  readonly personOf: ReadonlyMap<number, number>
  /** Fields that a profile says differently now. */
  readonly changed: ReadonlyMap<number, readonly string[]>
  readonly newPersons: ReadonlySet<number>
  readonly merges: readonly MergeRow[]
  /** Questions by the persons that they are about. */
  readonly reviews: ReadonlyMap<number, string>
}

type World = {
  profiles: StoredProfile[]
  claims: Map<number, StoredClaim[]>
  relations: Map<number, StoredRelation[]>
  persons: Map<number, PersonRow & { state: string }>
  /** When somebody preferred a profile's words over those of whom it was joined to, in ms. */
  preferredAt: Map<number, number>
}

const MAX_LOCK_ROUNDS = 20

/**
 * Locks everybody that could become one person with `persons`, and answers them. `persons` may name persons without a
 * row yet (new profiles of this transaction).
 */
export async function lockClosure(tx: Tx, persons: readonly number[]): Promise<number[]> {
  let held = [...persons].sort((a, b) => a - b)
  await tx.run(sql`savepoint members_lock`)
  for (let round = 0; round < MAX_LOCK_ROUNDS; round += 1) {
    await lockPersons(tx, held)
    const found = await closureOf(tx, held)
    if (found.length === held.length) return held
    // Locks are taken in one order only; for a further one, all are let go and taken again.
    await tx.run(sql`rollback to savepoint members_lock`)
    held = found
  }
  throw new Error('persons changed faster than they could be locked')
}

/**
 * Settles the persons `start` and whoever they touch. `words` is what existing profiles newly say; `fresh` are the
 * profiles that this transaction has written, with what they say.
 */
export async function settle(
  deps: MembersDeps,
  tx: Tx,
  task: {
    start: readonly number[]
    words: ReadonlyMap<number, Facts>
    fresh: ReadonlyMap<number, Facts>
    act: Act
    locked?: readonly number[]
  },
  how: ResolveHow,
): Promise<Settled> {
  const held = task.locked ?? (await lockClosure(tx, task.start))
  const { news: relationNews, before: relationsBefore } = await writeRelations(tx, task.words)
  const world = await load(tx, held)
  const changed = await writeWords(deps, tx, { world, words: task.words, relationsBefore }, how)
  const { decided, contested } = await decide(tx, world)
  const groups = regroup(
    world.profiles.map(({ id, personId }) => ({
      id,
      personId,
      fresh: task.fresh.has(id) && id === personId,
    })),
    decided.personOf,
  )
  const brought = new Set([...task.words.keys(), ...task.fresh.keys()])
  await movePersons(tx, world, decided.personOf, groups)
  const { newPersons, before } = await writePersons(tx, world, decided.personOf, groups, how)
  const { merges, events } = await writeMerges(
    deps,
    tx,
    world,
    { groups, personOf: decided.personOf, act: task.act, brought },
    how,
  )
  const reviews = await putConflicts(
    tx,
    contested.map((one) => ({
      id: newId(how.at),
      key: one.digest,
      kind: one.kind,
      persons: [...one.persons],
    })),
    { profiles: world.profiles.map(({ id }) => id), at: how.at },
  )
  events.push(...wordEvents({ world, task, changed, relationNews, before, personOf: decided.personOf }, how))
  await append(tx, events, { lane: how.lane, source: how.source, receivedAt: how.at })
  return {
    personOf: decided.personOf,
    changed: new Map([...changed].map(([id, news]) => [id, news.changed])),
    newPersons,
    merges,
    reviews: new Map(
      contested.flatMap((one) =>
        one.persons.map((person) => [person, reviews.get(one.digest) ?? ''] as const),
      ),
    ),
  }
}

async function load(tx: Tx, persons: readonly number[]): Promise<World> {
  const profiles = await profilesOf(tx, persons)
  const ids = profiles.map(({ id }) => id)
  const claims = await claimsOf(tx, ids)
  const relations = await relationsOf(tx, ids)
  // Absorbed persons bear the number of one of these profiles.
  const rows = await personRows(tx, [...new Set([...persons, ...ids])])
  return {
    profiles,
    claims: Map.groupBy<number, ClaimOfProfile>(claims, ({ profileId }) => profileId),
    relations: Map.groupBy(relations, ({ profileId }) => profileId),
    persons: new Map(rows.map((row) => [row.id, row])),
    preferredAt: new Map(),
  }
}

type RelationNews = {
  profileId: number
  staffId: string
  addWay: string | null
  lostBy: string | null
  at: Date
  lost: boolean
}

/** Writes what the words tell of relations; answers which began or ended by that, and how all stood before. */
async function writeRelations(
  tx: Tx,
  words: ReadonlyMap<number, Facts>,
): Promise<{ news: RelationNews[]; before: Map<number, RelationsByStaff> }> {
  const told = new Map(
    [...words]
      .filter(([, { relations }]) => relations.length > 0)
      .map(([id, facts]) => [id, wordsOf(facts.relations)]),
  )
  const rows = told.size === 0 ? [] : await relationsOf(tx, [...told.keys()])
  const before = new Map<number, RelationsByStaff>()
  for (const { profileId, staffId, standing: _, ...word } of rows)
    before.set(profileId, { ...before.get(profileId), [staffId]: word })
  const writes: Parameters<typeof putRelations>[1][number][] = []
  const news: RelationNews[] = []
  for (const [profileId, relations] of told) {
    const known = before.get(profileId) ?? {}
    const after = foldRelations([known, relations])
    for (const staffId of Object.keys(relations)) {
      const [old, now] = [known[staffId], after[staffId]]
      if (!now) continue
      writes.push({ ...now, profileId, staffId })
      const stood = old !== undefined && stands(old)
      if (stood === stands(now)) continue
      const at = instant(stands(now) ? now.addedAt : (now.lostAt ?? now.addedAt))
      news.push({ profileId, staffId, addWay: now.addWay, lostBy: now.lostBy, at, lost: !stands(now) })
    }
  }
  await putRelations(tx, writes)
  return { news, before }
}

function byStaff(relations: readonly StoredRelation[]): RelationsByStaff {
  return Object.fromEntries(
    relations.map(({ profileId: _, standing: __, staffId, ...word }) => [staffId, word]),
  )
}

type WordNews = { changed: readonly string[]; identifiers: string[] }

/** Brings words into the world and into the tables; answers what each profile says differently. */
async function writeWords(
  deps: MembersDeps,
  tx: Tx,
  {
    world,
    words,
    relationsBefore,
  }: {
    world: World
    words: ReadonlyMap<number, Facts>
    relationsBefore: ReadonlyMap<number, RelationsByStaff>
  },
  how: ResolveHow,
): Promise<Map<number, WordNews>> {
  const news = new Map<number, WordNews>()
  const claimChanges: (StoredClaim & { profileId: number; demo: boolean })[] = []
  const secrets = new Map<number, Record<string, string>>()
  const layered: Spoken[] = []
  const touched: StoredProfile[] = []
  for (const profile of world.profiles) {
    const word = words.get(profile.id)
    if (!word) continue
    const said = withoutRepeats(profile.attributes, word)
    const { attributes, changed } = mergeAttributes(profile.attributes, said)
    const stored = world.claims.get(profile.id) ?? []
    const claims = mergeClaims(stored, word.claims, word.timed)
    claimChanges.push(
      ...claims.changed.map((claim) => ({ ...claim, profileId: profile.id, demo: profile.demo })),
    )
    world.claims.set(profile.id, [...claims.all])
    const claimed = claims.changed.length > 0 || (word.newDigests?.size ?? 0) > 0
    if (attributes !== profile.attributes || claimed || word.relations.length > 0) {
      const before =
        word.relations.length > 0
          ? (relationsBefore.get(profile.id) ?? {})
          : byStaff(world.relations.get(profile.id) ?? [])
      const related = { before, said: wordsOf(word.relations) }
      layered.push({ profile: { ...profile }, said, related, claimed: claimWords(stored, word) })
    }
    if (attributes !== profile.attributes) {
      profile.attributes = attributes
      touched.push(profile)
    }
    if (Object.keys(word.secret).length > 0) secrets.set(profile.id, word.secret)
    const identifiers = word.claims.filter(
      ({ digest, state }) => state === 'active' && word.newDigests?.has(digest) === true,
    )
    news.set(profile.id, { changed, identifiers: identifiers.map(({ kind }) => kind) })
  }
  await updateClaims(tx, claimChanges)
  await writeLayers(tx, layered, how)
  const sealed = await sealMore(tx, deps.keys, secrets)
  const writes = world.profiles.filter((profile) => touched.includes(profile) || sealed.has(profile.id))
  await updateProfiles(
    tx,
    writes.map(({ id, personId, attributes }) => ({
      id,
      personId,
      attributes,
      secret: sealed.get(id) ?? null,
    })),
  )
  return news
}

/** What a row says, without what it only repeats and does not say when. */
export function withoutRepeats(
  known: Attributes,
  { attributes, timed }: Pick<Facts, 'attributes' | 'timed'>,
): Attributes {
  if (timed) return attributes
  return Object.fromEntries(
    Object.entries(attributes).filter(([field, [value]]) => known[field]?.[0] !== value),
  )
}

type Spoken = {
  profile: StoredProfile
  said: Attributes
  related: { before: RelationsByStaff; said: RelationsByStaff }
  claimed: { before: ClaimWords; said: ClaimWords }
}

/** What the profile claimed before, and what the word newly says of claims. */
function claimWords(stored: readonly StoredClaim[], word: Facts): Spoken['claimed'] {
  const states = new Map(stored.map(({ digest, state }) => [digest, state]))
  const isNew = (digest: string): boolean => word.newDigests?.has(digest) === true
  return {
    before: wordsOfClaims(stored.filter(({ digest }) => !isNew(digest))),
    said: wordsOfClaims(
      word.claims.filter(({ digest }) => word.timed || isNew(digest) || states.get(digest) === 'superseded'),
    ),
  }
}

/** Once a second origin speaks of a profile, each origin's words are kept apart, so that one can be taken back. */
async function writeLayers(tx: Tx, spoken: readonly Spoken[], how: ResolveHow): Promise<void> {
  const origin = how.importId ?? NO_ORIGIN
  const stored = await layersOf(
    tx,
    spoken.map(({ profile }) => profile.id),
  )
  const byProfile = Map.groupBy(stored, ({ profileId }) => profileId)
  await putLayers(
    tx,
    spoken.flatMap(({ profile: { id: profileId, createdBy, attributes }, said, related, claimed }) => {
      const layers = byProfile.get(profileId) ?? []
      const creator = createdBy ?? NO_ORIGIN
      if (layers.length === 0 && creator === origin) return []
      const own = layers.find((layer) => layer.origin === origin)
      const now = {
        profileId,
        origin,
        attributes: foldLayers([own?.attributes ?? {}, said]),
        relations: foldRelations([own?.relations ?? {}, related.said]),
        claims: foldClaimWords([own?.claims ?? {}, claimed.said]),
      }
      return layers.length > 0
        ? [now]
        : [{ profileId, origin: creator, attributes, relations: related.before, claims: claimed.before }, now]
    }),
  )
}

/** Decides who is the same person. Identifiers that too many use are marked and tell nobody apart from then on. */
async function decide(tx: Tx, world: World): Promise<{ decided: Partition; contested: Contested[] }> {
  const ids = world.profiles.map(({ id }) => id)
  const verdicts = await verdictsAmong(tx, ids)
  const decided = partition(
    ids.map((id) => ({ id, claims: (world.claims.get(id) ?? []).filter(linksProfiles) })),
    verdicts,
  )
  for (const { keeps, at } of verdicts) {
    for (const id of keeps) world.preferredAt.set(id, Math.max(world.preferredAt.get(id) ?? 0, at.getTime()))
  }
  if (decided.worn.length > 0) {
    const worn = new Set(decided.worn)
    const claims = [...world.claims.values()].flat()
    const found = new Map(
      claims.filter((claim) => worn.has(claimKey(claim))).map((claim) => [claimKey(claim), claim]),
    )
    await markWorn(
      tx,
      [...found.values()].map(({ kind, scope, digest }) => ({ kind, scope, digest })),
    )
    for (const [id, list] of world.claims) {
      world.claims.set(
        id,
        list.map((claim) =>
          worn.has(claimKey(claim)) && claim.state === 'active' ? { ...claim, state: 'worn' } : claim,
        ),
      )
    }
  }
  return { decided, contested: decided.contested.filter(({ kind }) => kind !== 'device') }
}

async function movePersons(
  tx: Tx,
  world: World,
  personOf: ReadonlyMap<number, number>,
  { moved }: Regrouping,
): Promise<void> {
  if (moved.length === 0) return
  const changed = new Set(moved)
  await updateProfiles(
    tx,
    world.profiles
      .filter(({ id }) => changed.has(id))
      .map(({ id, attributes }) => ({ id, personId: personOf.get(id) ?? id, attributes, secret: null })),
  )
}

/** Folds everybody again and writes who differs. Answers who is new, and how the others stood before. */
async function writePersons(
  tx: Tx,
  world: World,
  personOf: ReadonlyMap<number, number>,
  groups: Regrouping,
  how: ResolveHow,
): Promise<{ newPersons: Set<number>; before: World['persons'] }> {
  const fold = (id: number, profiles: readonly StoredProfile[]): PersonRow =>
    personRow(
      id,
      profiles.map((profile) => foldProfile(world, profile)),
      world.persons.get(id)?.publicId ?? newId(how.at),
      how.at,
    )
  const newPersons = new Set<number>()
  const writes: PersonRow[] = []
  for (const [id, profiles] of Map.groupBy(
    world.profiles,
    (profile) => personOf.get(profile.id) ?? profile.id,
  )) {
    const old = world.persons.get(id)
    const row = fold(id, profiles)
    if (!old) newPersons.add(id)
    if (old?.state !== 'live' || !sameFold(old, row)) writes.push(row)
  }
  // A part that was born into one person and goes to another was never a person; its merges need a row to name.
  for (const { restored, profiles } of groups.splits) {
    if (personOf.get(restored) === restored || world.persons.has(restored)) continue
    writes.push(
      fold(
        restored,
        world.profiles.filter(({ id }) => profiles.includes(id)),
      ),
    )
  }
  await putPersons(tx, writes)
  const absorbed = new Map<number, number>()
  for (const id of groups.moved) if (world.persons.has(id)) absorbed.set(id, personOf.get(id) ?? id)
  for (const { absorbed: id } of groups.merges) absorbed.set(id, personOf.get(id) ?? id)
  for (const { kept, absorbed: id, heir } of groups.merges) if (heir) absorbed.set(id, kept)
  await absorbPersons(
    tx,
    [...absorbed].flatMap(([id, into]) => (id === into ? [] : [{ id, into }])),
  )
  return { newPersons, before: world.persons }
}

/** A person's row out of its profiles. */
export function personRow(
  id: number,
  profiles: readonly FoldProfile[],
  publicId: string,
  at: Date,
): PersonRow {
  return { ...foldPerson(profiles), id, publicId, changedAt: at.getTime() }
}

function foldProfile(world: World, { id, attributes, createdAt, demo }: StoredProfile): FoldProfile {
  const at = world.preferredAt.get(id)
  return {
    id,
    attributes: at === undefined ? attributes : preferred(attributes, at),
    createdAt,
    demo,
    claims: world.claims.get(id) ?? [],
    relations: world.relations.get(id) ?? [],
  }
}

type Moves = {
  groups: Regrouping
  personOf: ReadonlyMap<number, number>
  act: Act
  brought: ReadonlySet<number>
}

/** Writes merges and their ends, tells the followers and answers the events: who parts first, then who joins. */
async function writeMerges(
  deps: MembersDeps,
  tx: Tx,
  world: World,
  { groups, personOf, act, brought }: Moves,
  how: ResolveHow,
): Promise<{ merges: MergeRow[]; events: NewEvent[] }> {
  if (groups.splits.length === 0 && groups.merges.length === 0) return { merges: [], events: [] }
  const open = new Map(
    (
      await openMerges(
        tx,
        groups.splits.map(({ restored }) => restored),
      )
    ).map((merge) => [merge.absorbed, merge]),
  )
  const births: MergeRow[] = []
  const splits = groups.splits.map(({ from, restored, profiles }) => {
    const known = open.get(restored)
    const mergeId = known?.id ?? newId(how.at)
    if (!known)
      births.push(
        mergeRow(
          { kept: from, absorbed: restored, profiles, heir: false },
          { id: mergeId, cause: 'birth', actor: null, via: [] },
          how,
        ),
      )
    return { mergeId, kept: from, restored, profileIds: profiles, at: how.at }
  })
  await insertMerges(tx, births)
  const undone = act.undoes
  const ids = splits.map(({ mergeId }) => mergeId)
  const [asked, others] = [
    ids.filter((id) => undone && (undone.mergeId === undefined || id === undone.mergeId)),
    ids,
  ]
  await closeMerges(tx, asked, { at: how.at, actor: act.actor, cause: undone?.cause ?? 'parted' })
  await closeMerges(tx, others, { at: how.at, actor: act.actor, cause: 'parted' })
  const rows = groups.merges.map((merge) =>
    mergeRow(
      merge,
      {
        id: act.merge?.absorbed === merge.absorbed ? act.merge.id : newId(how.at),
        cause: merge.heir ? 'import' : act.cause,
        actor: act.actor,
        via: viaOf(world, merge, personOf, brought),
      },
      how,
    ),
  )
  await insertMerges(tx, rows)
  const merged = rows.map(({ id, kept, absorbed, profiles }) => ({
    mergeId: id,
    kept,
    absorbed,
    profileIds: profiles,
    at: how.at,
  }))
  for (const follower of deps.followers) {
    if (splits.length > 0) await follower.split(tx, splits)
    if (merged.length > 0) await follower.merged(tx, merged)
  }
  const events = [
    ...splits.map(({ mergeId, kept, restored, profileIds }) =>
      event(
        'merge_undone',
        { profileId: restored, personId: restored, at: how.at, how },
        { mergeId, keptPersonId: kept, restoredPersonId: restored, profileIds },
      ),
    ),
    ...merged.map(({ mergeId, kept, absorbed, profileIds }) =>
      event(
        'persons_merged',
        { profileId: absorbed, personId: kept, at: how.at, how },
        { mergeId, keptPersonId: kept, absorbedPersonId: absorbed, profileIds },
      ),
    ),
  ]
  return { merges: rows, events }
}

function mergeRow(
  { kept, absorbed, profiles }: Merge,
  of: Pick<MergeRow, 'id' | 'cause' | 'actor' | 'via'>,
  how: ResolveHow,
): MergeRow {
  return { ...of, kept, absorbed, profiles, importId: how.importId ?? null, at: how.at, undoneAt: null }
}

/** The claims that joined these profiles to the rest: the new ones, or those of the absorbed where none is new. */
function viaOf(
  world: World,
  merge: Merge,
  personOf: ReadonlyMap<number, number>,
  brought: ReadonlySet<number>,
): Via[] {
  const inside = new Set(merge.profiles)
  const links = (profile: number): StoredClaim[] => (world.claims.get(profile) ?? []).filter(linksProfiles)
  const own = new Set(merge.profiles.flatMap((profile) => links(profile).map(claimKey)))
  const rest = world.profiles
    .filter(({ id }) => !inside.has(id) && personOf.get(id) === merge.kept)
    .map(({ id }) => id)
  const shared = new Set(
    rest.flatMap((profile) => links(profile).map(claimKey)).filter((key) => own.has(key)),
  )
  const claims = (profiles: readonly number[]): Via[] =>
    profiles.flatMap((profile) =>
      links(profile)
        .filter((claim) => shared.has(claimKey(claim)))
        .map(({ kind, scope, digest }) => ({ profile, kind, scope, digest })),
    )
  const fresh = claims([...merge.profiles, ...rest].filter((profile) => brought.has(profile)))
  return fresh.length > 0 ? fresh : claims(merge.profiles)
}

type Told = {
  world: World
  task: { words: ReadonlyMap<number, Facts>; fresh: ReadonlyMap<number, Facts> }
  changed: ReadonlyMap<number, WordNews>
  relationNews: readonly RelationNews[]
  before: ReadonlyMap<number, PersonRow & { state: string }>
  personOf: ReadonlyMap<number, number>
}

/** The events of what was said, after those of merges. */
function wordEvents(
  { world, task, changed, relationNews, before, personOf }: Told,
  how: ResolveHow,
): NewEvent[] {
  const events: NewEvent[] = []
  const joined = new Set<number>()
  for (const profile of world.profiles) {
    const personId = personOf.get(profile.id) ?? profile.id
    const facts = task.words.get(profile.id) ?? task.fresh.get(profile.id)
    if (!facts) continue
    const born = task.fresh.has(profile.id)
    const news = born
      ? { changed: Object.keys(profile.attributes), identifiers: kindsOf(facts) }
      : (changed.get(profile.id) ?? { changed: [], identifiers: [] })
    const teller = { profileId: profile.id, personId, at: instant(facts.at), how }
    const wasMember = world.profiles.some(
      (one) =>
        personOf.get(one.id) === personId &&
        before.get(one.personId)?.state === 'live' &&
        before.get(one.personId)?.joinedAt != null,
    )
    if (news.changed.includes('joinedAt') && !wasMember && !joined.has(personId)) {
      joined.add(personId)
      events.push(
        joinedEvent(
          { ...teller, at: instant(Number(profile.attributes['joinedAt']?.[0])) },
          profile.attributes,
        ),
      )
    }
    events.push(...profileEvents(teller, profile.attributes, { ...news, born }))
    if (news.changed.includes('ownerStaffId') || news.changed.includes('homeStoreId')) {
      events.push(ownerEvent(teller, profile.attributes))
    }
    if (born) events.push(...followEvents(teller, facts))
  }
  for (const { profileId, staffId, addWay, lostBy, at, lost } of relationNews) {
    const teller = { profileId, personId: personOf.get(profileId) ?? profileId, at, how }
    events.push(
      lost
        ? event('contact_lost', teller, { staffId, by: lostBy ?? 'member' })
        : event('contact_added', teller, { staffId, addWay }),
    )
  }
  return events
}

export function kindsOf({ claims }: Facts): string[] {
  return [
    ...new Set(claims.filter(({ state, valid }) => state === 'active' && valid).map(({ kind }) => kind)),
  ].sort()
}

export function joinedEvent(teller: Teller, attributes: Attributes): NewEvent {
  const word = <Value extends string>(field: string): Value | null =>
    (attributes[field]?.[0] as Value | undefined) ?? null
  const registerChannel = word<Side>('registerChannel')
  const { source, side } = sourceOf({
    source: word('source'),
    side: word('side'),
    registerChannel,
    sourceChannel: word('sourceChannel'),
    registration: word('registration'),
    followed: false,
    joined: true,
  })
  return event('member_joined', teller, { source, side, registerChannel, storeId: word('homeStoreId') })
}

export function ownerEvent(teller: Teller, attributes: Attributes): NewEvent {
  return event('owner_changed', teller, {
    storeId: attributes['homeStoreId']?.[0] ?? null,
    staffId: attributes['ownerStaffId']?.[0] ?? null,
  })
}

/** Relations that a new profile was born with. */
export function followEvents(teller: Teller, facts: Facts): NewEvent[] {
  return facts.relations.flatMap(({ staffId, addWay, addedAt, lostAt, lostBy }) => [
    event('contact_added', { ...teller, at: addedAt }, { staffId, addWay: addWay ?? null }),
    ...(lostAt && lostAt >= addedAt
      ? [event('contact_lost', { ...teller, at: lostAt }, { staffId, by: lostBy ?? 'import' })]
      : []),
  ])
}
