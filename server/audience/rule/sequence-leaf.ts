/**
 * "A, then B within N days" and "A, but not B within N days" about one person.
 *
 * Always true: the second counts where it lies after the first and less than N × 24 h after it; that it did not come is
 * known from the first's time + N × 24 h on. The moment of change is the first of these instants, and of those at which
 * the window lets go of a row, at which the verdict is another one.
 */
import type { Leaf } from '../../../contract/rule.ts'
import type { Window } from '../../../contract/rule-parts.ts'
import type { LeafReading } from './bench.ts'
import { MAX_PERIODS, type When } from './measured.ts'
import type { Series } from './series.ts'
import { boundsOf, periodsOf, placesOf, rollingMs } from './windows.ts'
import type { ZoneDays } from './zone-days.ts'

export type SequenceLeaf = Extract<Leaf, { kind: 'sequence' }>

const NEVER = Number.POSITIVE_INFINITY
/** The first never was. */
const NOTHING: LeafReading = { value: 0, verdict: false, next: NEVER }
/** At most so many coming instants are looked at; the last one is an early answer, which is allowed. */
const MAX_MOMENTS = 60

/** `value`: how many of the first in the window were followed, or were not. */
export function readSequence(leaf: SequenceLeaf, first: Series, second: Series, when: When): LeafReading {
  if (first.length === 0) return NOTHING
  const foundAt = (now: number): number => count(leaf, first, second, { ...when, now })
  const value = foundAt(when.now)
  const verdict = value > 0
  const { moments, complete } = momentsOf(leaf, first, second, when)
  const turning = moments.find((at) => foundAt(at) > 0 !== verdict)
  return { value, verdict, next: turning ?? (complete ? NEVER : (moments.at(-1) ?? NEVER)) }
}

function count(leaf: SequenceLeaf, first: Series, second: Series, { now, days, anchor }: When): number {
  let { low, high } = placesOf(first, boundsOf(leaf.window, now, days, anchor))
  if (leaf.which === 'first') high = Math.min(high, low + 1)
  if (leaf.which === 'last') low = Math.max(low, high - 1)
  let found = 0
  for (let place = low; place < high; place += 1) {
    const at = first.atOf(place)
    if (leaf.happened) found += isFollowed(leaf, at, second) ? 1 : 0
    else if (at + rollingMs(leaf.withinDays) <= now) found += isFollowed(leaf, at, second) ? 0 : 1
  }
  return found
}

function isFollowed({ withinDays }: SequenceLeaf, at: number, second: Series): boolean {
  // Beyond the end `atOf` is no number, and no comparison holds.
  return second.atOf(second.firstAfter(at)) < at + rollingMs(withinDays)
}

type Moments = { moments: number[]; complete: boolean }

/** Instants after now at which a time runs out or the window moves, ascending; `complete`: there are no later ones. */
function momentsOf(leaf: SequenceLeaf, first: Series, second: Series, { now, days }: When): Moments {
  const { window } = leaf
  const { edges, complete } = edgesOf(window, first.atOf(first.length - 1), now, days)
  const horizon = complete ? NEVER : (edges.at(-1) ?? NEVER)
  const moments = new Set(edges)
  const add = (at: number): void => {
    if (at > now && at <= horizon) moments.add(at)
  }
  for (let place = 0; place < first.length; place += 1) {
    const at = first.atOf(place)
    if (!leaf.happened && !isFollowed(leaf, at, second)) add(at + rollingMs(leaf.withinDays))
    if (window.kind === 'rolling') add(at + rollingMs(window.days))
  }
  const sorted = [...moments].sort((left, right) => left - right)
  return { moments: sorted.slice(0, MAX_MOMENTS), complete: complete && sorted.length <= MAX_MOMENTS }
}

/** When a calendar window moves, until it holds no row any more. */
function edgesOf(
  window: Window,
  lastAt: number,
  now: number,
  days: ZoneDays,
): { edges: number[]; complete: boolean } {
  const edges: number[] = []
  if (window.kind !== 'calendar') return { edges, complete: true }
  const periods = periodsOf(window, days.of(now), days)
  for (let shift = 1; shift <= MAX_PERIODS; shift += 1) {
    edges.push(periods.start(shift))
    if (periods.bounds(shift).from > lastAt) return { edges, complete: true }
  }
  return { edges, complete: false }
}
