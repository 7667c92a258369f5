/** What an answer of the provider means for a hand-over and its touches. Each function runs in one fenced transaction. */
import type { Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import type { ChannelName } from '../candidate.ts'
import type { AskAPerson, People } from '../ports.ts'
import { CONFIRM_HOURS } from '../settings.ts'
import { tell, touchEvent } from '../touch-events.ts'
import type { Channel } from './channel.ts'
import type { Delivery } from './delivery.ts'
import * as store from './store.ts'

export type Refused = readonly { touchId: string; reason: string }[]

/** The provider has it: by its answer, or found afterwards. */
export async function settleCreated(
  tx: Tx,
  channel: Channel,
  askAPerson: AskAPerson,
  outbox: store.OutboxRow,
  answer: { providerId: string; refused: Refused },
  now: Date,
): Promise<boolean> {
  const touches = await store.touchesOf(tx, [outbox.id])
  const refusal = new Map(answer.refused.map((one) => [one.touchId, one.reason]))
  const taken = touches.filter((touch) => !refusal.has(touch.id))
  const expiresAt = instant(Math.min(expiryOf(taken, now), now.getTime() + CONFIRM_HOURS * 3_600_000))
  const accepted = await store.setCreated(tx, outbox.id, {
    providerId: answer.providerId,
    now,
    dueAt: instant(now.getTime() + channel.pollSeconds * 1000),
    expiresAt: channel.needsPerson ? expiresAt : null,
    confirmed: !channel.needsPerson,
  })
  if (!accepted) return false
  await refuse(tx, outbox, touches, refusal, now)
  const ids = taken.map((one) => one.id)
  await store.setTouchesCreated(tx, ids, { state: channel.needsPerson ? 'created' : 'confirmed', now })
  if (!channel.needsPerson) await store.dateLedger(tx, ids, now)
  await tell(
    tx,
    taken.map((touch) =>
      touchEvent(touch, { type: 'touch_sent', costCents: touch.costCents }, now, outbox.id),
    ),
    now,
  )
  if (channel.needsPerson && outbox.senderId && taken.length > 0) {
    const first = taken[0]?.journeyId ?? null
    const journeyId = taken.every((one) => one.journeyId === first) ? first : null
    await askAPerson.ask(
      tx,
      [
        {
          kind: 'confirm',
          outboxId: outbox.id,
          staffId: outbox.senderId,
          journeyId,
          members: taken.length,
          text: outbox.body,
          dueAt: expiresAt,
          demo: taken.some((one) => one.demo),
        },
      ],
      now,
    )
  }
  return true
}

/**
 * Consent may have been withdrawn, or a person erased, while nobody knew whether the provider had the mass message:
 * nobody has confirmed it yet, so it is taken back and made again without them. It is asked after the hand-over is
 * settled, whose row a withdrawal waits for (`closeFor`): none falls between the two.
 */
export async function takeBackUnwanted(
  tx: Tx,
  row: store.OutboxRow,
  channel: Channel,
  { ports, now }: Delivery,
): Promise<void> {
  if (!channel.needsPerson || row.class !== 'marketing') return
  const persons = (await store.touchesOf(tx, [row.id])).map((touch) => touch.personId)
  const willing = await willingOf(tx, ports.people, persons, row.channel)
  if (persons.some((id) => !willing.has(id))) await store.closeUnwanted(tx, [row.id], now)
}

/** Who of the persons is still there and has not withdrawn consent for the channel. */
export async function willingOf(
  tx: Tx,
  people: People,
  personIds: readonly number[],
  channel: ChannelName,
): Promise<ReadonlySet<number>> {
  const recipients = await people.recipients(tx, personIds)
  return new Set(recipients.filter((one) => one.consents[channel] !== 'withdrawn').map((one) => one.personId))
}

/** A mass message is open as long as one of its touches is still wanted. */
function expiryOf(touches: readonly store.OutboxTouch[], now: Date): number {
  return touches.reduce((latest, touch) => Math.max(latest, touch.expiresAt.getTime()), now.getTime())
}

async function refuse(
  tx: Tx,
  outbox: store.OutboxRow,
  touches: readonly store.OutboxTouch[],
  refusal: ReadonlyMap<string, string>,
  now: Date,
): Promise<void> {
  for (const [reason, group] of Map.groupBy(touches, (touch) => refusal.get(touch.id))) {
    if (reason === undefined) continue
    await endUnreached(tx, group, reason, outbox.id, now)
  }
}

/** Touches that certainly reached nobody: they end, and their reservation is released. */
export async function endUnreached(
  tx: Tx,
  touches: readonly store.OutboxTouch[],
  reason: string,
  occasion: string,
  now: Date,
): Promise<void> {
  const ids = touches.map((one) => one.id)
  const state = reason === 'not_a_contact' || reason === 'quota' ? reason : 'failed'
  await store.endTouches(tx, ids, { state, reason, at: now })
  await store.releaseLedger(tx, ids)
  await tell(
    tx,
    touches.map((touch) => touchEvent(touch, { type: 'touch_failed', reason }, now, occasion)),
    now,
  )
}

/** After so many calls that certainly did nothing, the touches have failed. */
const MAX_ATTEMPTS = 8
const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 3_600_000

/** Certainly nothing happened: again later, or never. */
export async function settleNothing(
  tx: Tx,
  outbox: store.OutboxRow,
  answer: { again: boolean; error: string; reason?: string },
  now: Date,
): Promise<void> {
  if (answer.again && outbox.attempts < MAX_ATTEMPTS) {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, outbox.attempts - 1), LONGEST_PAUSE_MS)
    await store.setUncreated(tx, outbox.id, {
      state: 'ready',
      dueAt: instant(now.getTime() + pause),
      error: answer.error,
    })
    return
  }
  const done = await store.setUncreated(tx, outbox.id, { state: 'failed', dueAt: null, error: answer.error })
  if (!done) return
  const touches = await store.touchesOf(tx, [outbox.id])
  await endUnreached(tx, touches, answer.reason ?? answer.error, outbox.id, now)
}

/** Nobody knows yet: the provider is asked before anything is sent again. */
export async function settleUnclear(
  tx: Tx,
  outbox: store.OutboxRow,
  error: string,
  now: Date,
): Promise<void> {
  await store.setUncreated(tx, outbox.id, {
    state: 'asking',
    dueAt: instant(now.getTime() + ASK_AGAIN_MS),
    error,
  })
}
export const ASK_AGAIN_MS = 5000

/** Nobody can ever know by asking: listed as unknown, counted as if it had reached the person, never sent again in silence. */
export async function settleUnknown(tx: Tx, outbox: store.OutboxRow, now: Date): Promise<void> {
  const done = await store.setUncreated(tx, outbox.id, {
    state: 'unknown',
    dueAt: null,
    error: 'several could be it',
  })
  if (!done) return
  const touches = await store.touchesOf(tx, [outbox.id])
  const ids = touches.map((one) => one.id)
  await store.setTouchesUnknown(tx, ids)
  await store.dateLedger(tx, ids, outbox.triedAt ?? now)
  await tell(
    tx,
    touches.map((touch) => touchEvent(touch, { type: 'touch_unknown' }, now, outbox.id)),
    now,
  )
}
