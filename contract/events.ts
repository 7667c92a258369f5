import { z } from 'zod'

/** One line of an order. Amounts in cents of the brand's currency; `refundedCents` is absolute, not a difference. */
export const OrderLine = z.object({
  sku: z.string().max(200),
  name: z.string().max(500),
  category: z.string().max(200).nullable(),
  quantity: z.number(),
  priceCents: z.int(),
  discountCents: z.int().default(0),
  costCents: z.int().nullable(),
  refundedCents: z.int().default(0),
})
export type OrderLine = z.infer<typeof OrderLine>

/** The whole state of an order at one version. A purchase is `isPurchase`; its time is `paidAt`. */
export const OrderState = z.object({
  source: z.string().max(100),
  externalId: z.string().max(200),
  placedAt: z.iso.datetime(),
  paidAt: z.iso.datetime().nullable(),
  status: z.enum(['placed', 'paid', 'cancelled', 'refunded']),
  totalCents: z.int(),
  refundedCents: z.int(),
  discountCents: z.int(),
  storeId: z.uuid().nullable(),
  sellerId: z.uuid().nullable(),
  channel: z.string().max(100).nullable(),
  side: z.enum(['online', 'offline']).nullable(),
  campaign: z.string().max(200).nullable(),
  coupon: z.string().max(200).nullable(),
  lines: z.array(OrderLine).max(2000),
})
export type OrderState = z.infer<typeof OrderState>

/** Paid and not wholly refunded; an order that cost nothing counts while it stands as paid. */
export function isPurchase(
  order: Pick<OrderState, 'paidAt' | 'status' | 'totalCents' | 'refundedCents'>,
): boolean {
  if (
    order.paidAt === null ||
    order.status === 'placed' ||
    order.status === 'cancelled' ||
    order.status === 'refunded'
  )
    return false
  return order.totalCents === 0 || order.refundedCents < order.totalCents
}

/** Flat: what was nested stands under its path ('address.city'). At most 100, texts at most 1,000 characters. */
export const TrackedProperties = z.record(
  z.string().min(1).max(200),
  z.union([z.string(), z.number(), z.boolean()]),
)
export type TrackedProperties = z.infer<typeof TrackedProperties>

const Cause = z.enum(['event', 'time', 'bulk', 'definition', 'merge'])
const channel = z.string().max(40)
const touch = {
  touchId: z.uuid(),
  channel,
  class: z.enum(['marketing', 'welcome', 'transactional', 'answer']),
  journeyId: z.uuid().nullable(),
  senderId: z.uuid().nullable(),
}

/**
 * What can happen, by type: the schema of `data`. Values of state are absolute, so that a repeat is harmless.
 * No personal data: names, phones and addresses stand in PostgreSQL only.
 */
export const eventSchemas = {
  member_joined: z.object({
    source: z.string(),
    side: z.enum(['online', 'offline']).nullable(),
    registerChannel: z.string().nullable(),
    storeId: z.uuid().nullable(),
  }),
  attributes_changed: z.object({ changed: z.record(z.string(), z.unknown()) }),
  identifier_added: z.object({ kind: z.string() }),
  persons_merged: z.object({
    mergeId: z.uuid(),
    keptPersonId: z.int(),
    absorbedPersonId: z.int(),
    profileIds: z.array(z.int()),
  }),
  merge_undone: z.object({
    mergeId: z.uuid(),
    keptPersonId: z.int(),
    restoredPersonId: z.int(),
    profileIds: z.array(z.int()),
  }),
  person_erased: z.object({}),
  consent_changed: z.object({ channel, state: z.enum(['granted', 'withdrawn', 'unknown']) }),
  contact_added: z.object({ staffId: z.uuid(), addWay: z.string().nullable() }),
  contact_lost: z.object({ staffId: z.uuid(), by: z.enum(['member', 'staff', 'import']) }),
  owner_changed: z.object({ storeId: z.uuid().nullable(), staffId: z.uuid().nullable() }),
  order_recorded: z.object({
    orderId: z.uuid(),
    version: z.int(),
    deleted: z.boolean().default(false),
    order: OrderState,
  }),
  visited_store: z.object({
    storeId: z.uuid().nullable(),
    bought: z.boolean().nullable(),
    triedSku: z.string().nullable(),
  }),
  page_viewed: z.object({
    page: z.string(),
    dwellSeconds: z.number().nullable(),
    properties: TrackedProperties.default({}),
  }),
  /** What the brand's own tracking tells; `name` is the event's name in the tracking plan. */
  tracked: z.object({ name: z.string().min(1).max(200), properties: TrackedProperties }),
  tag_added: z.object({
    tagId: z.int(),
    producer: z.enum(['guide', 'system']),
    origin: z.enum(['synced', 'manual', 'auto']),
  }),
  tag_removed: z.object({
    tagId: z.int(),
    producer: z.enum(['guide', 'system']),
    origin: z.enum(['synced', 'manual', 'auto']),
  }),
  s_tag_changed: z.object({
    groupId: z.int(),
    from: z.int().nullable(),
    to: z.int().nullable(),
    producer: z.enum(['guide', 'system']),
    origin: z.enum(['synced', 'manual', 'auto']),
  }),
  lifecycle_changed: z.object({ from: z.string().nullable(), to: z.string(), cause: Cause }),
  segment_entered: z.object({ segmentId: z.int(), cause: Cause }),
  segment_left: z.object({ segmentId: z.int(), cause: Cause }),
  /** All that a person entered and left at once by one cause. The two above stand in older logs. */
  segments_changed: z.object({ entered: z.array(z.int()), left: z.array(z.int()), cause: Cause }),
  cut_points_published: z.object({ name: z.string(), version: z.int() }),
  touch_decided: z.object({
    ...touch,
    state: z.enum(['planned', 'deferred', 'held_out', 'dropped']),
    reason: z.string(),
  }),
  touch_sent: z.object({ ...touch, costCents: z.int() }),
  touch_confirmed: z.object({ ...touch }),
  touch_delivered: z.object({ ...touch }),
  touch_failed: z.object({ ...touch, reason: z.string() }),
  touch_expired: z.object({ ...touch, reason: z.string() }),
  touch_unknown: z.object({ ...touch }),
  member_replied: z.object({ channel, staffId: z.uuid().nullable() }),
  /** A coupon of a person as it stands from now on. `expiresAt` null: never. */
  coupon_changed: z.object({
    couponId: z.uuid(),
    kind: z.string().max(100),
    state: z.enum(['received', 'used', 'expired', 'withdrawn']),
    expiresAt: z.iso.datetime().nullable(),
  }),
  task_created: z.object({
    taskId: z.uuid(),
    kind: z.string(),
    staffId: z.uuid().nullable(),
    storeId: z.uuid().nullable(),
  }),
  task_done: z.object({
    taskId: z.uuid(),
    kind: z.string(),
    staffId: z.uuid().nullable(),
    outcome: z.string(),
  }),
  task_late: z.object({ taskId: z.uuid(), kind: z.string(), staffId: z.uuid().nullable() }),
  journey_entered: z.object({ journeyId: z.uuid(), version: z.int(), enrolmentId: z.uuid() }),
  journey_left: z.object({
    journeyId: z.uuid(),
    version: z.int(),
    enrolmentId: z.uuid(),
    reason: z.string(),
  }),
} as const satisfies Record<string, z.ZodType>

export type EventType = keyof typeof eventSchemas
export type EventData<T extends EventType> = z.input<(typeof eventSchemas)[T]>
