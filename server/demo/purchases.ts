/**
 * When simulated members buy, and what: a Pareto/NBD process (Schmittlein, Morrison, Colombo 1987). Each member buys at
 * random times with an own rate (gamma over members) until an own, unseen end (exponential, its rate gamma over members).
 */
import type { OrderState } from '../../contract/events.ts'
import { instant } from '../platform/time/clock.ts'
import type { Chance } from './chance.ts'
import { inOpeningHours } from './hours.ts'
import { goods } from './words.ts'

const DAY_MS = 86_400_000
const YEAR_DAYS = 365
/** Gamma of purchase rates (per day) and of ends (per day), over members. */
const RATE = { shape: 0.75, scale: 4.2 / YEAR_DAYS }
const END = { shape: 0.6, scale: 1.1 / YEAR_DAYS }
export const FIRST_PURCHASE = 0.78

/** How a member buys: at random times with this rate (a day), until an unseen end (ms since 1970). */
export type Habit = { perDay: number; endsAt: number }

/** The habit of a member who joined then: drawn first, so that it is known without the purchases. */
export function habitOf(chance: Chance, joinedAt: Date): Habit {
  const perDay = Math.max(chance.gamma(RATE.shape, RATE.shape / RATE.scale), 1e-5)
  const end = Math.max(chance.gamma(END.shape, END.shape / END.scale), 1e-5)
  return { perDay, endsAt: joinedAt.getTime() + chance.exponential(end) * DAY_MS }
}

/** Times of all purchases from joining to `until`, in order. Opening hours, more on Saturdays and Sundays. */
export function purchaseTimes(chance: Chance, joinedAt: Date, until: Date): Date[] {
  const { perDay, endsAt } = habitOf(chance, joinedAt)
  const times = new Set<number>()
  let at = joinedAt.getTime()
  if (chance.hits(FIRST_PURCHASE)) times.add(at)
  for (;;) {
    at += chance.exponential(perDay) * DAY_MS
    if (at > endsAt || at > until.getTime()) break
    const when = inOpeningHours(chance, at)
    if (when <= until.getTime() && when >= joinedAt.getTime()) times.add(when)
  }
  return [...times].sort((a, b) => a - b).map(instant)
}

export type Purchase = {
  externalId: string
  at: Date
  storeId: string | null
  sellerId: string | null
  side: 'online' | 'offline'
}

/** One order with one to three lines; five in a hundred are returned in part or whole. */
export function orderOf(chance: Chance, purchase: Purchase, source: string): OrderState {
  const lines = Array.from({ length: 1 + Number(chance.hits(0.38)) + Number(chance.hits(0.12)) }, () =>
    lineOf(chance),
  )
  const total = lines.reduce((sum, line) => sum + line.quantity * line.priceCents - line.discountCents, 0)
  const back = chance.hits(0.05)
  const whole = back && chance.hits(0.55)
  const returned = lines.map((line, index) => (whole || (back && index === 0) ? lineTotal(line) : 0))
  const refunded = returned.reduce((sum, cents) => sum + cents, 0)
  return {
    source,
    externalId: purchase.externalId,
    placedAt: purchase.at.toISOString(),
    paidAt: purchase.at.toISOString(),
    status: refunded >= total ? 'refunded' : 'paid',
    totalCents: total,
    refundedCents: refunded,
    discountCents: lines.reduce((sum, line) => sum + line.discountCents, 0),
    storeId: purchase.storeId,
    sellerId: purchase.sellerId,
    channel: purchase.side === 'online' ? '小程序商城' : '门店',
    side: purchase.side,
    campaign: chance.hits(0.12) ? '会员日' : null,
    coupon: chance.hits(0.1) ? 'C-满减50' : null,
    lines: lines.map((line, index) => ({
      ...line,
      refundedCents: returned[index] ?? 0,
    })),
  }
}

type Line = OrderState['lines'][number]

function lineOf(chance: Chance): Line {
  const index = chance.below(goods.length)
  const [category, name, yuan] = goods[index] ?? ['配饰', '真丝方巾', 299]
  const priceCents = yuan * 100
  const quantity = chance.hits(0.06) ? 2 : 1
  const discountCents = chance.hits(0.35)
    ? Math.round((priceCents * quantity * chance.between(0.05, 0.3)) / 100) * 100
    : 0
  return {
    sku: `SKU${String(index + 1).padStart(3, '0')}`,
    name,
    category,
    quantity,
    priceCents,
    discountCents,
    costCents: Math.round(priceCents * 0.36),
    refundedCents: 0,
  }
}

function lineTotal(line: Line | undefined): number {
  return line ? line.quantity * line.priceCents - line.discountCents : 0
}
