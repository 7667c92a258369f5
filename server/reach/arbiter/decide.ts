/**
 * The decision about one person: pure, so that a replay decides as the live run did.
 * Order: what would be wrong at any time (person, channel, content, consent), then the holdout, then the moment
 * (quiet hours, slot, caps). The holdout stands before the caps: treated and held out are then compared as assigned.
 */
import { instant } from '../../platform/time/clock.ts'
import type { Zone } from '../../platform/time/zone.ts'
import {
  type ChannelName,
  type DeferReason,
  type DropReason,
  type HoldReason,
  type TouchClass,
  WHOLE_BASE,
} from '../candidate.ts'
import type { Contact, Recipient } from '../ports.ts'
import { ALLOWED_WHILE_UNKNOWN, type ReachRules } from '../settings.ts'
import { type LedgerRow, monthRoom, personRoom, type Room } from './caps.ts'
import { followingSlot, nextSlot, quietUntil, slotOf } from './slots.ts'

export type Considered = {
  id: string
  personId: number
  channel: ChannelName
  class: TouchClass
  contentId: string
  senderId: string | null
  journeyId: string | null
  score: number
  notBefore: Date
  expiresAt: Date
  costCents: number | null
  /** Why it was deferred before, so that the same deferral is not told again. */
  reason: string | null
}

export type ChannelRow = {
  name: ChannelName
  mode: 'off' | 'simulated' | 'test' | 'live'
  allowed: ReadonlySet<string>
}
export type ContentRow = {
  id: string
  channel: ChannelName
  version: number
  retired: boolean
  /** A guide copies it. */
  perMember: boolean
  /** An SMS whose signature and template the provider has approved; without it only a simulated one can be sent. */
  approved: boolean
}

export type Circumstances = {
  now: Date
  zone: Zone
  rules: ReachRules
  channels: ReadonlyMap<ChannelName, ChannelRow>
  contents: ReadonlyMap<string, ContentRow>
  /** The recorded or the computed answer. */
  heldOut(scope: string, personId: number): boolean
}

export type Verdict =
  | {
      do: 'plan'
      candidate: Considered
      slot: Date
      senderId: string | null
      recipient: string | null
      contentVersion: number
      costCents: number
    }
  | { do: 'defer'; candidate: Considered; until: Date; reason: DeferReason }
  | { do: 'hold'; candidate: Considered; reason: HoldReason }
  | { do: 'drop'; candidate: Considered; reason: DropReason }

/** Decides all due candidates of one person; `recipient` undefined: the person is gone. One verdict a candidate. */
export function decide(
  candidates: readonly Considered[],
  recipient: Recipient | undefined,
  ledger: readonly LedgerRow[],
  at: Circumstances,
): Verdict[] {
  const counted = [...ledger]
  return [...candidates].sort(byRank).map((candidate) => {
    const verdict = decideOne(candidate, recipient, counted, at)
    if (verdict.do === 'plan') {
      const { personId, channel, class: kind } = candidate
      counted.push({ personId, channel, class: kind, slot: verdict.slot, at: null })
    }
    return verdict
  })
}

/** What passes at once comes first; then the greater score, the older, the smaller id. */
function byRank(a: Considered, b: Considered): number {
  return (
    Number(a.class === 'marketing') - Number(b.class === 'marketing') ||
    b.score - a.score ||
    a.notBefore.getTime() - b.notBefore.getTime() ||
    (a.id < b.id ? -1 : 1)
  )
}

function decideOne(
  candidate: Considered,
  recipient: Recipient | undefined,
  ledger: readonly LedgerRow[],
  at: Circumstances,
): Verdict {
  const route = routeTo(candidate, recipient, at)
  if ('reason' in route) return { do: 'drop', candidate, reason: route.reason }
  if (candidate.class === 'marketing') {
    const held = holdoutOf(candidate, at)
    if (held) return { do: 'hold', candidate, reason: held }
    const later = notNow(candidate, ledger, at)
    if (later) return later
  }
  if (candidate.channel === 'wecom') {
    const room = monthRoom(ledger, at.now)
    if (!room.free) return whenFree(candidate, room, 'cap_channel', at)
  }
  return { do: 'plan', candidate, slot: slotOf(at.rules, at.now), ...route }
}

type Route = {
  senderId: string | null
  recipient: string | null
  contentVersion: number
  costCents: number
}

