/** A definition as the console draws it: layered from the trigger down, a sentence for each node. Pure. */
import {
  type BilingualText,
  type JourneyDefinition,
  type JourneyNode,
  nextOf,
} from '../../contract/journey-definition.ts'
import type { JourneyDetail } from '../../contract/journeys.ts'
import { inOrder } from './node-order.ts'

const COLUMN = 260
const ROW = 130

type Counts = { passed: ReadonlyMap<string, number>; waiting: ReadonlyMap<string, number> }

/** Nodes with places and live counts, and the edges between them. */
export function canvasOf(
  definition: JourneyDefinition,
  { passed, waiting }: Counts,
): Pick<JourneyDetail, 'nodes' | 'edges'> {
  const nodes = inOrder(definition)
  const places = placesOf(nodes)
  return {
    nodes: nodes.map((node) => ({
      id: node.id,
      kind: node.kind,
      title: node.title,
      sentence: sentenceOf(node),
      x: (places.get(node.id)?.column ?? 0) * COLUMN,
      y: (places.get(node.id)?.row ?? 0) * ROW,
      waiting: waiting.get(node.id) ?? 0,
      passed: passed.get(node.id) ?? 0,
    })),
    edges: nodes.flatMap(edgesOf),
  }
}

/** Longest path from the trigger is the row; nodes of one row stand side by side in reading order. */
function placesOf(nodes: readonly JourneyNode[]): Map<string, { row: number; column: number }> {
  const rows = new Map<string, number>()
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const sink = (id: string, row: number): void => {
    if ((rows.get(id) ?? -1) >= row) return
    rows.set(id, row)
    const node = byId.get(id)
    if (node) for (const next of nextOf(node)) sink(next, row + 1)
  }
  const first = nodes[0]
  if (first) sink(first.id, 0)
  const lanes = lanesOf(nodes, byId)
  return new Map(
    nodes.map((node) => [node.id, { row: rows.get(node.id) ?? 0, column: lanes.get(node.id) ?? 0 }]),
  )
}

/** The first way out keeps the lane; every further way opens the next free one. */
function lanesOf(nodes: readonly JourneyNode[], byId: ReadonlyMap<string, JourneyNode>): Map<string, number> {
  const lanes = new Map<string, number>()
  let used = 0
  const walk = (id: string, lane: number): void => {
    if (lanes.has(id)) return
    lanes.set(id, lane)
    const node = byId.get(id)
    if (!node) return
    for (const [index, next] of nextOf(node).entries()) {
      if (lanes.has(next)) continue
      if (index > 0) used += 1
      walk(next, index === 0 ? lane : used)
    }
  }
  const first = nodes[0]
  if (first) walk(first.id, 0)
  return lanes
}

function edgesOf(node: JourneyNode): JourneyDetail['edges'] {
  const edge = (to: string, label: BilingualText | null = null) => ({ from: node.id, to, label })
  switch (node.kind) {
    case 'branch':
      return [edge(node.yes, { zh: '是', en: 'Yes' }), edge(node.no, { zh: '否', en: 'No' })]
    case 'touch':
      return node.next === node.notSent
        ? [edge(node.next)]
        : [
            edge(node.next, { zh: '已送达', en: 'Delivered' }),
            edge(node.notSent, { zh: '未送达', en: 'Not delivered' }),
          ]
    case 'task':
      return node.next === node.undone
        ? [edge(node.next)]
        : [edge(node.next, { zh: '已完成', en: 'Done' }), edge(node.undone, { zh: '未完成', en: 'Not done' })]
    default:
      return nextOf(node).map((to) => edge(to))
  }
}

const triggerText: Readonly<Record<string, BilingualText>> = {
  segment: { zh: '进入人群', en: 'Enters the segment' },
  contact_added: { zh: '添加企业微信', en: 'Added on WeCom' },
  member_joined: { zh: '注册入会', en: 'Joined' },
  visited_store: { zh: '到店', en: 'Visited a store' },
  new_purchase: { zh: '新会员购买', en: 'Purchase of a new member' },
}

function sentenceOf(node: JourneyNode): BilingualText {
  switch (node.kind) {
    case 'trigger':
      return {
        zh: node.on.map((trigger) => triggerText[trigger.on]?.zh ?? trigger.on).join(' / '),
        en: node.on.map((trigger) => triggerText[trigger.on]?.en ?? trigger.on).join(' / '),
      }
    case 'wait':
      return node.days === 0
        ? {
            zh: node.time === null ? '马上' : `当天 ${node.time}`,
            en: node.time === null ? 'At once' : `The same day at ${node.time}`,
          }
        : {
            zh: `第 ${node.days} 天${node.time ? ` ${node.time}` : ''}`,
            en: `Day ${node.days}${node.time ? ` at ${node.time}` : ''}`,
          }
    case 'branch':
      return node.title
    case 'touch':
    case 'task': {
      const words = node.kind === 'touch' ? node.text : node.script
      return { zh: words, en: words }
    }
    case 'exit':
      return { zh: '结束', en: 'Leaves the SOP' }
    default:
      return { zh: '', en: '' }
  }
}
