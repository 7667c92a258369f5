/**
 * Going live: the newest version is fixed, and everything that it needs is made in the same transaction: contents of
 * its messages, a hidden live segment for each rule that a branch asks, and the note of who uses what.
 */
import type { JourneyDefinition, JourneyNode } from '../../contract/journey-definition.ts'
import { createSegment, type Used, uses } from '../audience/audience.ts'
import { idOf } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { saveContent } from '../reach/reach.ts'
import { allFaults } from './faults.ts'
import { need, write } from './journey.ts'
import { type JourneyRow, markVersionLive, replaceDraft } from './journey-store.ts'
import { tagGroupCalled } from './person-store.ts'

type Making = { journey: JourneyRow; by: string | null; now: Date }

/**
 * Puts the newest version live: from now on events let people in.
 * Errors: not_ready with the faults; stale_version; conflict where it was live before.
 */
export async function goLive(
  tx: Tx,
  id: string,
  expected: number,
  by: string | null,
  now: Date,
): Promise<void> {
  const journey = await need(tx, id)
  if (journey.state !== 'draft') throw new Problem('conflict', 'This SOP has been live already.')
  const faults = allFaults(journey.definition)
  if (faults.length > 0)
    throw new Problem('not_ready', faults.map((fault) => fault.text.en).join('; '), { details: { faults } })
  const definition = await prepared(tx, { journey, by, now })
  await replaceDraft(tx, id, journey.number, definition)
  await markVersionLive(tx, id, journey.number, now)
  await write(tx, journey, expected, {
    state: 'live',
    liveVersion: journey.number,
    at: now,
    ...(journey.enter_present ? { presentAfter: 0 } : {}),
  })
}

/** The definition with what its nodes need, made and noted as used. */
async function prepared(tx: Tx, making: Making): Promise<JourneyDefinition> {
  const nodes: JourneyNode[] = []
  for (const node of making.journey.definition.nodes) nodes.push(await prepare(tx, node, making))
  return { ...making.journey.definition, nodes }
}

async function prepare(tx: Tx, node: JourneyNode, making: Making): Promise<JourneyNode> {
  switch (node.kind) {
    case 'touch':
      return withContent(tx, node, making)
    case 'branch':
      return withSegment(tx, node, making)
    case 'task':
      await noteTagGroup(tx, node, making)
      return node
    default:
      return node
  }
}

async function withContent(
  tx: Tx,
  node: Extract<JourneyNode, { kind: 'touch' }>,
  { journey, by, now }: Making,
): Promise<JourneyNode> {
  const id = idOf('content', journey.id, journey.number, node.id)
  const name = `${journey.name} · ${node.title.zh}`
  await saveContent(tx, { id, name, channel: node.channel, body: node.text, demo: journey.demo, by }, now)
  await noteUse(tx, journey, { kind: 'content', id })
  await noteUse(tx, journey, { kind: 'channel', id: node.channel })
  return { ...node, contentId: id }
}

/** Stepping reads stored answers only: the rule becomes a segment that lists do not show. */
async function withSegment(
  tx: Tx,
  node: Extract<JourneyNode, { kind: 'branch' }>,
  { journey, by, now }: Making,
): Promise<JourneyNode> {
  if (node.when.by !== 'rule' || node.when.segmentId !== null) return node
  const name = `${journey.name} · ${node.title.zh}`.slice(0, 60)
  const segment = await createSegment(
    tx,
    { name, description: '', rule: node.when.rule, hidden: true, demo: journey.demo },
    { by, at: now },
  )
  await noteUse(tx, journey, { kind: 'segment', id: segment.id })
  return { ...node, when: { ...node.when, segmentId: segment.id } }
}

async function noteTagGroup(
  tx: Tx,
  node: Extract<JourneyNode, { kind: 'task' }>,
  { journey }: Making,
): Promise<void> {
  if (node.task !== 'tag') return
  const id = node.tagGroup === null ? undefined : await tagGroupCalled(tx, node.tagGroup)
  if (id === undefined) {
    const text = {
      zh: `标签组不存在：${node.tagGroup ?? '（未填写）'}`,
      en: `There is no tag group ${node.tagGroup ?? '(none is named)'}`,
    }
    throw new Problem('not_ready', text.en, { details: { faults: [{ nodeId: node.id, text }] } })
  }
  await noteUse(tx, journey, { kind: 'tag_group', id })
}

async function noteUse(tx: Tx, journey: JourneyRow, used: Used): Promise<void> {
  await uses(tx, used, { kind: 'journey', id: journey.id, label: journey.name })
}
