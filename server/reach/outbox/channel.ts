/**
 * The port that every channel implements: how the outbox hands over, asks what the provider has, follows what
 * becomes of it and takes it back. An implementation speaks to one provider and knows nothing of persons.
 */
import type { ChannelName } from '../../../contract/reach.ts'
import type { LinkAttachment } from '../content/shape.ts'

export type Addressee = {
  touchId: string
  /** An external user id, or a mobile number in clear. */
  address: string
}

/** One mass message of one sender, or one SMS. */
export type Handover = {
  id: string
  /** Unique for ever; stands in what is handed over so that it can be found again. */
  marker: string
  senderUserId: string | null
  body: string
  attachments: readonly LinkAttachment[]
  sms: { sign: string; template: string; params: Record<string, string> } | null
  addressees: readonly Addressee[]
  /** Business time of the first call, and of the last. Null before any. */
  firstTriedAt: Date | null
  triedAt: Date | null
  providerId: string | null
}

export type Handed =
  /** The provider has it. `refused`: addressees that it did not take. */
  | { did: 'created'; providerId: string; refused: readonly { touchId: string; reason: string }[] }
  /** Certainly nothing happened. `again`: it may work later; `pauseSeconds`: the whole channel rests; `reason`: why for good. */
  | { did: 'nothing'; again: boolean; error: string; pauseSeconds?: number; reason?: string }
  /** Nobody knows: time-out, a connection that broke, an answer that says nothing about the effect. */
  | { did: 'unclear'; error: string }

export type Found =
  | { found: 'one'; providerId: string; refused: readonly { touchId: string; reason: string }[] }
  | { found: 'none' }
  /** The provider is still busy with something that may be it. */
  | { found: 'wait' }
  /** More than one could be it: nobody can say. */
  | { found: 'several' }

export type Result = {
  address: string
  state: 'delivered' | 'failed' | 'quota' | 'not_a_contact'
  at: Date | null
  reason: string
}

export type Progress =
  | { state: 'wait' }
  /** The provider has it as cancelled. */
  | { state: 'cancelled' }
  /** `confirmedAt`: when a person confirmed it; null while nobody did. Results may come in parts. */
  | { state: 'known'; confirmedAt: Date | null; results: readonly Result[] }

export type Channel = {
  readonly name: ChannelName
  /** The address that is really spoken to; it must be the one in the channel's row. */
  readonly baseUrl: string
  /** Whether a member of staff must confirm what was handed over. */
  readonly needsPerson: boolean
  /** Most addressees of one hand-over. */
  readonly maxAddressees: number
  /** How many calls may run at once. */
  readonly concurrency: number
  /** What the provider does not show this long after the call did not happen. */
  readonly settleSeconds: number
  /** Rest between two looks at what becomes of it. */
  readonly pollSeconds: number
  /** Hands over. Never throws for what a provider does. Ends within the time-out of `signal`. */
  hand(handover: Handover, signal: AbortSignal): Promise<Handed>
  /** What the provider has of it. `known`: provider ids that belong to other hand-overs. */
  find(handover: Handover, known: ReadonlySet<string>, now: Date, signal: AbortSignal): Promise<Found>
  poll(handover: Handover, now: Date, signal: AbortSignal): Promise<Progress>
  /** Takes back what is not confirmed yet. True when the provider has it as cancelled (or had it before). */
  cancel(handover: Handover, signal: AbortSignal): Promise<boolean>
}
