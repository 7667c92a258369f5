/**
 * The one meaning of all rules: a function from a person's facts and an instant to segments, automatic tags, values of
 * level S, states, and the next moment of change.
 *
 * Always true: now < next, and no answer changes in between unless an event arrives. Equal leaves are computed once for
 * all segments. What `all` and `any` need not look at cannot change the answer before what they looked at does.
 */
import type { Leaf, Rule } from '../../../contract/rule.ts'
import { keyOf } from '../../../contract/rule.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import { type PersonState, stateOf } from '../lifecycle/person-state.ts'
import type { Bench, LeafReader, LeafReading, Shared, SValue } from './bench.ts'
import { type Definitions, withDescendants } from './definitions.ts'
import { type FactNeeds, factNeedsOf } from './fact-needs.ts'
import { type Behind, type GraphNode, inOrder } from './graph.ts'
import { compileLeaf } from './leaf.ts'
import { ZoneDays } from './zone-days.ts'

const NEVER = Number.POSITIVE_INFINITY

export type Answer = {
  /** Ascending. */
  segments: number[]
  /** Business tags whose rule holds, ascending. */
  autoTags: number[]
  /** Tags of level S whose rule holds, one a group. */
  autoValues: Map<number, number>
  sValues: Map<number, SValue>
  state: PersonState
  /** ms since 1970; Infinity for never. */
  next: number
}

export type ExplainedLeaf = LeafReading & { leaf: Leaf; path: string }
export type Explanation = {
  verdict: boolean
  leaves: ExplainedLeaf[]
  /** Before this moment (ms since 1970) none of them changes by itself. */
  next: number
}

export type Evaluator = {
  readonly definitions: Definitions
  /** What the rules look at: nothing else has to be read. */
  readonly needs: FactNeeds
  readonly days: ZoneDays
  evaluate(facts: PersonFacts, now: number): Answer
  /** Every leaf of a rule, also those that the verdict did not need, with when each would change by itself. */
  explain(rule: Rule, facts: PersonFacts, now: number): Explanation
}

/** Errors: `rule_cycle`. */
export function compileRules(definitions: Definitions): Evaluator {
  const days = new ZoneDays(definitions.zone)
  const autoTags = definitions.tags.filter((tag) => tag.rule !== null)
  const nodes: GraphNode[] = definitions.segments.map(({ id, name, rule, kept }) => ({
    id: `s${id}`,
    name,
    rule: kept ? EVERYBODY : rule,
  }))
  for (const { id, name, rule } of autoTags) if (rule) nodes.push({ id: `t${id}`, name, rule })
  const readers: LeafReader[] = []
  const places = new Map<string, number>()
  const leafPlace = (leaf: Leaf): number => {
    const key = keyOf(leaf)
    let place = places.get(key)
    if (place === undefined) {
      place = readers.length
      places.set(key, place)
      readers.push(compileLeaf(leaf, shared))
    }
    return place
  }
  const inTurn = inOrder(nodes, behindTags(definitions))
  const shared: Shared = {
    days,
    bands: definitions.bands,
    autoTags: new Map(autoTags.map((tag) => [tag.id, tag])),
    places: new Map(inTurn.map(({ id }, place) => [id, place])),
    descendants: (tags: readonly number[]) => withDescendants(definitions.tags, tags),
    series: new Map(),
  }
  const kept = new Map<string, number>(
    definitions.segments.flatMap(({ id, kept: taken }) => (taken ? [[`s${id}`, id] as const] : [])),
  )
  const ordered = inTurn.map(({ id, rule }) => {
    const segment = kept.get(id)
    const taken = segment === undefined ? -1 : readers.push(snapshotReader(segment)) - 1
    return {
      tag: id.startsWith('t') ? shared.autoTags.get(Number(id.slice(1))) : undefined,
      // Most rules are a single condition: it is asked without going through a tree.
      only: segment === undefined && isLeaf(rule) ? leafPlace(rule) : taken,
      holds: compileTree(rule, segment === undefined ? leafPlace : () => taken),
    }
  })
  const byPosition = [...autoTags].sort((left, right) => left.position - right.position || left.id - right.id)
  const placed = (letter: 's' | 't', ids: readonly number[]): Placed[] =>
    ids.map((id) => ({ id, place: shared.places.get(`${letter}${id}`) ?? -1 }))
  const businessTags = placed(
    't',
    autoTags.filter((tag) => tag.level === 'b').map((tag) => tag.id),
  )
  const sTags = byPosition.filter((tag) => tag.level === 's')
  const meanings = definitions.tags.filter((tag) => tag.means !== null)
  const segments = placed(
    's',
    definitions.segments.map((segment) => segment.id).sort((left, right) => left - right),
  )
  const holds = new Uint8Array(ordered.length)
  // Of each condition whether it was asked in this evaluation, and what it said.
  const asked = new Float64Array(readers.length)
  const said = new Uint8Array(readers.length)
  let turn = 0

  function open(facts: PersonFacts, now: number): Bench {
    const count = until(facts.purchases, now)
    const { state, next } = stateOf(facts, count, now, {
      days,
      bands: definitions.bands,
      cuts: definitions.cuts,
    })
    const purchased = facts.purchases[count]?.at ?? NEVER
    const happens = facts.events[until(facts.events, now)]?.at ?? NEVER
    turn += 1
    holds.fill(0)
    return {
      facts,
      now,
      today: days.of(now),
      state,
      next: Math.min(next, purchased, happens),
      holds,
      sValues: claimed(facts, meanings),
      turn,
    }
  }

  /** `own`: the next moment of change of the states, and of what lies in the future. */
  function evaluate(facts: PersonFacts, now: number): { bench: Bench; own: number; answer: Answer } {
    const bench = open(facts, now)
    const own = bench.next
    const ask = (place: number): boolean => {
      if (asked[place] === bench.turn) return said[place] === 1
      const reading = (readers[place] as LeafReader)(bench)
      asked[place] = bench.turn
      said[place] = reading.verdict ? 1 : 0
      if (reading.next < bench.next) bench.next = reading.next
      return reading.verdict
    }
    const autoValues = new Map<number, number>()
    const rankOfGroup = new Map<number, number>()
    for (let place = 0; place < ordered.length; place += 1) {
      const node = ordered[place] as (typeof ordered)[number]
      if (!(node.only < 0 ? node.holds(ask) : ask(node.only))) continue
      holds[place] = 1
      const { tag } = node
      if (tag?.level !== 's') continue
      const rank = sTags.indexOf(tag)
      if (rank >= (rankOfGroup.get(tag.group) ?? Number.POSITIVE_INFINITY)) continue
      rankOfGroup.set(tag.group, rank)
      autoValues.set(tag.group, tag.id)
      const claim = bench.sValues.get(tag.group)
      if (claim?.origin !== 'manual') bench.sValues.set(tag.group, { tag: tag.id, origin: 'auto' })
    }
    return {
      bench,
      own,
      answer: {
        segments: heldAmong(segments, holds),
        autoTags: heldAmong(businessTags, holds),
        autoValues,
        sValues: bench.sValues,
        state: bench.state,
        next: bench.next,
      },
    }
  }

  return {
    definitions,
    needs: factNeedsOf(
      nodes.map((node) => node.rule),
      meanings.flatMap(({ means }) => (means ? [means.attribute] : [])),
    ),
    days,
    evaluate: (facts, now) => evaluate(facts, now).answer,
    explain(rule, facts, now) {
      const { bench, own, answer } = evaluate(facts, now)
      const leaves: ExplainedLeaf[] = []
      const local: LeafReader[] = []
      const holds = compileTree(
        rule,
        (leaf) => local.push(compileLeaf(leaf, { ...shared, series: new Map() })) - 1,
      )
      for (const { leaf, path } of leavesOf(rule, '')) {
        const reader = local[leaves.length] as LeafReader
        leaves.push({ ...reader(bench), leaf, path })
      }
      const others = leaves.some(({ leaf }) => OF_OTHERS.has(leaf.kind))
      const next = Math.min(own, others ? answer.next : NEVER, ...leaves.map((leaf) => leaf.next))
      return { verdict: holds((place) => leaves[place]?.verdict ?? false), leaves, next }
    },
  }
}

