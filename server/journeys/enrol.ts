/**
 * Who enters a SOP, and what else an event does to those who are in one. A handler of the consumer `react`: it needs
 * PostgreSQL only and runs in the transaction that moves the consumer's position.
 *
 * Always true: a trigger fires only for an event that is live and fresh; entering a segment counts when its cause is
 * event or time. An import, a merge or a change of a rule therefore lets nobody in, whatever the operator ticked: whoever
 * is in the segment before going live is taken in once, by present.ts.
 */

import { isPurchase, type OrderState } from '../../contract/events.ts'
import type { JourneyDefinition, Trigger } from '../../contract/journey-definition.ts'
import { append, isFresh, type LoggedEvent, type NewEvent } from '../events/events.ts'
import { crashPoint } from '../platform/crash.ts'
import { idOf } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import { instant } from '../platform/time/clock.ts'
import { heldOut, withdraw } from '../reach/reach.ts'
import { cancelTasks } from '../tasks/tasks.ts'
import {
  activeStays,
  endStays,
  enrol,
  moveStays,
  type NewEnrolment,
  noteReturns,
  writeAnswers,
} from './enrolment-store.ts'
import { leftEvent } from './farewell.ts'
import { type LiveJourney, liveJourneys } from './journey-store.ts'
import { type BuyerFacts, buyersOf } from './person-store.ts'

const SOURCE = 'journeys'
const DAY_MS = 86_400_000
/** A purchase this long before an add or a visit belongs to it. */
const SAME_OCCASION_MS = DAY_MS

/** Those of `handledTypes` that start nothing where they came in bulk: read from the live lane only. */
export const liveTypes = ['segment_entered', 'segments_changed'] as const

export const handledTypes = [
  'contact_added',
  'member_joined',
  'visited_store',
  'order_recorded',
  'segment_entered',
  'segments_changed',
  'touch_delivered',
  'touch_failed',
  'touch_expired',
  'touch_unknown',
  'touch_decided',
  'task_done',
] as const

type Entry = {
  personId: number
  eventId: string
  at: Date
  trigger: Trigger['on']
  segmentId?: number
  tried: string | null
  bought: boolean
  orderId?: string
}

/** Handles a batch in its order. */
export async function onEvents(tx: Tx, events: readonly LoggedEvent[], now: Date): Promise<void> {
  await hearAnswers(tx, events, now)
  crashPoint('journeys.heard')
  await followPurchases(tx, events, now)
  crashPoint('journeys.followed')
  const journeys = await liveJourneys(tx)
  if (journeys.length === 0) return
  const entries = events.flatMap((event) => entryOf(event, now))
  if (entries.length === 0) return
  const buyers = await buyersOf(
    tx,
    [...new Set(entries.map((entry) => entry.personId))],
    new Date(Math.min(...entries.map((entry) => entry.at.getTime())) - SAME_OCCASION_MS),
  )
  for (const journey of journeys) {
    await enter(tx, journey, entries, buyers, now)
    crashPoint('journeys.entered')
  }
}

/** An event as something that may let a person in; none for what is old, imported, or about nobody. */
function entryOf(event: LoggedEvent, now: Date): Entry[] {
  if (event.personId === null) return []
  const base = {
    personId: event.personId,
    eventId: event.id,
    at: event.at,
    tried: null,
    bought: false,
  }
  const acts = event.lane === 'live' && isFresh(event, now)
  switch (event.type) {
    case 'contact_added':
    case 'member_joined':
      return acts ? [{ ...base, trigger: event.type }] : []
    case 'visited_store':
      return acts
        ? [
            {
              ...base,
              trigger: event.type,
              bought: event.data['bought'] === true,
              tried: (event.data['triedSku'] as string | null) ?? null,
            },
          ]
        : []
    case 'order_recorded': {
      const order = event.data['order'] as OrderState
      if (!acts || event.data['deleted'] === true || !isPurchase(order)) return []
      return [
        {
          ...base,
          trigger: 'new_purchase',
          at: instant(order.paidAt as string),
          bought: true,
          orderId: event.data['orderId'] as string,
        },
      ]
    }
    case 'segment_entered':
    case 'segments_changed': {
      const { cause, segmentId, entered = [segmentId] } = event.data as Entering
      if (!acts || (cause !== 'event' && cause !== 'time')) return []
      return entered.map((id) => ({ ...base, trigger: 'segment', segmentId: id }))
    }
    default:
      return []
  }
}

/** Of one segment in older logs, of all that were entered at once in newer ones. */
type Entering = { cause: string; segmentId: number; entered?: readonly number[] }

async function enter(
  tx: Tx,
  journey: LiveJourney,
  entries: readonly Entry[],
  buyers: ReadonlyMap<number, BuyerFacts>,
  now: Date,
): Promise<void> {
  const start = journey.definition.nodes.find((node) => node.kind === 'trigger')
  if (!start) return
  const wanted = entries.filter((entry) =>
    start.on.some((trigger) => lets(trigger, entry, buyers.get(entry.personId))),
  )
  const first = new Map<number, Entry>()
  for (const entry of wanted) {
    const earlier = first.get(entry.personId)
    if (!earlier || (entry.bought && !earlier.bought)) first.set(entry.personId, entry)
  }
  await letIn(
    tx,
    journey,
    start.id,
    [...first.values()].map((entry) => ({
      ...entry,
      bought: entry.bought || boughtOnTheOccasion(entry, buyers),
    })),
    now,
  )
}

