/** A SOP as people handle it: made from a template, changed, paused, resumed, ended. */
import type { JourneyDefinition } from '../../contract/journey-definition.ts'
import type { JourneyTemplate } from '../../contract/journeys.ts'
import {
  createSegment,
  deleteSegment,
  disuses,
  listSegments,
  refuseUnfollowed,
  uses,
} from '../audience/audience.ts'
import { newId } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { askAnew } from './enrolment-store.ts'
import { checkTexts } from './faults.ts'
import {
  insertJourney,
  insertVersion,
  type JourneyRow,
  journeyById,
  lockJourney,
  replaceDraft,
  writeJourney,
} from './journey-store.ts'
import { templates } from './templates.ts'
import { withdrawBatch } from './withdraw.ts'

export type NewJourney = {
  template: JourneyTemplate
  name: string
  segmentId?: number | undefined
  enterPresent: boolean
  texts: Readonly<Record<string, string>>
  by: string | null
  demo?: boolean
}

/**
 * Makes a draft from a template, with a segment of its own where it needs one and none was chosen.
 * Errors: bad_input for a text that cannot be filled in.
 */
export async function createJourney(tx: Tx, wanted: NewJourney, now: Date): Promise<string> {
  const template = templates[wanted.template]
  const id = newId(now)
  const segmentId =
    wanted.segmentId ?? (template.audience ? await ownSegment(tx, template.audience, wanted, now) : null)
  const definition = template.define(segmentId, wanted.texts)
  checkTexts(definition)
  await refuseUnfollowed(tx, segmentsOf(definition))
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

/** Changes name and texts of a draft. Errors: stale_version, conflict where it is live, bad_input for a text that cannot be filled in. */
export async function changeDraft(
  tx: Tx,
  id: string,
  change: { version: number; name: string; texts: Readonly<Record<string, string>> },
): Promise<void> {
  const journey = await need(tx, id)
  if (journey.state !== 'draft')
    throw new Problem('conflict', 'A SOP that was live cannot be changed: make a new one from it.')
  const segment = entrySegment(journey.definition)
  const definition = templates[journey.template].define(segment, change.texts)
  checkTexts(definition)
  await write(tx, journey, change.version, { name: change.name })
  await replaceDraft(tx, id, journey.number, definition)
}

/**
 * Stops everything: nobody steps, messages that wait are withdrawn, and offered anew when it goes on. What was handed over
 * stays. The first 1,000 messages go with this transaction; call `withdrawAll` after it for the others.
 * Errors: conflict where it is not live; stale_version where `expected` is given and is not the present version.
 */
export async function pauseJourney(
  tx: Tx,
  id: string,
  now: Date,
  expected: number | null = null,
): Promise<void> {
  const journey = await need(tx, id)
  if (journey.state !== 'live') throw new Problem('conflict', 'Only a live SOP can be paused.')
  await write(tx, journey, expected, { state: 'paused', withdrawing: true })
  await withdrawBatch(tx, { id, state: 'paused' }, now)
  // Those whose task was cancelled wait for it no more either.
  await askAnew(tx, { journeyId: id }, now)
}

/** Goes on: those who were due in the meantime step now. Errors: conflict, stale_version. */
export async function resumeJourney(tx: Tx, id: string, expected: number | null = null): Promise<void> {
  const journey = await need(tx, id)
  if (journey.state !== 'paused') throw new Problem('conflict', 'Only a paused SOP can go on.')
  await write(tx, journey, expected, { state: 'live', withdrawing: false })
}

/**
 * Ends a SOP for good: messages that wait are withdrawn, what it used is free again, and whoever is in it leaves with
 * the next steps, which cancel their open tasks. The first 1,000 messages go with this transaction; call `withdrawAll`
 * after it for the others. Errors: conflict where it never was live or has ended; stale_version.
 */
export async function endJourney(
  tx: Tx,
  id: string,
  now: Date,
  expected: number | null = null,
): Promise<void> {
  const journey = await need(tx, id)
  if (journey.live_version === null) throw new Problem('conflict', 'A draft has never been live.')
  if (journey.state === 'ended') throw new Problem('conflict', 'This SOP has ended already.')
  await write(tx, journey, expected, { state: 'ended', withdrawing: true })
  await withdrawBatch(tx, { id, state: 'ended' }, now)
  await disuses(tx, { kind: 'journey', id })
  await releaseConditions(tx, journey.definition, now)
}

/** The hidden segments of its branches were made for it and go with it. */
async function releaseConditions(tx: Tx, definition: JourneyDefinition, now: Date): Promise<void> {
  for (const id of conditionSegments(definition)) {
    const [segment] = await listSegments(tx, { id, since: now })
    if (segment?.hidden) await deleteSegment(tx, { id, version: segment.version }, { at: now })
  }
}

/** The segment that lets people in, if one does. */
export function entrySegment(definition: JourneyDefinition): number | null {
  for (const node of definition.nodes) {
    if (node.kind !== 'trigger') continue
    for (const trigger of node.on) if (trigger.on === 'segment') return trigger.segmentId
  }
  return null
}

/** The segments that branches ask. */
export function conditionSegments(definition: JourneyDefinition): number[] {
  return definition.nodes.flatMap((node) =>
    node.kind === 'branch' && node.when.by === 'rule' && node.when.segmentId !== null
      ? [node.when.segmentId]
      : [],
  )
}

/** Every segment that a definition names, once. */
function segmentsOf(definition: JourneyDefinition): number[] {
  const entries = definition.nodes.flatMap((node) =>
    node.kind === 'trigger'
      ? node.on.flatMap((trigger) => (trigger.on === 'segment' ? [trigger.segmentId] : []))
      : [],
  )
  return [...new Set([...entries, ...conditionSegments(definition)])]
}

/** Held until the end of the transaction: whoever changes it meanwhile waits, and then sees what came of it. Errors: not_found. */
export async function need(tx: Tx, id: string): Promise<JourneyRow> {
  await lockJourney(tx, id)
  const journey = await journeyById(tx, id)
  if (!journey) throw new Problem('not_found', 'There is no such SOP.')
  return journey
}

/** Errors: `stale_version` with both, where `expected` is given and somebody was faster. */
export async function write(
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
