/** Doing, on paper: facts of one person as they would stand after something more was done. */
import type { Act } from '../../../contract/rule-act.ts'
import { loggedAs } from '../../../contract/rule-events.ts'
import type { Compare, EventFilter, OrderFilter, PropertyFilter } from '../../../contract/rule-parts.ts'
import { numberOf } from '../../../contract/rule-parts.ts'
import { interactionTypes } from '../facts/load.ts'
import type { PersonEvent, PersonFacts, Purchase } from '../facts/person-facts.ts'

/** A number that satisfies the comparison, not less than 0 where that can be; undefined for none. */
export function satisfying(compare: Compare, step = 1): number | undefined {
  if (compare.op === 'between')
    return compare.from <= compare.to ? Math.max(compare.from, Math.min(0, compare.to)) : undefined
  switch (compare.op) {
    case 'gt':
    case 'ne':
      return compare.value + step
    case 'lt':
      return compare.value - step
    default:
      return compare.value
  }
}

/** The facts after the act was done at `at` (ms since 1970, after everything that happened). */
export function afterAct(facts: PersonFacts, act: Act, at: number): PersonFacts {
  switch (act.of) {
    case 'purchases':
      return withPurchases(
        facts,
        repeated(act.count, () => purchase(act.filter, at, {})),
      )
    case 'distinct':
      return withPurchases(
        facts,
        repeated(act.count, (index) => purchase(act.filter, at, { fresh: act.by, index })),
      )
    case 'more':
      return withPurchases(facts, [purchase(act.filter, at, { field: act.field, value: act.by })])
    case 'one':
      return withPurchases(facts, [purchase(act.filter, at, { field: act.field, value: act.value })])
    case 'events':
      return withEvents(
        facts,
        repeated(act.count, (index) => event(act, at, index)),
      )
    case 'coupons':
      return withEvents(
        facts,
        repeated(act.count, (index) => coupon(act.kind, at, index)),
      )
    case 'attribute':
      return withAttribute(facts, act)
    case 'tags':
      return { ...facts, tags: [...facts.tags.filter((tag) => !act.remove.includes(tag)), ...act.add] }
    case 'value':
      return {
        ...facts,
        claims: [
          ...facts.claims.filter(({ group, origin }) => group !== act.group || origin !== 'manual'),
          { group: act.group, tag: act.tag, origin: 'manual', producer: 'guide', at },
        ],
      }
  }
}

const repeated = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

function withPurchases(facts: PersonFacts, more: readonly Purchase[]): PersonFacts {
  return { ...facts, purchases: [...facts.purchases, ...more] }
}

function withEvents(facts: PersonFacts, more: readonly PersonEvent[]): PersonFacts {
  const heard = more.filter(({ type }) => (interactionTypes as readonly string[]).includes(type)).at(-1)
  return {
    ...facts,
    events: [...facts.events, ...more],
    lastInteractionAt: heard?.at ?? facts.lastInteractionAt,
  }
}

/** What a purchase is beside what the filter asks for: one hundred in money, one piece. */
const USUAL = { amount: 10_000, quantity: 1000, discount: 0 }

type Special = {
  field?: 'amount' | 'quantity' | 'discount'
  /** In cents, or in pieces. */
  value?: number
  fresh?: 'sku' | 'category' | 'store' | 'day'
  index?: number
}

function purchase(
  filter: OrderFilter,
  at: number,
  { field, value = 0, fresh, index = 0 }: Special,
): Purchase {
  const asked = filter.amount === undefined ? undefined : satisfying(filter.amount)
  const line = { ...USUAL, ...(asked === undefined ? {} : { amount: asked }) }
  if (field !== undefined) line[field] = field === 'quantity' ? Math.round(value * 1000) : value
  const unseen = (what: string): string => `\u0000${what} ${index}`
  return {
    at,
    id: `\uffff${index}`,
    ...line,
    store: fresh === 'store' ? unseen('store') : (filter.stores?.[0] ?? ''),
    seller: filter.sellers?.[0] ?? '',
    channel: filter.channels?.[0] ?? '',
    side: filter.sides?.[0] ?? '',
    campaign: filter.campaigns?.[0] ?? '',
    coupon: filter.withCoupon ?? false,
    lines: [
      {
        ...line,
        sku: fresh === 'sku' ? unseen('sku') : (filter.skus?.[0] ?? unseen('any')),
        category: fresh === 'category' ? unseen('category') : (filter.categories?.[0] ?? ''),
      },
    ],
  }
}

function event({ filter, property }: Extract<Act, { of: 'events' }>, at: number, index: number): PersonEvent {
  const { type, state } = loggedAs(filter.event)
  const texts: Record<string, string> = {}
  const numbers: Record<string, number> = {}
  for (const asked of filter.properties ?? []) give(asked, texts, numbers)
  if (property?.value === 'new') texts[property.name] = `\u0000new ${index}`
  else if (property) numbers[property.name] = property.value
  return {
    at,
    id: `\uffff${index}`,
    type,
    detail: state ?? filter.names?.[0] ?? '',
    channel: filter.channels?.[0] ?? '',
    store: filter.stores?.[0] ?? '',
    subject: subjectOf(filter),
    texts,
    numbers,
  }
}

const subjectOf = ({ journeys }: EventFilter): string => journeys?.[0] ?? ''

function give(asked: PropertyFilter, texts: Record<string, string>, numbers: Record<string, number>): void {
  switch (asked.op) {
    case 'in':
    case 'contains': {
      const [value = ''] = asked.values
      const number = asked.op === 'in' ? numberOf(value) : undefined
      if (number === undefined) texts[asked.property] = value
      else numbers[asked.property] = number
      return
    }
    case 'compare': {
      const number = satisfying(asked.compare)
      if (number !== undefined) numbers[asked.property] = number
      return
    }
    case 'known':
      texts[asked.property] = 'known'
      return
    default:
      return
  }
}

const YEAR_MS = 366 * 86_400_000

function coupon(kind: string | null, at: number, index: number): PersonEvent {
  return {
    at,
    id: `\uffff${index}`,
    type: 'coupon_changed',
    detail: 'received',
    channel: '',
    store: '',
    subject: `\u0000coupon ${index}`,
    texts: kind === null ? {} : { kind },
    numbers: { expiresAt: at + YEAR_MS },
  }
}

function withAttribute(facts: PersonFacts, { leaf, holds }: Extract<Act, { of: 'attribute' }>): PersonFacts {
  const value = valueFor(leaf, holds) ?? undefined
  const get = (name: string) => (name === leaf.attribute ? value : facts.attributes.get(name))
  return { ...facts, attributes: { get } }
}

/** A value with which the condition holds, or does not; null for none at all. */
function valueFor(leaf: Extract<Act, { of: 'attribute' }>['leaf'], holds: boolean): string | null {
  const other = '\u0000another'
  switch (leaf.op) {
    case 'known':
      return holds ? other : null
    case 'unknown':
      return holds ? null : other
    case 'not_in':
      return holds ? other : (leaf.values[0] ?? other)
    case 'compare': {
      const number = satisfying(leaf.compare)
      return holds && number !== undefined ? String(number) : null
    }
    default:
      return holds ? (leaf.values[0] ?? other) : null
  }
}
