/**
 * Stepping: all who are due move on together, node by node, in one transaction.
 *
 * Stored: where each stands (node_id), how many nodes were passed (stop), until when it waits (due_at), whose outcome it
 * awaits (waits_for) and that outcome (answer). Always true: what a node decides (candidate, task) has the id
 * idOf(enrolment, node, stop) and is written in the transaction that moves the enrolment on, so a crash repeats the step
 * as a whole and a repeat decides nothing twice. A held-out person walks the same way; the arbiter records the touch as
 * held out, and guides get no task.
 */
import { type JourneyDefinition, type JourneyNode, nextOf } from '../../contract/journey-definition.ts'
import { append, type NewEvent } from '../events/events.ts'
import { crashPoint } from '../platform/crash.ts'
import { idOf } from '../platform/ids.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { unreachable } from '../platform/problem.ts'
import { addDays, atLocalTime, dayOf, type Zone } from '../platform/time/zone.ts'
import { type Candidate, offer, render } from '../reach/reach.ts'
import { createTasks, guidesOf, type NewTask } from '../tasks/tasks.ts'
import {
  claimDue,
  countPassed,
  type DueEnrolment,
  definitionsOf,
  factsOf,
  membersOf,
  type PersonFacts,
  type Standing,
  writeStandings,
} from './store.ts'

const BATCH = 1000
const MAX_HOPS = 100
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** A late task is still waited for this long. */
const LATE_PATIENCE_MS = 2 * DAY_MS
const SOURCE = 'journeys'

type Walker = DueEnrolment & { definition: JourneyDefinition; nodes: ReadonlyMap<string, JourneyNode> }
type Work = {
  candidates: Candidate[]
  tasks: NewTask[]
  passed: Map<string, { journeyId: string; number: number; nodeId: string; times: number }>
}
/** `go`: on to a node. `stay`: wait here until then, perhaps for an outcome. `end`: out of the SOP. */
type Move =
  | { do: 'go'; to: string }
  | { do: 'stay'; dueAt: Date; waitsFor: string | null }
  | { do: 'end'; state: 'finished' | 'left'; reason: string }

/** Moves at most 1,000 enrolments that are due; how many. Errors: `LeaseLost`. */
export async function stepOnce(
  db: Database,
  how: { token: LeaseToken; now: Date; zone: Zone },
): Promise<number> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const due = await claimDue(tx, how.now, BATCH)
    if (due.length === 0) return 0
    const walkers = await withDefinitions(tx, due)
    const work: Work = { candidates: [], tasks: [], passed: new Map() }
    const standings = await walk(tx, walkers, work, how)
    await offer(tx, work.candidates, how.now)
    crashPoint('journeys.offered')
    await createTasks(tx, work.tasks, how.now)
    crashPoint('journeys.tasks_made')
    await writeStandings(tx, standings, how.now)
    await countPassed(tx, [...work.passed.values()])
    await append(tx, farewells(walkers, standings, how.now), {
      lane: 'live',
      source: SOURCE,
      receivedAt: how.now,
    })
    crashPoint('journeys.stepped')
    return due.length
  })
}

async function withDefinitions(tx: Tx, due: readonly DueEnrolment[]): Promise<Walker[]> {
  const versions = new Map(
    due.map((e) => [`${e.journey_id}:${e.number}`, { journeyId: e.journey_id, number: e.number }]),
  )
  const definitions = await definitionsOf(tx, [...versions.values()])
  const nodes = new Map(
    [...definitions].map(([key, definition]) => [
      key,
      new Map(definition.nodes.map((node) => [node.id, node])),
    ]),
  )
  return due.map((e) => {
    const key = `${e.journey_id}:${e.number}`
    const definition = definitions.get(key)
    const own = nodes.get(key)
    if (!definition || !own) throw new Error(`SOP ${key} has no definition`)
    return { ...e, definition, nodes: own }
  })
}

/** Hop by hop: all walkers at the same node of the same version are handled together. */
async function walk(
  tx: Tx,
  walkers: readonly Walker[],
  work: Work,
  how: { now: Date; zone: Zone },
): Promise<Standing[]> {
  const standings: Standing[] = []
  let moving = [...walkers]
  for (let hop = 0; moving.length > 0; hop += 1) {
    if (hop > MAX_HOPS) throw new Error('a SOP leads in a circle')
    const onward: Walker[] = []
    for (const group of byNode(moving)) {
      const moves = await decide(tx, group, work, how)
      for (const [index, walker] of group.entries()) {
        const move = moves[index] as Move
        if (move.do === 'go') {
          notePassed(work, walker)
          onward.push({ ...walker, node_id: move.to, stop: walker.stop + 1, waits_for: null, answer: null })
        } else standings.push(standingOf(walker, move))
        if (move.do === 'end' && move.state === 'finished') notePassed(work, walker)
      }
    }
    moving = onward
  }
  return standings
}

function byNode(walkers: readonly Walker[]): Walker[][] {
  const groups = new Map<string, Walker[]>()
  for (const walker of walkers) {
    const key = `${walker.journey_id}:${walker.number}:${walker.node_id}`
    const group = groups.get(key)
    if (group) group.push(walker)
    else groups.set(key, [walker])
  }
  return [...groups.values()]
}

