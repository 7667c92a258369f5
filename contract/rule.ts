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

export const MAX_RULE_DEPTH = 8
export const MAX_RULE_NODES = 200
const MAX_VALUES = 500

const few = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(MAX_VALUES)
const Text = z.string().min(1).max(200)

/** Comparison with a number. `between` includes both ends. */
export const Compare = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['eq', 'ne', 'lt', 'le', 'gt', 'ge']), value: z.number() }),
  z.object({ op: z.literal('between'), from: z.number(), to: z.number() }),
])
export type Compare = z.infer<typeof Compare>

/**
 * Which part of time counts. rolling: the last N × 24 hours. calendar: a day, week (from Monday), month, quarter or year
 * of the brand's zone, 0 the present one, 1 the one before …, `count` of them up to and including that one.
 * absolute: from the first to the last day, both included.
 */
export const Window = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ever') }),
  z.object({ kind: z.literal('rolling'), days: z.int().min(1).max(3660) }),
  z.object({
    kind: z.literal('calendar'),
    unit: z.enum(['day', 'week', 'month', 'quarter', 'year']),
    back: z.int().min(0).max(120).default(0),
    count: z.int().min(1).max(120).default(1),
  }),
  z.object({ kind: z.literal('absolute'), from: z.iso.date(), to: z.iso.date() }),
])
export type Window = z.infer<typeof Window>

/** Which purchases count. With categories or skus only the lines that match are added up. */
export const OrderFilter = z.object({
  stores: few(z.uuid()).optional(),
  channels: few(Text).optional(),
  sides: few(z.enum(['online', 'offline'])).optional(),
  sellers: few(z.uuid()).optional(),
  campaigns: few(Text).optional(),
  withCoupon: z.boolean().optional(),
  categories: few(Text).optional(),
  skus: few(Text).optional(),
})
export type OrderFilter = z.infer<typeof OrderFilter>

/**
 * What is measured over the purchases of the window. amount: paid less refunded, in cents. quantity: pieces.
 * discount: cents. first and last: of the earliest and latest purchase (days_since_…: its age in days).
 */
export const Measure = z.discriminatedUnion('of', [
  z.object({ of: z.enum(['count', 'days_since_first', 'days_since_last']) }),
  z.object({
    of: z.enum(['sum', 'avg', 'min', 'max', 'first', 'last']),
    field: z.enum(['amount', 'quantity', 'discount']),
  }),
])
export type Measure = z.infer<typeof Measure>

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
/** A fixed attribute of the person, or `custom.<key>` for one that an import or the API brought. */
export const AttributeName = z.union([
  z.enum(personAttributes),
  z.string().regex(/^custom\.[^\p{C}"']{1,80}$/u),
])

const Attribute = z.discriminatedUnion('op', [
  z.object({
    kind: z.literal('attribute'),
    attribute: AttributeName,
    op: z.enum(['in', 'not_in']),
    values: few(Text),
  }),
  z.object({ kind: z.literal('attribute'), attribute: AttributeName, op: z.enum(['known', 'unknown']) }),
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
  z.object({ kind: z.literal('lifecycle'), states: few(LifecycleState), category: Text.optional() }),
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

const Node: z.ZodType<Rule> = z.lazy(() =>
  z.union([
    z.object({ kind: z.literal('all'), rules: z.array(Node).max(50) }),
    z.object({ kind: z.literal('any'), rules: z.array(Node).max(50) }),
    z.object({ kind: z.literal('not'), rule: Node }),
    z.discriminatedUnion('kind', [...leaves]),
    Attribute,
  ]),
)

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
    else if (node.kind === 'orders') {
      for (const store of node.filter.stores ?? []) found.stores.add(store)
      for (const channel of node.filter.channels ?? []) found.channels.add(channel)
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

/** Whether the number satisfies the comparison; null satisfies none. */
export function compares(value: number | null, compare: Compare): boolean {
  if (value === null) return false
  if (compare.op === 'between') return value >= compare.from && value <= compare.to
  switch (compare.op) {
    case 'eq':
      return value === compare.value
    case 'ne':
      return value !== compare.value
    case 'lt':
      return value < compare.value
    case 'le':
      return value <= compare.value
    case 'gt':
      return value > compare.value
    default:
      return value >= compare.value
  }
}
