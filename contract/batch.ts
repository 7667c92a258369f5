/** What a brand's systems send by JSON: orders, refunds, members, products, stores, stock and footfall. */
import { z } from 'zod'
import { Day, Instant, route } from './base.ts'

const batch = { tag: 'Data of the brand', method: 'POST', who: ['owner', 'engineer'], intake: true } as const

export const MOST_ITEMS = 500
const items = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(MOST_ITEMS)

/** Names the system that speaks ('erp', 'shop'): ids are unique within it. */
const Source = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/)
const ExternalId = z.string().trim().min(1).max(200)
const Code = z.string().trim().min(1).max(60)
const Text = z.string().trim().max(200)
const Since1970 = Instant.refine((text) => Date.parse(text) >= 0, 'before 1970')
const Cents = z.int().min(-1e12).max(1e12)
/** Grows with each change at the source (its time of change in ms will do): then the greatest counts, however they arrive. */
const Revision = z.int().nonnegative().optional()

export const IdentifierGiven = z.object({
  kind: z.enum(['card', 'phone', 'email', 'unionid', 'mp_openid', 'oa_openid', 'external_userid']),
  value: z.string().trim().min(1).max(200),
  /** App id of an openid, card system: where there are several. */
  scope: z.string().max(100).default(''),
})

const common = {
  source: Source,
  /** History: it counts everywhere, and sets nothing off. */
  backfill: z.boolean().default(false),
}

export const BatchLine = z.object({
  sku: z.string().trim().min(1).max(200),
  name: z.string().max(500).default(''),
  category: z.string().max(200).nullable().default(null),
  quantity: z.number().min(-1e6).max(1e6).default(1),
  priceCents: Cents,
  discountCents: Cents.default(0),
  costCents: Cents.nullable().default(null),
  refundedCents: Cents.default(0),
})

export const BatchOrder = z.object({
  externalId: ExternalId,
  /** The buyer's number in `source`, as members are sent or imported under it. */
  memberNo: ExternalId.nullable().default(null),
  /** Null, or none, and no number: nobody is known; the order counts in totals. */
  buyer: z.array(IdentifierGiven).max(10).nullable().default(null),
  placedAt: Since1970,
  paidAt: Since1970.nullable().default(null),
  status: z.enum(['placed', 'paid', 'cancelled', 'refunded']),
  totalCents: Cents,
  refundedCents: Cents.default(0),
  discountCents: Cents.default(0),
  /** A store or seller that nobody knows is added. */
  storeCode: Code.nullable().default(null),
  sellerCode: Code.nullable().default(null),
  channel: z.string().max(100).nullable().default(null),
  side: z.enum(['online', 'offline']).nullable().default(null),
  campaign: Text.nullable().default(null),
  coupon: Text.nullable().default(null),
  lines: z.array(BatchLine).max(500).default([]),
  revision: Revision,
})
export type BatchOrder = z.infer<typeof BatchOrder>

export const BatchRefund = z.object({
  externalId: ExternalId,
  orderExternalId: ExternalId,
  at: Since1970,
  refundedCents: Cents,
  lines: z
    .array(z.object({ sku: z.string().max(200), refundedCents: Cents }))
    .max(500)
    .default([]),
  revision: Revision,
})
export type BatchRefund = z.infer<typeof BatchRefund>

export const BatchMember = z.object({
  /** The source's own number of the record; without it the strongest identifier names it. */
  externalId: ExternalId.nullable().default(null),
  /** When it was so; without it, now. A later word wins over an earlier one, field by field. */
  at: Since1970.optional(),
  identifiers: z.array(IdentifierGiven).max(20).default([]),
  name: Text.nullable().default(null),
  gender: z.enum(['female', 'male']).nullable().default(null),
  birthday: z.iso.date().nullable().default(null),
  birthdayLunar: z.boolean().default(false),
  province: Text.nullable().default(null),
  city: Text.nullable().default(null),
  joinedAt: Since1970.nullable().default(null),
  registerChannel: z.enum(['online', 'offline']).nullable().default(null),
  registration: z.enum(['registered', 'registered_before', 'bought_unregistered']).nullable().default(null),
  homeStoreCode: Code.nullable().default(null),
  ownerStaffCode: Code.nullable().default(null),
  custom: z
    .record(z.string().min(1).max(60), z.union([z.string().max(500), z.number(), z.boolean()]))
    .default({}),
  consents: z
    .array(z.object({ channel: z.string().max(40), state: z.enum(['granted', 'withdrawn', 'unknown']) }))
    .max(20)
    .default([]),
})
export type BatchMember = z.infer<typeof BatchMember>

export const BatchProduct = z.object({
  sku: Code,
  name: z.string().trim().min(1).max(200),
  category: Text.nullable().default(null),
  priceCents: z.int().nonnegative().nullable().default(null),
  costCents: z.int().nonnegative().nullable().default(null),
})
export type BatchProduct = z.infer<typeof BatchProduct>

export const BatchStore = z.object({
  code: Code,
  name: z.string().trim().min(1).max(100),
  city: z.string().trim().max(100).nullable().default(null),
  side: z.enum(['online', 'offline']).default('offline'),
  state: z.enum(['open', 'closed']).default('open'),
})
export type BatchStore = z.infer<typeof BatchStore>

