/** The order in which a definition is read. Pure. */
import { type JourneyDefinition, type JourneyNode, nextOf } from '../../contract/journey-definition.ts'

/** Nodes in the order a reader meets them: breadth first from the trigger. */
export function inOrder(definition: JourneyDefinition): JourneyNode[] {
  const byId = new Map(definition.nodes.map((node) => [node.id, node]))
  const seen = new Set<string>()
  const queue = definition.nodes.filter((node) => node.kind === 'trigger').map((node) => node.id)
  const ordered: JourneyNode[] = []
  while (queue.length > 0) {
    const id = queue.shift() as string
    const node = byId.get(id)
    if (seen.has(id) || !node) continue
    seen.add(id)
    ordered.push(node)
    queue.push(...nextOf(node))
  }
  return ordered
}
