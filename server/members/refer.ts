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
import { type Claimant, claimantsOf } from './store-claims.ts'
import { enterResolving } from './store-erasure.ts'
import { personsOf } from './store-persons.ts'

export type Referred = { readonly profileId: number; readonly personId: number }

/**
 * The profile and present person of each row, in their order; of several profiles the oldest. Null for a row that names
 * nobody, or somebody who was erased. Errors: RangeError beyond 5,000 rows.
 */
export async function refer(
  deps: MembersDeps,
  tx: Tx,
  rows: readonly IncomingPerson[],
  how: ResolveHow,
): Promise<(Referred | null)[]> {
  if (rows.length > MOST_ROWS) throw new RangeError(`at most ${MOST_ROWS} rows at once`)
  await enterResolving(tx)
  const facts = rows.map((row, number) => (namesSomebody(row) ? factsOf(row, how, deps.keys, number) : null))
  const claims = facts.flatMap((one) => one?.claims ?? [])
  const distinct = [...new Map(claims.map((claim) => [claim.digest, claim])).values()]
  const holders = Map.groupBy(await claimantsOf(tx, distinct, 'all'), ({ digest }) => digest)
  const known = facts.map((one) => (one === null ? undefined : holderOf(one, holders)))
  const open = rows.flatMap((row, place) => (facts[place] && !known[place] ? [{ row, place }] : []))
  const answers: (Referred | null)[] = known.map((one) => one ?? null)
  if (open.length === 0) return answers
  const resolved = await resolve(
    deps,
    tx,
    open.map(({ row }) => row),
    how,
  )
  for (const [at, { place }] of open.entries()) {
    const one = resolved[at]
    answers[place] = one ? { profileId: one.profileId, personId: one.personId } : null
  }
  return answers
}

/** Which of these identifiers somebody bears, by their place. */
export async function areKnown(
  deps: MembersDeps,
  tx: Tx,
  identifiers: readonly IncomingIdentifier[],
): Promise<boolean[]> {
  const how = { lane: 'live', source: '', at: instant(0) } as const
  const claims = identifiers.map((one, number) => {
    const row = { externalId: null, identifiers: [one] }
    return namesSomebody(row) ? factsOf(row, how, deps.keys, number).claims[0] : undefined
  })
  const asked = claims.filter((claim) => claim !== undefined)
  const borne = new Set(
    (await claimantsOf(tx, asked, 'all')).filter(({ links }) => links).map(({ digest }) => digest),
  )
  return claims.map((claim) => claim !== undefined && borne.has(claim.digest))
}

/** The present persons of profiles; those that are gone are left out. Nobody is erased until the transaction ends. */
export async function presentOf(tx: Tx, profileIds: readonly number[]): Promise<Map<number, number>> {
  await enterResolving(tx)
  return personsOf(tx, profileIds)
}

function namesSomebody({ externalId, identifiers }: IncomingPerson): boolean {
  return (
    externalId !== null ||
    identifiers.some(({ kind, value }) => normaliseIdentifier(kind, value) !== undefined)
  )
}

/** The oldest profile that claims all of this, and whose claims join. */
function holderOf(facts: Facts, holders: ReadonlyMap<string, readonly Claimant[]>): Referred | undefined {
  const own = facts.claims.filter(linksProfiles)
  if (own.length === 0) return undefined
  let best: Referred | undefined
  for (const { profileId, personId } of holders.get(own[0]?.digest ?? '') ?? []) {
    if (best && best.profileId <= profileId) continue
    const holds = facts.claims.every((claim) =>
      holders
        .get(claim.digest)
        ?.some(
          (one) => one.profileId === profileId && (one.links || claim.state !== 'active' || !claim.valid),
        ),
    )
    if (holds) best = { profileId, personId }
  }
  return best
}
