/**
 * Whom events mean. An event that only names somebody who is known makes no record of its own: it goes to the profile
 * that bears the identifier. Only what was never heard of, or heard together for the first time, is resolved.
 */
import type { Tx } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { linksProfiles } from './identifier.ts'
import {
  type Facts,
  factsOf,
  type IncomingIdentifier,
  type IncomingPerson,
  type ResolveHow,
} from './incoming.ts'
import { normaliseIdentifier } from './normalise.ts'
import { MOST_ROWS, resolve } from './resolve.ts'
import type { MembersDeps } from './settle-world.ts'
import { profilesByKey } from './store.ts'
import { type Claimant, claimantsOf } from './store-claims.ts'
import { enterResolving, RESOLVING } from './store-erasure.ts'
import { strayedOf } from './store-persons.ts'

/** Begins a transaction that asks `strayed`. */
export { RESOLVING }

export type Referred = { readonly profileId: number; readonly personId: number }

/** By identifiers, by a record of a source (its number there), or by both. */
export type Reference = {
  record?: { source: string; externalId: string }
  identifiers: readonly IncomingIdentifier[]
}

/**
 * The profile and present person of each reference, in their order: that of its record, else the oldest that bears all
 * its identifiers. Null where it names nobody, or somebody who was erased. Errors: RangeError beyond 5,000.
 */
export async function refer(
  deps: MembersDeps,
  tx: Tx,
  references: readonly Reference[],
  how: ResolveHow,
): Promise<(Referred | null)[]> {
  if (references.length > MOST_ROWS) throw new RangeError(`at most ${MOST_ROWS} references at once`)
  await enterResolving(tx)
  const asked = references.map((reference, place) => askedFor(deps, reference, { place, how }))
  const claims = asked.flatMap((one) => one?.facts.claims ?? [])
  const distinct = [...new Map(claims.map((claim) => [claim.digest, claim])).values()]
  const holders = Map.groupBy(await claimantsOf(tx, distinct, 'all'), ({ digest }) => digest)
  const records = await recordsOf(tx, asked)
  const answers = asked.map((one) => (one && holderOf(one, { holders, records })) ?? null)
  const open = asked.filter((one) => one !== undefined && answers[one.place] === null) as Asked[]
  for (const [source, some] of Map.groupBy(open, (one) => one.source)) {
    const rows = some.map(({ row }) => row)
    for (const [at, one] of (await resolve(deps, tx, rows, { ...how, source })).entries()) {
      const place = some[at]?.place ?? 0
      answers[place] = one ? { profileId: one.profileId, personId: one.personId } : null
    }
  }
  return answers
}

type Asked = { place: number; source: string; row: IncomingPerson; facts: Facts; isRecord: boolean }

function askedFor(
  deps: MembersDeps,
  { record, identifiers }: Reference,
  { place, how }: { place: number; how: ResolveHow },
): Asked | undefined {
  const row = { externalId: record?.externalId ?? null, identifiers }
  if (!namesSomebody(row)) return undefined
  const source = record?.source ?? how.source
  const facts = factsOf(row, { ...how, source }, deps.keys, place)
  return { place, source, row, facts, isRecord: record !== undefined }
}

/** The profiles of the records, by source and key. */
async function recordsOf(tx: Tx, asked: readonly (Asked | undefined)[]): Promise<Map<string, Referred>> {
  const records = asked.filter((one) => one?.isRecord === true) as Asked[]
  const found = new Map<string, Referred>()
  for (const [source, some] of Map.groupBy(records, (one) => one.source)) {
    const keys = [...new Set(some.map(({ facts }) => facts.key))]
    for (const { key, id, personId } of await profilesByKey(tx, source, keys))
      found.set(`${source} ${key}`, { profileId: id, personId })
  }
  return found
}

/** Which of these somebody bears, by their place. */
export async function areKnown(
  deps: MembersDeps,
  tx: Tx,
  references: readonly Reference[],
): Promise<boolean[]> {
  const how = { lane: 'live', source: '', at: instant(0) } as const
  const asked = references.map((reference, place) => askedFor(deps, reference, { place, how }))
  const claims = asked.flatMap((one) => one?.facts.claims ?? [])
  const borne = new Set(
    (await claimantsOf(tx, claims, 'all')).filter(({ links }) => links).map(({ digest }) => digest),
  )
  const records = await recordsOf(tx, asked)
  return asked.map(
    (one) =>
      one !== undefined &&
      (records.has(`${one.source} ${one.facts.key}`) ||
        one.facts.claims.some(({ digest }) => borne.has(digest))),
  )
}

/**
 * Of profiles whose person is remembered those that are another's now, by profile: whose, or null where the profile is
 * gone. The transaction begins with `RESOLVING`, so that nobody is erased until it ends.
 */
export function strayed(tx: Tx, remembered: readonly Referred[]): Promise<Map<number, number | null>> {
  return strayedOf(tx, remembered)
}

function namesSomebody({ externalId, identifiers }: IncomingPerson): boolean {
  return (
    externalId !== null ||
    identifiers.some(({ kind, value }) => normaliseIdentifier(kind, value) !== undefined)
  )
}

type Known = { holders: ReadonlyMap<string, readonly Claimant[]>; records: ReadonlyMap<string, Referred> }

/** The profile of the record, or the oldest that claims something of this; it must claim all of it, by claims that join. */
function holderOf({ source, facts, isRecord }: Asked, { holders, records }: Known): Referred | undefined {
  const holdsAll = (profileId: number): boolean =>
    facts.claims.every((claim) =>
      holders
        .get(claim.digest)
        ?.some(
          (one) => one.profileId === profileId && (one.links || claim.state !== 'active' || !claim.valid),
        ),
    )
  if (isRecord) {
    const own = records.get(`${source} ${facts.key}`)
    return own && holdsAll(own.profileId) ? own : undefined
  }
  const first = facts.claims.find(linksProfiles)
  let best: Referred | undefined
  for (const { profileId, personId } of holders.get(first?.digest ?? '') ?? []) {
    if (best && best.profileId <= profileId) continue
    if (holdsAll(profileId)) best = { profileId, personId }
  }
  return best
}
