/**
 * A SOP as data. Nodes name the next by id; a definition has one trigger and ends in exits.
 * What runs it is server/journeys; what draws it is the console's canvas.
 */
import { z } from 'zod'
import { Rule } from './rule.ts'

const NodeId = z.string().regex(/^[a-z0-9_]{1,40}$/)
export const BilingualText = z.object({ zh: z.string(), en: z.string() })
export type BilingualText = z.infer<typeof BilingualText>

/** What lets a person in. `segment`: entering it by event or time, never by an import or a change of its rule. */
export const Trigger = z.discriminatedUnion('on', [
  z.object({ on: z.literal('segment'), segmentId: z.int().positive() }),
  z.object({ on: z.literal('contact_added') }),
  z.object({ on: z.literal('member_joined') }),
  z.object({ on: z.literal('visited_store') }),
  /** A first purchase, or one within `newDays` of joining. */
  z.object({ on: z.literal('new_purchase'), newDays: z.int().min(0).max(3650) }),
])
export type Trigger = z.infer<typeof Trigger>

/** Asked of the person when the node is passed: a fact of the entry, or a rule that is a hidden live segment. */
export const Condition = z.discriminatedUnion('by', [
  z.object({ by: z.literal('fact'), fact: z.enum(['bought', 'tried']) }),
  z.object({ by: z.literal('returned') }),
  z.object({ by: z.literal('rule'), rule: Rule, segmentId: z.int().positive().nullable() }),
])
export type Condition = z.infer<typeof Condition>

const named = { id: NodeId, title: BilingualText }
export const JourneyNode = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('trigger'), ...named, on: z.array(Trigger).min(1).max(8), next: NodeId }),
  /** Until local `time` of the day `days` after the anchor (the payment, the add or the visit); past ones pass at once. */
  z.object({
    kind: z.literal('wait'),
    ...named,
    days: z.int().min(0).max(3650),
    time: z
      .string()
      .regex(/^\d\d:\d\d$/)
      .nullable(),
    next: NodeId,
  }),
  z.object({ kind: z.literal('branch'), ...named, when: Condition, yes: NodeId, no: NodeId }),
  /** One message. `next` once it is delivered, `notSent` when it was held back, dropped, or never confirmed. */
  z.object({
    kind: z.literal('touch'),
    ...named,
    channel: z.enum(['wecom', 'sms']),
    class: z.enum(['marketing', 'welcome', 'transactional', 'answer']),
    text: z.string().min(1).max(1000),
    contentId: z.uuid().nullable(),
    patienceDays: z.int().min(1).max(30),
    next: NodeId,
    notSent: NodeId,
  }),
  /** Work for a guide: `next` when done, `undone` when late beyond patience or when nobody can be asked. */
  z.object({
    kind: z.literal('task'),
    ...named,
    task: z.enum(['follow_up', 'invite', 'tag']),
    script: z.string().min(1).max(1000),
    reason: BilingualText,
    dueHours: z.int().min(1).max(720),
    feedback: z.enum(['never', 'high_value', 'always']),
    tagGroup: z.string().nullable(),
    next: NodeId,
    undone: NodeId,
  }),
  z.object({ kind: z.literal('exit'), ...named, reason: z.string().max(60) }),
])
export type JourneyNode = z.infer<typeof JourneyNode>

export const JourneyDefinition = z.object({
  /** Once a person has been in, how long until the next time; null: never again. */
  againAfterDays: z.int().min(0).max(3650).nullable(),
  /** A purchase while active: leave with success, or go on elsewhere with the payment as new anchor. */
  onPurchase: z.discriminatedUnion('do', [
    z.object({ do: z.literal('nothing') }),
    z.object({ do: z.literal('leave') }),
    z.object({ do: z.literal('move'), unlessFact: z.literal('bought'), to: NodeId }),
  ]),
  /** How long after entry a purchase counts as a return, for treated and held out alike. */
  returnWindowDays: z.int().min(1).max(365),
  /** Spent at least this much: feedback is mandatory on tasks that ask it of high value. */
  highValueCents: z.int().min(0),
  nodes: z.array(JourneyNode).min(2).max(100),
})
export type JourneyDefinition = z.infer<typeof JourneyDefinition>

