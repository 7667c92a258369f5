/**
 * Stepping: all who are due move on together, node by node, in one transaction.
 *
 * Stored: where each stands (node_id), how many nodes were passed (stop), until when it waits (due_at), whose outcome it
 * awaits (waits_for) and that outcome (answer). Always true: what a node decides (candidate, task) has the id
 * idOf(enrolment, node, stop) and is written in the transaction that moves the enrolment on, so a crash repeats the step
 * as a whole and a repeat decides nothing twice. A held-out person walks the same way; the arbiter records the touch as
 * held out, and guides get no task.
 */
import { append, type NewEvent } from '../events/events.ts'
import { crashPoint } from '../platform/crash.ts'
import { fence, type LeaseToken } from '../platform/jobs/lease.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import type { Zone } from '../platform/time/zone.ts'
import { offer } from '../reach/reach.ts'
import { cancelTasks, createTasks } from '../tasks/tasks.ts'
import {
  claimDue,
  claimEnded,
  countPassed,
  type DueEnrolment,
  type Standing,
  writeStandings,
} from './enrolment-store.ts'
import { leftEvent } from './farewell.ts'
import { definitionsOf } from './journey-store.ts'
import { decideAt, type Move, type Walker, type Work } from './moves.ts'

const BATCH = 1000
const MAX_HOPS = 100
const SOURCE = 'journeys'

/** Moves at most 1,000 enrolments that are due, or whose SOP has ended; how many. Errors: `LeaseLost`. */
export async function stepOnce(
  db: Database,
  how: { token: LeaseToken; now: Date; zone: Zone },
): Promise<number> {
  return db.transaction(async (tx) => {
    await fence(tx, how.token)
    const ready = await claimDue(tx, how.now, BATCH)
    const due = ready.length > 0 ? ready : await claimEnded(tx, BATCH)
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
    const gone = standings.filter((standing) => standing.state === 'left').map(({ id }) => id)
    if (gone.length > 0) await cancelTasks(tx, { enrolmentIds: gone }, how.now)
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
  const moves = new Map<string, Move>()
  for (const walker of group)
    if (walker.leaves) moves.set(walker.id, { do: 'end', state: 'left', reason: walker.leaves })
  const present = group.filter((walker) => walker.leaves === null)
  const node = present[0]?.nodes.get(present[0].node_id)
  if (node)
    for (const [walker, move] of await decideAt(tx, node, present, work, how)) moves.set(walker.id, move)
  return group.map((walker) => moves.get(walker.id) ?? { do: 'end', state: 'left', reason: 'step_missing' })
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
