/** What the conditions of one compiled set share, and the place where one person is evaluated. */
import type { Bands } from '../../../contract/lifecycle.ts'
import type { PersonFacts } from '../facts/person-facts.ts'
import type { PersonState } from '../lifecycle/person-state.ts'
import type { TagDefinition } from './definitions.ts'
import type { NodeId } from './graph.ts'
import type { Fill, Series } from './series.ts'
import type { ZoneDays } from './zone-days.ts'

export type LeafValue = string | number | boolean | null
export type LeafReading = { value: LeafValue; verdict: boolean; next: number }

/** The value of one group of level S; a group that is absent is unknown. */
export type SValue = { tag: number; origin: 'manual' | 'auto' | 'synced' | 'attribute' }

/** One person while being evaluated. */
export type Bench = {
  readonly facts: PersonFacts
  readonly now: number
  readonly today: number
  readonly state: PersonState
  next: number
  /** 1 for each segment and automatic tag that holds so far, by its place in the order of evaluation. */
  readonly holds: Uint8Array
  readonly sValues: Map<number, SValue>
  /** The number of this evaluation: a series is filled once in each. */
  readonly turn: number
}

export type LeafReader = (bench: Bench) => LeafReading

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
