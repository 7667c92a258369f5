/**
 * Where the ClickHouse rows of merged profiles stand.
 *
 * ClickHouse rows are ordered by the person they were written for, and a sort key cannot be updated. Always true: the
 * rows of a profile count only under (stored_person_id, placed = move) of its `profile_home` row, and belong to that
 * row's person_id; a profile without a row was never merged and its rows belong to the person they stand under. Merge
 * and undo change person_id only, in their own transaction, so readers are right from the commit on; a move changes
 * the stored key later (move-rows.ts). Rows of merged profiles are kept, for events that were written with the
 * person of before.
 */
import type { Db, Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import type { NewEvent } from './log.ts'

export type Home = {
  profileId: number
  /** Whose the rows are. */
  personId: number
  /** Under whom they stand. */
  storedPersonId: number
  move: number
  movingTo: number | null
  leftPersonId: number | null
}

const columns = sql`profile_id as "profileId", person_id as "personId", stored_person_id as "storedPersonId",
  move, moving_to as "movingTo", left_person_id as "leftPersonId"`
const unsettled = sql`(person_id <> stored_person_id or moving_to is not null or left_person_id is not null)`

/** The profile under which the rows of a person stand that name no profile. */
export function profileFor(profileId: number | null, personId: number | null): number {
  return profileId ?? -(personId ?? 0)
}

/** Homes that do not simply stand under their person, of everybody or of those who have to do with `personIds`. */
export async function unsettledHomes(db: Db, personIds?: readonly number[]): Promise<Home[]> {
  if (personIds === undefined) {
    return db.rows<Home>(sql`select ${columns} from profile_home where ${unsettled} order by profile_id`)
  }
  return db.rows<Home>(sql`
    select ${columns} from profile_home
    where ${unsettled} and person_id = any(${personIds}::int[])
    union select ${columns} from profile_home
    where ${unsettled} and stored_person_id = any(${personIds}::int[])
    union select ${columns} from profile_home where moving_to = any(${personIds}::int[])
    union select ${columns} from profile_home where left_person_id = any(${personIds}::int[])
    order by 1`)
}

/** Where rows of these profiles are to be written, for those that were ever merged. */
export async function homesOf(db: Db, profileIds: readonly number[]): Promise<Map<number, Home>> {
  const homes = await db.rows<Home>(
    sql`select ${columns} from profile_home where profile_id = any(${profileIds}::int[])`,
  )
  return new Map(homes.map((home) => [home.profileId, home]))
}

/**
 * The persons that events are about as of now: an event keeps the person it was written for, who may have been merged
 * since. Consumers that look at persons ask here. Events about nobody are left out.
 */
export async function presentPersons(
  db: Db,
  events: readonly { profileId: number | null; personId: number | null }[],
): Promise<Set<number>> {
  const homes = await homesOf(db, [
    ...new Set(events.map((event) => profileFor(event.profileId, event.personId))),
  ])
  const persons = new Set<number>()
  for (const event of events) {
    const person = homes.get(profileFor(event.profileId, event.personId))?.personId ?? event.personId
    if (person !== null) persons.add(person)
  }
  return persons
}

type Merge = { mergeId: string; from: number; to: number; profileIds: number[]; undo: boolean }

/** What `append` does with merges and undos: the profiles change their person here, in the same transaction. */
export async function noteMerges(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  const merges = events.flatMap(mergeOf)
  if (merges.length === 0) return
  const homes = await loadFor(tx, merges)
  const carriedBefore = await carriedBy(tx, merges)
  const carried = new Map<string, number[]>()
  const changed = new Map<number, Home>()
  for (const { mergeId, from, to, profileIds, undo } of merges) {
    const along = undo
      ? (carried.get(mergeId) ?? carriedBefore.get(mergeId) ?? []).filter(
          (id) => homes.get(id)?.personId === from,
        )
      : [
          -from,
          ...[...homes.values()]
            .filter((home) => home.profileId < 0 && home.profileId !== -from && home.personId === from)
            .map((home) => home.profileId),
        ]
    if (!undo) carried.set(mergeId, along)
    for (const profileId of [...profileIds, ...along]) {
      const home = homes.get(profileId) ?? {
        profileId,
        storedPersonId: from,
        move: 0,
        movingTo: null,
        leftPersonId: null,
      }
      const moved = { ...home, personId: to }
      homes.set(profileId, moved)
      changed.set(profileId, moved)
    }
  }
  await writeHomes(tx, [...changed.values()])
  await tx.run(sql`
    insert into merge_carried (merge_id, profile_ids)
    select (each->>'id')::uuid, array(select value::int from jsonb_array_elements_text(each->'profiles'))
    from jsonb_array_elements(${JSON.stringify([...carried].map(([id, profiles]) => ({ id, profiles })))}::jsonb) each`)
}

function mergeOf({ type, data }: NewEvent): Merge[] {
  if (type === 'persons_merged') {
    const { mergeId, keptPersonId, absorbedPersonId, profileIds } = data as MergedData
    return [{ mergeId, from: absorbedPersonId, to: keptPersonId, profileIds, undo: false }]
  }
  if (type === 'merge_undone') {
    const { mergeId, keptPersonId, restoredPersonId, profileIds } = data as UndoneData
    return [{ mergeId, from: keptPersonId, to: restoredPersonId, profileIds, undo: true }]
  }
  return []
}

type MergedData = { mergeId: string; keptPersonId: number; absorbedPersonId: number; profileIds: number[] }
type UndoneData = { mergeId: string; keptPersonId: number; restoredPersonId: number; profileIds: number[] }

async function loadFor(tx: Tx, merges: readonly Merge[]): Promise<Map<number, Home>> {
  const profiles = merges.flatMap((merge) => [...merge.profileIds, -merge.from])
  const persons = merges.map((merge) => merge.from)
  const homes = await tx.rows<Home>(sql`
    select ${columns} from profile_home
    where profile_id = any(${profiles}::int[]) or (profile_id < 0 and person_id = any(${persons}::int[]))`)
  return new Map(homes.map((home) => [home.profileId, home]))
}

async function carriedBy(tx: Tx, merges: readonly Merge[]): Promise<Map<string, number[]>> {
  const rows = await tx.rows<{ id: string; profiles: number[] }>(sql`
    select merge_id as id, profile_ids as profiles from merge_carried
    where merge_id = any(${merges.filter((merge) => merge.undo).map((merge) => merge.mergeId)}::uuid[])`)
  return new Map(rows.map((row) => [row.id, row.profiles]))
}

async function writeHomes(tx: Tx, homes: readonly Home[]): Promise<void> {
  await tx.run(sql`
    insert into profile_home (profile_id, person_id, stored_person_id)
    select * from unnest(${homes.map((home) => home.profileId)}::int[], ${homes.map((home) => home.personId)}::int[],
      ${homes.map((home) => home.storedPersonId)}::int[])
    on conflict (profile_id) do update set person_id = excluded.person_id`)
}