/** By which way the person is reached, or why it cannot be. */
function routeTo(
  candidate: Considered,
  recipient: Recipient | undefined,
  at: Circumstances,
): Route | { reason: DropReason } {
  if (candidate.expiresAt <= at.now) return { reason: 'expired' }
  const channel = at.channels.get(candidate.channel)
  if (!channel || channel.mode === 'off') return { reason: 'channel_off' }
  const content = at.contents.get(candidate.contentId)
  if (!content || content.retired || content.channel !== candidate.channel)
    return { reason: 'content_missing' }
  if (candidate.channel === 'sms' && !content.approved && channel.mode !== 'simulated')
    return { reason: 'content_missing' }
  if (!recipient) return { reason: 'person_gone' }
  if (recipient.demo && channel.mode !== 'simulated') return { reason: 'demo_person_real_channel' }
  const contact = candidate.channel === 'wecom' ? senderOf(candidate, recipient.contacts) : undefined
  if (candidate.channel === 'wecom' && !contact) return { reason: 'not_a_contact' }
  if (candidate.channel === 'sms' && !recipient.sms) return { reason: 'unreachable' }
  if (
    channel.mode === 'test' &&
    !recipient.digests[candidate.channel].some((one) => channel.allowed.has(one))
  )
    return { reason: 'channel_in_test' }
  if (candidate.class === 'marketing' && !hasConsent(candidate.channel, recipient))
    return { reason: 'no_consent' }
  return {
    senderId: contact?.staffId ?? null,
    recipient: contact?.externalUserId ?? null,
    contentVersion: content.version,
    costCents: candidate.costCents ?? costOf(candidate.channel, content, at.rules),
  }
}

function costOf(channel: ChannelName, content: ContentRow, { costs }: ReachRules): number {
  if (content.perMember) return costs.guideTaskCents
  return channel === 'wecom' ? costs.wecomCents : costs.smsCents
}

/** WeCom pushes a mass message only through the member of staff who last talked with the customer. */
function senderOf(candidate: Considered, contacts: readonly Contact[]): Contact | undefined {
  const able = contacts.filter((one) => one.wecomUserId !== null)
  const asked = able.find((one) => one.staffId === candidate.senderId)
  if (asked) return asked
  return [...able].sort(
    (a, b) =>
      (b.lastTalkedAt?.getTime() ?? 0) - (a.lastTalkedAt?.getTime() ?? 0) ||
      Number(b.owner) - Number(a.owner) ||
      a.addedAt.getTime() - b.addedAt.getTime() ||
      (a.staffId < b.staffId ? -1 : 1),
  )[0]
}

function hasConsent(channel: ChannelName, recipient: Recipient): boolean {
  const consent = recipient.consents[channel]
  return consent === undefined ? ALLOWED_WHILE_UNKNOWN[channel] : consent === 'granted'
}

function holdoutOf(candidate: Considered, at: Circumstances): HoldReason | undefined {
  if (at.heldOut(WHOLE_BASE, candidate.personId)) return 'holdout_base'
  if (candidate.journeyId && at.heldOut(candidate.journeyId, candidate.personId)) return 'holdout_journey'
  return undefined
}

/** Marketing only: quiet hours, one touch a slot, the cap of the week. */
function notNow(candidate: Considered, ledger: readonly LedgerRow[], at: Circumstances): Verdict | undefined {
  const { zone, rules, now } = at
  const quiet = quietUntil(zone, rules, now)
  if (quiet) return later(candidate, quiet, 'quiet_hours', 'quiet_hours')
  const slot = slotOf(rules, now).getTime()
  if (ledger.some((row) => row.class === 'marketing' && row.slot.getTime() === slot))
    return later(candidate, followingSlot(zone, rules, now), 'outranked', 'outranked')
  const room = personRoom(ledger, rules.caps, now)
  return room.free ? undefined : whenFree(candidate, room, 'cap_person_week', at)
}

/** While a reservation is in the way nobody knows when: look again after this time. */
const LOOK_AGAIN_MS = 6 * 3_600_000

function whenFree(
  candidate: Considered,
  room: Exclude<Room, { free: true }>,
  reason: 'cap_person_week' | 'cap_channel',
  { zone, rules, now }: Circumstances,
): Verdict {
  if (room.freeAt === undefined) return { do: 'drop', candidate, reason }
  const free = room.freeAt ?? instant(now.getTime() + LOOK_AGAIN_MS)
  const until = candidate.class === 'marketing' ? nextSlot(zone, rules, free) : free
  return later(candidate, until, reason, reason)
}

/** Deferred while it is still wanted then, otherwise dropped for the same reason. */
function later(candidate: Considered, until: Date, defer: DeferReason, drop: DropReason): Verdict {
  return until < candidate.expiresAt
    ? { do: 'defer', candidate, until, reason: defer }
    : { do: 'drop', candidate, reason: drop }
}
