/**
 * The one meaning of all rules: a function from a person's facts and an instant to segments, automatic tags, values of
 * level S, states, and the next moment of change.
 *
 * Always true: now < next, and no answer changes in between unless an event arrives. Equal leaves are computed once for
 * all segments. What `all` and `any` need not look at cannot change the answer before what they looked at does.
 *
 * Persons are evaluated together: one condition is asked about each of them, then the next one, so that the code and the
 * branches of a condition stay where they are fast. One person alone goes the same way.
 */
import type { Leaf, Rule } from '../../../contract/rule.ts'
import { type Group, groupOf } from '../facts/history-table.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import type { PersonState } from '../lifecycle/person-state.ts'
import type { Bench, LeafReading, LeafValue, Sitting, SValue } from './bench.ts'
import type { Definitions } from './definitions.ts'
import { type FactNeeds, factNeedsOf } from './fact-needs.ts'
import { compileLeaf } from './leaf.ts'
import { compileProgram, type Placed, type Program } from './program.ts'
import { Sitters } from './sitters.ts'
import { compileTree, leavesOf } from './tree.ts'
import type { ZoneDays } from './zone-days.ts'

const NEVER = Number.POSITIVE_INFINITY

export type Answer = {
  /** Ascending. */
  segments: number[]
  /** Business tags whose rule holds, ascending. */
  autoTags: number[]
  /** Tags of level S whose rule holds, one a group. */
  autoValues: ReadonlyMap<number, number>
  sValues: ReadonlyMap<number, SValue>
  state: PersonState
  /** ms since 1970; Infinity for never. */
  next: number
}

/** What was found about persons that were evaluated together, each by the place where he was given. Valid until the next call. */
export type Answers = {
  /** Segments or business tags that one person can have. */
  readonly most: number
  /** Moment of change, states and values of level S of one person. */
  of(place: number): Pick<Answer, 'next' | 'state' | 'autoValues' | 'sValues'>
  /** Writes the ids of his segments, ascending, into `ids`; answers how many there are. */
  segmentsOf(place: number, ids: Int32Array): number
  /** The same of business tags by rule. */
  autoTagsOf(place: number, ids: Int32Array): number
  whole(place: number): Answer
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
  /** The same of up to AT_ONCE persons together, much faster. Errors: a RangeError for more. */
  evaluateAll(group: Group, now: number): Answers
  /** Every leaf of a rule, also those that the verdict did not need, with when each would change by itself. */
  explain(rule: Rule, facts: PersonFacts, now: number): Explanation
}

/**
 * `part`: only segments are asked for (part.ts). States and values of level S are then right only where a rule looks at
 * them, and the moment of change is that of the rules alone: what is stored counts with that of the states.
 * Errors: `rule_cycle`.
 */
export function compileRules(definitions: Definitions, { part = false }: { part?: boolean } = {}): Evaluator {
  const program = compileProgram(definitions)
  const { days, shared } = program
  const attributes = program.meanings.flatMap(({ means }) => (means ? [means.attribute] : []))
  const needs = factNeedsOf(program.rules, attributes, { statesAsked: part })
  const sitting = new Sitters(definitions, program, { states: needs.states, timed: !part })
  const answers = answersOf(sitting, program)
  return {
    definitions,
    needs,
    days,
    evaluate(facts, now) {
      sitting.evaluate(groupOf([facts]), now)
      return answers.whole(0)
    },
    evaluateAll(group, now) {
      sitting.evaluate(group, now)
      return answers
    },
    explain(rule, facts, now) {
      sitting.evaluate(groupOf([facts]), now)
      const bench = sitting.benches[0] as Bench
      const leaves = [...leavesOf(rule, '')].map(({ leaf, path }): ExplainedLeaf => {
        const said = { verdicts: new Uint8Array(1), next: new Float64Array(1), values: [] as LeafValue[] }
        compileLeaf(leaf, { ...shared, series: new Map() })(sitting, said)
        return {
          value: said.values[0] ?? null,
          verdict: said.verdicts[0] === 1,
          next: said.next[0] ?? NEVER,
          leaf,
          path,
        }
      })
      let place = -1
      const holds = compileTree(
        rule,
        () => {
          place += 1
          return place
        },
        (leaf) => leaves[leaf]?.verdict ?? false,
      )
      const others = leaves.some(({ leaf }) => OF_OTHERS.has(leaf.kind))
      const next = Math.min(bench.own, others ? bench.next : NEVER, ...leaves.map((leaf) => leaf.next))
      return { verdict: holds(0), leaves, next }
    },
  }
}

/** Conditions that follow other rules, and change when those do. */
const OF_OTHERS: ReadonlySet<Leaf['kind']> = new Set(['segment', 'tag', 's_tag'])

function answersOf({ benches, holds }: Sitting, { segments, businessTags }: Program): Answers {
  const at = (place: number): Bench => benches[place] as Bench
  return {
    most: Math.max(segments.length, businessTags.length),
    of: at,
    segmentsOf: (place, ids) => heldAmong(segments, holds, place, ids),
    autoTagsOf: (place, ids) => heldAmong(businessTags, holds, place, ids),
    whole(place) {
      const { autoValues, sValues, state, next } = at(place)
      const held = (all: readonly Placed[]): number[] => {
        const found: number[] = []
        for (const each of all) if (holds[each.place]?.[place] === 1) found.push(each.id)
        return found
      }
      return { segments: held(segments), autoTags: held(businessTags), autoValues, sValues, state, next }
    },
  }
}

function heldAmong(
  all: readonly Placed[],
  holds: readonly Uint8Array[],
  person: number,
  ids: Int32Array,
): number {
  let count = 0
  for (const { id, place } of all) {
    if (holds[place]?.[person] !== 1) continue
    ids[count] = id
    count += 1
  }
  return count
}
