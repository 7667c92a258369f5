/** What can be said of a rule without looking at anybody: conditions that hold never, or always. Cheap, not complete. */
import { lifecycleStates } from './lifecycle.ts'
import { keyOf, type Leaf, type Rule } from './rule.ts'
import type { Compare } from './rule-parts.ts'

export type Finding = { path: string; verdict: 'never' | 'always' }
type Verdict = 'never' | 'always' | 'open'

/** The topmost parts of the rule that cannot come out otherwise; path '' is the whole rule. */
export function findingsOf(rule: Rule): Finding[] {
  const findings: Finding[] = []
  const verdict = judge(rule, '', findings)
  if (verdict !== 'open') return [{ path: '', verdict }]
  return findings
}

function judge(rule: Rule, path: string, findings: Finding[]): Verdict {
  const below = path === '' ? '' : `${path}.`
  if (rule.kind === 'not') {
    const inner = judge(rule.rule, `${below}rule`, findings)
    if (inner === 'open') return 'open'
    return inner === 'never' ? 'always' : 'never'
  }
  if (rule.kind !== 'all' && rule.kind !== 'any') return judgeLeaf(rule)
  const inner: Finding[] = []
  const verdicts = rule.rules.map((child, index) => {
    const at = `${below}rules.${index}`
    const verdict = judge(child, at, inner)
    if (verdict !== 'open') inner.push({ path: at, verdict })
    return verdict
  })
  const [ends, passes] = rule.kind === 'all' ? (['never', 'always'] as const) : (['always', 'never'] as const)
  if (verdicts.every((verdict) => verdict === passes)) return passes
  if (verdicts.includes(ends) || contradicts(rule.rules)) return ends
  if (rule.kind === 'all' && disjoint(rule.rules)) return 'never'
  findings.push(...inner)
  return 'open'
}

/** A condition beside its own denial. */
function contradicts(rules: readonly Rule[]): boolean {
  const keys = new Set(rules.map(keyOf))
  return rules.some((rule) => rule.kind === 'not' && keys.has(keyOf(rule.rule)))
}

type Span = { low: number; lowOpen: boolean; high: number; highOpen: boolean }

/** Two comparisons of the same value that no number satisfies, or two sets of states without a common one. */
function disjoint(rules: readonly Rule[]): boolean {
  const spans = new Map<string, Span>()
  const sets = new Map<string, Set<unknown>>()
  for (const rule of rules) {
    const compared = comparedOf(rule)
    if (compared) {
      const span = meet(spans.get(compared.key), spanOf(compared.compare))
      spans.set(compared.key, span)
      if (isEmpty(span)) return true
    }
    const chosen = chosenOf(rule)
    if (chosen) {
      const before = sets.get(chosen.key)
      const both = before
        ? new Set(chosen.values.filter((value) => before.has(value)))
        : new Set(chosen.values)
      sets.set(chosen.key, both)
      if (both.size === 0) return true
    }
  }
  return false
}

function comparedOf(rule: Rule): { key: string; compare: Compare } | undefined {
  if (rule.kind === 'orders') return { key: keyOf({ ...rule, compare: undefined }), compare: rule.compare }
  if (rule.kind === 'age') return { key: 'age', compare: rule.compare }
  return rule.kind === 'joined' ? { key: 'joined', compare: rule.daysAgo } : undefined
}

function chosenOf(rule: Rule): { key: string; values: readonly unknown[] } | undefined {
  if (rule.kind === 'lifecycle') return { key: `lifecycle ${rule.category ?? ''}`, values: rule.states }
  if (rule.kind === 'own_cycle') return { key: rule.kind, values: rule.states }
  if (rule.kind === 'order_stage' || rule.kind === 'aipl') return { key: rule.kind, values: rule.stages }
  if (rule.kind === 'join_recency') return { key: rule.kind, values: rule.recencies }
  if (rule.kind === 'rfm_group') return { key: rule.kind, values: rule.groups }
  if (rule.kind === 'attribute' && rule.op === 'in') return { key: rule.attribute, values: rule.values }
  return undefined
}

function judgeLeaf(leaf: Leaf): Verdict {
  const compared = comparedOf(leaf)
  if (compared) {
    const span = spanOf(compared.compare)
    if (isEmpty(span)) return 'never'
    if (leaf.kind === 'orders' && leaf.measure.of === 'count') {
      if (isEmpty(meet(span, { low: 0, lowOpen: false, high: Number.POSITIVE_INFINITY, highOpen: true })))
        return 'never'
      if (
        span.high === Number.POSITIVE_INFINITY &&
        (span.low < 0 || (span.low === 0 && !span.lowOpen)) &&
        leaf.compare.op !== 'ne'
      )
        return 'always'
    }
  }
  if (leaf.kind === 'orders' && leaf.window.kind === 'absolute' && leaf.window.from > leaf.window.to) {
    return leaf.measure.of === 'count' || leaf.measure.of === 'sum' ? 'open' : 'never'
  }
  if (leaf.kind === 'lifecycle' && new Set(leaf.states).size === lifecycleStates.length) return 'always'
  if (leaf.kind === 'sample') {
    if (leaf.per10000 === 0) return 'never'
    return leaf.per10000 === 10_000 ? 'always' : 'open'
  }
  if (leaf.kind === 'rfm_score') {
    return [leaf.r, leaf.f, leaf.m].some((span) => span && span[0] > span[1]) ? 'never' : 'open'
  }
  return 'open'
}

function spanOf(compare: Compare): Span {
  const all: Span = {
    low: Number.NEGATIVE_INFINITY,
    lowOpen: true,
    high: Number.POSITIVE_INFINITY,
    highOpen: true,
  }
  if (compare.op === 'between')
    return { low: compare.from, lowOpen: false, high: compare.to, highOpen: false }
  switch (compare.op) {
    case 'eq':
      return { low: compare.value, lowOpen: false, high: compare.value, highOpen: false }
    case 'ge':
    case 'gt':
      return { ...all, low: compare.value, lowOpen: compare.op === 'gt' }
    case 'le':
    case 'lt':
      return { ...all, high: compare.value, highOpen: compare.op === 'lt' }
    default:
      return all
  }
}

function meet(left: Span | undefined, right: Span): Span {
  if (!left) return right
  const low = Math.max(left.low, right.low)
  const high = Math.min(left.high, right.high)
  return {
    low,
    lowOpen: (left.low === low && left.lowOpen) || (right.low === low && right.lowOpen),
    high,
    highOpen: (left.high === high && left.highOpen) || (right.high === high && right.highOpen),
  }
}

const isEmpty = (span: Span): boolean =>
  span.low > span.high || (span.low === span.high && (span.lowOpen || span.highOpen))
