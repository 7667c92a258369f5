/**
 * What each kind of node decides about everybody who stands at it: where each goes, waits or ends, and what is to be
 * touched and done. Pure but for what it asks of the database; the caller writes.
 */
import type { JourneyDefinition, JourneyNode } from '../../contract/journey-definition.ts'
import { idOf } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { unreachable } from '../platform/problem.ts'
import { addDays, atLocalTime, dayOf, type Zone } from '../platform/time/zone.ts'
import { type Candidate, render } from '../reach/reach.ts'
import { guidesOf, type NewTask, tagTaskRoom } from '../tasks/tasks.ts'
import type { DueEnrolment } from './enrolment-store.ts'
import { answersStand, factsOf, membersOf, tagGroupCalled } from './person-store.ts'
import { scriptFacts, valuesFor } from './script-values.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** A late task is still waited for this long. */
const LATE_PATIENCE_MS = 2 * DAY_MS
/** A mass message may be created at the last moment and then waits for its confirmation. */
const CONFIRM_PATIENCE_MS = 3 * DAY_MS
/** A rule that is not yet answered for everybody is asked again after this time. */
const ANSWERS_DUE_MS = 15_000

export type Walker = DueEnrolment & { definition: JourneyDefinition; nodes: ReadonlyMap<string, JourneyNode> }
export type Work = {
  candidates: Candidate[]
  tasks: NewTask[]
  passed: Map<string, { journeyId: string; number: number; nodeId: string; times: number }>
}
/** `go`: on to a node. `stay`: wait here until then, perhaps for an outcome. `end`: out of the SOP. */
export type Move =
  | { do: 'go'; to: string }
  | { do: 'stay'; dueAt: Date; waitsFor: string | null }
  | { do: 'end'; state: 'finished' | 'left'; reason: string }

type How = { now: Date; zone: Zone }

export async function decideAt(
  tx: Tx,
  node: JourneyNode,
  group: readonly Walker[],
  work: Work,
  how: How,
): Promise<[Walker, Move][]> {
  switch (node.kind) {
    case 'trigger':
      return group.map((walker) => [walker, { do: 'go', to: node.next }])
    case 'wait':
      return group.map((walker) => [walker, waitAt(node, walker, how)])
    case 'branch': {
      if (node.when.by === 'rule' && !(await answersStand(tx))) {
        const dueAt = new Date(how.now.getTime() + ANSWERS_DUE_MS)
        return group.map((walker) => [walker, { do: 'stay', dueAt, waitsFor: null }])
      }
      const members = await membersAmong(tx, node.when, group)
      return group.map((walker) => [
        walker,
        { do: 'go', to: holds(node.when, walker, members) ? node.yes : node.no },
      ])
    }
    case 'touch':
      return touchAt(tx, node, group, work, how)
    case 'task':
      return taskAt(tx, node, group, work, how)
    case 'exit':
      return group.map((walker) => [walker, { do: 'end', state: 'finished', reason: node.reason }])
    default:
      return unreachable(node)
  }
}

async function membersAmong(
  tx: Tx,
  when: Extract<JourneyNode, { kind: 'branch' }>['when'],
  group: readonly Walker[],
): Promise<ReadonlySet<number>> {
  if (when.by !== 'rule' || when.segmentId === null) return new Set()
  const ids = group.map((walker) => walker.person_id)
  return membersOf(tx, when.segmentId, ids)
}

function holds(
  when: Extract<JourneyNode, { kind: 'branch' }>['when'],
  walker: Walker,
  members: ReadonlySet<number>,
): boolean {
  switch (when.by) {
    case 'fact':
      return Boolean(walker.facts[when.fact])
    case 'returned':
      return walker.returned_at !== null
    case 'rule':
      return members.has(walker.person_id)
    default:
      return unreachable(when)
  }
}

/** Days count from the anchor's date in the brand's zone; without a time of day, the anchor's own. */
function waitAt(node: Extract<JourneyNode, { kind: 'wait' }>, walker: Walker, { now, zone }: How): Move {
  const day = addDays(dayOf(zone, walker.anchor_at), node.days)
  const until =
    node.time === null
      ? new Date(walker.anchor_at.getTime() + node.days * DAY_MS)
      : atLocalTime(zone, day, node.time)
  return until <= now ? { do: 'go', to: node.next } : { do: 'stay', dueAt: until, waitsFor: null }
}

