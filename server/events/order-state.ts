/** What an order is, given all that was said about it: pure, and the same whatever order it was said in. */
import { hash } from 'node:crypto'
import type { OrderLine, OrderState } from '../../contract/events.ts'
import { instant } from '../platform/time/clock.ts'

/**
 * An order as its source states it. `revision` grows with each change at the source (its time of change in ms will do):
 * then the greatest counts, however they arrive. Without one, what arrives later is newer.
 */
export type OrderDocument = {
  profileId: number | null
  personId: number | null
  revision?: number
  order: OrderState
}

/** A refund that its source lists apart from the order. Amounts are those of this refund alone. */
export type RefundDocument = {
  source: string
  externalId: string
  orderExternalId: string
  at: string
  refundedCents: number
  lines: { sku: string; refundedCents: number }[]
  revision?: number
}

export type RefundState = Pick<RefundDocument, 'refundedCents' | 'lines' | 'at'>

/** Fields in one order, times in one form: equal states give equal text. */
export function canonicalOrder(order: OrderState): OrderState {
  return {
    source: order.source,
    externalId: order.externalId,
    placedAt: isoOf(order.placedAt),
    paidAt: order.paidAt === null ? null : isoOf(order.paidAt),
    status: order.status,
    totalCents: order.totalCents,
    refundedCents: order.refundedCents,
    discountCents: order.discountCents,
    storeId: order.storeId,
    sellerId: order.sellerId,
    channel: order.channel,
    side: order.side,
    campaign: order.campaign,
    coupon: order.coupon,
    lines: order.lines.map(canonicalLine),
  }
}

function canonicalLine(line: OrderLine): OrderLine {
  return {
    sku: line.sku,
    name: line.name,
    category: line.category,
    quantity: line.quantity,
    priceCents: line.priceCents,
    discountCents: line.discountCents,
    costCents: line.costCents,
    refundedCents: line.refundedCents,
  }
}

/** The time of a purchase, or of placing while it is not paid. */
export function timeOf(order: Pick<OrderState, 'paidAt' | 'placedAt'>): Date {
  return instant(order.paidAt ?? order.placedAt)
}

/**
 * The order with its refunds. A source may state refunds within the order, list them apart, or both: the greater
 * counts, for the order and for each line, so that the same money is never refunded twice.
 */
export function withRefunds(stated: OrderState, refunds: readonly RefundState[]): OrderState {
  if (refunds.length === 0) return settled(stated)
  const listed = refunds.reduce((sum, refund) => sum + refund.refundedCents, 0)
  const bySku = new Map<string, number>()
  for (const { sku, refundedCents } of refunds.flatMap((refund) => refund.lines)) {
    bySku.set(sku, (bySku.get(sku) ?? 0) + refundedCents)
  }
  const last = new Map(stated.lines.map((line, index) => [line.sku, index]))
  const lines = stated.lines.map((line, index) => {
    const left = bySku.get(line.sku) ?? 0
    const worth = Math.max(0, Math.round(line.priceCents * line.quantity) - line.discountCents)
    const share = last.get(line.sku) === index ? left : Math.min(left, worth)
    bySku.set(line.sku, left - share)
    return { ...line, refundedCents: Math.max(line.refundedCents, share) }
  })
  return settled({ ...stated, lines, refundedCents: Math.max(stated.refundedCents, listed) })
}

function settled(order: OrderState): OrderState {
  const whole = order.status === 'paid' && order.totalCents > 0 && order.refundedCents >= order.totalCents
  return whole ? { ...order, status: 'refunded' } : order
}

/** 16 bytes in hex that stand for a state and its buyer. */
export function digestOf(text: string, profileId: number | null): string {
  return hash('sha256', `${profileId ?? ''}\n${text}`, 'hex').slice(0, 32)
}

/**
 * Whether a statement replaces the one before: greater revision, else later arrival; two that claim the same revision
 * are told apart by their digests, so that every order of arrival ends alike.
 */
export function replaces(
  next: { revision: number | null; digest: string },
  known: { revision: number | null; digest: string },
): 'unchanged' | 'older' | 'newer' {
  if (next.revision === null || known.revision === null)
    return next.digest === known.digest ? 'unchanged' : 'newer'
  if (next.revision !== known.revision) return next.revision > known.revision ? 'newer' : 'older'
  if (next.digest === known.digest) return 'unchanged'
  return next.digest > known.digest ? 'newer' : 'older'
}

function isoOf(text: string): string {
  // Already in the form of toISOString: by far the most common case, and parsing costs more than all the rest.
  if (text.length === 24 && text.charCodeAt(23) === 90) return text
  return instant(text).toISOString()
}
