/** A rule that is no live segment, answered by the same function as those that are. */
import type { Rule } from '../../../contract/rule.ts'
import { compileRules, type Evaluator } from '../rule/compile.ts'
import type { Definitions } from '../rule/definitions.ts'

/** No stored segment has this number. */
export const DRAFT = 0

/** The present definitions with the rule as the segment `DRAFT`. Errors: `rule_cycle`. */
export function draftEvaluator(definitions: Definitions, rule: Rule): Evaluator {
  const draft = { id: DRAFT, name: '', rule, reading: 0 }
  return compileRules({ ...definitions, segments: [...definitions.segments, draft] })
}