/** Ids of the nodes that a node can lead to. */
export function nextOf(node: JourneyNode): string[] {
  switch (node.kind) {
    case 'trigger':
    case 'wait':
      return [node.next]
    case 'branch':
      return [node.yes, node.no]
    case 'touch':
      return [node.next, node.notSent]
    case 'task':
      return [node.next, node.undone]
    case 'exit':
      return []
    default: {
      const never: never = node
      throw new Error(`unreachable: ${JSON.stringify(never)}`)
    }
  }
}

export type Fault = { nodeId: string | null; text: BilingualText }

/**
 * What is wrong with a definition before it goes live: unknown or doubled ids, no single trigger, nodes nobody reaches,
 * a circle, a message with values of one member in a mass message.
 */
export function faultsOf(definition: JourneyDefinition): Fault[] {
  const faults: Fault[] = []
  const byId = new Map<string, JourneyNode>()
  for (const node of definition.nodes) {
    if (byId.has(node.id))
      faults.push(fault(node.id, `步骤编号重复：${node.id}`, `The step id ${node.id} stands twice`))
    byId.set(node.id, node)
  }
  const triggers = definition.nodes.filter((node) => node.kind === 'trigger')
  const trigger = triggers[0]
  if (triggers.length !== 1 || !trigger) {
    return [...faults, fault(null, '需要且只能有一个触发条件', 'There must be exactly one trigger')]
  }
  for (const node of definition.nodes) {
    for (const next of nextOf(node)) {
      if (!byId.has(next))
        faults.push(fault(node.id, `下一步不存在：${next}`, `The next step ${next} does not exist`))
    }
    if (node.kind === 'touch' && node.channel === 'wecom' && /\{\{|\{%/.test(node.text)) {
      faults.push(
        fault(
          node.id,
          '企业微信群发不能包含单个会员的变量，请改为导购任务',
          'A WeCom mass message cannot carry values of one member: make it a guide task',
        ),
      )
    }
  }
  if (faults.length > 0) return faults
  const reached = new Set<string>()
  const visit = (id: string): void => {
    if (reached.has(id)) return
    reached.add(id)
    const node = byId.get(id)
    if (node) for (const next of nextOf(node)) visit(next)
  }
  visit(trigger.id)
  if (definition.onPurchase.do === 'move') {
    if (!byId.has(definition.onPurchase.to))
      faults.push(
        fault(
          null,
          `下一步不存在：${definition.onPurchase.to}`,
          `The step ${definition.onPurchase.to} does not exist`,
        ),
      )
    else visit(definition.onPurchase.to)
  }
  for (const node of definition.nodes) {
    if (!reached.has(node.id))
      faults.push(fault(node.id, '没有任何路径能到达此步骤', 'Nothing leads to this step'))
  }
  const circle = circleIn(definition.nodes, byId)
  if (circle)
    faults.push(fault(circle, '流程不能绕回前面的步骤', 'A SOP must not lead back to an earlier step'))
  return faults
}

function circleIn(nodes: readonly JourneyNode[], byId: ReadonlyMap<string, JourneyNode>): string | undefined {
  const colour = new Map<string, 'open' | 'done'>()
  const walk = (id: string): string | undefined => {
    if (colour.get(id) === 'open') return id
    if (colour.get(id) === 'done') return undefined
    colour.set(id, 'open')
    const node = byId.get(id)
    const found = node
      ? nextOf(node)
          .map(walk)
          .find((hit) => hit !== undefined)
      : undefined
    colour.set(id, 'done')
    return found
  }
  return nodes.map((node) => walk(node.id)).find((hit) => hit !== undefined)
}

function fault(nodeId: string | null, zh: string, en: string): Fault {
  return { nodeId, text: { zh, en } }
}
