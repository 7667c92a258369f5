/**
 * Who is the same person: a pure function of what profiles claim and of what people decided.
 *
 * Always true: the answer does not depend on the order of anything that is passed in, so imports that run at once or in
 * another order end with the same persons. No two profiles that disagree on a one-per-person identifier, and no two that
 * somebody told apart, are in one person, unless somebody joined them.
 *
 * How: what people joined comes first; then identifiers in three rounds, the surest first. In a round, an identifier
 * whose profiles contradict each other is contested and joins none of them (a number that two people use says nothing
 * about a third); of the rest, those that only together lead to a contradiction are contested as well. Nothing is
 * decided by who came first.
 */
import { type Claim, claimKey, identifierRules, MOST_PROFILES_OF_AN_IDENTIFIER } from './identifier.ts'

export type Node = {
  readonly id: number
  readonly claims: readonly Pick<Claim, 'kind' | 'scope' | 'digest'>[]
}
export type Verdict = { readonly low: number; readonly high: number; readonly says: 'together' | 'apart' }
/** A verdict with the side whose words win over those said before it. */
export type KeepingVerdict = Verdict & { readonly keeps: readonly number[]; readonly at: Date }
export type Contested = {
  readonly kind: Claim['kind']
  readonly scope: string
  readonly digest: string
  /** The persons that claim it. */
  readonly persons: readonly number[]
}
export type Partition = {
  /** The person of each profile: the smallest profile of its set. */
  readonly personOf: ReadonlyMap<number, number>
  /** Identifiers that would have joined people who contradict each other. */
  readonly contested: readonly Contested[]
  /** Keys (claimKey) of identifiers that too many profiles use. */
  readonly worn: readonly string[]
}

type Identifier = { kind: Claim['kind']; scope: string; digest: string; profiles: number[] }

/** The persons that `nodes` make. Only claims that may join are passed; a verdict about a profile not given is ignored. */
export function partition(nodes: readonly Node[], verdicts: readonly Verdict[]): Partition {
  const blocks = new Blocks(nodes, verdicts)
  const identifiers = collect(nodes)
  const worn: string[] = []
  const contested: Identifier[] = []
  for (const { low, high, says } of verdicts) if (says === 'together') blocks.join([low, high])
  for (const level of [1, 2, 3] as const) {
    const round: Identifier[] = []
    for (const [key, identifier] of identifiers) {
      if (identifierRules[identifier.kind].level !== level || identifier.profiles.length < 2) continue
      if (identifier.profiles.length > MOST_PROFILES_OF_AN_IDENTIFIER) worn.push(key)
      else round.push(identifier)
    }
    contested.push(...joinRound(blocks, round, level))
  }
  const personOf = blocks.persons()
  return {
    personOf,
    worn: worn.sort(),
    contested: contested.map((one) => describe(one, personOf)).sort(byKey),
  }
}

/** Joins what the identifiers of one round join, and answers those that contradict. */
function joinRound(blocks: Blocks, round: readonly Identifier[], level: 1 | 2 | 3): Identifier[] {
  const contested: Identifier[] = []
  const candidates: { identifier: Identifier; roots: number[] }[] = []
  for (const identifier of round) {
    const roots = blocks.rootsOf(identifier.profiles)
    if (roots.length < 2) continue
    if (blocks.agree(roots, level)) candidates.push({ identifier, roots })
    else contested.push(identifier)
  }
  const groups = new Forest()
  for (const { roots } of candidates) for (const root of roots) groups.join(roots[0] ?? root, root)
  const byGroup = Map.groupBy(candidates, ({ roots }) => groups.find(roots[0] ?? 0))
  for (const members of byGroup.values()) {
    const roots = [...new Set(members.flatMap((member) => member.roots))]
    if (members.length === 1 || blocks.agree(roots, level)) blocks.join(roots)
    else contested.push(...members.map(({ identifier }) => identifier))
  }
  return contested
}

function collect(nodes: readonly Node[]): Map<string, Identifier> {
  const identifiers = new Map<string, Identifier>()
  for (const { id, claims } of nodes) {
    for (const claim of claims) {
      const key = claimKey(claim)
      const known = identifiers.get(key)
      if (known) known.profiles.push(id)
      else
        identifiers.set(key, { kind: claim.kind, scope: claim.scope, digest: claim.digest, profiles: [id] })
    }
  }
  return identifiers
}