async function decide(
  tx: Tx,
  group: readonly Walker[],
  work: Work,
  how: { now: Date; zone: Zone },
): Promise<Move[]> {
  const first = group[0] as Walker
  const node = first.nodes.get(first.node_id)
  if (!node) return group.map(() => ({ do: 'end', state: 'left', reason: 'step_missing' }))
  const moves = new Map<string, Move>()
  for (const walker of group)
    if (!walker.goes_on) moves.set(walker.id, { do: 'end', state: 'left', reason: 'person_gone' })
  const present = group.filter((walker) => walker.goes_on)
  for (const [walker, move] of await decideAt(tx, node, present, work, how)) moves.set(walker.id, move)
  return group.map((walker) => moves.get(walker.id) as Move)
}

async function decideAt(
  tx: Tx,
  node: JourneyNode,
  group: readonly Walker[],
  work: Work,
  how: { now: Date; zone: Zone },
): Promise<[Walker, Move][]> {
  switch (node.kind) {
    case 'trigger':
      return group.map((walker) => [walker, { do: 'go', to: node.next }])
    case 'wait':
      return group.map((walker) => [walker, waitAt(node, walker, how)])
    case 'branch': {
      const members =
        node.when.by === 'rule' && node.when.segmentId !== null
          ? await membersOf(
              tx,
              node.when.segmentId,
              group.map((walker) => walker.person_id),
            )
          : new Set<number>()
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
function waitAt(
  node: Extract<JourneyNode, { kind: 'wait' }>,
  walker: Walker,
  { now, zone }: { now: Date; zone: Zone },
): Move {
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
    // A mass message may be created at the last moment and then waits for its confirmation.
    return [walker, { do: 'stay', dueAt: new Date(expiresAt.getTime() + 3 * DAY_MS), waitsFor: id }]
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
  return Promise.all(
    group.map(async (walker): Promise<[Walker, Move]> => {
      if (walker.waits_for !== null)
        return [walker, { do: 'go', to: walker.answer === 'done' ? node.next : node.undone }]
      if (walker.held_out) return [walker, { do: 'go', to: node.next }]
      const asked = guides.get(walker.person_id)
      if (!asked || (asked.staffId === null && asked.storeId === null))
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
        reason: { zh: await render(node.reason.zh, values), en: await render(node.reason.en, values) },
        script: await render(node.script, values),
        tagGroupId: null,
        feedbackNeeded: node.feedback === 'always' || (node.feedback === 'high_value' && highValue),
        dueAt,
        demo: asked.demo,
      })
      return [walker, { do: 'stay', dueAt: new Date(dueAt.getTime() + LATE_PATIENCE_MS), waitsFor: id }]
    }),
  )
}

/** The values that scripts may name: member, store, guide, order, tried, days. Missing ones read naturally. */
async function scriptFacts(
  tx: Tx,
  walkers: readonly Walker[],
  now: Date,
): Promise<Map<number, Record<string, unknown>>> {
  const known = await factsOf(
    tx,
    walkers.map((walker) => walker.person_id),
  )
  return new Map(
    walkers.map((walker) => [walker.person_id, valuesFor(known.get(walker.person_id), walker, now)]),
  )
}

function valuesFor(person: PersonFacts | undefined, walker: Walker, now: Date): Record<string, unknown> {
  const last = person?.lastPurchaseAt ?? null
  return {
    member: { name: person?.name ?? '' },
    store: { name: person?.store ?? '我们店' },
    guide: { name: person?.guide ?? '店员' },
    order: { items: person && person.lastItems.length > 0 ? person.lastItems.join('、') : '我们的商品' },
    tried: { sku: String(walker.facts['tried'] ?? '商品') },
    days: last === null ? 0 : Math.floor((now.getTime() - last.getTime()) / DAY_MS),
  }
}

function standingOf(walker: Walker, move: Exclude<Move, { do: 'go' }>): Standing {
  const at = { id: walker.id, nodeId: walker.node_id, stop: walker.stop }
  if (move.do === 'stay')
    return { ...at, state: 'active', dueAt: move.dueAt, waitsFor: move.waitsFor, reason: null }
  return { ...at, state: move.state, dueAt: null, waitsFor: null, reason: move.reason }
}

function notePassed(work: Work, walker: Walker): void {
  const key = `${walker.journey_id}:${walker.number}:${walker.node_id}`
  const count = work.passed.get(key)
  if (count) count.times += 1
  else
    work.passed.set(key, {
      journeyId: walker.journey_id,
      number: walker.number,
      nodeId: walker.node_id,
      times: 1,
    })
}

function farewells(walkers: readonly Walker[], standings: readonly Standing[], now: Date): NewEvent[] {
  const byId = new Map(walkers.map((walker) => [walker.id, walker]))
  return standings
    .filter((standing) => standing.state !== 'active')
    .map((standing) => {
      const walker = byId.get(standing.id) as Walker
      return leftEvent(walker, standing.reason ?? 'ended', now)
    })
}

/** The event that a stay has ended; its id is the stay's. */
export function leftEvent(
  stay: { id: string; person_id: number; journey_id: string; number: number },
  reason: string,
  at: Date,
): NewEvent {
  return {
    id: idOf('journey_left', stay.id),
    type: 'journey_left',
    profileId: stay.person_id,
    personId: stay.person_id,
    at,
    data: { journeyId: stay.journey_id, version: stay.number, enrolmentId: stay.id, reason },
  }
}

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
