/** What reach needs from others; app.ts joins them. */
import type { Db, Tx } from '../platform/postgres/database.ts'
import type { ChannelName } from './candidate.ts'

/** A member of staff whom the person follows in WeCom. */
export type Contact = {
  staffId: string
  wecomUserId: string | null
  externalUserId: string
  owner: boolean
  addedAt: Date
  /** Filled in by the arbiter from what it has heard (talks.ts). */
  lastTalkedAt?: Date | null
}

/** How a living person can be reached. Persons that are absorbed, removed or erased are in no answer. */
export type Recipient = {
  personId: number
  demo: boolean
  /** What is not there is unknown. */
  consents: Partial<Record<ChannelName, 'granted' | 'withdrawn'>>
  /** Whether a mobile number is known that the operator has not reported as blocked. */
  sms: boolean
  contacts: readonly Contact[]
  /** Keyed hashes (hex) of the phones and external user ids, to compare with the allow-list of a channel in test. */
  digests: Record<ChannelName, readonly string[]>
}

export type People = {
  recipients(db: Db, personIds: readonly number[]): Promise<Recipient[]>
  /** Mobile numbers in clear, for handing over only: never logged, never stored. */
  phones(db: Db, personIds: readonly number[]): Promise<Map<number, string>>
  /** The keyed hash by which `Recipient.digests` knows a phone or an external user id. */
  digest(channel: ChannelName, value: string): Buffer
}

/** A mass message that its sender must confirm, or a text that a guide must copy. */
export type Request =
  | {
      kind: 'confirm'
      outboxId: string
      staffId: string
      journeyId: string | null
      members: number
      text: string
      dueAt: Date
      demo: boolean
    }
  | {
      kind: 'copy'
      touchId: string
      staffId: string | null
      personId: number
      journeyId: string | null
      enrolmentId: string | null
      nodeId: string | null
      text: string
      dueAt: Date
      demo: boolean
    }

/** Implemented by tasks. Called in the transaction that makes the request necessary. */
export type AskAPerson = {
  ask(tx: Tx, requests: readonly Request[], now: Date): Promise<void>
  /** The mass messages are confirmed, or there is nothing left to confirm. */
  settle(tx: Tx, outboxIds: readonly string[], how: 'confirmed' | 'withdrawn', now: Date): Promise<void>
}

export type ReachPorts = { people: People; askAPerson: AskAPerson }
