/**
 * Handing over. The intent is committed before the call (`sending`, with the token of the lease); whoever finds it later
 * asks the provider before sending again. A process that was stopped between the commit and the call does not call:
 * it leaves the question to whoever holds the lease now.
 */
import { performance } from 'node:perf_hooks'
import { crashPoint } from '../../platform/crash.ts'
import { fence } from '../../platform/jobs/lease.ts'
import type { Db, Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import { quietUntil } from '../arbiter/slots.ts'
import { channelRows, wakePersons } from '../arbiter/store.ts'
import { ALLOWED_WHILE_UNKNOWN } from '../settings.ts'
import { tell, touchEvent } from '../touch-events.ts'
import type { Channel, Handed, Handover } from './channel.ts'
import type { Delivery } from './delivery.ts'
import { inParallel } from './parallel.ts'
import { settleCreated, settleNothing, settleUnclear, takeBackUnwanted } from './settle.ts'
import * as store from './store.ts'

/** Shorter than the lease: no answer is waited for while somebody else may already ask. */
export const CALL_TIMEOUT_MS = 3500
/** A call that has not begun this long after the announcement was begun is not made: others may be asking already. */
const LATEST_START_MS = 8000
const CALLS_A_ROUND = 5
/** Addressees that one announcement looks at again. */
const ADDRESSEES_A_ROUND = 10_000

/** Hands over what is ready; the number of hand-overs that were looked at. */
export async function handReady(channel: Channel, delivery: Delivery): Promise<number> {
  const { db, now } = delivery
  const due = await store.dueOutboxes(db, channel.name, 'ready', now, channel.concurrency * CALLS_A_ROUND)
  const rows = firstFew(due)
  if (rows.length === 0) return 0
  const announcedAt = performance.now()
  const handovers = await db.transaction((tx) => announceAll(tx, rows, channel, delivery))
  crashPoint('reach.announced')
  await inParallel(handovers, channel.concurrency, async ({ row, handover }) => {
    if (performance.now() - announcedAt > LATEST_START_MS) {
      // No call was made. If the lease is gone, whoever has it asks, and finds nothing.
      await db.transaction((tx) => putBack(tx, row, delivery))
      return
    }
    const answer = await channel.hand(handover, AbortSignal.timeout(CALL_TIMEOUT_MS))
    crashPoint('reach.handed')
    await db.transaction((tx) => settle(tx, row, answer, channel, delivery))
    crashPoint('reach.settled')
  })
  return rows.length
}

/** As many as hold no more addressees than one transaction should look at; always at least one. */
function firstFew(due: readonly store.OutboxRow[]): store.OutboxRow[] {
  let addressees = 0
  return due.filter((row, index) => {
    addressees += row.size
    return index === 0 || addressees <= ADDRESSEES_A_ROUND
  })
}

async function putBack(tx: Tx, row: store.OutboxRow, { token, now }: Delivery): Promise<void> {
  await fence(tx, token)
  await store.setUncreated(tx, row.id, { state: 'ready', dueAt: now, error: 'not begun in time' })
}

type Announced = { row: store.OutboxRow; handover: Handover }

/**
 * What may still go is announced; what may not, any more, is taken out. Everything that decides it is locked first: the
 * channel as it stands, the hand-overs, their touches. Whoever withdraws one of these was earlier and is seen, or waits
 * and finds it announced.
 */
async function announceAll(
  tx: Tx,
  due: readonly store.OutboxRow[],
  channel: Channel,
  delivery: Delivery,
): Promise<Announced[]> {
  const { now, token } = delivery
  await fence(tx, token)
  if (!(await store.holdChannel(tx, channel))) return []
  const ready = await store.holdReady(
    tx,
    due.map((row) => row.id),
  )
  const rows = due.filter((row) => ready.has(row.id))
  const touches = await lookAgain(tx, rows, channel, delivery)
  const byOutbox = Map.groupBy(touches, (touch) => touch.outboxId)
  const [filled, empty] = partition(rows, (row) => byOutbox.has(row.id))
  for (const row of empty) await store.setUncreated(tx, row.id, { state: 'closed', dueAt: null, error: null })
  const addresses = await addressesOf(tx, touches, channel, delivery)
  const announced = filled.map((row) => ({
    row: { ...row, attempts: row.attempts + 1, triedAt: now, firstTriedAt: row.firstTriedAt ?? now },
    handover: handoverOf(row, byOutbox.get(row.id) ?? [], addresses),
  }))
  await store.announce(
    tx,
    filled.map((row) => row.id),
    { token: token.token, now },
  )
  return announced
}

/** Between decision and call a night, a withdrawal or a change of the channel may have come. Returns what still goes. */
async function lookAgain(
  tx: Tx,
  rows: readonly store.OutboxRow[],
  channel: Channel,
  delivery: Delivery,
): Promise<store.OutboxTouch[]> {
  const { now, zone, rules, ports } = delivery
  const all = await store.touchesOf(
    tx,
    rows.map((row) => row.id),
  )
  const quiet = quietUntil(zone, rules, now)
  const [sleeping, awake] = partition(all, (touch) => quiet !== undefined && touch.class === 'marketing')
  if (quiet) await deferToMorning(tx, sleeping, quiet, now)
  const people = new Map(
    (await ports.people.recipients(tx, [...new Set(awake.map((touch) => touch.personId))])).map((one) => [
      one.personId,
      one,
    ]),
  )
  const present = (await channelRows(tx)).find((row) => row.name === channel.name)
  function objection(touch: store.OutboxTouch): string | undefined {
    const person = people.get(touch.personId)
    if (touch.expiresAt <= now) return 'expired'
    if (!person) return 'person_gone'
    if (person.demo && present?.mode !== 'simulated') return 'demo_person_real_channel'
    if (present?.mode === 'test' && !person.digests[channel.name].some((one) => present.allowed.has(one)))
      return 'channel_in_test'
    const consent = person.consents[channel.name]
    const allowed = consent === undefined ? ALLOWED_WHILE_UNKNOWN[channel.name] : consent === 'granted'
    return touch.class === 'marketing' && !allowed ? 'no_consent' : undefined
  }
  const objections = Map.groupBy(awake, objection)
  for (const [reason, group] of objections) {
    if (reason !== undefined) await takeOut(tx, group, reason, now)
  }
  return objections.get(undefined) ?? []
}

/** Touches that leave before the call: they never reached anybody. */
export async function takeOut(
  tx: Tx,
  touches: readonly store.OutboxTouch[],
  reason: string,
  now: Date,
): Promise<void> {
  const ids = touches.map((one) => one.id)
  const expired = reason === 'expired' || reason === 'not_confirmed'
  await store.endTouches(tx, ids, { state: expired ? 'expired' : 'dropped', reason, at: now })
  await store.releaseLedger(tx, ids)
  const told = expired
    ? ({ type: 'touch_expired', reason } as const)
    : ({ type: 'touch_decided', state: 'dropped', reason } as const)
  await tell(
    tx,
    touches.map((touch) => touchEvent(touch, told, now, `out ${touch.outboxId}`)),
    now,
  )
}

/** The arbiter decides anew when the quiet hours are over. */
export async function deferToMorning(
  tx: Tx,
  touches: readonly store.OutboxTouch[],
  morning: Date,
  now: Date,
): Promise<void> {
  const [wanted, late] = partition(touches, (touch) => morning < touch.expiresAt)
  await takeOut(tx, late, 'expired', now)
  const ids = wanted.map((one) => one.id)
  await store.deferAgain(tx, ids, morning, 'quiet_hours')
  await store.releaseLedger(tx, ids)
  await wakePersons(
    tx,
    wanted.map((one) => ({ personId: one.personId, dueAt: morning })),
  )
  await tell(
    tx,
    wanted.map((touch) =>
      touchEvent(
        touch,
        { type: 'touch_decided', state: 'deferred', reason: 'quiet_hours' },
        now,
        `night ${touch.outboxId}`,
      ),
    ),
    now,
  )
}

export async function addressesOf(
  tx: Db,
  touches: readonly store.OutboxTouch[],
  channel: Channel,
  { ports }: Delivery,
): Promise<Map<string, string>> {
  const phones =
    channel.name === 'sms'
      ? await ports.people.phones(
          tx,
          touches.map((one) => one.personId),
        )
      : undefined
  const addresses = new Map<string, string>()
  for (const touch of touches) {
    const address = phones ? phones.get(touch.personId) : touch.recipient
    if (address) addresses.set(touch.id, address)
  }
  return addresses
}

export function handoverOf(
  row: store.OutboxRow,
  touches: readonly store.OutboxTouch[],
  addresses: ReadonlyMap<string, string>,
): Handover {
  return {
    id: row.id,
    marker: row.marker,
    senderUserId: row.senderUserId,
    body: row.body,
    attachments: row.attachments,
    sms: row.sms,
    addressees: touches.flatMap((touch) => {
      const address = addresses.get(touch.id)
      return address === undefined ? [] : [{ touchId: touch.id, address }]
    }),
    firstTriedAt: row.firstTriedAt,
    triedAt: row.triedAt,
    providerId: row.providerId,
  }
}

async function settle(
  tx: Tx,
  row: store.OutboxRow,
  answer: Handed,
  channel: Channel,
  delivery: Delivery,
): Promise<void> {
  const { now, token, ports } = delivery
  await fence(tx, token)
  switch (answer.did) {
    case 'created':
      await settleCreated(tx, channel, ports.askAPerson, row, answer, now)
      await takeBackUnwanted(tx, row, channel, delivery)
      await store.setFailing(tx, channel.name, null, null)
      break
    case 'nothing':
      await settleNothing(tx, row, answer, now)
      if (answer.pauseSeconds !== undefined) {
        const until = instant(now.getTime() + answer.pauseSeconds * 1000)
        await store.setFailing(tx, channel.name, answer.error, until)
      }
      break
    case 'unclear':
      await settleUnclear(tx, row, answer.error, now)
      break
  }
}

export function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = []
  const no: T[] = []
  for (const item of items) (test(item) ? yes : no).push(item)
  return [yes, no]
}
