/** What conditions are made of: comparisons, windows, and which purchases and events count. */
import { z } from 'zod'

const MAX_VALUES = 500
const MAX_PROPERTIES = 10

export const few = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(MAX_VALUES)
export const RuleText = z.string().min(1).max(200)
const Days = z.int().min(1).max(3660)

/** Comparison with a number. `between` includes both ends. */
export const Compare = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['eq', 'ne', 'lt', 'le', 'gt', 'ge']), value: z.number() }),
  z.object({ op: z.literal('between'), from: z.number(), to: z.number() }),
])
export type Compare = z.infer<typeof Compare>

/** Which purchases count. With categories or skus only the lines that match are added up. */
export const OrderFilter = z.object({
  stores: few(z.uuid()).optional(),
  channels: few(RuleText).optional(),
  sides: few(z.enum(['online', 'offline'])).optional(),
  sellers: few(z.uuid()).optional(),
  campaigns: few(RuleText).optional(),
  withCoupon: z.boolean().optional(),
  categories: few(RuleText).optional(),
  skus: few(RuleText).optional(),
  /** Of the whole order: paid less refunded, in cents. */
  amount: Compare.optional(),
})
export type OrderFilter = z.infer<typeof OrderFilter>

/** What of the log a condition may ask for; touches by what became of them. */
export const ruleEvents = [
  'tracked',
  'page_viewed',
  'visited_store',
  'member_replied',
  'contact_added',
  'contact_lost',
  'member_joined',
  'touch_sent',
  'touch_confirmed',
  'touch_delivered',
  'touch_failed',
  'touch_dropped',
  'touch_held_out',
  'task_created',
  'task_done',
  'task_late',
  'journey_entered',
  'journey_left',
] as const
export type RuleEvent = (typeof ruleEvents)[number]

/**
 * in, not_in: one of the values, as a text that is written so or as the number that it writes. contains: texts only.
 * compare: numbers only. A property that is missing, or is an empty text, satisfies `not_in` and `unknown` only.
 */
export const PropertyFilter = z.discriminatedUnion('op', [
  z.object({ property: RuleText, op: z.enum(['in', 'not_in', 'contains']), values: few(RuleText) }),
  z.object({ property: RuleText, op: z.literal('compare'), compare: Compare }),
  z.object({ property: RuleText, op: z.enum(['known', 'unknown']) }),
])
export type PropertyFilter = z.infer<typeof PropertyFilter>

/** Filters beside `event` that say something of each kind of event; others are refused. */
export const eventFields = {
  tracked: ['names', 'properties'],
  page_viewed: ['names', 'properties'],
  visited_store: ['stores'],
  member_replied: ['channels'],
  contact_added: ['channels'],
  contact_lost: ['names'],
  member_joined: ['channels', 'stores'],
  touch_sent: ['channels', 'journeys'],
  touch_confirmed: ['channels', 'journeys'],
  touch_delivered: ['channels', 'journeys'],
  touch_failed: ['channels', 'journeys', 'names'],
  touch_dropped: ['channels', 'journeys'],
  touch_held_out: ['channels', 'journeys'],
  task_created: ['names', 'stores'],
  task_done: ['names'],
  task_late: ['names'],
  journey_entered: ['journeys'],
  journey_left: ['journeys', 'names'],
} as const satisfies Record<
  RuleEvent,
  readonly ('names' | 'channels' | 'stores' | 'journeys' | 'properties')[]
>

/**
 * Which events count. `names`: the name of a tracked event, the page of a view, the kind of a task made or late, the
 * outcome of a task done, the reason of a failure or of leaving, who ended a contact. `channels`: also the way a contact
 * was added and the channel of registration.
 */
export const EventFilter = z
  .object({
    event: z.enum(ruleEvents),
    names: few(RuleText).optional(),
    channels: few(RuleText).optional(),
    stores: few(z.uuid()).optional(),
    journeys: few(z.uuid()).optional(),
    properties: z.array(PropertyFilter).max(MAX_PROPERTIES).optional(),
  })
  .superRefine(({ event, ...filters }, context) => {
    const known: readonly string[] = eventFields[event]
    for (const [name, value] of Object.entries(filters)) {
      if (value !== undefined && !known.includes(name))
        context.addIssue({ code: 'custom', path: [name], message: `${event} has no ${name} to filter by` })
    }
  })
