/** What the evaluator knows of one person: attributes, tags, purchases and events in order of time. Times are ms since 1970. */
import type { EventType } from '../../../contract/events.ts'

/** One purchase: paid and not wholly refunded. Amounts in cents, quantities in thousandths; '' where nothing is known. */
export type Purchase = {
  readonly at: number
  readonly id: string
  /** Paid less refunded. */
  readonly amount: number
  readonly discount: number
  readonly quantity: number
  readonly store: string
  readonly seller: string
  readonly channel: string
  readonly side: string
  readonly campaign: string
  readonly coupon: boolean
  readonly lines: readonly PurchaseLine[]
}

/** `amount`: quantity × price, less discount and refund. */
export type PurchaseLine = {
  readonly sku: string
  readonly category: string
  readonly quantity: number
  readonly amount: number
  readonly discount: number
}

/** One event of a type that some rule asks for; '' where nothing is known. */
export type PersonEvent = {
  readonly at: number
  readonly id: string
  readonly type: EventType
  /** The name, page, state, kind, outcome or reason, by type. */
  readonly detail: string
  readonly channel: string
  readonly store: string
  /** Journey, task or coupon. */
  readonly subject: string
  /** Properties that some rule asks for. */
  readonly texts: Readonly<Record<string, string>>
  readonly numbers: Readonly<Record<string, number>>
}

/** What guide or operator ('manual'), a channel code ('auto') or WeCom ('synced') say of one group of level S. */
export type Claim = {
  readonly group: number
  readonly tag: number
  readonly origin: 'manual' | 'auto' | 'synced'
  readonly producer: 'guide' | 'system'
  readonly at: number
}

export type PersonFacts = {
  readonly personId: number
  /** By attribute name of the rule language; what is absent is not known. */
  readonly attributes: Pick<ReadonlyMap<string, string>, 'get'>
  /** As it was told, 'YYYY-MM-DD', year 0000 where it is not known; with `lunar` month and day are of the lunar calendar. */
  readonly birthday: string | null
  readonly lunar: boolean
  readonly joinedAt: number | null
  /** Business tags that were set or synced; not those that a rule decides. */
  readonly tags: readonly number[]
  /** The best claim of each origin and group. */
  readonly claims: readonly Claim[]
  /** Segments that are snapshots and have the person in their take; absent for none. */
  readonly snapshots?: readonly number[]
  /** Ascending by (at, id). */
  readonly purchases: readonly Purchase[]
  /** Ascending by (at, id). */
  readonly events: readonly PersonEvent[]
  readonly lastInteractionAt: number | null
}

/** The order in which purchases and events are folded: by time, then by id. */
export function byTime(left: { at: number; id: string }, right: { at: number; id: string }): number {
  if (left.at !== right.at) return left.at - right.at
  if (left.id === right.id) return 0
  return left.id < right.id ? -1 : 1
}

/** Quantity × price of a line in cents, half a cent up; `milli` in thousandths. The same arithmetic as in line SQL. */
export function lineCents(milli: number, priceCents: number): number {
  return Math.floor((milli * priceCents + 500) / 1000)
}
