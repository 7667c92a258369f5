/** The step of settling that folds persons out of their profiles and writes who differs. */
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { type FoldProfile, foldPerson, preferred } from './fold.ts'
import type { ResolveHow } from './incoming.ts'
import type { Regrouping } from './regroup.ts'
import type { World } from './settle-world.ts'
import { type StoredProfile, updateProfiles } from './store.ts'
import { absorbPersons, type PersonRow, putPersons, sameFold } from './store-persons.ts'

export async function movePersons(
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
export async function writePersons(
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
