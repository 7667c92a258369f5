/**
 * WeCom one-to-one: a mass message that a member of staff confirms, through the port of reach.
 *
 * WeCom has no idempotency key, so a hand-over is found again by its own link: the marker stands in the address of the
 * first link. Content without a link is compared by its text, its time and its recipients.
 */

import { type WecomClient, WecomRefused, WecomSilent } from '../../../wecom/client.ts'
import { wireCode } from '../../../wecom/wire/base.ts'
import type { ListedMessage, SendResult, WireAttachment } from '../../../wecom/wire/mass-message.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Channel, Found, Handed, Handover, Progress, Result } from '../../reach/reach.ts'

export type WecomChannelOptions = {
  client: WecomClient
  /** "no match after 15 minutes: sent again" */
  settleSeconds?: number
  pollSeconds?: number
}

const MARKER_PARAMETER = 'll'
const SETTLE_SECONDS = 15 * 60
const POLL_SECONDS = 60
/** The clock of WeCom and ours may differ by this much. */
const CLOCK_SECONDS = 600
const MAX_PAGES = 50

/** The channel over one app of the corp. */
export function wecomChannel({ client, settleSeconds, pollSeconds }: WecomChannelOptions): Channel {
  return {
    name: 'wecom',
    baseUrl: client.baseUrl,
    needsPerson: true,
    maxAddressees: 10_000,
    concurrency: 4,
    settleSeconds: settleSeconds ?? SETTLE_SECONDS,
    pollSeconds: pollSeconds ?? POLL_SECONDS,
    hand: (handover, signal) => hand(client, handover, signal),
    find: (handover, known, now, signal) => find(client, handover, known, now, signal),
    poll: (handover, _now, signal) => poll(client, handover, signal),
    cancel: (handover, signal) => cancel(client, handover, signal),
  }
}

async function hand(client: WecomClient, handover: Handover, signal: AbortSignal): Promise<Handed> {
  if (!handover.senderUserId)
    return { did: 'nothing', again: false, error: 'no sender', reason: 'sender_gone' }
  try {
    const answer = await client.addMessage(
      {
        chat_type: 'single',
        external_userid: handover.addressees.map((one) => one.address),
        sender: handover.senderUserId,
        text: { content: handover.body },
        attachments: attachmentsOf(handover),
      },
      signal,
    )
    if (!answer.msgid) return { did: 'unclear', error: 'no msgid' }
    return { did: 'created', providerId: answer.msgid, refused: refusedOf(handover, answer.fail_list ?? []) }
  } catch (error) {
    return failureOf(error)
  }
}

function refusedOf(handover: Handover, failed: readonly string[]): { touchId: string; reason: string }[] {
  const without = new Set(failed)
  return handover.addressees
    .filter((one) => without.has(one.address))
    .map((one) => ({ touchId: one.touchId, reason: 'not_a_contact' }))
}

/** What certainly had no effect, and what nobody knows. Busy (-1) says nothing about the effect. */
function failureOf(error: unknown): Handed {
  if (error instanceof WecomSilent) return { did: 'unclear', error: error.message }
  if (!(error instanceof WecomRefused)) return { did: 'unclear', error: 'the call was broken off' }
  switch (error.code) {
    case wireCode.busy:
    case wireCode.versionConflict:
      return { did: 'unclear', error: error.message }
    case wireCode.tooManyCalls:
    case wireCode.tooManyAtOnce:
      return { did: 'nothing', again: true, error: error.message, pauseSeconds: 60 }
    case wireCode.nobodyToSendTo:
      return { did: 'nothing', again: false, error: error.message, reason: 'not_a_contact' }
    case wireCode.badToken:
    case wireCode.tokenExpired:
    case wireCode.badSecret:
    case wireCode.badCorp:
    case wireCode.noPermission:
    case wireCode.notTrustedAddress:
      return { did: 'nothing', again: true, error: error.message, pauseSeconds: 300 }
    default:
      return { did: 'nothing', again: false, error: error.message, reason: 'channel_refused' }
  }
}

/** The marker goes into the first link, whose address it does not otherwise change. */
function attachmentsOf(handover: Handover): WireAttachment[] {
  return handover.attachments.map((link, index) => ({
    msgtype: 'link',
    link: {
      title: link.title,
      url: index === 0 ? withMarker(link.url, handover.marker) : link.url,
      ...(link.description === undefined ? {} : { desc: link.description }),
      ...(link.pictureUrl === undefined ? {} : { picurl: link.pictureUrl }),
    },
  }))
}

function withMarker(address: string, marker: string): string {
  const url = new URL(address)
  url.searchParams.set(MARKER_PARAMETER, marker)
  return url.href
}

function markerOf(message: ListedMessage): string | undefined {
  for (const attachment of message.attachments ?? []) {
    if (attachment.msgtype !== 'link' || !URL.canParse(attachment.link.url)) continue
    const marker = new URL(attachment.link.url).searchParams.get(MARKER_PARAMETER)
    if (marker) return marker
  }
  return undefined
}

