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
  /** Segments and automatic tags that hold so far. */
  readonly nodes: Set<NodeId>
  readonly sValues: Map<number, SValue>
  readonly filled: Set<Series>
}

export type LeafReader = (bench: Bench) => LeafReading

export type Shared = {
  days: ZoneDays
  bands: Bands
  autoTags: ReadonlyMap<number, TagDefinition>
  descendants(tags: readonly number[]): ReadonlySet<number>
  /** Purchases and events by filter and number, shared between leaves. */
  series: Map<string, Filled>
}

/** A series and how it is filled for one person. */
export type Filled = { series: Series; fill: Fill }