/** A snapshot depends on nothing. */
const EVERYBODY: Rule = { kind: 'all', rules: [] }
/** Conditions that follow other rules, and change when those do. */
const OF_OTHERS: ReadonlySet<Leaf['kind']> = new Set(['segment', 'tag', 's_tag'])

function snapshotReader(segment: number): LeafReader {
  return ({ facts }) => {
    const verdict = facts.snapshots?.includes(segment) ?? false
    return { value: verdict, verdict, next: NEVER }
  }
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

type Placed = { id: number; place: number }

function heldAmong(all: readonly Placed[], holds: Uint8Array): number[] {
  const found: number[] = []
  for (const { id, place } of all) if (holds[place] === 1) found.push(id)
  return found
}

const isLeaf = (rule: Rule): rule is Leaf => rule.kind !== 'all' && rule.kind !== 'any' && rule.kind !== 'not'

type Tree = (ask: (place: number) => boolean) => boolean

function compileTree(rule: Rule, placeOf: (leaf: Leaf) => number): Tree {
  if (rule.kind === 'not') {
    const inner = compileTree(rule.rule, placeOf)
    return (ask) => !inner(ask)
  }
  if (isLeaf(rule)) {
    const place = placeOf(rule)
    return (ask) => ask(place)
  }
  const parts = rule.rules.map((child) => compileTree(child, placeOf))
  const stopsAt = rule.kind === 'any'
  return (ask) => {
    for (const part of parts) if (part(ask) === stopsAt) return stopsAt
    return !stopsAt
  }
}

/** Leaves in the order in which `compileTree` meets them. */
function* leavesOf(rule: Rule, path: string): Generator<{ leaf: Leaf; path: string }> {
  const below = path === '' ? '' : `${path}.`
  if (rule.kind === 'not') yield* leavesOf(rule.rule, `${below}rule`)
  else if (rule.kind === 'all' || rule.kind === 'any') {
    for (const [index, child] of rule.rules.entries()) yield* leavesOf(child, `${below}rules.${index}`)
  } else yield { leaf: rule, path }
}

/** How many of the rows, ascending in time, lie at or before now. */
function until(rows: readonly { at: number }[], now: number): number {
  let count = rows.length
  while (count > 0 && (rows[count - 1]?.at ?? 0) > now) count -= 1
  return count
}

/**
 * Manual before synced, then the latest; where nobody claims anything, what an attribute means. Rules come after manual
 * claims, once they are known.
 */
function claimed(facts: PersonFacts, meanings: Definitions['tags']): Map<number, SValue> {
  if (facts.claims.length === 0 && meanings.length === 0) return new Map()
  const best = new Map<number, PersonFacts['claims'][number]>()
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

function stronger(claim: PersonFacts['claims'][number], than: PersonFacts['claims'][number]): boolean {
  if (claim.origin !== than.origin) return rank[claim.origin] < rank[than.origin]
  return claim.at > than.at || (claim.at === than.at && claim.tag > than.tag)
}
