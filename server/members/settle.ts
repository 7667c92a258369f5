/**
 * Settling: what profiles newly say is written, who is the same person is decided again for everybody it touches, and
 * persons, merges, reviews and events follow, all in the caller's transaction.
 *
 * Always true: whoever changes profiles, claims or verdicts of a person holds the row locks of every person that could
 * become one with it (taken in id order, checked again after they are held), so two transactions never decide about
 * the same people at once. A crash leaves either the whole transaction or nothing.
 */
import { append } from '../events/events.ts'
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { claimKey, linksProfiles } from './identifier.ts'
import type { Facts, ResolveHow } from './incoming.ts'
import { type Contested, type Partition, partition } from './partition.ts'
import { regroup } from './regroup.ts'
import { wordEvents } from './settle-events.ts'
import { writeMerges } from './settle-merges.ts'
import { movePersons, writePersons } from './settle-persons.ts'
import { writeRelations, writeWords } from './settle-words.ts'
import type { Act, MembersDeps, World } from './settle-world.ts'
import { profilesOf, relationsOf } from './store.ts'
import { type ClaimOfProfile, claimsOf, closureOf } from './store-claims.ts'
import { type MergeRow, markWorn, putConflicts, verdictsAmong } from './store-merges.ts'
import { lockPersons, personRows } from './store-persons.ts'

export type Settled = {
  readonly personOf: ReadonlyMap<number, number>
  /** Fields that a profile says differently now. */
  readonly changed: ReadonlyMap<number, readonly string[]>
  readonly newPersons: ReadonlySet<number>
  readonly merges: readonly MergeRow[]
  /** Questions by the persons that they are about. */
  readonly reviews: ReadonlyMap<number, string>
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
