/**
 * The condition language: one tree of all / any / not over leaves about a person.
 *
 * Always true: a leaf answers yes or no, never "unknown" (a value that is missing satisfies no comparison; `not` of it
 * is yes). Money is in cents. Days are dates of the brand's zone; rolling windows are N × 24 hours. The tree is bounded
 * in depth and size, so that a compiled rule has a bounded cost.
 */
import { z } from 'zod'
import { AiplStage, JoinRecency, LifecycleState, OrderStage, OwnCycleState } from './lifecycle.ts'
import { RfmGroup } from './rfm.ts'
import {
  Compare,
  EventFilter,
  EventMeasure,
  few,
  Measure,
  Occurrence,
  OrderFilter,
  RuleText,
  Window,
} from './rule-parts.ts'

export const MAX_RULE_DEPTH = 8
export const MAX_RULE_NODES = 200

export const personAttributes = [
  'kind',
  'gender',
  'source',
  'source_side',
  'source_channel',
  'register_channel',
  'registration',
  'home_store',
  'owner_staff',
  'city',
  'occupation',
  'wecom',
  'phone',
] as const
const CustomAttribute = z.string().regex(/^custom\.[^\p{C}"']{1,80}$/u)
/** A fixed attribute of the person, or `custom.<key>` for one that an import or the API brought. */
export const AttributeName = z.union([z.enum(personAttributes), CustomAttribute])
/** Joining, the date of birth as it was told, or `custom.<key>` that is written as a date: 2026-05-01, 2026/5/1, 2026年5月1日. */
export const DateName = z.union([z.enum(['joined', 'birthday']), CustomAttribute])

export const couponStates = ['received', 'used', 'expired', 'withdrawn'] as const

const Attribute = z.discriminatedUnion('op', [
  z.object({
    kind: z.literal('attribute'),
    attribute: AttributeName,
    op: z.enum(['in', 'not_in', 'contains', 'starts_with', 'ends_with']),
    values: few(RuleText),
  }),
  z.object({ kind: z.literal('attribute'), attribute: AttributeName, op: z.enum(['known', 'unknown']) }),
  /** A value that is written as a decimal number; any other satisfies no comparison. */
  z.object({
    kind: z.literal('attribute'),
    attribute: CustomAttribute,
    op: z.literal('compare'),
    compare: Compare,
  }),
])
/** days_since: whole days from the date to today, less than 0 before it. within: on one of the days, both included. */
const DateTest = z.discriminatedUnion('op', [
  z.object({ op: z.literal('days_since'), compare: Compare }),
  z.object({ op: z.literal('coming'), withinDays: z.int().min(0).max(3660) }),
  z.object({ op: z.literal('within'), from: z.iso.date().nullable(), to: z.iso.date().nullable() }),
])
const Score = z.tuple([z.int().min(1).max(5), z.int().min(1).max(5)])

const leaves = [
  z.object({
    kind: z.literal('tag'),
    tags: few(z.int().positive()),
    match: z.enum(['any', 'all']).default('any'),
  }),
  /** `null` is the group's "unknown"; a value includes those below it. */
  z.object({
    kind: z.literal('s_tag'),
    group: z.int().positive(),
    values: few(z.int().positive().nullable()),
  }),
  z.object({ kind: z.literal('lifecycle'), states: few(LifecycleState), category: RuleText.optional() }),
  z.object({ kind: z.literal('own_cycle'), states: few(OwnCycleState) }),
  z.object({ kind: z.literal('order_stage'), stages: few(OrderStage) }),
  z.object({ kind: z.literal('join_recency'), recencies: few(JoinRecency) }),
  z.object({ kind: z.literal('aipl'), stages: few(AiplStage) }),
  z.object({ kind: z.literal('one_time_buyer') }),
  z.object({ kind: z.literal('interaction_silent') }),
  z.object({ kind: z.literal('rfm_group'), groups: few(RfmGroup) }),
  z.object({ kind: z.literal('rfm_score'), r: Score.optional(), f: Score.optional(), m: Score.optional() }),
  z.object({ kind: z.literal('age'), compare: Compare }),
  z.object({ kind: z.literal('joined'), daysAgo: Compare }),
  /** The next birthday is at most so many days away; today counts as 0. By the calendar the person celebrates by. */
  z.object({ kind: z.literal('birthday'), withinDays: z.int().min(0).max(180) }),
  z.object({
    kind: z.literal('orders'),
    measure: Measure,
    filter: OrderFilter.default({}),
    window: Window.default({ kind: 'ever' }),
    compare: Compare,
  }),
  z.object({
    kind: z.literal('events'),
    filter: EventFilter,
    measure: EventMeasure.default({ of: 'count' }),
    window: Window.default({ kind: 'ever' }),
    compare: Compare,
  }),
  /**
   * With `happened`: after one of the first (in the window; `which`: any of them, or only the earliest or latest) the
   * second came within N × 24 hours. Without: it did not come, and that time has passed. What comes at the same instant
   * is not after.
   */
  z.object({
    kind: z.literal('sequence'),
    first: Occurrence,
    second: Occurrence,
    withinDays: z.int().min(1).max(3660),
    happened: z.boolean().default(true),
    which: z.enum(['any', 'first', 'last']).default('any'),
    window: Window.default({ kind: 'ever' }),
  }),
  /** Whole days since the last purchase in multiples of the person's own median gap (of at least a day). */
  z.object({
    kind: z.literal('cycle'),
    multiple: Compare,
    /** Fewer tell nothing of a rhythm. */
    atLeast: z.int().min(2).max(100).default(3),
  }),
  z.object({ kind: z.literal('date'), attribute: DateName, test: DateTest }),
  /** Coupons as they stand now: one that was received and has run out is expired. */
  z.object({
    kind: z.literal('coupon'),
    kinds: few(RuleText).optional(),
    states: few(z.enum(couponStates)),
    /** Received ones only: they run out within N × 24 hours. */
    expiresWithinDays: z.int().min(1).max(3660).optional(),
    atLeast: z.int().min(1).max(1000).default(1),
  }),
  z.object({ kind: z.literal('segment'), segment: z.int().positive() }),
  /** A stable share of everybody, in 1/10,000; another salt gives another draw. */
  z.object({
    kind: z.literal('sample'),
    salt: z.string().min(1).max(60),
    per10000: z.int().min(0).max(10_000),
  }),
] as const

/** Leaves as they stand in a checked rule, defaults filled in. */
export type Leaf = z.infer<(typeof leaves)[number]> | z.infer<typeof Attribute>
export type Rule =
  | { kind: 'all'; rules: Rule[] }
  | { kind: 'any'; rules: Rule[] }
  | { kind: 'not'; rule: Rule }
  | Leaf

const Node: z.ZodType<Rule> = z.lazy(() => Tree)
const Tree: z.ZodType<Rule> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all'), rules: z.array(Node).max(50) }),
  z.object({ kind: z.literal('any'), rules: z.array(Node).max(50) }),
  z.object({ kind: z.literal('not'), rule: Node }),
  ...leaves,
  Attribute,
])

