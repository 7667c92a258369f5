/** What may reach a person, and the words for what became of it. */
import type { ChannelName } from '../../contract/reach.ts'

export type { ChannelName }

export const touchClasses = ['marketing', 'welcome', 'transactional', 'answer'] as const
/** Marketing waits for its slot and is capped; the others pass at once and are only recorded. */
export type TouchClass = (typeof touchClasses)[number]

export type Candidate = {
  /** idOf(enrolment, node, visit): a repeated offer of the same id changes nothing. */
  id: string
  personId: number
  channel: ChannelName
  class: TouchClass
  contentId: string
  /** Who should send; without it the follower who last talked with the member, else the owner. */
  senderStaffId?: string | undefined
  /** What the template of the content may name: `{ member: { name: … }, … }`. */
  facts: Record<string, unknown>
  journeyId?: string | undefined
  enrolmentId?: string | undefined
  nodeId?: string | undefined
  /** Of several marketing candidates in one slot the greatest wins. */
  score: number
  notBefore: Date
  expiresAt: Date
  /** Null: what the channel costs according to its settings. */
  costCents: number | null
}

/** Every candidate stands in exactly one of these at any moment. */
export const touchStates = [
  'offered',
  'deferred',
  'held_out',
  'dropped',
  'planned',
  'sending',
  'asked',
  'created',
  'confirmed',
  'delivered',
  'failed',
  'quota',
  'not_a_contact',
  'expired',
  'unknown',
] as const
export type TouchState = (typeof touchStates)[number]

export type DropReason =
  | 'expired'
  | 'channel_off'
  | 'channel_in_test'
  | 'demo_person_real_channel'
  | 'content_missing'
  | 'person_gone'
  | 'unreachable'
  | 'not_a_contact'
  | 'no_consent'
  | 'quiet_hours'
  | 'outranked'
  | 'cap_person_week'
  | 'cap_channel'

export type DeferReason = 'slot' | 'quiet_hours' | 'outranked' | 'cap_person_week' | 'cap_channel'
export type HoldReason = 'holdout_base' | 'holdout_journey'

/** The scope of the holdout of the whole base; a journey's scope is its id. */
export const WHOLE_BASE = '00000000-0000-0000-0000-000000000000'