export type EventFilter = z.infer<typeof EventFilter>

/** Something that has a time: a purchase or an event. */
export const Occurrence = z.discriminatedUnion('of', [
  z.object({ of: z.literal('purchase'), filter: OrderFilter.default({}) }),
  z.object({ of: z.literal('event'), filter: EventFilter }),
])
export type Occurrence = z.infer<typeof Occurrence>

/** Where a window of one's own begins: at joining, or at the first or last of something that happened. */
export const Anchor = z.discriminatedUnion('at', [
  z.object({ at: z.literal('joining') }),
  z.object({ at: z.enum(['first', 'last']), what: Occurrence }),
])
export type Anchor = z.infer<typeof Anchor>

/**
 * Which part of time counts. rolling: the last N × 24 hours. calendar: a day, week (from Monday), month, quarter or year
 * of the brand's zone, 0 the present one, 1 the one before …, `count` of them up to and including that one.
 * absolute: from the first to the last day, both included. since: after the anchor (joining: from it on), at most
 * N × 24 hours long where `days` is told; nothing where there is no anchor.
 */
export const Window = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ever') }),
  z.object({ kind: z.literal('rolling'), days: Days }),
  z.object({
    kind: z.literal('calendar'),
    unit: z.enum(['day', 'week', 'month', 'quarter', 'year']),
    back: z.int().min(0).max(120).default(0),
    count: z.int().min(1).max(120).default(1),
  }),
  z.object({ kind: z.literal('absolute'), from: z.iso.date(), to: z.iso.date() }),
  z.object({ kind: z.literal('since'), anchor: Anchor, days: Days.optional() }),
])
export type Window = z.infer<typeof Window>

/**
 * What is measured over the purchases of the window. amount: paid less refunded, in cents. quantity: pieces.
 * discount: cents. first and last: of the earliest and latest purchase (days_since_…: its age in days).
 * distinct: different products, categories, stores or days; those that are not known do not count.
 */
export const Measure = z.discriminatedUnion('of', [
  z.object({ of: z.enum(['count', 'days_since_first', 'days_since_last']) }),
  z.object({
    of: z.enum(['sum', 'avg', 'min', 'max', 'first', 'last']),
    field: z.enum(['amount', 'quantity', 'discount']),
  }),
  z.object({ of: z.literal('distinct'), by: z.enum(['sku', 'category', 'store', 'day']) }),
])
export type Measure = z.infer<typeof Measure>

/**
 * What is measured over the events of the window. With a property only events that have it count: as a number, in
 * thousandths (beyond ± 10^12 as that), or for `distinct` as any value.
 */
export const EventMeasure = z.discriminatedUnion('of', [
  z.object({ of: z.enum(['count', 'distinct_days', 'days_since_first', 'days_since_last']) }),
  z.object({ of: z.enum(['sum', 'avg', 'min', 'max', 'first', 'last', 'distinct']), property: RuleText }),
])
export type EventMeasure = z.infer<typeof EventMeasure>

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

/** Whether the number satisfies the comparison with all its numbers multiplied. */
export function comparesScaled(value: number, compare: Compare, by: number): boolean {
  if (compare.op === 'between') return value >= compare.from * by && value <= compare.to * by
  const bound = compare.value * by
  switch (compare.op) {
    case 'eq':
      return value === bound
    case 'ne':
      return value !== bound
    case 'lt':
      return value < bound
    case 'le':
      return value <= bound
    case 'gt':
      return value > bound
    default:
      return value >= bound
  }
}

/** The comparison with all its numbers multiplied. */
export function scaled(compare: Compare, by: number): Compare {
  if (compare.op === 'between') return { ...compare, from: compare.from * by, to: compare.to * by }
  return { ...compare, value: compare.value * by }
}

/** A decimal number as people and files write it; PostgreSQL reads the same pattern. */
export const NUMBER = '^-?[0-9]{1,15}([.][0-9]{1,15})?$'
const isNumber = new RegExp(NUMBER)

/** Undefined where the text is no decimal number. */
export function numberOf(text: string): number | undefined {
  return isNumber.test(text) ? Number(text) : undefined
}

/** The values that write a number, as numbers. */
export function numbersAmong(values: readonly string[]): number[] {
  return values.map(numberOf).filter((number) => number !== undefined)
}