/** A rule from outside: bounded in depth and size, defaults filled in. Empty `all` is everybody, empty `any` nobody. */
export const Rule: z.ZodType<Rule, unknown> = z
  .unknown()
  .superRefine((value, context) => {
    const { depth, nodes } = sizeOf(value)
    if (depth > MAX_RULE_DEPTH) {
      context.addIssue({ code: 'custom', message: `more than ${MAX_RULE_DEPTH} levels` })
    }
    if (nodes > MAX_RULE_NODES) {
      context.addIssue({ code: 'custom', message: `more than ${MAX_RULE_NODES} conditions` })
    }
  })
  .pipe(Node)

/** Depth and number of nodes of something that may be a rule; stops counting soon after the bounds. */
function sizeOf(value: unknown, level = 1): { depth: number; nodes: number } {
  if (level > MAX_RULE_DEPTH + 1 || typeof value !== 'object' || value === null)
    return { depth: level, nodes: 1 }
  const { rules, rule } = value as { rules?: unknown; rule?: unknown }
  let depth = level
  let nodes = 1
  const children: unknown[] = Array.isArray(rules) ? [...rules] : []
  if (rule !== undefined) children.push(rule)
  for (const child of children) {
    const inner = sizeOf(child, level + 1)
    depth = Math.max(depth, inner.depth)
    nodes += inner.nodes
    if (nodes > MAX_RULE_NODES) break
  }
  return { depth, nodes }
}

/** Every node with its path ('rules.0.rule'), parents first. */
export function* nodesOf(rule: Rule, path = ''): Generator<{ rule: Rule; path: string }> {
  yield { rule, path }
  const below = path === '' ? '' : `${path}.`
  if (rule.kind === 'all' || rule.kind === 'any') {
    for (const [index, child] of rule.rules.entries()) yield* nodesOf(child, `${below}rules.${index}`)
  } else if (rule.kind === 'not') yield* nodesOf(rule.rule, `${below}rule`)
}

export type Needs = {
  segments: number[]
  tags: number[]
  groups: number[]
  rfm: boolean
  stores: string[]
  channels: string[]
}

/** The purchases and events that a condition looks at, those that begin its window included. */
export function occurrencesOf(leaf: Rule): Occurrence[] {
  const found: Occurrence[] = []
  if (leaf.kind === 'orders') found.push({ of: 'purchase', filter: leaf.filter })
  if (leaf.kind === 'events') found.push({ of: 'event', filter: leaf.filter })
  if (leaf.kind === 'sequence') found.push(leaf.first, leaf.second)
  if ('window' in leaf && leaf.window.kind === 'since' && leaf.window.anchor.at !== 'joining')
    found.push(leaf.window.anchor.what)
  return found
}

/** What a rule refers to: other segments, tags, groups of level S, stores, channels, and whether it needs cut points. */
export function needsOf(rule: Rule): Needs {
  const found = {
    segments: new Set<number>(),
    tags: new Set<number>(),
    groups: new Set<number>(),
    stores: new Set<string>(),
    channels: new Set<string>(),
  }
  let rfm = false
  for (const { rule: node } of nodesOf(rule)) {
    if (node.kind === 'segment') found.segments.add(node.segment)
    else if (node.kind === 'tag') for (const tag of node.tags) found.tags.add(tag)
    else if (node.kind === 's_tag') {
      found.groups.add(node.group)
      for (const value of node.values) if (value !== null) found.tags.add(value)
    } else if (node.kind === 'rfm_group' || node.kind === 'rfm_score') rfm = true
    else {
      for (const what of occurrencesOf(node)) {
        for (const store of what.filter.stores ?? []) found.stores.add(store)
        for (const channel of what.of === 'purchase' ? (what.filter.channels ?? []) : [])
          found.channels.add(channel)
      }
    }
  }
  return {
    segments: [...found.segments],
    tags: [...found.tags],
    groups: [...found.groups],
    rfm,
    stores: [...found.stores],
    channels: [...found.channels],
  }
}

/** The same condition gives the same text, whatever the order of its keys: leaves that are equal are computed once. */
export function keyOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(keyOf).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${keyOf(inner)}`).join(',')}}`
}