async function touchAt(
  tx: Tx,
  node: Extract<JourneyNode, { kind: 'touch' }>,
  group: readonly Walker[],
  work: Work,
  { now }: { now: Date },
): Promise<[Walker, Move][]> {
  const arriving = group.filter((walker) => walker.waits_for === null)
  const facts = await scriptFacts(tx, arriving, now)
  return group.map((walker) => {
    if (walker.waits_for !== null) {
      return [
        walker,
        {
          do: 'go',
          to: walker.answer === 'delivered' || walker.answer === 'held_out' ? node.next : node.notSent,
        },
      ]
    }
    if (node.contentId === null) return [walker, { do: 'go', to: node.notSent }]
    const id = idOf('touch', walker.id, node.id, walker.stop)
    const expiresAt = new Date(now.getTime() + node.patienceDays * DAY_MS)
    work.candidates.push({
      id,
      personId: walker.person_id,
      channel: node.channel,
      class: node.class,
      contentId: node.contentId,
      facts: facts.get(walker.person_id) ?? {},
      journeyId: walker.journey_id,
      enrolmentId: walker.id,
      nodeId: node.id,
      score: 1,
      notBefore: now,
      expiresAt,
      costCents: null,
    })
    const dueAt = new Date(expiresAt.getTime() + CONFIRM_PATIENCE_MS)
    return [walker, { do: 'stay', dueAt, waitsFor: id }]
  })
}

async function taskAt(
  tx: Tx,
  node: Extract<JourneyNode, { kind: 'task' }>,
  group: readonly Walker[],
  work: Work,
  { now }: { now: Date },
): Promise<[Walker, Move][]> {
  const arriving = group.filter((walker) => walker.waits_for === null && !walker.held_out)
  const ids = arriving.map((walker) => walker.person_id)
  const guides = await guidesOf(tx, ids)
  const known = await factsOf(tx, ids)
  const asking = [...guides.values()].flatMap(({ staffId }) => staffId ?? [])
  const room = node.task === 'tag' ? await tagTaskRoom(tx, asking) : undefined
  const tagGroupId = node.tagGroup === null ? null : ((await tagGroupCalled(tx, node.tagGroup)) ?? null)
  return group.map((walker): [Walker, Move] => {
    if (walker.waits_for !== null)
      return [walker, { do: 'go', to: walker.answer === 'done' ? node.next : node.undone }]
    if (walker.held_out) return [walker, { do: 'go', to: node.next }]
    const asked = guides.get(walker.person_id)
    const nobody = !asked || (asked.staffId === null && asked.storeId === null)
    if (nobody || (node.task === 'tag' && tagGroupId === null)) return [walker, { do: 'go', to: node.undone }]
    // A guide with enough tags to set is not asked for one more.
    if (room && asked.staffId !== null && !room.take(asked.staffId))
      return [walker, { do: 'go', to: node.undone }]
    const id = idOf('task', walker.id, node.id, walker.stop)
    const dueAt = new Date(now.getTime() + node.dueHours * HOUR_MS)
    const values = valuesFor(known.get(walker.person_id), walker, now)
    const highValue = (known.get(walker.person_id)?.spentCents ?? 0) >= walker.definition.highValueCents
    work.tasks.push({
      id,
      kind: node.task,
      personId: walker.person_id,
      staffId: asked.staffId,
      storeId: asked.storeId,
      journeyId: walker.journey_id,
      journeyName: walker.journey_name,
      enrolmentId: walker.id,
      nodeId: node.id,
      outboxId: null,
      members: 1,
      title: node.title,
      reason: { zh: filledIn(node.reason.zh, values), en: filledIn(node.reason.en, values) },
      script: filledIn(node.script, values),
      tagGroupId: node.task === 'tag' ? tagGroupId : null,
      feedbackNeeded: node.feedback === 'always' || (node.feedback === 'high_value' && highValue),
      dueAt,
      demo: asked.demo,
    })
    return [walker, { do: 'stay', dueAt: new Date(dueAt.getTime() + LATE_PATIENCE_MS), waitsFor: id }]
  })
}

/** For a guide to read and correct: what cannot be filled in stands as it was written, and holds nobody up. */
function filledIn(template: string, values: Record<string, unknown>): string {
  try {
    return render(template, values)
  } catch {
    return template
  }
}
