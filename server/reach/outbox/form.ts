/**
 * From planned touches to hand-overs: touches with equal sender and equal content in one slot are one mass message;
 * an SMS is a hand-over of its own; content with a member's values becomes a task for the guide.
 * The id of a hand-over is fixed before any call, and with it the marker by which it is found again.
 */

import { brand } from '../../org/org.ts'
import { newId } from '../../platform/ids.ts'
import { fence, type LeaseToken } from '../../platform/jobs/lease.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { instant } from '../../platform/time/clock.ts'
import { somebodyIsDue } from '../arbiter/store.ts'
import { fillIn } from '../content/template.ts'
import type { AskAPerson, Request } from '../ports.ts'
import { CONFIRM_HOURS } from '../settings.ts'
import { tell, touchEvent } from '../touch-events.ts'
import type { Channel } from './channel.ts'
import * as store from './store.ts'

/** The template of an SMS that no provider has approved: a simulated channel takes it. */
const UNAPPROVED = 'TEXT'
const GROUPS_A_ROUND = 200
/** A round that holds more than this many touches ends after the group that exceeded it. */
const TOUCHES_A_ROUND = 2000
const GROUP_LIMIT = 10_000
/** The arbiter is given this long to finish a slot, so that one sender gets one mass message and not several. */
const SLOT_PATIENCE_MS = 5 * 60_000

/** Makes hand-overs of what is planned; the number of touches that were taken. */
export async function formOnce(
  db: Database,
  channels: readonly Channel[],
  askAPerson: AskAPerson,
  how: { token: LeaseToken; now: Date },
): Promise<number> {
  await endExpired(db, how)
  const open = channels.map((one) => one.name)
  const groups = await store.plannedGroups(db, open, how.now, GROUPS_A_ROUND)
  if (groups.length === 0) return 0
  const arbiterBusy = await somebodyIsDue(db, how.now)
  const ready = groups.filter((group) => !(arbiterBusy && mayGrow(group, how.now)))
  let taken = 0
  for (const group of ready) {
    const channel = channels.find((one) => one.name === group.channel)
    if (!channel) continue
    taken += await db.transaction((tx) => formGroup(tx, group, channel, askAPerson, how))
    if (taken >= TOUCHES_A_ROUND) break
  }
  return taken
}

/** Nobody waits for ever for a channel that is off: what is not wanted any more ends and gives its reservation back. */
async function endExpired(db: Database, how: { token: LeaseToken; now: Date }): Promise<void> {
  await db.transaction(async (tx) => {
    await fence(tx, how.token)
    const touches = await store.takeExpired(tx, how.now, TOUCHES_A_ROUND)
    const ids = touches.map((one) => one.id)
    await store.endTouches(tx, ids, { state: 'expired', reason: 'expired', at: how.now })
    await store.releaseLedger(tx, ids)
    await tell(
      tx,
      touches.map((touch) =>
        touchEvent(touch, { type: 'touch_expired', reason: 'expired' }, how.now, 'form'),
      ),
      how.now,
    )
  })
}

function mayGrow(group: store.PlannedGroup, now: Date): boolean {
  return (
    group.channel === 'wecom' &&
    group.class === 'marketing' &&
    now.getTime() - group.slot.getTime() < SLOT_PATIENCE_MS
  )
}

async function formGroup(
  tx: Tx,
  group: store.PlannedGroup,
  channel: Channel,
  askAPerson: AskAPerson,
  how: { token: LeaseToken; now: Date },
): Promise<number> {
  await fence(tx, how.token)
  const limit = channel.maxAddressees === 1 ? TOUCHES_A_ROUND : Math.min(channel.maxAddressees, GROUP_LIMIT)
  const touches = await store.takePlanned(tx, group, limit)
  if (touches.length === 0) return 0
  const content = await store.contentText(tx, group.contentId)
  if (!content) await endAsMissing(tx, touches, how.now)
  else if (content.perMember) await askForCopies(tx, touches, content, askAPerson, how.now)
  else if (channel.needsPerson) await formMassMessage(tx, touches, content, group, how.now)
  else await formSingles(tx, touches, content, how.now)
  return touches.length
}

