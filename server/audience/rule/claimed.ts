/** Which value of each group of level S stands for a person, before rules have spoken and after. */
import type { Person } from '../facts/history-table.ts'
import type { Claim } from '../facts/person-facts.ts'
import type { Bench, SValue } from './bench.ts'
import type { Definitions, TagDefinition } from './definitions.ts'

export type Claimed = (facts: Person) => ReadonlyMap<number, SValue>

const NOTHING: ReadonlyMap<number, SValue> = new Map()

/**
 * Manual before synced, then the latest; where nobody claims anything, what an attribute means. Rules come after manual
 * claims, once they are known. Whoever has the same of it shares one map, which nobody writes to.
 */
export function claimReader(meanings: Definitions['tags']): Claimed {
  const attributes = [...new Set(meanings.flatMap(({ means }) => (means ? [means.attribute] : [])))]
  let known = new Branch()
  let kept = 0
  return (facts) => {
    if (facts.claims.length > 0) return valuesOf(facts, meanings)
    if (meanings.length === 0) return NOTHING
    let branch = known
    for (const attribute of attributes) branch = branch.of(facts.attributes.get(attribute))
    if (branch.values === undefined) {
      branch.values = valuesOf(facts, meanings)
      kept += 1
      if (kept >= MOST_KNOWN) {
        known = new Branch()
        kept = 0
      }
    }
    return branch.values ?? NOTHING
  }
}

/** Values by one attribute after the other. */
class Branch {
  values: ReadonlyMap<number, SValue> | undefined
  readonly #next = new Map<string | undefined, Branch>()

  of(text: string | undefined): Branch {
    let next = this.#next.get(text)
    if (next === undefined) {
      next = new Branch()
      this.#next.set(text, next)
    }
    return next
  }
}

/** Channels and genders that people have together; what was told wrongly shall not fill the memory. */
const MOST_KNOWN = 10_000

function valuesOf(facts: Person, meanings: Definitions['tags']): ReadonlyMap<number, SValue> {
  const best = new Map<number, Claim>()
  for (const claim of facts.claims) {
    const before = best.get(claim.group)
    if (!before || stronger(claim, before)) best.set(claim.group, claim)
  }
  const values = new Map<number, SValue>(
    [...best].map(([group, { tag, origin }]) => [group, { tag, origin }]),
  )
  for (const { id, group, means } of meanings) {
    if (values.has(group) || !means || facts.attributes.get(means.attribute) !== means.value) continue
    values.set(group, { tag: id, origin: 'attribute' })
  }
  return values
}

const rank = { manual: 0, auto: 1, synced: 2 } as const

function stronger(claim: Claim, than: Claim): boolean {
  if (claim.origin !== than.origin) return rank[claim.origin] < rank[than.origin]
  return claim.at > than.at || (claim.at === than.at && claim.tag > than.tag)
}

export const NO_VALUES: ReadonlyMap<number, number> = new Map()

/** The rule of a tag of level S holds: of those of a group the one that stands first wins, and a manual claim over it. */
export type Give = (bench: Bench, tag: TagDefinition) => void

export function valueGiver(tags: readonly TagDefinition[]): Give {
  const inTurn = [...tags].sort((left, right) => left.position - right.position || left.id - right.id)
  const ranks = new Map(inTurn.map((tag, place) => [tag.id, place]))
  return (bench, { id, group }) => {
    const given = bench.autoValues.get(group)
    if (given !== undefined && (ranks.get(id) ?? 0) >= (ranks.get(given) ?? 0)) return
    bench.autoValues = new Map(bench.autoValues).set(group, id)
    if (bench.sValues.get(group)?.origin === 'manual') return
    bench.sValues = new Map(bench.sValues).set(group, { tag: id, origin: 'auto' })
  }
}
