// SOPs. Owns: definitions in versions, enrolments, stepping.
// Promises: a version that was live never changes; a person is in a SOP at most once at a time; each step is decided once.
// Never: sends (reach does), evaluates rules (audience does), lets anybody in because of an import.
import type { JourneyDefinition, JourneyNode } from '../../contract/journey-definition.ts'
import { faultsOf } from '../../contract/journey-definition.ts'
import type { JourneyTemplate } from '../../contract/journeys.ts'
import { createSegment, disuses, uses } from '../audience/audience.ts'
import { idOf, newId } from '../platform/ids.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { saveContent, withdraw } from '../reach/reach.ts'
import { letIn } from './enrol.ts'
import {
  claimPresent,
  countLive,
  insertJourney,
  insertVersion,
  type JourneyRow,
  journeyById,
  markVersionLive,
  moveEnrolments,
  moveEnrolmentsBack,
  movePresent,
  presentIn,
  replaceDraft,
  writeJourney,
} from './store.ts'
import { templates } from './templates.ts'

export { handledTypes, onEvents } from './enrol.ts'
export { stepOnce } from './step.ts'

const PRESENT_BATCH = 1000

export type NewJourney = {
  template: JourneyTemplate
  name: string
  segmentId?: number | undefined
  enterPresent: boolean
  texts: Readonly<Record<string, string>>
  by: string | null
  demo?: boolean
}

/** Makes a draft from a template, with a segment of its own where it needs one and none was chosen. */
export async function createJourney(tx: Tx, wanted: NewJourney, now: Date): Promise<string> {
  const template = templates[wanted.template]
  const id = newId(now)
  const segmentId =
    wanted.segmentId ?? (template.audience ? await ownSegment(tx, template.audience, wanted, now) : null)
  const definition = template.define(segmentId, wanted.texts)
  await insertJourney(
    tx,
    {
      id,
      name: wanted.name,
      template: wanted.template,
      enterPresent: wanted.enterPresent && template.asksForPresent,
      by: wanted.by,
      demo: wanted.demo ?? false,
    },
    now,
  )
  await insertVersion(tx, id, 1, definition, now)
  for (const segment of segmentsOf(definition))
    await uses(tx, { kind: 'segment', id: segment }, { kind: 'journey', id, label: wanted.name })
  return id
}

async function ownSegment(
  tx: Tx,
  audience: NonNullable<(typeof templates)['wake_sleeping']['audience']>,
  wanted: NewJourney,
  now: Date,
): Promise<number> {
  const segment = await createSegment(
    tx,
    {
      name: `${audience.name} · ${wanted.name}`.slice(0, 60),
      description: '',
      rule: audience.rule,
      demo: wanted.demo ?? false,
    },
    { by: wanted.by, at: now },
  )
  return segment.id
}

/** Changes name and texts of a draft. Errors: stale_version, conflict where it is live. */
export async function changeDraft(
  tx: Tx,
  id: string,
  change: { version: number; name: string; texts: Readonly<Record<string, string>> },
): Promise<void> {
  const journey = await need(tx, id)
  if (journey.state !== 'draft')
    throw new Problem('conflict', 'A SOP that was live cannot be changed: make a new one from it.')
  const segment = segmentsOf(journey.definition)[0] ?? null
  await write(tx, journey, change.version, { name: change.name })
  await replaceDraft(tx, id, journey.number, templates[journey.template].define(segment, change.texts))
}

/**
 * Puts the newest version live: contents are saved, the channels are marked as used, and from now on events let people in.
 * Errors: not_ready with the faults; stale_version.
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
  const faults = faultsOf(journey.definition)
  if (faults.length > 0)
    throw new Problem('not_ready', faults.map((fault) => fault.text.en).join('; '), { details: { faults } })
  const definition = await withContents(tx, journey, by, now)
  await replaceDraft(tx, id, journey.number, definition)
  await markVersionLive(tx, id, journey.number, now)
  await write(tx, journey, expected, {
    state: 'live',
    liveVersion: journey.number,
    at: now,
    ...(journey.enter_present ? { presentAfter: 0 } : {}),
  })
}

async function withContents(
  tx: Tx,
  journey: JourneyRow,
  by: string | null,
  now: Date,
): Promise<JourneyDefinition> {
  const nodes: JourneyNode[] = []
  for (const node of journey.definition.nodes) {
    if (node.kind !== 'touch') nodes.push(node)
    else {
      const contentId = idOf('content', journey.id, journey.number, node.id)
      await saveContent(
        tx,
        {
          id: contentId,
          name: `${journey.name} · ${node.title.zh}`,
          channel: node.channel,
          body: node.text,
          demo: journey.demo,
          by,
        },
        now,
      )
      await uses(
        tx,
        { kind: 'content', id: contentId },
        { kind: 'journey', id: journey.id, label: journey.name },
      )
      await uses(
        tx,
        { kind: 'channel', id: node.channel },
        { kind: 'journey', id: journey.id, label: journey.name },
      )
      nodes.push({ ...node, contentId })
    }
  }
  return { ...journey.definition, nodes }
}

/** Stops everything at once: nobody steps, messages that wait are withdrawn. What was handed over stays. */
export async function pauseJourney(tx: Tx, id: string, now: Date): Promise<void> {
  const journey = await need(tx, id)
  if (journey.state !== 'live') throw new Problem('conflict', 'Only a live SOP can be paused.')
  await write(tx, journey, null, { state: 'paused' })
  await withdraw(tx, { journeyId: id, reason: 'paused' }, now)
}

