/** The step of settling that writes who came together and who parted, and tells those who move along. */
import type { NewEvent } from '../events/events.ts'
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import type { StoredClaim } from './claims.ts'
import { event } from './happenings.ts'
import { claimKey, linksProfiles } from './identifier.ts'
import type { ResolveHow } from './incoming.ts'
import type { Merge, Regrouping } from './regroup.ts'
import type { Act, MembersDeps, World } from './settle-world.ts'
import { closeMerges, insertMerges, type MergeRow, openMerges, type Via } from './store-merges.ts'

type Moves = {
  groups: Regrouping
  personOf: ReadonlyMap<number, number>
  act: Act
  brought: ReadonlySet<number>
}

/** Writes merges and their ends, tells the followers and answers the events: who parts first, then who joins. */
export async function writeMerges(
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
