/** The step of settling that writes what profiles newly say: relations, attributes, claims, each origin's words apart. */
import type { Tx } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { type Attributes, foldLayers, mergeAttributes } from './attributes.ts'
import { type ClaimWords, foldClaimWords, mergeClaims, type StoredClaim, wordsOfClaims } from './claims.ts'
import type { Facts, ResolveHow } from './incoming.ts'
import { foldRelations, type RelationsByStaff, stands, wordsOf } from './relation.ts'
import { sealMore } from './secret.ts'
import type { MembersDeps, World } from './settle-world.ts'
import {
  layersOf,
  NO_ORIGIN,
  putLayers,
  putRelations,
  relationsOf,
  type StoredProfile,
  type StoredRelation,
  updateProfiles,
} from './store.ts'
import { insertFurtherClaims, updateClaims } from './store-claims.ts'

export type RelationNews = {
  profileId: number
  staffId: string
  addWay: string | null
  lostBy: string | null
  at: Date
  lost: boolean
}

/** Writes what the words tell of relations; answers which began or ended by that, and how all stood before. */
export async function writeRelations(
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

export type WordNews = { changed: readonly string[]; identifiers: string[] }

/** Brings words into the world and into the tables; answers what each profile says differently. */
export async function writeWords(
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
  // Rows of files have written theirs before; of words, the hints in remarks.
  const claimsAdded: (StoredClaim & { profileId: number; demo: boolean })[] = []
  const claimChanges: typeof claimsAdded = []
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
    claimsAdded.push(
      ...claims.added.map((claim) => ({ ...claim, profileId: profile.id, demo: profile.demo })),
    )
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
  await insertFurtherClaims(tx, claimsAdded)
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
