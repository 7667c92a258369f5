/** Conditions about purchases and events: they share the series that they look at. */
import { edgesOf, lifecycleOf, nextEdge } from '../../../contract/lifecycle.ts'
import { keyOf, type Leaf } from '../../../contract/rule.ts'
import type {
  EventFilter,
  EventMeasure,
  Measure,
  Occurrence,
  OrderFilter,
  Window,
} from '../../../contract/rule-parts.ts'
import type { Bench, Condition, Filled, LeafReader, Shared, Sitting } from './bench.ts'
import { eventFill, eventNumber } from './event-series.ts'
import { askedAt, type Reading, readingWithoutRows, readMeasured } from './measured.ts'
import { purchaseFill, purchaseNumber } from './order-series.ts'
import { readSequence } from './sequence-leaf.ts'
import { aggregateOf, type Fill, Series } from './series.ts'
import { rollingMs } from './windows.ts'

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>
type Select = (bench: Bench) => Series

const NEVER = Number.POSITIVE_INFINITY

export function ordersCondition(leaf: LeafOf<'orders'>, shared: Shared): Condition {
  return measuredCondition(leaf, purchases(shared, leaf.filter, leaf.measure), shared)
}

export function eventsCondition(leaf: LeafOf<'events'>, shared: Shared): Condition {
  return measuredCondition(leaf, events(shared, leaf.filter, leaf.measure), shared)
}

function measuredCondition(leaf: LeafOf<'orders' | 'events'>, select: Select, shared: Shared): Condition {
  const { days } = shared
  const question = { ...aggregateOf(leaf.measure), window: leaf.window, compare: leaf.compare }
  const anchorOf = anchorReader(leaf.window, shared)
  const nothing = readingWithoutRows(question)
  const span = leaf.window.kind === 'rolling' ? rollingMs(leaf.window.days) : Number.POSITIVE_INFINITY
  const reading: Reading = { ...nothing }
  return ({ benches, persons, now }, { verdicts, next, values }) => {
    const when = askedAt(question, now, days)
    for (let place = 0; place < persons; place += 1) {
      const bench = benches[place] as Bench
      const series = select(bench)
      // What has left a rolling window never comes back.
      const none = series.length === 0 || series.atOf(series.length - 1) <= now - span
      if (!none) {
        if (anchorOf) when.anchor = anchorOf(bench)
        readMeasured(question, series, when, reading)
      }
      const { verdict, next: until, value } = none ? nothing : reading
      verdicts[place] = verdict ? 1 : 0
      next[place] = until
      if (values) values[place] = value
    }
  }
}

export function sequenceReader(leaf: LeafOf<'sequence'>, shared: Shared): LeafReader {
  const { days } = shared
  const first = occurrences(shared, leaf.first)
  const second = occurrences(shared, leaf.second)
  const anchorOf = anchorReader(leaf.window, shared)
  return (bench) =>
    readSequence(leaf, first(bench), second(bench), {
      now: bench.now,
      days,
      anchor: anchorOf?.(bench) ?? null,
    })
}

export function categoryReader(leaf: LeafOf<'lifecycle'>, category: string, shared: Shared): LeafReader {
  const edges = edgesOf(shared.bands, category)
  const select = purchases(shared, { categories: [category] }, { of: 'count' })
  const states = new Set(leaf.states)
  return (bench) => {
    const { days } = shared
    const series = select(bench)
    const lastDay = series.length > 0 ? days.of(series.atOf(series.length - 1)) : null
    const joinDay = bench.facts.joinedAt === null ? null : days.of(bench.facts.joinedAt)
    const since = (day: number | null): number | null => (day === null ? null : bench.today - day)
    const value = lifecycleOf(since(lastDay), since(joinDay), edges)
    const from = lastDay ?? joinDay
    const edge = from === null ? undefined : nextEdge(bench.today - from, edges)
    return {
      value,
      verdict: states.has(value),
      next: from === null || edge === undefined ? NEVER : days.start(from + edge),
    }
  }
}

/** When a window since something begins for a person, null where that never was; undefined for every other window. */
function anchorReader(window: Window, shared: Shared): ((bench: Bench) => number | null) | undefined {
  if (window.kind !== 'since') return undefined
  const { anchor } = window
  if (anchor.at === 'joining') return ({ facts }) => facts.joinedAt
  const select = occurrences(shared, anchor.what)
  return (bench) => {
    const series = select(bench)
    if (series.length === 0) return null
    return series.atOf(anchor.at === 'first' ? 0 : series.length - 1)
  }
}

function occurrences(shared: Shared, what: Occurrence): Select {
  return what.of === 'purchase'
    ? purchases(shared, what.filter, { of: 'count' })
    : events(shared, what.filter, { of: 'count' })
}

function purchases(shared: Shared, filter: OrderFilter, measure: Measure): Select {
  const key = keyOf(['purchases', filter, purchaseNumber(measure)])
  return filled(shared, key, () => purchaseFill(filter, measure, shared.days))
}

function events(shared: Shared, filter: EventFilter, measure: EventMeasure): Select {
  const key = keyOf(['events', filter, eventNumber(measure)])
  return filled(shared, key, () => eventFill(filter, measure, shared.days))
}

/** The series of that key, filled once for all who are evaluated together. */
function filled(shared: Shared, key: string, fillOf: () => Fill): Select {
  const known: Filled = shared.series.get(key) ?? { series: new Series(), fill: fillOf(), turn: 0 }
  shared.series.set(key, known)
  const { series } = known
  return ({ sitting, place }) => {
    if (known.turn !== sitting.turn) fillAll(known, sitting)
    series.lookAt(place)
    return series
  }
}

function fillAll(known: Filled, { group, now, turn }: Sitting): void {
  known.series.clear()
  known.fill(group, now, known.series)
  known.turn = turn
}
