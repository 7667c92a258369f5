/**
 * What would change the answer about one person, from the function that decides: each condition is tried with time going
 * on, and with the smallest thing that could be done, until it turns.
 */
import type { Rule } from '../../../contract/rule.ts'
import type { Acts } from '../../../contract/rule-act.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import { afterAct } from '../rule/act.ts'
import type { Evaluator, ExplainedLeaf, Explanation } from '../rule/compile.ts'
import { possibleActs } from '../rule/possible-acts.ts'

export type LeafChange = {
  /** What would turn this condition now; undefined where nothing that can be done does. */
  acts: Acts | undefined
  /** When it turns by time alone, ms since 1970; undefined for not within ten years, or not within 400 changes. */
  byTime: number | undefined
  /** The acts turn the whole answer too, nothing else being needed. */
  alone: boolean
  /** One of the conditions that have to turn, together, for the whole answer to turn. */
  needed: boolean
}
export type Changes = {
  /** By the path of the leaf. */
  leaves: Map<string, LeafChange>
  /** When the whole answer turns by time alone. */
  byTime: number | undefined
}

const MOST_STEPS = 400
const HORIZON_MS = 3660 * 86_400_000
const DAY_MS = 86_400_000

export function changesOf(
  evaluator: Evaluator,
  rule: Rule,
  facts: PersonFacts,
  now: number,
  present: Explanation = evaluator.explain(rule, facts, now),
): Changes {
  const times = byTime(evaluator, rule, facts, now, present)
  const needed = neededOf(rule, '', new Map(present.leaves.map(({ path, verdict }) => [path, verdict])))
  const leaves = present.leaves.map((leaf): [string, LeafChange] => {
    const tried = turning(evaluator, rule, facts, now, leaf)
    return [
      leaf.path,
      {
        acts: tried?.acts,
        byTime: times.leaves.get(leaf.path),
        alone: tried !== undefined && tried.verdict !== present.verdict,
        needed: needed.has(leaf.path),
      },
    ]
  })
  return { leaves: new Map(leaves), byTime: times.whole }
}

type Times = { leaves: Map<string, number>; whole: number | undefined }

/** From one moment of change to the next, until everything has turned once. */
function byTime(
  evaluator: Evaluator,
  rule: Rule,
  facts: PersonFacts,
  now: number,
  present: Explanation,
): Times {
  const found: Times = { leaves: new Map(), whole: undefined }
  let next = present.next
  for (let step = 0; step < MOST_STEPS && next <= now + HORIZON_MS; step += 1) {
    const then = evaluator.explain(rule, facts, next)
    for (const [index, { path, verdict }] of then.leaves.entries()) {
      if (verdict !== present.leaves[index]?.verdict && !found.leaves.has(path)) found.leaves.set(path, next)
    }
    if (then.verdict !== present.verdict) found.whole ??= next
    if (found.whole !== undefined && found.leaves.size === present.leaves.length) break
    next = then.next
  }
  return found
}

/** The first of the possible acts after which the condition is another one, and what the whole answer is then. */
function turning(
  evaluator: Evaluator,
  rule: Rule,
  facts: PersonFacts,
  now: number,
  leaf: ExplainedLeaf,
): { acts: Acts; verdict: boolean } | undefined {
  for (const acts of possibleActs(leaf.leaf, leaf, evaluator.definitions)) {
    const { after, at } = done(facts, acts, now)
    const then = evaluator.explain(rule, after, at)
    if (then.leaves.find(({ path }) => path === leaf.path)?.verdict !== leaf.verdict)
      return { acts, verdict: then.verdict }
  }
  return undefined
}

/** The facts once it is done, a millisecond after the other, and the moment to look. */
export function done(
  facts: PersonFacts,
  { acts, thenDays = 0 }: Acts,
  now: number,
): { after: PersonFacts; at: number } {
  let after = facts
  let at = now
  for (const act of acts) {
    at += 1
    after = afterAct(after, act, at)
  }
  return { after, at: at + thenDays * DAY_MS }
}

/** The smallest set of conditions whose turning turns the tree, as far as they turn one by one. */
function neededOf(rule: Rule, path: string, verdicts: ReadonlyMap<string, boolean>): Set<string> {
  const below = path === '' ? '' : `${path}.`
  if (rule.kind === 'not') return neededOf(rule.rule, `${below}rule`, verdicts)
  if (rule.kind !== 'all' && rule.kind !== 'any') return new Set([path])
  const parts = rule.rules.map((child, index) => ({ child, path: `${below}rules.${index}` }))
  const holds = (part: (typeof parts)[number]): boolean => judged(part.child, part.path, verdicts)
  const stopsAt = rule.kind === 'any'
  const verdict = parts.some((part) => holds(part) === stopsAt) ? stopsAt : !stopsAt
  const sets = parts
    .filter((part) => holds(part) === verdict)
    .map((part) => neededOf(part.child, part.path, verdicts))
  // All that stop it have to turn; where none stops it, any one does.
  if (verdict === stopsAt) return new Set(sets.flatMap((set) => [...set]))
  return sets.sort((left, right) => left.size - right.size)[0] ?? new Set()
}

function judged(rule: Rule, path: string, verdicts: ReadonlyMap<string, boolean>): boolean {
  const below = path === '' ? '' : `${path}.`
  if (rule.kind === 'not') return !judged(rule.rule, `${below}rule`, verdicts)
  if (rule.kind === 'all')
    return rule.rules.every((child, index) => judged(child, `${below}rules.${index}`, verdicts))
  if (rule.kind === 'any')
    return rule.rules.some((child, index) => judged(child, `${below}rules.${index}`, verdicts))
  return verdicts.get(path) ?? false
}
