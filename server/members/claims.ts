/**
 * The claims of one profile: which of them stand. Pure.
 *
 * Always true: of a one-per-person kind a profile has one active claim in a scope, the latest (of equal times the
 * greater digest); earlier ones are superseded. What somebody disowned stays disowned whatever the source repeats.
 */
import { type Claim, identifierRules } from './identifier.ts'
import type { NewClaim } from './incoming.ts'

/** A claim as it is stored. `at` in ms since 1970. */
export type StoredClaim = Claim & { readonly at: number; readonly lookup: string | null }

export type ClaimNews = {
  /** Claims that the profile did not have. */
  readonly added: readonly StoredClaim[]
  /** Claims whose state or time is another one now. */
  readonly changed: readonly StoredClaim[]
  /** All claims as they stand afterwards. */
  readonly all: readonly StoredClaim[]
}

/** What `brought` makes of the claims `known`. `timed`: the row carries the time of its own at which it was said. */
export function mergeClaims(
  known: readonly StoredClaim[],
  brought: readonly NewClaim[],
  timed: boolean,
): ClaimNews {
  const before = new Map(known.map((claim) => [key(claim), claim]))
  const after = new Map(before)
  for (const claim of brought) {
    const old = after.get(key(claim))
    if (!old) after.set(key(claim), claim)
    else after.set(key(claim), repeated(old, claim, timed))
  }
  settle(after)
  const all = [...after.values()]
  const added = all.filter((claim) => !before.has(key(claim)))
  const changed = all.filter((claim) => before.has(key(claim)) && before.get(key(claim)) !== claim)
  return { added, changed, all }
}

/** What one origin said: by digest when, and whether it was only a hint. */
export type ClaimWords = Readonly<Record<string, readonly [at: number, hint: boolean]>>

/** The words that claims are, for the layer of whoever said them. */
export function wordsOfClaims(claims: readonly Pick<StoredClaim, 'digest' | 'at' | 'state'>[]): ClaimWords {
  return foldClaimWords(
    claims.map(({ digest, at, state }) => ({ [digest]: [at, state === 'hint'] as const })),
  )
}

/** The words of several origins together: the latest time, and a hint only where nobody claims it. */
export function foldClaimWords(all: readonly ClaimWords[]): ClaimWords {
  const result: Record<string, readonly [number, boolean]> = {}
  for (const words of all) {
    for (const [digest, [at, hint]] of Object.entries(words)) {
      const known = result[digest]
      const better = !known || (known[1] && !hint) || (known[1] === hint && at > known[0])
      if (better) result[digest] = [at, hint]
    }
  }
  return result
}

/** The claims as these words leave them: what nobody says goes, and what that had superseded stands again. */
export function claimsLeft(
  known: readonly StoredClaim[],
  words: ClaimWords,
): { left: StoredClaim[]; gone: StoredClaim[] } {
  const gone = known.filter(({ digest }) => words[digest] === undefined)
  const left = new Map<string, StoredClaim>()
  for (const claim of known) {
    const word = words[claim.digest]
    if (!word) continue
    const state = word[1] && claim.state === 'active' ? 'hint' : claim.state
    left.set(
      key(claim),
      word[0] === claim.at && state === claim.state ? claim : { ...claim, at: word[0], state },
    )
  }
  settle(left)
  return { left: [...left.values()], gone }
}

function repeated(old: StoredClaim, claim: NewClaim, timed: boolean): StoredClaim {
  if (claim.state === 'hint' || old.state === 'disowned' || old.state === 'worn') return old
  if (old.state === 'hint')
    return { ...old, state: 'active', valid: claim.valid, form: claim.form, at: claim.at }
  const news = timed || old.state === 'superseded'
  return news && claim.at > old.at ? { ...old, at: claim.at } : old
}

function settle(claims: Map<string, StoredClaim>): void {
  const rivals = Map.groupBy(
    [...claims.values()].filter(
      ({ kind, state }) =>
        identifierRules[kind].onePerPerson && (state === 'active' || state === 'superseded'),
    ),
    ({ kind, scope }) => `${kind}|${scope}`,
  )
  for (const group of rivals.values()) {
    const winner = group.reduce((best, claim) => (later(claim, best) ? claim : best))
    for (const claim of group) {
      const state = claim === winner ? 'active' : 'superseded'
      if (claim.state !== state) claims.set(key(claim), { ...claim, state })
    }
  }
}

function later(one: StoredClaim, other: StoredClaim): boolean {
  return one.at === other.at ? one.digest > other.digest : one.at > other.at
}

function key({ kind, scope, digest }: Pick<Claim, 'kind' | 'scope' | 'digest'>): string {
  return `${kind}|${scope}|${digest}`
}