async function find(
  client: WecomClient,
  handover: Handover,
  known: ReadonlySet<string>,
  now: Date,
  signal: AbortSignal,
): Promise<Found> {
  try {
    const from = handover.firstTriedAt ?? handover.triedAt ?? now
    const listed = await listSince(client, from, now, signal)
    const fresh = listed.filter((message) => !known.has(message.msgid))
    const marked = fresh.filter((message) => markerOf(message) === handover.marker)
    const matches = handover.attachments.length > 0 ? marked : await sameText(client, handover, fresh, signal)
    const [match] = matches
    if (!match) return { found: 'none' }
    if (matches.length > 1) return { found: 'several' }
    const recipients = await recipientsOf(client, match.msgid, handover.senderUserId ?? '', signal)
    const failed = handover.addressees.filter((one) => !recipients.has(one.address)).map((one) => one.address)
    return { found: 'one', providerId: match.msgid, refused: refusedOf(handover, failed) }
  } catch {
    // 41063, an error of any other kind, no answer: it can be asked again.
    return { found: 'wait' }
  }
}

async function listSince(
  client: WecomClient,
  from: Date,
  now: Date,
  signal: AbortSignal,
): Promise<ListedMessage[]> {
  const all: ListedMessage[] = []
  let cursor = ''
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await client.listMessages(
      {
        chat_type: 'single',
        start_time: Math.floor(from.getTime() / 1000) - CLOCK_SECONDS,
        end_time: Math.floor(now.getTime() / 1000) + CLOCK_SECONDS,
        filter_type: 0,
        limit: 100,
        ...(cursor === '' ? {} : { cursor }),
      },
      signal,
    )
    all.push(...(answer.group_msg_list ?? []))
    cursor = answer.next_cursor ?? ''
    if (cursor === '') return all
  }
  throw new Error('more mass messages than can be looked through')
}

/** Without a link: the same words to the same people. Everybody to whom it goes must have been asked for by us. */
async function sameText(
  client: WecomClient,
  handover: Handover,
  listed: readonly ListedMessage[],
  signal: AbortSignal,
): Promise<ListedMessage[]> {
  const wanted = new Set(handover.addressees.map((one) => one.address))
  const matches: ListedMessage[] = []
  for (const message of listed) {
    if (message.text?.content !== handover.body || markerOf(message)) continue
    const recipients = await recipientsOf(client, message.msgid, handover.senderUserId ?? '', signal)
    if (recipients.size > 0 && [...recipients.keys()].every((address) => wanted.has(address)))
      matches.push(message)
  }
  return matches
}

async function recipientsOf(
  client: WecomClient,
  msgid: string,
  userid: string,
  signal: AbortSignal,
): Promise<Map<string, SendResult>> {
  const rows = new Map<string, SendResult>()
  let cursor = ''
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await client.getSendResult(
      { msgid, userid, limit: 1000, ...(cursor === '' ? {} : { cursor }) },
      signal,
    )
    for (const row of answer.send_list ?? []) if (row.external_userid) rows.set(row.external_userid, row)
    cursor = answer.next_cursor ?? ''
    if (cursor === '') return rows
  }
  throw new Error('more recipients than a mass message can have')
}

async function poll(client: WecomClient, handover: Handover, signal: AbortSignal): Promise<Progress> {
  const msgid = handover.providerId ?? ''
  try {
    const { task_list: tasks = [] } = await client.getTask({ msgid, limit: 1000 }, signal)
    const task = tasks.find((one) => one.userid === handover.senderUserId)
    if (task?.status !== 2) return { state: 'known', confirmedAt: null, results: [] }
    const confirmedAt = secondsToDate(task.send_time) ?? (handover.triedAt as Date)
    const rows = await recipientsOf(client, msgid, task.userid, signal)
    return { state: 'known', confirmedAt, results: [...rows.values()].flatMap(resultOf) }
  } catch (error) {
    const cancelled = error instanceof WecomRefused && error.code === wireCode.alreadyCancelled
    return cancelled ? { state: 'cancelled' } : { state: 'wait' }
  }
}

function resultOf(row: SendResult): Result[] {
  const address = row.external_userid ?? ''
  switch (row.status) {
    case 1:
      return [{ address, state: 'delivered', at: secondsToDate(row.send_time), reason: '' }]
    case 2:
      return [{ address, state: 'not_a_contact', at: null, reason: 'not_a_contact' }]
    case 3:
      return [{ address, state: 'quota', at: null, reason: 'quota' }]
    default:
      return []
  }
}

function secondsToDate(seconds: number | undefined): Date | null {
  return seconds === undefined ? null : instant(seconds * 1000)
}

async function cancel(client: WecomClient, handover: Handover, signal: AbortSignal): Promise<boolean> {
  try {
    await client.cancel({ msgid: handover.providerId ?? '' }, signal)
    return true
  } catch (error) {
    return error instanceof WecomRefused && error.code === wireCode.alreadyCancelled
  }
}