function boughtOnTheOccasion(entry: Entry, buyers: ReadonlyMap<number, BuyerFacts>): boolean {
  return entry.trigger !== 'segment' && (buyers.get(entry.personId)?.boughtSince ?? false)
}

function lets(trigger: Trigger, entry: Entry, buyer: BuyerFacts | undefined): boolean {
  if (trigger.on !== entry.trigger) return false
  if (trigger.on === 'segment') return trigger.segmentId === entry.segmentId
  if (trigger.on !== 'new_purchase') return true
  if (!buyer) return false
  const joinedDaysAgo =
    buyer.joinedAt === null ? null : (entry.at.getTime() - buyer.joinedAt.getTime()) / DAY_MS
  return buyer.purchases <= 1 || (joinedDaysAgo !== null && joinedDaysAgo <= trigger.newDays)
}

/** Lets persons into a SOP at its first node; how many entered. */
export async function letIn(
  tx: Tx,
  journey: LiveJourney,
  nodeId: string,
  entries: readonly Entry[],
  now: Date,
): Promise<number> {
  if (entries.length === 0) return 0
  const held = await heldOut(
    tx,
    journey.id,
    entries.map((entry) => entry.personId),
    now,
  )
  const rows = entries.map(
    (entry): NewEnrolment => ({
      id: idOf('enrolment', journey.id, entry.personId, entry.eventId),
      journeyId: journey.id,
      number: journey.number,
      personId: entry.personId,
      nodeId,
      anchorAt: entry.at,
      facts: { bought: entry.bought, tried: entry.tried, trigger: entry.trigger },
      heldOut: held.has(entry.personId),
    }),
  )
  const entered = await enrol(
    tx,
    rows,
    { journeyId: journey.id, since: againSince(journey.definition, now) },
    now,
  )
  const events = entered.map(
    ({ id, personId }): NewEvent => ({
      id: idOf('journey_entered', id),
      type: 'journey_entered',
      profileId: personId,
      personId,
      at: now,
      data: { journeyId: journey.id, version: journey.number, enrolmentId: id },
    }),
  )
  await append(tx, events, { lane: 'live', source: SOURCE, receivedAt: now })
  return entered.length
}

function againSince(definition: JourneyDefinition, now: Date): Date | null {
  return definition.againAfterDays === null
    ? null
    : new Date(now.getTime() - definition.againAfterDays * DAY_MS)
}

/** Outcomes of touches and tasks that stays wait for. A deferred touch goes on waiting. */
async function hearAnswers(tx: Tx, events: readonly LoggedEvent[], now: Date): Promise<void> {
  const answers: { waitsFor: string; answer: string }[] = []
  for (const event of events) {
    if (event.type === 'touch_delivered')
      answers.push({ waitsFor: event.data['touchId'] as string, answer: 'delivered' })
    else if (
      event.type === 'touch_failed' ||
      event.type === 'touch_expired' ||
      event.type === 'touch_unknown'
    )
      answers.push({ waitsFor: event.data['touchId'] as string, answer: 'not_sent' })
    else if (event.type === 'touch_decided' && event.data['state'] === 'held_out')
      answers.push({ waitsFor: event.data['touchId'] as string, answer: 'held_out' })
    else if (event.type === 'touch_decided' && event.data['state'] === 'dropped')
      answers.push({ waitsFor: event.data['touchId'] as string, answer: 'not_sent' })
    else if (event.type === 'task_done')
      answers.push({ waitsFor: event.data['taskId'] as string, answer: 'done' })
  }
  if (answers.length > 0) await writeAnswers(tx, answers, now)
}

/** A purchase ends or turns stays, however it came to be known; only a live and fresh one starts new messages. */
async function followPurchases(tx: Tx, events: readonly LoggedEvent[], now: Date): Promise<void> {
  const purchases = events.flatMap((event) => {
    if (event.type !== 'order_recorded' || event.personId === null || event.data['deleted'] === true)
      return []
    const order = event.data['order'] as OrderState
    if (!isPurchase(order)) return []
    return [
      {
        personId: event.personId,
        at: instant(order.paidAt as string),
        acts: event.lane === 'live' && isFresh(event, now),
      },
    ]
  })
  if (purchases.length === 0) return
  await noteReturns(tx, purchases)
  const stays = await activeStays(tx, [...new Set(purchases.map((purchase) => purchase.personId))])
  const leaving: typeof stays = []
  const moving: { id: string; nodeId: string; anchorAt: Date; facts: Record<string, unknown> }[] = []
  for (const stay of stays) {
    const purchase = purchases.find(
      (bought) => bought.personId === stay.person_id && bought.at > stay.entered_at,
    )
    if (!purchase) continue
    const { onPurchase } = stay.definition
    if (onPurchase.do === 'leave') leaving.push(stay)
    else if (onPurchase.do === 'move' && purchase.acts && stay.facts[onPurchase.unlessFact] !== true) {
      moving.push({ id: stay.id, nodeId: onPurchase.to, anchorAt: purchase.at, facts: { bought: true } })
    }
  }
  const released = [...leaving.map((stay) => stay.id), ...moving.map((move) => move.id)]
  if (released.length === 0) return
  await cancelTasks(tx, { enrolmentIds: released }, now)
  await withdraw(tx, { enrolmentIds: released, reason: 'bought' }, now)
  await endStays(
    tx,
    leaving.map((stay) => stay.id),
    'finished',
    'returned',
    now,
  )
  await moveStays(tx, moving, now)
  await append(
    tx,
    leaving.map((stay) => leftEvent(stay, 'returned', now)),
    { lane: 'live', source: SOURCE, receivedAt: now },
  )
}
