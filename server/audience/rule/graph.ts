/** Segments and tags by rule depend on one another: their order of evaluation, and the path of a cycle. */
import { needsOf, type Rule } from '../../../contract/rule.ts'
import { Problem } from '../../platform/problem.ts'

/** 's12' is segment 12, 't7' the automatic tag 7. */
export type NodeId = `s${number}` | `t${number}`
export type GraphNode = { readonly id: NodeId; readonly name: string; readonly rule: Rule }

/** The automatic tags on which the answer about a tag, or about a group of level S, depends. */
export type Behind = { tag(id: number): readonly number[]; group(id: number): readonly number[] }

function dependenciesOf(rule: Rule, behind: Behind): NodeId[] {
  const { segments, tags, groups } = needsOf(rule)
  const ids = new Set<NodeId>()
  for (const segment of segments) ids.add(`s${segment}`)
  for (const tag of tags) for (const each of behind.tag(tag)) ids.add(`t${each}`)
  for (const group of groups) for (const each of behind.group(group)) ids.add(`t${each}`)
  return [...ids]
}

/**
 * The nodes in an order in which each stands after all that it depends on; unknown dependencies are left out.
 * Errors: `rule_cycle` with the names along the cycle in `details.path`.
 */
export function inOrder(nodes: readonly GraphNode[], behind: Behind): GraphNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const done = new Set<NodeId>()
  const path: GraphNode[] = []
  const ordered: GraphNode[] = []
  const visit = (node: GraphNode): void => {
    if (done.has(node.id)) return
    const start = path.indexOf(node)
    if (start >= 0) {
      const names = [...path.slice(start), node].map((each) => each.name)
      throw new Problem(
        'rule_cycle',
        `The conditions refer to one another in a circle: ${names.join(' → ')}`,
        {
          field: 'rule',
          details: { path: names },
        },
      )
    }
    path.push(node)
    for (const id of dependenciesOf(node.rule, behind)) {
      const below = byId.get(id)
      if (below) visit(below)
    }
    path.pop()
    done.add(node.id)
    ordered.push(node)
  }
  for (const node of nodes) visit(node)
  return ordered
}
