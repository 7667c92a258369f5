/** What can be said of a rule without looking at anybody: conditions that hold never, or always. Cheap, not complete. */
import { lifecycleStates } from './lifecycle.ts'
import { keyOf, type Leaf, type Rule } from './rule.ts'
import {
  type Compare,
  compares,
  numbersAmong,
  type Occurrence,
  type PropertyFilter,
  type Window,
} from './rule-parts.ts'

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
  switch (rule.kind) {
    case 'orders':
    case 'events':
      return { key: keyOf({ ...rule, compare: undefined }), compare: rule.compare }
    case 'cycle':
      return { key: `cycle ${rule.atLeast}`, compare: rule.multiple }
    case 'attribute':
      return rule.op === 'compare' ? { key: `number ${rule.attribute}`, compare: rule.compare } : undefined
    case 'age':
      return { key: 'age', compare: rule.compare }
    case 'joined':
      return { key: 'days joined', compare: rule.daysAgo }
    case 'date':
      return comparedDate(rule)
    default:
      return undefined
  }
}

function comparedDate({ attribute, test }: Extract<Leaf, { kind: 'date' }>): {
  key: string
  compare: Compare
} {
  if (test.op === 'days_since') return { key: `days ${attribute}`, compare: test.compare }
  if (test.op === 'coming')
    return { key: `days ${attribute}`, compare: { op: 'between', from: -test.withinDays, to: 0 } }
  const day = (text: string | null, open: number): number =>
    text === null ? open : Date.parse(`${text}T00:00:00Z`)
  const [from, to] = [day(test.from, Number.NEGATIVE_INFINITY), day(test.to, Number.POSITIVE_INFINITY)]
  return { key: `date ${attribute}`, compare: { op: 'between', from, to } }
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
  if (compared && isEmpty(spanOf(compared.compare))) return 'never'
  if (leaf.kind === 'orders' || leaf.kind === 'events') return judgeMeasured(leaf)
  if (leaf.kind === 'sequence') {
    const nobody = isNothing(leaf.first) || isEmptyWindow(leaf.window)
    return nobody || (leaf.happened && isNothing(leaf.second)) ? 'never' : 'open'
  }
  if (leaf.kind === 'coupon') {
    return leaf.expiresWithinDays !== undefined && !leaf.states.includes('received') ? 'never' : 'open'
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

/** Numbers of things are whole and not less than 0; where nothing can be measured the answer is that of nobody's rows. */
function judgeMeasured(leaf: Extract<Leaf, { kind: 'orders' | 'events' }>): Verdict {
  const { measure, compare, window } = leaf
  const counts = measure.of === 'count' || measure.of === 'distinct' || measure.of === 'distinct_days'
  const what: Occurrence =
    leaf.kind === 'orders' ? { of: 'purchase', filter: leaf.filter } : { of: 'event', filter: leaf.filter }
  if (isNothing(what) || isEmptyWindow(window)) {
    return (counts || measure.of === 'sum') && compares(0, compare) ? 'always' : 'never'
  }
  if (!counts) return 'open'
  const span = spanOf(compare)
  if (isEmpty(meet(span, { low: 0, lowOpen: false, high: Number.POSITIVE_INFINITY, highOpen: true })))
    return 'never'
  const all =
    span.high === Number.POSITIVE_INFINITY &&
    (span.low < 0 || (span.low === 0 && !span.lowOpen)) &&
    compare.op !== 'ne'
  return all ? 'always' : 'open'
}

function isEmptyWindow(window: Window): boolean {
  if (window.kind === 'absolute') return window.from > window.to
  return window.kind === 'since' && window.anchor.at !== 'joining' && isNothing(window.anchor.what)
}

/** Whether no purchase, or no event, can ever pass the filter. */
function isNothing(what: Occurrence): boolean {
  if (what.of === 'purchase') return what.filter.amount !== undefined && isEmpty(spanOf(what.filter.amount))
  const byProperty = Map.groupBy(what.filter.properties ?? [], ({ property }) => property)
  return [...byProperty.values()].some(excludesItself)
}

/** Conditions on one property that no value satisfies together. */
function excludesItself(filters: readonly PropertyFilter[]): boolean {
  let span: Span | undefined
  let chosen: ReadonlySet<string> | undefined
  let isText = false
  for (const filter of filters) {
    if (filter.op === 'compare') span = meet(span, spanOf(filter.compare))
    if (filter.op === 'contains' || (filter.op === 'in' && numbersAmong(filter.values).length === 0))
      isText = true
    if (filter.op === 'in') {
      const before = chosen
      chosen = new Set(filter.values.filter((value) => before?.has(value) ?? true))
    }
  }
  const missing = filters.some(({ op }) => op === 'unknown')
  if (isText && span !== undefined) return true
  const present =
    isText || chosen !== undefined || span !== undefined || filters.some(({ op }) => op === 'known')
  return (missing && present) || (span !== undefined && isEmpty(span)) || chosen?.size === 0
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
