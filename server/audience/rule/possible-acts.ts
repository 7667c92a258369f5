/**
 * What could turn one condition, the smallest first. Only candidates: whoever asks tries each on paper (act.ts) with the
 * function that decides, and says the first one that does it.
 */
import type { Leaf } from '../../../contract/rule.ts'
import type { Act, Acts } from '../../../contract/rule-act.ts'
import type { Compare, EventFilter, Occurrence, OrderFilter } from '../../../contract/rule-parts.ts'
import type { LeafReading } from './bench.ts'
import type { Definitions } from './definitions.ts'

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>

/** Purchases that are tried one after the other where a state depends on their number. */
const MOST_PURCHASES = 4

export function possibleActs(leaf: Leaf, reading: LeafReading, definitions: Definitions): Acts[] {
  switch (leaf.kind) {
    case 'orders':
      return single(orderActs(leaf, reading))
    case 'events':
      return single(eventActs(leaf, reading))
    case 'sequence':
      return sequenceActs(leaf)
    case 'attribute':
      return single([{ of: 'attribute', leaf, holds: !reading.verdict }])
    case 'tag':
      return single(tagActs(leaf, reading.verdict, definitions))
    case 's_tag':
      return single(valueActs(leaf, reading.verdict, definitions))
    case 'coupon':
      return reading.verdict || !leaf.states.includes('received')
        ? []
        : single([
            {
              of: 'coupons',
              count: leaf.atLeast - Number(reading.value ?? 0),
              kind: leaf.kinds?.[0] ?? null,
            },
          ])
    case 'lifecycle':
      return single(purchases(leaf.category === undefined ? {} : { categories: [leaf.category] }))
    case 'own_cycle':
    case 'order_stage':
    case 'one_time_buyer':
    case 'cycle':
    case 'rfm_group':
    case 'rfm_score':
      return single(purchases({}))
    case 'aipl':
      return single([reply, ...purchases({})])
    case 'interaction_silent':
      return single([reply])
    default:
      return []
  }
}

const single = (acts: readonly Act[]): Acts[] => acts.map((act) => ({ acts: [act] }))
const reply: Act = { of: 'events', count: 1, filter: { event: 'member_replied' } }
const purchases = (filter: OrderFilter): Act[] =>
  Array.from({ length: MOST_PURCHASES }, (_, index) => ({ of: 'purchases', count: index + 1, filter }))

function orderActs({ measure, filter, compare }: LeafOf<'orders'>, { value }: LeafReading): Act[] {
  const now = Number(value ?? 0)
  if (measure.of === 'distinct') {
    // Another day cannot be had today, beside today itself.
    const most = measure.by === 'day' ? 1 : Number.POSITIVE_INFINITY
    return steps(compare, now)
      .filter((count) => count <= most)
      .map((count) =>
        measure.by === 'day'
          ? { of: 'purchases', count, filter }
          : { of: 'distinct', count, by: measure.by, filter },
      )
  }
  if (!('field' in measure)) {
    if (measure.of === 'count')
      return steps(compare, now).map((count) => ({ of: 'purchases', count, filter }))
    return [{ of: 'purchases', count: 1, filter }]
  }
  const { of, field } = measure
  if (of === 'sum') return mores(compare, now).map((by) => ({ of: 'more', field, by, filter }))
  return values(compare).map(([bound, one]) => ({ of: 'one', field, bound, value: one, filter }))
}

function eventActs({ measure, filter, compare }: LeafOf<'events'>, { value }: LeafReading): Act[] {
  const now = Number(value ?? 0)
  const once = (property?: { name: string; value: number | 'new' }, count = 1): Act => ({
    of: 'events',
    count,
    filter,
    ...(property === undefined ? {} : { property }),
  })
  switch (measure.of) {
    case 'count':
      return steps(compare, now).map((count) => once(undefined, count))
    case 'distinct_days':
    case 'days_since_first':
    case 'days_since_last':
      return [once()]
    case 'distinct':
      return steps(compare, now).map((count) => once({ name: measure.property, value: 'new' }, count))
    case 'sum':
      return mores(compare, now).map((by) => once({ name: measure.property, value: by }))
    default:
      return values(compare).map(([, one]) => once({ name: measure.property, value: one }))
  }
}

function boundsOf(compare: Compare): number[] {
  return compare.op === 'between' ? [compare.from, compare.to] : [compare.value]
}

/** How many more bring a count to an edge of the comparison, or beyond it. */
function steps(compare: Compare, now: number): number[] {
  const found = boundsOf(compare).flatMap((bound) => [Math.ceil(bound) - now, Math.floor(bound) + 1 - now])
  return ascending(found.filter((count) => count >= 1 && Number.isInteger(count)))
}

/** How much more brings a sum to an edge, or the smallest step beyond it. */
function mores(compare: Compare, now: number): number[] {
  return ascending(
    boundsOf(compare)
      .flatMap((bound) => [Math.ceil(bound - now), Math.floor(bound - now) + 1])
      .filter((more) => more > 0),
  )
}

type Bound = Extract<Act, { of: 'one' }>['bound']

/** Single values at the edges of the comparison and beyond them, not less than 0. */
function values(compare: Compare): [Bound, number][] {
  const found = boundsOf(compare).flatMap((bound): [Bound, number][] => [
    [compare.op === 'le' || compare.op === 'lt' ? 'at_most' : 'at_least', bound],
    ['at_least', Math.floor(bound) + 1],
    ['at_most', Math.ceil(bound) - 1],
  ])
  return found
    .filter(([, value]) => value >= 0)
    .map(([bound, value]) => [compare.op === 'eq' && value === compare.value ? 'exactly' : bound, value])
}

const ascending = (numbers: readonly number[]): number[] =>
  [...new Set(numbers)].sort((left, right) => left - right)

function sequenceActs({ first, second, happened, withinDays }: LeafOf<'sequence'>): Acts[] {
  const [one, other] = [occurring(first), occurring(second)]
  if (happened) return [{ acts: [other] }, { acts: [one, other] }, { acts: [one] }]
  return [{ acts: [one] }, { acts: [one, other] }, { acts: [one], thenDays: withinDays }]
}

function occurring(what: Occurrence): Act {
  if (what.of === 'purchase') return { of: 'purchases', count: 1, filter: what.filter }
  const filter: EventFilter = what.filter
  return { of: 'events', count: 1, filter }
}

/** Tags that rules decide follow their rule and cannot be put on. */
function tagActs({ tags, match }: LeafOf<'tag'>, verdict: boolean, definitions: Definitions): Act[] {
  const byHand = tags.filter((tag) => {
    const known = definitions.tags.find(({ id }) => id === tag)
    return known !== undefined && known.level === 'b' && known.rule === null
  })
  if (verdict) return byHand.length === tags.length ? [{ of: 'tags', add: [], remove: byHand }] : []
  if (match === 'all') return byHand.length > 0 ? [{ of: 'tags', add: byHand, remove: [] }] : []
  return byHand.slice(0, 1).map((tag) => ({ of: 'tags', add: [tag], remove: [] }))
}

function valueActs(
  { group, values: wanted }: LeafOf<'s_tag'>,
  verdict: boolean,
  definitions: Definitions,
): Act[] {
  const among = definitions.tags.filter((tag) => tag.group === group)
  const fitting = among.filter(({ id }) => wanted.includes(id) !== verdict)
  return fitting.slice(0, 3).map(({ id }) => ({ of: 'value', group, tag: id }))
}
