/** Everything that decides answers, as of one revision: a compiled function belongs to exactly one of these. */
import type { Bands } from '../../../contract/lifecycle.ts'
import type { CutPoints } from '../../../contract/rfm.ts'
import type { Rule } from '../../../contract/rule.ts'
import type { Zone } from '../../platform/time/zone.ts'

export type SegmentDefinition = {
  readonly id: number
  readonly name: string
  readonly rule: Rule
  readonly reading: number
  /** A snapshot: whoever is in its take is in it, whatever the rule says since. */
  readonly kept?: boolean
}

export type TagDefinition = {
  readonly id: number
  readonly name: string
  readonly group: number
  readonly level: 's' | 'b'
  readonly parent: number | null
  /** Where two rules of a group of level S hold, the one that stands first wins. */
  readonly position: number
  readonly rule: Rule | null
  /** The value of an attribute that gives this tag of level S to whom nobody and no rule gives another one. */
  readonly means: { readonly attribute: AttributeOfGroup; readonly value: string } | null
  readonly reading: number
}

/** Attributes that groups of level S bear as their code. */
export const attributesOfGroups = ['gender', 'source_channel'] as const
export type AttributeOfGroup = (typeof attributesOfGroups)[number]

export type Definitions = {
  readonly revision: number
  readonly zone: Zone
  readonly bands: Bands
  /** The reading from which on these bands and cut points hold. */
  readonly bandsReading: number
  readonly cuts: CutPoints | null
  readonly cutsReading: number
  readonly segments: readonly SegmentDefinition[]
  readonly tags: readonly TagDefinition[]
}

/** The tags and all that stand below them. */
export function withDescendants(tags: readonly TagDefinition[], chosen: readonly number[]): Set<number> {
  const found = new Set(chosen)
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const tag of tags) if (tag.parent !== null && found.has(tag.parent)) found.add(tag.id)
  }
  return found
}
