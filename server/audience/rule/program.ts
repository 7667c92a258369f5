/** Definitions put in order: each rule with its conditions compiled, equal ones once, after those that it refers to. */
import type { Leaf, Rule } from '../../../contract/rule.ts'
import { keyOf } from '../../../contract/rule.ts'
import type { Person } from '../facts/history-table.ts'
import { type Bought, stateOf } from '../lifecycle/person-state.ts'
import { type Bench, type Condition, ofEach, type Shared, type Sitting } from './bench.ts'
import { type Claimed, claimReader, type Give, NO_VALUES, valueGiver } from './claimed.ts'
import { type Definitions, type TagDefinition, withDescendants } from './definitions.ts'
import { type Behind, type GraphNode, inOrder } from './graph.ts'
import { compileLeaf } from './leaf.ts'
import { type Ask, compileTree, isLeaf, leavesOf, type Tree } from './tree.ts'
import { ZoneDays } from './zone-days.ts'

/** One segment or automatic tag. */
export type Node = {
  readonly tag: TagDefinition | undefined
  /** Its conditions, by their places. */
  readonly asks: readonly number[]
  /** Whether it is its only condition and nothing else. */
  readonly single: boolean
  tree(ask: Ask): Tree
}
/** Where a segment or tag stands in the order of evaluation. */
export type Placed = { readonly id: number; readonly place: number }

export type Program = {
  readonly days: ZoneDays
  readonly shared: Shared
  /** Equal ones once. */
  readonly conditions: readonly Condition[]
  /** In the order of evaluation. */
  readonly nodes: readonly Node[]
  readonly rules: readonly Rule[]
  /** Ascending by id. */
  readonly segments: readonly Placed[]
  readonly businessTags: readonly Placed[]
  /** Tags of level S that an attribute gives. */
  readonly meanings: readonly TagDefinition[]
  readonly claimed: Claimed
  readonly give: Give
  /** A place for one person more. */
  another(sitting: Sitting): Bench
}

/** Errors: `rule_cycle`. */
export function compileProgram(definitions: Definitions): Program {
  const autoTags = definitions.tags.filter((tag) => tag.rule !== null)
  const graph = graphOf(definitions, autoTags)
  const inTurn = inOrder(graph, behindTags(definitions))
  const shared: Shared = {
    days: new ZoneDays(definitions.zone),
    bands: definitions.bands,
    autoTags: new Map(autoTags.map((tag) => [tag.id, tag])),
    places: new Map(inTurn.map(({ id }, place) => [id, place])),
    descendants: (tags: readonly number[]) => withDescendants(definitions.tags, tags),
    series: new Map(),
  }
  const conditions = new Conditions(shared)
  const kept = new Map<string, number>(
    definitions.segments.flatMap(({ id, kept: taken }) => (taken ? [[`s${id}`, id] as const] : [])),
  )
  const nodes = inTurn.map(({ id, rule }): Node => {
    const taken = kept.get(id)
    return {
      tag: id.startsWith('t') ? shared.autoTags.get(Number(id.slice(1))) : undefined,
      ...(taken === undefined ? conditions.rule(rule) : conditions.snapshot(taken)),
    }
  })
  const placed = (letter: 's' | 't', all: readonly { id: number }[]): Placed[] =>
    all.map(({ id }) => ({ id, place: shared.places.get(`${letter}${id}`) ?? -1 }))
  const ascending = [...definitions.segments].sort((left, right) => left.id - right.id)
  const meanings = definitions.tags.filter((tag) => tag.means !== null)
  return {
    days: shared.days,
    shared,
    conditions: conditions.all,
    nodes,
    rules: graph.map(({ rule }) => rule),
    segments: placed('s', ascending),
    businessTags: placed(
      't',
      autoTags.filter((tag) => tag.level === 'b'),
    ),
    meanings,
    claimed: claimReader(meanings),
    give: valueGiver(autoTags.filter((tag) => tag.level === 's')),
    another: (sitting) => anotherBench(sitting, shared),
  }
}

/** A snapshot depends on nothing. */
const EVERYBODY: Rule = { kind: 'all', rules: [] }

function graphOf({ segments }: Definitions, autoTags: readonly TagDefinition[]): GraphNode[] {
  const nodes: GraphNode[] = segments.map(({ id, name, rule, kept }) => ({
    id: `s${id}`,
    name,
    rule: kept ? EVERYBODY : rule,
  }))
  for (const { id, name, rule } of autoTags) if (rule) nodes.push({ id: `t${id}`, name, rule })
  return nodes
}

/** A value of level S depends on all rules of its group, a business tag on its own and those below it. */
export function behindTags({ tags }: Pick<Definitions, 'tags'>): Behind {
  const auto = tags.filter((tag) => tag.rule !== null)
  const group = (id: number): number[] => auto.filter((tag) => tag.group === id).map((tag) => tag.id)
  return {
    group,
    tag(id) {
      const definition = tags.find((tag) => tag.id === id)
      if (definition?.level === 's') return group(definition.group)
      const below = withDescendants(tags, [id])
      return auto.filter((tag) => below.has(tag.id)).map((tag) => tag.id)
    },
  }
}

/** The conditions of all rules, equal ones once. */
class Conditions {
  readonly all: Condition[] = []
  readonly #places = new Map<string, number>()
  readonly #shared: Shared

  constructor(shared: Shared) {
    this.#shared = shared
  }

  rule(rule: Rule): Omit<Node, 'tag'> {
    const asks = [...leavesOf(rule, '')].map(({ leaf }) => this.#placeOf(leaf))
    return {
      asks,
      single: isLeaf(rule),
      tree: (ask) => compileTree(rule, (leaf) => this.#placeOf(leaf), ask),
    }
  }

  snapshot(segment: number): Omit<Node, 'tag'> {
    const condition = ofEach(({ facts }) => {
      const verdict = facts.snapshots?.includes(segment) ?? false
      return { value: verdict, verdict, next: Number.POSITIVE_INFINITY }
    })
    const place = this.all.push(condition) - 1
    return { asks: [place], single: true, tree: (ask) => (person) => ask(place, person) }
  }

  #placeOf(leaf: Leaf): number {
    const key = keyOf(leaf)
    const known = this.#places.get(key)
    if (known !== undefined) return known
    this.#places.set(key, this.all.length)
    return this.all.push(compileLeaf(leaf, this.#shared)) - 1
  }
}

function anotherBench(sitting: Sitting, shared: Shared): Bench {
  const bench: Bench = {
    facts: NOBODY,
    now: 0,
    today: 0,
    state: stateOf(NOBODY, NOTHING, 0, { ...shared, cuts: null }).state,
    next: Number.POSITIVE_INFINITY,
    own: Number.POSITIVE_INFINITY,
    autoValues: NO_VALUES,
    sValues: new Map(),
    place: sitting.benches.length,
    sitting,
  }
  sitting.benches.push(bench)
  return bench
}

const NOTHING: Bought = { at: new Float64Array(0), amounts: new Float64Array(0), from: 0, count: 0 }
const NOBODY: Person = {
  personId: 0,
  attributes: new Map(),
  birthday: null,
  lunar: false,
  joinedAt: null,
  tags: [],
  claims: [],
  lastInteractionAt: null,
}
