/**
 * Taking back what nobody has confirmed: after 48 hours, when the quiet hours begin, when a member withdraws consent,
 * when the channel is put back to test.
 * The intent (`closing`) is committed first; cancelling twice does no harm; what was confirmed meanwhile stays confirmed.
 */
import { crashPoint } from '../../platform/crash.ts'
import { fence } from '../../platform/jobs/lease.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import { quietUntil } from '../arbiter/slots.ts'
import type { ChannelName } from '../candidate.ts'
import { CONFIRM_HOURS } from '../settings.ts'
import { type TouchFacts, tell, touchEvent } from '../touch-events.ts'
import type { Channel } from './channel.ts'
import type { Delivery } from './delivery.ts'
import { applyProgress } from './follow.ts'
import { addressesOf, CALL_TIMEOUT_MS, deferToMorning, handoverOf, partition, takeOut } from './hand.ts'
import { inParallel } from './parallel.ts'
import { willingOf } from './settle.ts'
import * as store from './store.ts'

const CLOSED_A_ROUND = 50
const TRY_AGAIN_MS = 30_000

/** Closes what must be closed; the number of hand-overs that were looked at. */
export async function closeOpen(channel: Channel, delivery: Delivery): Promise<number> {
  const { db, now, zone, rules } = delivery
  if (channel.needsPerson) {
    const quiet = quietUntil(zone, rules, now) !== undefined
    await db.transaction(async (tx) => {
      await fence(tx, delivery.token)
      await store.toClose(tx, channel.name, now, quiet, CLOSED_A_ROUND)
    })
  }
  const rows = await store.dueOutboxes(db, channel.name, 'closing', now, CLOSED_A_ROUND)
  await inParallel(rows, channel.concurrency, (row) => closeOne(row, channel, delivery))
  return rows.length
}

async function closeOne(row: store.OutboxRow, channel: Channel, delivery: Delivery): Promise<void> {
  const { db, now } = delivery
  const touches = await store.touchesOf(db, [row.id])
  const addresses = await addressesOf(db, touches, channel, delivery)
  const handover = handoverOf(row, touches, addresses)
  const before = await channel.poll(handover, now, AbortSignal.timeout(CALL_TIMEOUT_MS))
  const confirmed = before.state === 'known' && before.confirmedAt !== null
  const cancelled = confirmed || (await channel.cancel(handover, AbortSignal.timeout(CALL_TIMEOUT_MS)))
  crashPoint('reach.cancelled')
  // Somebody may have confirmed it between the question and the cancelling.
  const progress = confirmed
    ? before
    : await channel.poll(handover, now, AbortSignal.timeout(CALL_TIMEOUT_MS))
  await db.transaction(async (tx) => {
    await fence(tx, delivery.token)
    if (progress.state === 'known' && progress.confirmedAt)
      return applyProgress(tx, row, touches, addresses, progress, channel, delivery)
    if (!cancelled || progress.state === 'wait')
      return store.setLookAgain(tx, row.id, instant(now.getTime() + TRY_AGAIN_MS))
    return finish(tx, row, touches, delivery)
  })
  crashPoint('reach.closed')
}

async function finish(
  tx: Tx,
  row: store.OutboxRow,
  touches: readonly store.OutboxTouch[],
  delivery: Delivery,
): Promise<void> {
  const { now, zone, rules, ports } = delivery
  if (!(await store.setClosed(tx, row.id))) return
  await ports.askAPerson.settle(tx, [row.id], 'withdrawn', now)
  switch (row.closeReason) {
    case 'quiet_hours': {
      const morning = quietUntil(zone, rules, now) ?? now
      const [wanted, late] = partition(touches, (touch) => lastMoment(touch) > morning.getTime())
      await takeOut(tx, late, 'not_confirmed', now)
      return deferToMorning(tx, wanted, morning, now)
    }
    case 'consent': {
      const persons = touches.map((one) => one.personId)
      const willing = await willingOf(tx, ports.people, persons, row.channel)
      const [rest, gone] = partition(touches, (touch) => willing.has(touch.personId))
      await takeOut(tx, gone, 'no_consent', now)
      return store.planAgain(
        tx,
        rest.map((one) => one.id),
      )
    }
    case 'channel_in_test':
      // Made again, and looked at again before it goes: those who are on the list stay.
      return store.planAgain(
        tx,
        touches.map((one) => one.id),
      )
    default:
      return takeOut(tx, touches, 'not_confirmed', now)
  }
}

/** 48 hours from when it was first handed over, however often it was made again since. */
function lastMoment(touch: store.OutboxTouch): number {
  return touch.createdAt ? touch.createdAt.getTime() + CONFIRM_HOURS * 3_600_000 : Number.POSITIVE_INFINITY
}

/**
 * Consent for marketing on a channel was withdrawn: what was not handed over is dropped, open mass messages are taken
 * back and made again without these persons.
 */
export async function consentWithdrawn(
  tx: Tx,
  personIds: readonly number[],
  channel: ChannelName,
  now: Date,
): Promise<void> {
  if (personIds.length === 0) return
  await store.closeFor(tx, personIds, channel, now)
  await dropWaiting(tx, await store.notHandedOver(tx, personIds, channel), 'no_consent', now)
}

export type Withdrawal = { reason: string } & (
  | { enrolmentIds: readonly string[] }
  | { touchIds: readonly string[] }
)

/**
 * What asked for these touches wants them no more: what was not handed over is dropped with the given reason, what was
 * handed over stays. Returns how many were dropped.
 */
export async function withdraw(tx: Tx, which: Withdrawal, now: Date): Promise<number> {
  const waiting = await store.waitingOf(tx, which)
  await dropWaiting(tx, waiting, which.reason, now)
  return waiting.length
}

/**
 * As `withdraw`, for up to `limit` touches of a SOP, which may have any number: one transaction over all of them would
 * hold up whoever reads the log. Answers the touches that were dropped, and whether there may be more.
 */
export async function withdrawSome(
  tx: Tx,
  { journeyId, reason }: { journeyId: string; reason: string },
  now: Date,
  limit: number,
): Promise<{ touchIds: string[]; more: boolean }> {
  const { looked, waiting } = await store.someWaitingOf(tx, journeyId, limit)
  await dropWaiting(tx, waiting, reason, now)
  return { touchIds: waiting.map((one) => one.id), more: looked > 0 }
}

async function dropWaiting(tx: Tx, waiting: readonly TouchFacts[], reason: string, now: Date): Promise<void> {
  const ids = waiting.map((one) => one.id)
  await store.endTouches(tx, ids, { state: 'dropped', reason, at: now })
  await store.releaseLedger(tx, ids)
  const told = { type: 'touch_decided', state: 'dropped', reason } as const
  await tell(
    tx,
    waiting.map((touch) => touchEvent(touch, told, now, 'withdrawn')),
    now,
  )
}