async function formMassMessage(
  tx: Tx,
  touches: readonly store.PlannedTouch[],
  content: store.ContentText,
  group: store.PlannedGroup,
  now: Date,
): Promise<void> {
  const sender = group.senderId ? await store.senderFacts(tx, group.senderId) : undefined
  if (!sender) return endAsMissing(tx, touches, now, 'sender_gone')
  const body = fillIn(content.body, {
    sender: { name: sender.name },
    brand: { name: (await brand(tx)).name },
  })
  if (body === undefined) return endAsMissing(tx, touches, now)
  const id = newId(now)
  const outbox = {
    ...common(group, content, id),
    senderId: group.senderId,
    senderUserId: sender.userId,
    body,
    attachments: content.attachments,
    sms: null,
    touchIds: touches.map((one) => one.id),
  }
  await store.insertOutboxes(tx, [outbox], now)
}

async function formSingles(
  tx: Tx,
  touches: readonly store.PlannedTouch[],
  content: store.ContentText,
  now: Date,
): Promise<void> {
  const shop = { name: (await brand(tx)).name }
  const filled = touches.map((touch) => ({
    touch,
    text: fillSingle(content, { brand: shop, ...touch.facts }),
  }))
  await endAsMissing(
    tx,
    filled.flatMap(({ touch, text }) => (text ? [] : [touch])),
    now,
  )
  const outboxes = filled.flatMap(({ touch, text }) =>
    text
      ? [
          {
            ...common(touch, content, newId(now)),
            senderId: null,
            senderUserId: null,
            body: text.body,
            attachments: [],
            sms: content.sms
              ? { ...content.sms, params: text.params }
              : { sign: shop.name, template: UNAPPROVED, params: { text: text.body } },
            touchIds: [touch.id],
          },
        ]
      : [],
  )
  await store.insertOutboxes(tx, outboxes, now)
}

function common(
  of: Pick<store.PlannedTouch, 'channel' | 'class' | 'slot' | 'contentId'>,
  content: store.ContentText,
  id: string,
) {
  return {
    id,
    channel: of.channel as store.NewOutbox['channel'],
    class: of.class,
    slot: of.slot,
    contentId: of.contentId,
    contentVersion: content.version,
    marker: id.replaceAll('-', '').slice(-20),
  }
}

function fillSingle(
  content: store.ContentText,
  facts: Record<string, unknown>,
): { body: string; params: Record<string, string> } | undefined {
  const body = fillIn(content.body, facts)
  if (body === undefined) return undefined
  const params: Record<string, string> = {}
  for (const [name, template] of Object.entries(content.sms?.params ?? {})) {
    const text = fillIn(template, facts)
    if (text === undefined) return undefined
    params[name] = text
  }
  return { body, params }
}

async function askForCopies(
  tx: Tx,
  touches: readonly store.PlannedTouch[],
  content: store.ContentText,
  askAPerson: AskAPerson,
  now: Date,
): Promise<void> {
  const shop = { name: (await brand(tx)).name }
  const senderId = touches[0]?.senderId ?? null
  const sender = senderId ? await store.senderFacts(tx, senderId) : undefined
  const requests: Extract<Request, { kind: 'copy' }>[] = []
  const missing: store.PlannedTouch[] = []
  const latest = instant(now.getTime() + CONFIRM_HOURS * 3_600_000)
  for (const touch of touches) {
    const text = fillIn(content.body, { brand: shop, sender: { name: sender?.name ?? '' }, ...touch.facts })
    if (text === undefined) missing.push(touch)
    else
      requests.push({
        kind: 'copy',
        touchId: touch.id,
        staffId: touch.senderId,
        personId: touch.personId,
        journeyId: touch.journeyId,
        enrolmentId: touch.enrolmentId,
        nodeId: touch.nodeId,
        text,
        dueAt: earlier(touch.expiresAt, latest),
        demo: touch.demo,
      })
  }
  await endAsMissing(tx, missing, now)
  await store.setTouchesAsked(
    tx,
    requests.map((one) => one.touchId),
    now,
  )
  await askAPerson.ask(tx, requests, now)
}

async function endAsMissing(
  tx: Tx,
  touches: readonly store.PlannedTouch[],
  now: Date,
  reason: 'content_missing' | 'sender_gone' = 'content_missing',
): Promise<void> {
  const ids = touches.map((one) => one.id)
  await store.endTouches(tx, ids, { state: 'dropped', reason, at: now })
  await store.releaseLedger(tx, ids)
  await tell(
    tx,
    touches.map((touch) =>
      touchEvent(touch, { type: 'touch_decided', state: 'dropped', reason }, now, 'form'),
    ),
    now,
  )
}

function earlier(a: Date, b: Date): Date {
  return instant(Math.min(a.getTime(), b.getTime()))
}