export const BatchStock = z.object({
  storeCode: Code,
  sku: Code,
  quantity: z.number().min(-1e9).max(1e9),
  at: Since1970,
})
export type BatchStock = z.infer<typeof BatchStock>

export const BatchFootfall = z.object({
  storeCode: Code,
  day: Day,
  entered: z.int().nonnegative(),
  /** Who went by, where it is counted. */
  passed: z.int().nonnegative().nullable().default(null),
})
export type BatchFootfall = z.infer<typeof BatchFootfall>

/**
 * older: something newer was known. erased: it names somebody who asked to be forgotten (or, for the buyer of an order,
 * by nothing that can be an identifier): nothing of the person was kept, the order counts without a buyer.
 */
const Outcome = z.enum(['created', 'changed', 'unchanged', 'older', 'erased'])
const Outcomes = z.object({ items: z.array(z.object({ externalId: z.string(), outcome: Outcome })) })
const Counted = z.object({ created: z.int(), changed: z.int(), unchanged: z.int() })

const order = {
  externalId: 'SO-1001',
  buyer: [{ kind: 'card', value: 'M0001' }],
  placedAt: '2026-03-01T10:00:00+08:00',
  paidAt: '2026-03-01T10:01:00+08:00',
  status: 'paid',
  totalCents: 19_900,
  storeCode: 'S01',
  sellerCode: 'guide01',
  lines: [{ sku: 'A100', name: '连衣裙', category: '女装', quantity: 1, priceCents: 19_900 }],
}
const repeat =
  'Everything in one call is written, or nothing. The same call again changes nothing. At most 500 items; for whole files use an import.'

export const batchContract = {
  orders: route({
    ...batch,
    path: '/batch/orders',
    summary: 'Send orders, each by its whole state',
    scope: 'orders:write',
    description: repeat,
  })
    .input(
      z
        .object({ ...common, items: items(BatchOrder) })
        .meta({ examples: [{ source: 'erp', items: [order] }] }),
    )
    .output(Outcomes),
  refunds: route({
    ...batch,
    path: '/batch/refunds',
    summary: 'Send refunds that are listed apart from their orders',
    scope: 'orders:write',
    description: repeat,
  })
    .input(
      z.object({ ...common, items: items(BatchRefund) }).meta({
        examples: [
          {
            source: 'erp',
            items: [
              {
                externalId: 'R-1',
                orderExternalId: 'SO-1001',
                at: '2026-03-05T10:00:00+08:00',
                refundedCents: 19_900,
              },
            ],
          },
        ],
      }),
    )
    .output(z.object({ changedOrders: z.array(z.string()), unchanged: z.int() })),
  members: route({
    ...batch,
    path: '/batch/members',
    summary: 'Send members: who they are and what is known of them',
    scope: 'members:write',
    description: repeat,
  })
    .input(
      z.object({ ...common, items: items(BatchMember) }).meta({
        examples: [
          {
            source: 'crm',
            items: [
              {
                externalId: '1',
                identifiers: [
                  { kind: 'card', value: 'M0001' },
                  { kind: 'phone', value: '13812340987' },
                ],
                name: '张三',
                joinedAt: '2025-01-02T10:00:00+08:00',
              },
            ],
          },
        ],
      }),
    )
    .output(Outcomes),
  products: route({
    ...batch,
    path: '/batch/products',
    summary: 'Send products, by article number',
    scope: 'org:write',
    description: repeat,
  })
    .input(
      z.object({ source: Source, items: items(BatchProduct) }).meta({
        examples: [
          {
            source: 'erp',
            items: [{ sku: 'A100', name: '连衣裙', category: '女装', priceCents: 19_900, costCents: 8000 }],
          },
        ],
      }),
    )
    .output(Counted),
  stores: route({
    ...batch,
    path: '/batch/stores',
    summary: 'Send stores, by code',
    scope: 'org:write',
    description: repeat,
  })
    .input(
      z.object({ source: Source, items: items(BatchStore) }).meta({
        examples: [{ source: 'erp', items: [{ code: 'S01', name: '西湖店', city: '杭州' }] }],
      }),
    )
    .output(Counted),
  stock: route({
    ...batch,
    path: '/batch/stock',
    summary: 'Send stock levels; the latest word wins',
    scope: 'org:write',
    description: repeat,
  })
    .input(
      z.object({ source: Source, items: items(BatchStock) }).meta({
        examples: [
          {
            source: 'erp',
            items: [{ storeCode: 'S01', sku: 'A100', quantity: 12, at: '2026-03-01T10:00:00+08:00' }],
          },
        ],
      }),
    )
    .output(Counted),
  footfall: route({
    ...batch,
    path: '/batch/footfall',
    summary: 'Send visitors of stores by day',
    scope: 'org:write',
    description: repeat,
  })
    .input(
      z.object({ source: Source, items: items(BatchFootfall) }).meta({
        examples: [
          { source: 'doors', items: [{ storeCode: 'S01', day: '2026-03-01', entered: 320, passed: 4100 }] },
        ],
      }),
    )
    .output(Counted),
}
