/** What the conditions of one compiled set share, and the places where persons are evaluated. */
import type { Bands } from '../../../contract/lifecycle.ts'
import type { Group, Person } from '../facts/history-table.ts'
import type { PersonState } from '../lifecycle/person-state.ts'
import type { TagDefinition } from './definitions.ts'
import type { NodeId } from './graph.ts'
import type { Fill, Series } from './series.ts'
import type { ZoneDays } from './zone-days.ts'

export type LeafValue = string | number | boolean | null
export type LeafReading = { value: LeafValue; verdict: boolean; next: number }

/** The value of one group of level S; a group that is absent is unknown. */
export type SValue = { tag: number; origin: 'manual' | 'auto' | 'synced' | 'attribute' }

/** Persons to evaluate together, at most: what conditions say of so many stays in a processor's cache. */
export const AT_ONCE = 256

/** One person while being evaluated. */
export type Bench = {
  facts: Person
  now: number
  today: number
  state: PersonState
  next: number
  /** The next moment of change of the states, and of what lies in the future: no condition counts. */
  own: number
  /** Tags of level S whose rule holds, by group. */
  autoValues: ReadonlyMap<number, number>
  sValues: ReadonlyMap<number, SValue>
  /** Which of those who are evaluated together. */
  readonly place: number
  readonly sitting: Sitting
}

/** Those who are evaluated together: each condition is asked about all of them before the next one is. */
export type Sitting = {
  readonly benches: Bench[]
  group: Group
  now: number
  /** How many benches are taken, from the first one on. */
  persons: number
  /** Of each segment and automatic tag, by its place in the order of evaluation: 1 for each person whom it holds for. */
  readonly holds: Uint8Array[]
  /** The number of this evaluation: a series is filled, and a condition asked, once in each. */
  turn: number
}

export type LeafReader = (bench: Bench) => LeafReading

/** What a condition says of those who are evaluated together, by their places: 1 where it holds, and until when. */
export type Said = {
  verdicts: Uint8Array
  /** When the verdict can change by itself, ms since 1970; Infinity for never. */
  next: Float64Array
  /** Only where somebody wants to know. */
  values: LeafValue[] | undefined
}

/** Asks about everybody who sits there. */
export type Condition = (sitting: Sitting, said: Said) => void

/** A condition that is asked about one person after the other. */
export function ofEach(read: LeafReader): Condition {
  return ({ benches, persons }, { verdicts, next, values }) => {
    for (let place = 0; place < persons; place += 1) {
      const reading = read(benches[place] as Bench)
      verdicts[place] = reading.verdict ? 1 : 0
      next[place] = reading.next
      if (values) values[place] = reading.value
    }
  }
}

export type Shared = {
  days: ZoneDays
  bands: Bands
  autoTags: ReadonlyMap<number, TagDefinition>
  /** Places in the order of evaluation. */
  places: ReadonlyMap<NodeId, number>
  descendants(tags: readonly number[]): ReadonlySet<number>
  /** Purchases and events by filter and number, shared between leaves. */
  series: Map<string, Filled>
}

/** A series, how it is filled for one person, and in which evaluation it was. */
export type Filled = { readonly series: Series; readonly fill: Fill; turn: number }