/** Goes on: those who were due in the meantime step now. */
export async function resumeJourney(tx: Tx, id: string): Promise<void> {
  const journey = await need(tx, id)
  if (journey.state !== 'paused') throw new Problem('conflict', 'Only a paused SOP can go on.')
  await write(tx, journey, null, { state: 'live' })
}

/** Ends a SOP for good: who is in it leaves, open tasks are cancelled, its segment is free again. */
export async function endJourney(tx: Tx, id: string, now: Date): Promise<void> {
  const journey = await need(tx, id)
  if (journey.live_version === null) throw new Problem('conflict', 'A draft has never been live.')
  await write(tx, journey, null, { state: 'ended' })
  await withdraw(tx, { journeyId: id, reason: 'ended' }, now)
  await disuses(tx, { kind: 'journey', id })
}

/** Takes in those who were in the segment before going live, 1,000 a call; how many were looked at. */
export async function takeInPresent(db: Database, how: { token: LeaseToken; now: Date }): Promise<number> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const journey = await claimPresent(tx)
    if (!journey) return 0
    const start = journey.definition.nodes.find((node) => node.kind === 'trigger')
    const segment = segmentsOf(journey.definition)[0]
    const persons =
      start && segment !== undefined ? await presentIn(tx, segment, journey.present_after, PRESENT_BATCH) : []
    if (start) {
      const entries = persons.map((personId) => ({
        personId,
        eventId: idOf('present', journey.id),
        at: how.now,
        trigger: 'segment' as const,
        tried: null,
        bought: false,
      }))
      await letIn(tx, journey, start.id, entries, how.now)
    }
    await movePresent(tx, journey.id, persons.length < PRESENT_BATCH ? null : (persons.at(-1) ?? null))
    return persons.length
  })
}

/** Follows merges of persons, so that an undo is exact. */
export const journeyFollower = {
  async merged(tx: Tx, merge: { mergeId: string; kept: number; absorbed: number; at: Date }): Promise<void> {
    await moveEnrolments(tx, merge.mergeId, merge.kept, merge.absorbed, merge.at)
  },
  async split(tx: Tx, merge: { mergeId: string; at: Date }): Promise<void> {
    await moveEnrolmentsBack(tx, merge.mergeId, merge.at)
  },
}

/** The segments that let people in or that a branch asks. */
export function segmentsOf(definition: JourneyDefinition): number[] {
  const ids = definition.nodes.flatMap((node) => {
    if (node.kind === 'trigger')
      return node.on.flatMap((trigger) => (trigger.on === 'segment' ? [trigger.segmentId] : []))
    if (node.kind === 'branch' && node.when.by === 'rule' && node.when.segmentId !== null)
      return [node.when.segmentId]
    return []
  })
  return [...new Set(ids)]
}

async function need(tx: Tx, id: string): Promise<JourneyRow> {
  const journey = await journeyById(tx, id)
  if (!journey) throw new Problem('not_found', 'There is no such SOP.')
  return journey
}

async function write(
  tx: Tx,
  journey: JourneyRow,
  expected: number | null,
  change: Parameters<typeof writeJourney>[3],
): Promise<void> {
  if (await writeJourney(tx, journey.id, expected, change)) return
  const theirs = await journeyById(tx, journey.id)
  throw new Problem('stale_version', 'Somebody else changed this SOP in the meantime.', {
    details: {
      yours: { version: expected },
      theirs: { version: theirs?.version, name: theirs?.name, state: theirs?.state },
    },
  })
}

export { countLive }
