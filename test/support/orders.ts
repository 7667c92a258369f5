/** Orders as their sources state them, in one place: a test says only what it is about. */
import type { OrderLine, OrderState } from '../../contract/events.ts'

/** An order of the till, placed and paid at `at`, of the given total (one line of it unless told). */
export function orderOf(
  externalId: string,
  at: Date | string,
  totalCents: number,
  more: Partial<OrderState> = {},
): OrderState {
  const placedAt = typeof at === 'string' ? at : at.toISOString()
  return {
    source: 'till',
    externalId,
    placedAt,
    paidAt: placedAt,
    status: 'paid',
    totalCents,
    refundedCents: 0,
    discountCents: 0,
    storeId: null,
    sellerId: null,
    channel: null,
    side: null,
    campaign: null,
    coupon: null,
    lines: [lineOf('A', totalCents)],
    ...more,
  }
}

/** One piece of the goods `sku`. */
export function lineOf(sku: string, priceCents: number, more: Partial<OrderLine> = {}): OrderLine {
  return {
    sku,
    name: '衬衫',
    category: null,
    quantity: 1,
    priceCents,
    discountCents: 0,
    costCents: null,
    refundedCents: 0,
    ...more,
  }
}
