/**
 * The definitions that answer about some segments alone: those that a change concerns, and what their rules refer to.
 * What is stored about all other segments, and about states, stands as it is.
 */
import { needsOf, type Rule } from '../../../contract/rule.ts'
import type { Definitions } from './definitions.ts'

export type Part = {
  /** Whose answers are written, those that are not there any more included. */
  concerned: ReadonlySet<number>
  /** To be compiled as a part (`compileRules`). */
  definitions: Definitions
}

/**
 * Of a change of these segments. Undefined where more than segments has to be answered: a tag by rule follows one of
 * them, or one of them follows tags of which some have rules.
 */
export function partOf(definitions: Definitions, changed: readonly number[]): Part | undefined {
  const byRule = definitions.tags.filter((tag) => tag.rule !== null)
  const rules = new Map(definitions.segments.map(({ id, rule, kept }) => [id, kept ? EVERYBODY : rule]))
  const concerned = new Set(changed)
  for (let size = -1; size !== concerned.size; ) {
    size = concerned.size
    for (const [id, rule] of rules) if (refersTo(rule, concerned)) concerned.add(id)
  }
  if (byRule.some(({ rule }) => rule !== null && refersTo(rule, concerned))) return undefined
  const answered = new Set([...concerned].filter((id) => rules.has(id)))
  let tagged = false
  for (const id of answered) {
    const { segments, tags, groups } = needsOf(rules.get(id) ?? EVERYBODY)
    // A set that grows is walked to its new end.
    for (const below of segments) if (rules.has(below)) answered.add(below)
    tagged ||= tags.length + groups.length > 0
  }
  if (tagged && byRule.length > 0) return undefined
  return {
    concerned,
    definitions: {
      ...definitions,
      segments: definitions.segments.filter(({ id }) => answered.has(id)),
      tags: tagged ? definitions.tags : [],
    },
  }
}

/** A snapshot follows nothing. */
const EVERYBODY: Rule = { kind: 'all', rules: [] }

function refersTo(rule: Rule, segments: ReadonlySet<number>): boolean {
  return needsOf(rule).segments.some((id) => segments.has(id))
}