function describe(identifier: Identifier, personOf: ReadonlyMap<number, number>): Contested {
  const persons = new Set(identifier.profiles.map((profile) => personOf.get(profile) ?? profile))
  const { kind, scope, digest } = identifier
  return { kind, scope, digest, persons: [...persons].sort((a, b) => a - b) }
}

function byKey(a: Contested, b: Contested): number {
  return claimKey(a) < claimKey(b) ? -1 : 1
}

/** Disjoint sets of numbers; the root is the smallest. */
class Forest {
  readonly #parent = new Map<number, number>()

  find(id: number): number {
    let root = id
    for (;;) {
      const parent = this.#parent.get(root)
      if (parent === undefined || parent === root) break
      root = parent
    }
    for (let at = id; at !== root; ) {
      const next = this.#parent.get(at) ?? root
      this.#parent.set(at, root)
      at = next
    }
    return root
  }

  join(a: number, b: number): void {
    const [one, other] = [this.find(a), this.find(b)]
    if (one !== other) this.#parent.set(Math.max(one, other), Math.min(one, other))
  }
}

type Block = { values: Map<string, Set<string>>; known: boolean; apart: Set<number>; profiles: number[] }

/** Sets of profiles, with what each set must not contradict. */
class Blocks {
  readonly #forest = new Forest()
  readonly #blocks = new Map<number, Block>()
  readonly #profiles = new Set<number>()

  constructor(nodes: readonly Node[], verdicts: readonly Verdict[]) {
    for (const { id, claims } of nodes) {
      const block: Block = { values: new Map(), known: false, apart: new Set(), profiles: [id] }
      for (const { kind, scope, digest } of claims) {
        if (kind !== 'device') block.known = true
        if (identifierRules[kind].onePerPerson) add(block.values, `${kind}|${scope}`, digest)
      }
      this.#blocks.set(id, block)
      this.#profiles.add(id)
    }
    for (const { low, high, says } of verdicts) {
      if (says !== 'apart') continue
      this.#blocks.get(low)?.apart.add(high)
      this.#blocks.get(high)?.apart.add(low)
    }
  }

  rootsOf(profiles: readonly number[]): number[] {
    return [...new Set(profiles.map((profile) => this.#forest.find(profile)))]
  }

  join(profiles: readonly number[]): void {
    const [first, ...others] = this.rootsOf(profiles.filter((profile) => this.#profiles.has(profile)))
    if (first === undefined) return
    for (const other of others) this.#joinTwo(first, other)
  }

  /**
   * Whether these sets can be one person. For each one-per-person kind one of them has every value that the others
   * have; nobody told two of their profiles apart; and a device (round 3) leads to one known person at most.
   */
  agree(roots: readonly number[], level: 1 | 2 | 3): boolean {
    const blocks = roots.map((root) => this.#block(root))
    if (level === 3 && blocks.filter((block) => block.known).length > 1) return false
    const union = new Map<string, Set<string>>()
    for (const { values } of blocks) {
      for (const [kind, digests] of values) for (const digest of digests) add(union, kind, digest)
    }
    for (const [kind, digests] of union) {
      if (digests.size > 1 && !blocks.some(({ values }) => values.get(kind)?.size === digests.size))
        return false
    }
    const chosen = new Set(roots)
    return blocks.every(
      (block, index) =>
        block.apart.size === 0 ||
        ![...block.apart].some((other) => {
          const root = this.#forest.find(other)
          return root !== roots[index] && chosen.has(root)
        }),
    )
  }

  persons(): Map<number, number> {
    return new Map(
      [...this.#blocks.values()].flatMap((block) => {
        const person = Math.min(...block.profiles)
        return block.profiles.map((profile) => [profile, person] as const)
      }),
    )
  }

  #joinTwo(a: number, b: number): void {
    const [one, other] = [this.#forest.find(a), this.#forest.find(b)]
    if (one === other) return
    const [kept, gone] = [this.#block(Math.min(one, other)), this.#block(Math.max(one, other))]
    this.#forest.join(one, other)
    this.#blocks.delete(Math.max(one, other))
    for (const [kind, digests] of gone.values) for (const digest of digests) add(kept.values, kind, digest)
    for (const profile of gone.apart) kept.apart.add(profile)
    kept.profiles.push(...gone.profiles)
    kept.known ||= gone.known
  }

  #block(root: number): Block {
    const block = this.#blocks.get(root)
    if (!block) throw new Error('a root without a block')
    return block
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key)
  if (values) values.add(value)
  else map.set(key, new Set([value]))
}
