/**
 * Taking back what an import said of people.
 *
 * Always true: afterwards profiles, persons and merges are what the remaining words give: an import's own layer of
 * words goes (attributes, relations, claims), and who is one person is decided again. A profile that the import made
 * stays if anybody else spoke of it, or uses it; one that is only used keeps the identifiers by which it is found.
 * Works in steps of one transaction each, so that no lock is held for long; a crash between two steps loses nothing.
 */
import { append } from '../events/events.ts'
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { foldLayers } from './attributes.ts'
import { claimsLeft, foldClaimWords } from './claims.ts'
import { foldRelations } from './relation.ts'
import { lockClosure, settle } from './settle.ts'
import { BY_IDENTIFIER, type MembersDeps } from './settle-world.ts'
import {
  deleteLayers,
  deleteProfiles,
  deleteRelationsOf,
  importedProfiles,
  type Layer,
  layersOf,
  profilesById,
  putRelations,
  releaseProfiles,
  spokenForOf,
  updateProfiles,
} from './store.ts'
import { claimantsOf, claimsOf, deleteClaims, updateClaims } from './store-claims.ts'
import { settleReviewsOf } from './store-merges.ts'
import { removePersons } from './store-persons.ts'

export type UndoneStep = {
  /** Where the next step goes on; null when nothing is left. */
  readonly next: number | null
  readonly removedPersons: number
  readonly removedProfiles: number
  /** Profiles that stay, without the import's words. */
  readonly restored: number
}

const STEP = 1_000

/**
 * One step of the undo, beginning after profile `after` (0 at first). `inUse` answers which of these profiles something
 * of a later capability hangs on (orders that are not of this import); they stay.
 */
export async function undoImport(
  deps: MembersDeps,
  tx: Tx,
  importId: string,
  at: Date,
  {
    after = 0,
    inUse,
  }: { after?: number; inUse?: (tx: Tx, profileIds: readonly number[]) => Promise<readonly number[]> } = {},
): Promise<UndoneStep> {
  const how = { lane: 'bulk', source: 'undo', at, importId } as const
  const ids = await importedProfiles(tx, importId, { after, limit: STEP })
  if (ids.length === 0) return { next: null, removedPersons: 0, removedProfiles: 0, restored: 0 }
  const start = await mayJoin(tx, ids)
  await lockClosure(tx, start)
  const profiles = await profilesById(tx, ids)
  const all = profiles.map(({ id }) => id)
  const kept = new Set([...(await spokenForOf(tx, all, importId)), ...((await inUse?.(tx, all)) ?? [])])
  const gone = all.filter((id) => !kept.has(id))
  const staying = all.filter((id) => kept.has(id))
  await takeWordsBack(tx, staying, importId)
  await settleReviewsOf(tx, gone, at)
  await deleteProfiles(tx, gone)
  const settled = await settle(
    deps,
    tx,
    {
      start,
      words: new Map(),
      fresh: new Map(),
      act: { ...BY_IDENTIFIER, undoes: { cause: 'import' } },
    },
    how,
  )
  const left = new Set(settled.personOf.values())
  const emptied = start.filter(
    (id) => !left.has(id) && !settled.merges.some(({ absorbed }) => absorbed === id),
  )
  const removed = await removePersons(tx, emptied, at)
  const changed = staying.flatMap((profileId) => {
    const personId = settled.personOf.get(profileId)
    return personId === undefined ? [] : [{ profileId, personId }]
  })
  await tellChanged(tx, [...removed.map((id) => ({ profileId: id, personId: id })), ...changed], at)
  for (const follower of deps.followers) {
    if (gone.length > 0) await follower.removed?.(tx, { importId, persons: removed, profileIds: gone, at })
  }
  return {
    next: ids.length < STEP ? null : (ids.at(-1) ?? null),
    removedPersons: removed.length,
    removedProfiles: gone.length,
    restored: staying.length,
  }
}

/** Whoever is gone or says less now leaves what they belonged to by that. On the bulk lane: it starts nothing. */
async function tellChanged(
  tx: Tx,
  changed: readonly { profileId: number; personId: number }[],
  at: Date,
): Promise<void> {
  const events = changed.map((one) => ({
    ...one,
    id: newId(at),
    type: 'attributes_changed' as const,
    at,
    data: { changed: {} },
  }))
  await append(tx, events, { lane: 'bulk', source: 'undo', receivedAt: at })
}

/** The persons of these profiles, and of whoever claims a value that one of them ever claimed: it may join them again. */
export async function mayJoin(tx: Tx, profiles: readonly number[]): Promise<number[]> {
  const own = (await profilesById(tx, profiles)).map(({ personId }) => personId)
  const claimants = await claimantsOf(tx, await claimsOf(tx, profiles), 'all')
  return [
    ...new Set([
      ...own,
      ...claimants.filter(({ state }) => state !== 'worn').map(({ personId }) => personId),
    ]),
  ]
}

/** What the import said goes from profiles that stay: the fold of what the others said is left. */
async function takeWordsBack(tx: Tx, staying: readonly number[], importId: string): Promise<void> {
  if (staying.length === 0) return
  const profiles = await profilesById(tx, staying)
  const layers = Map.groupBy(await layersOf(tx, staying), ({ profileId }) => profileId)
  const others = (id: number): Layer[] => (layers.get(id) ?? []).filter(({ origin }) => origin !== importId)
  await updateProfiles(
    tx,
    profiles.map(({ id, personId }) => ({
      id,
      personId,
      attributes: foldLayers(others(id).map((one) => one.attributes)),
      secret: null,
    })),
  )
  // A profile that is only in use, of which nobody else spoke, keeps what finds it and whom it follows.
  const spokenFor = staying.filter((id) => others(id).length > 0)
  await deleteRelationsOf(tx, spokenFor)
  await putRelations(
    tx,
    spokenFor.flatMap((profileId) =>
      Object.entries(foldRelations(others(profileId).map((one) => one.relations))).map(([staffId, word]) => ({
        ...word,
        profileId,
        staffId,
      })),
    ),
  )
  const claims = Map.groupBy(await claimsOf(tx, spokenFor), ({ profileId }) => profileId)
  const left = spokenFor.map((profileId) => {
    const known = claims.get(profileId) ?? []
    const after = claimsLeft(known, foldClaimWords(others(profileId).map((one) => one.claims)))
    const changed = after.left.filter((claim) => !known.some((one) => one === claim))
    const demo = profiles.some(({ id, demo: isDemo }) => id === profileId && isDemo)
    return {
      gone: after.gone.map(({ digest }) => ({ profileId, digest })),
      changed: changed.map((claim) => ({ ...claim, profileId, demo })),
    }
  })
  await deleteClaims(
    tx,
    left.flatMap(({ gone }) => gone),
  )
  await updateClaims(
    tx,
    left.flatMap(({ changed }) => changed),
  )
  await deleteLayers(tx, staying, importId)
  await releaseProfiles(tx, staying, importId)
}
