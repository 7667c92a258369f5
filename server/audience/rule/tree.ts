/** The tree of a rule over what its conditions have said. */
import type { Leaf, Rule } from '../../../contract/rule.ts'

/** What `all` and `any` need not look at is not asked. */
export type Tree = (person: number) => boolean

/** Whether a condition, by its place, holds for a person, by his place among those who are evaluated together. */
export type Ask = (place: number, person: number) => boolean

export const isLeaf = (rule: Rule): rule is Leaf =>
  rule.kind !== 'all' && rule.kind !== 'any' && rule.kind !== 'not'

export function compileTree(rule: Rule, placeOf: (leaf: Leaf) => number, ask: Ask): Tree {
  if (rule.kind === 'not') {
    const inner = compileTree(rule.rule, placeOf, ask)
    return (person) => !inner(person)
  }
  if (isLeaf(rule)) {
    const place = placeOf(rule)
    return (person) => ask(place, person)
  }
  const parts = rule.rules.map((child) => compileTree(child, placeOf, ask))
  const stopsAt = rule.kind === 'any'
  return (person) => {
    for (const part of parts) if (part(person) === stopsAt) return stopsAt
    return !stopsAt
  }
}

/** Leaves in the order in which `compileTree` meets them. */
export function* leavesOf(rule: Rule, path: string): Generator<{ leaf: Leaf; path: string }> {
  const below = path === '' ? '' : `${path}.`
  if (rule.kind === 'not') yield* leavesOf(rule.rule, `${below}rule`)
  else if (rule.kind === 'all' || rule.kind === 'any') {
    for (const [index, child] of rule.rules.entries()) yield* leavesOf(child, `${below}rules.${index}`)
  } else yield { leaf: rule, path }
}
