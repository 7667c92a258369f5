/**
 * How sure it is that two persons are one who share no identifier. Pure.
 *
 * Each field that both have tells bits for or against (alike.ts); they add up, and what a base of this size asks for
 * before any two are believed to be one is taken off (rarity.ts). The score is the probability that is left. Nothing is
 * joined by it: pairs from `PROPOSE_FROM` on in which two telling fields agree are put before a person.
 */
import { type Alike, compare, type Kind, partsOf, type Says } from './alike.ts'
import type { Rarity } from './rarity.ts'

/** What is known of somebody: values by field; a field may have several, or none. */
export type Likely = Readonly<Record<string, readonly string[]>>
/** Which fields are compared, and what each holds. */
export type LikelyFields = Readonly<Record<string, Kind>>

/** `alike` 0…1, to two places. */
export type Agreement = { readonly field: string; readonly says: Says; readonly alike: number }
/**
 * `score` 0…1: how probable it is that they are one. `evidence`: the fields that speak for it, the strongest first.
 * `proposed`: sure enough to ask somebody, and on more than one fact.
 */
export type Likeness = {
  readonly score: number
  readonly evidence: Agreement[]
  readonly proposed: boolean
}

/** What is compared of members. */
export const memberFields: LikelyFields = {
  name: 'name',
  birthday: 'date',
  phone: 'number',
  address: 'address',
  city: 'city',
  email: 'text',
  card: 'text',
  gender: 'text',
}

export const PROPOSE_FROM = 0.8
/** Fewer bits than this are no agreement that would be worth naming as one of the two. */
const TELLING_BITS = 4
/**
 * What a family shares, or the shops of one house. Where each name has a word of its own, all that agrees of these is
 * one fact, the strongest of them: mother and daughter with one phone at one address are two people.
 */
const HOUSEHOLD: ReadonlySet<Kind> = new Set(['address', 'number', 'city'])
/** Kinds that many share: they help, and never are one of the two. */
const COMMON: ReadonlySet<Kind> = new Set(['city'])
/** Compared at most of each side: of somebody with fifty names the first ones do. */
const MOST_VALUES = 6

/** Compares two persons of a base. */
export function likeness(fields: LikelyFields, one: Likely, other: Likely, rarity: Rarity): Likeness {
  const found = Object.entries(fields).flatMap(([field, kind]) => {
    const best = bestOf({ field, kind }, one[field] ?? [], other[field] ?? [], rarity)
    return best === undefined ? [] : [{ ...best, field, kind }]
  })
  const facts = found.some(({ own }) => own === true) ? oneOfHousehold(found) : found
  const bits = facts.reduce((sum, fact) => sum + fact.bits, -rarity.prior)
  const score = 1 / (1 + 2 ** -bits)
  const telling = facts.filter((fact) => fact.bits >= TELLING_BITS && !COMMON.has(fact.kind))
  return {
    score,
    proposed: score >= PROPOSE_FROM && telling.length >= 2,
    evidence: found
      .filter((fact) => fact.bits > 0)
      .sort((a, b) => b.bits - a.bits)
      .map(({ field, says, alike }) => ({ field, says, alike: Math.round(alike * 100) / 100 })),
  }
}

type Fact = Alike & { readonly field: string; readonly kind: Kind }

/** Of what a household shares, the strongest that agrees; what contradicts stays. */
function oneOfHousehold(facts: readonly Fact[]): Fact[] {
  const shared = facts.filter(({ kind, bits }) => HOUSEHOLD.has(kind) && bits > 0)
  const strongest = shared.reduce<Fact | undefined>(
    (best, fact) => (best === undefined || fact.bits > best.bits ? fact : best),
    undefined,
  )
  return facts.filter((fact) => fact === strongest || !shared.includes(fact))
}

function bestOf(
  { field, kind }: { field: string; kind: Kind },
  ones: readonly string[],
  others: readonly string[],
  rarity: Rarity,
): Alike | undefined {
  let best: Alike | undefined
  for (const one of ones.slice(0, MOST_VALUES)) {
    for (const other of others.slice(0, MOST_VALUES)) {
      const found = compare(kind, one, other, (word) => rarity.bits(field, kind, word))
      if (found !== undefined && (best === undefined || found.bits > best.bits)) best = found
    }
  }
  return best
}

/** The words of a person by which the base is counted, each once. */
export function wordsOf(fields: LikelyFields, person: Likely): [field: string, word: string][] {
  return Object.entries(fields).flatMap(([field, kind]) => {
    const words = (person[field] ?? []).slice(0, MOST_VALUES).flatMap((value) => partsOf(kind, value))
    return [...new Set(words)].map((word): [string, string] => [field, word])
  })
}
