import { z } from 'zod'
import { memberReaders, PageInput, pageOf, route } from './base.ts'
import { PublicId, SegmentId, StaffId, StoreId, TagGroupId, TagId } from './ids.ts'

export const memberSources = [
  'referral_fission',
  'returning',
  'member_get_member',
  'guide_recruited',
  'organic',
] as const
export const MemberSource = z.enum(memberSources)
export type MemberSource = z.infer<typeof MemberSource>

const When = z.iso.datetime()
const Side = z.enum(['online', 'offline'])

/** One line of the member list. Name and phone arrive masked for callers without the right to see them. */
export const MemberRow = z.object({
  id: PublicId,
  name: z.string().nullable(),
  phone: z.string().nullable(),
  kind: z.enum(['member', 'contact', 'customer', 'visitor']),
  demo: z.boolean(),
  joinedAt: When.nullable(),
  lifecycle: z.string().nullable(),
  lastPurchaseAt: When.nullable(),
  purchases: z.int(),
  spentCents: z.int(),
  store: z.string().nullable(),
  guide: z.string().nullable(),
  tags: z.array(z.string()),
})
export type MemberRow = z.infer<typeof MemberRow>

export const MemberFilter = z.object({
  q: z.string().max(100).optional(),
  kind: z.enum(['member', 'contact', 'customer', 'visitor']).optional(),
  lifecycle: z.string().max(40).optional(),
  rfm: z.string().max(60).optional(),
  source: MemberSource.optional(),
  storeId: StoreId.optional(),
  guideId: StaffId.optional(),
  segmentId: SegmentId.optional(),
  tagId: TagId.optional(),
  sort: z.enum(['joined', 'last_purchase', 'spent', 'name']).default('joined'),
})

export const Identifier = z.object({
  /** Of the value at this person: two numbers can look alike once they are masked. */
  id: z.uuid(),
  kind: z.string(),
  masked: z.string(),
  valid: z.boolean(),
  revealable: z.boolean(),
})

export const Reachability = z.object({
  channel: z.string(),
  state: z.enum(['reachable', 'unreachable', 'unknown']),
  reason: z.string(),
})

export const MemberCard = MemberRow.extend({
  gender: z.string().nullable(),
  birthday: z.string().nullable(),
  birthdayLunar: z.boolean(),
  source: MemberSource,
  sourceSide: Side.nullable(),
  registerChannel: z.string().nullable(),
  registration: z.enum(['registered', 'registered_before', 'bought_unregistered']).nullable(),
  identifiers: z.array(Identifier),
  reachability: z.array(Reachability),
  consents: z.array(
    z.object({
      channel: z.string(),
      state: z.enum(['granted', 'withdrawn', 'unknown']),
      at: When.nullable(),
    }),
  ),
  relations: z.array(
    z.object({
      guide: z.string(),
      store: z.string().nullable(),
      addedAt: When.nullable(),
      lostAt: When.nullable(),
      remark: z.string().nullable(),
    }),
  ),
  state: z
    .object({
      lifecycle: z.string(),
      daysSincePurchase: z.int().nullable(),
      ownCycle: z.string().nullable(),
      medianGapDays: z.number().nullable(),
      orderStage: z.string(),
      aipl: z.string(),
      joinRecency: z.string().nullable(),
      oneTimeBuyer: z.boolean(),
      interactionSilent: z.boolean(),
      recency: z.int().nullable(),
      frequency: z.int().nullable(),
      monetary: z.int().nullable(),
      rfmGroup: z.string().nullable(),
      nextChangeAt: When.nullable(),
    })
    .nullable(),
  sTags: z.array(
    z.object({ groupId: TagGroupId, group: z.string(), tagId: TagId.nullable(), value: z.string() }),
  ),
  tagList: z.array(
    z.object({
      tagId: TagId,
      name: z.string(),
      group: z.string().nullable(),
      producer: z.enum(['guide', 'system']),
      origin: z.enum(['synced', 'manual', 'auto']),
      at: When,
    }),
  ),
  segments: z.array(z.object({ segmentId: SegmentId, name: z.string() })),
  mergedFrom: z.array(z.object({ mergeId: z.uuid(), at: When, cause: z.string(), undoable: z.boolean() })),
})
export type MemberCard = z.infer<typeof MemberCard>

export const TimelineItem = z.object({
  id: z.string(),
  at: When,
  type: z.string(),
  title: z.object({ zh: z.string(), en: z.string() }),
  details: z.record(z.string(), z.unknown()),
})
export const OrderRow = z.object({
  id: z.uuid(),
  externalId: z.string(),
  paidAt: When.nullable(),
  placedAt: When,
  status: z.string(),
  totalCents: z.int(),
  refundedCents: z.int(),
  store: z.string().nullable(),
  channel: z.string().nullable(),
  lines: z.array(
    z.object({
      name: z.string(),
      sku: z.string(),
      quantity: z.number(),
      priceCents: z.int(),
      refundedCents: z.int(),
    }),
  ),
})

/**
 * Every condition of a segment with the person's value, the verdict, and what would change it: the smallest thing that
 * could be done now, and the moment at which time alone does. `alone`: that turns the whole answer. `needed`: it has to
 * turn, with the others of which this is said.
 */
export const Why = z.object({
  segmentId: SegmentId,
  name: z.string(),
  kind: z.enum(['live', 'snapshot', 'on_demand']),
  takenAt: When.nullable(),
  member: z.boolean(),
  /** What the rule says of the member now; of a live segment other than `member` only until the next evaluation. */
  verdict: z.boolean(),
  sentence: z.object({ zh: z.string(), en: z.string() }),
  leaves: z.array(
    z.object({
      sentence: z.object({ zh: z.string(), en: z.string() }),
      value: z.string(),
      /** The value in words. */
      said: z.object({ zh: z.string(), en: z.string() }),
      verdict: z.boolean(),
      changesAt: When.nullable(),
      act: z.object({ zh: z.string(), en: z.string() }).nullable(),
      alone: z.boolean(),
      needed: z.boolean(),
    }),
  ),
  changesAt: When.nullable(),
  evaluatedAt: When.nullable(),
})

/** The audit of a member base, DATA-01…04. Every count is of persons. */
export const BaseAudit = z.object({
  asOf: When,
  persons: z.int(),
  members: z.int(),
  customers: z.int(),
  contacts: z.int(),
  visitors: z.int(),
  channels: z.array(
    z.object({ channel: z.string(), reachable: z.int(), unreachable: z.int(), unknown: z.int() }),
  ),
  reachableAny: z.int(),
  lost: z.int(),
  phones: z.object({ valid: z.int(), invalid: z.int(), missing: z.int() }),
  incomplete: z.int(),
  completeness: z.number(),
  onlyInWecom: z.int(),
  onlyInErp: z.int(),
  inBoth: z.int(),
  duplicatesProposed: z.int(),
  conflicts: z.int(),
  ordersWithoutBuyer: z.object({ orders: z.int(), cents: z.int() }),
  lifecycle: z.array(z.object({ state: z.string(), persons: z.int() })),
  neverBought: z.array(z.object({ band: z.string(), persons: z.int() })),
  sources: z.array(z.object({ source: MemberSource, side: Side.nullable(), persons: z.int() })),
})
export type BaseAudit = z.infer<typeof BaseAudit>

export const Review = z.object({
  id: z.uuid(),
  kind: z.enum(['conflict', 'fuzzy']),
  state: z.enum(['open', 'joined', 'apart']),
  score: z.number().nullable(),
  evidence: z.array(z.object({ zh: z.string(), en: z.string() })),
  at: When,
  sides: z.array(
    z.object({
      id: PublicId,
      name: z.string().nullable(),
      gender: z.string().nullable(),
      birthday: z.string().nullable(),
      joinedAt: When.nullable(),
      store: z.string().nullable(),
      identifiers: z.array(Identifier),
      purchases: z.int(),
      spentCents: z.int(),
      lastPurchaseAt: When.nullable(),
    }),
  ),
})
export const Merge = z.object({
  id: z.uuid(),
  at: When,
  cause: z.string(),
  actor: z.string().nullable(),
  kept: PublicId,
  keptName: z.string().nullable(),
  absorbedName: z.string().nullable(),
  profiles: z.int(),
  undoneAt: When.nullable(),
})

const headquarters = ['owner', 'operator'] as const

export const membersContract = {
  search: route({
    method: 'GET',
    path: '/members',
    tag: 'members',
    summary: 'Find members',
    who: memberReaders,
    scope: 'members:read',
  })
    .input(MemberFilter.extend(PageInput.shape))
    .output(pageOf(MemberRow)),
  card: route({
    method: 'GET',
    path: '/members/{id}',
    tag: 'members',
    summary: 'Show one member',
    who: memberReaders,
    scope: 'members:read',
  })
    .input(z.object({ id: PublicId }))
    .output(MemberCard),
  timeline: route({
    method: 'GET',
    path: '/members/{id}/timeline',
    tag: 'members',
    summary: 'What happened to a member',
    who: memberReaders,
    scope: 'members:read',
  })
    .input(z.object({ id: PublicId }).extend(PageInput.shape))
    .output(pageOf(TimelineItem)),
  orders: route({
    method: 'GET',
    path: '/members/{id}/orders',
    tag: 'members',
    summary: 'Orders of a member',
    who: memberReaders,
    scope: 'members:read',
  })
    .input(z.object({ id: PublicId }))
    .output(z.object({ items: z.array(OrderRow) })),
  reveal: route({
    method: 'POST',
    path: '/members/{id}/reveal',
    tag: 'members',
    summary: 'Show a full identifier and record the look',
    who: memberReaders,
    scope: 'personal:read',
    secretReply: true,
  })
    .input(
      z.object({
        id: PublicId,
        kind: z.string(),
        /** Which of several of the kind, by the `id` of the card; without it the one that stands first. */
        identifier: z.uuid().optional(),
        reason: z.string().max(200).optional(),
      }),
    )
    .output(z.object({ value: z.string() })),
  setTag: route({
    method: 'POST',
    path: '/members/{id}/tags',
    tag: 'members',
    summary: 'Put a tag on a member',
    who: ['owner', 'operator', 'store_manager', 'guide', 'customer_service'],
    scope: 'members:write',
  })
    .input(z.object({ id: PublicId, tagId: TagId, reason: z.string().max(200).optional() }))
    .output(z.object({ ok: z.literal(true) })),
  removeTag: route({
    method: 'POST',
    path: '/members/{id}/tags/{tagId}/remove',
    tag: 'members',
    summary: 'Take a tag off a member',
    who: ['owner', 'operator', 'store_manager', 'guide', 'customer_service'],
    scope: 'members:write',
  })
    .input(z.object({ id: PublicId, tagId: TagId, reason: z.string().max(200).optional() }))
    .output(z.object({ ok: z.literal(true) })),
  erase: route({
    method: 'POST',
    path: '/members/{id}/erasure',
    tag: 'members',
    summary: 'Erase what is known of a member, for good',
    description:
      'Records, identifiers and attributes go, and with them the keys that sealed them; open tasks are cancelled, SOPs are left, messages that wait are dropped. Orders stay in totals under a number that leads to nobody. What names the member again is refused until the erasure is lifted.',
    who: ['owner'],
  })
    .input(
      z.object({
        id: PublicId,
        reason: z.string().trim().min(2).max(200),
        /** That this cannot be undone is understood. */
        understood: z.literal(true),
      }),
    )
    .output(z.object({ records: z.int() })),
  liftErasure: route({
    method: 'POST',
    path: '/member-erasures/lift',
    tag: 'members',
    summary: 'Let somebody who was erased come back',
    description:
      'The identifier is one that the member had then. Nothing that was erased comes back by this.',
    who: ['owner'],
  })
    .input(
      z.object({
        kind: z.enum(['phone', 'unionid', 'oa_openid', 'mp_openid', 'external_userid', 'card', 'email']),
        value: z.string().trim().min(1).max(200),
        /** App, corp or system that gave the identifier, where its kind needs one. */
        scope: z.string().max(100).default(''),
        reason: z.string().trim().min(2).max(200),
      }),
    )
    .output(z.object({ ok: z.literal(true) })),
  audit: route({
    method: 'GET',
    path: '/member-base/audit',
    tag: 'members',
    summary: 'Audit the member base',
    description:
      'Of members whom the caller may see; orders without a buyer belong to nobody and are those of the whole brand.',
    who: ['owner', 'operator', 'analyst', 'regional_manager'],
    scope: 'members:read',
  }).output(BaseAudit),
  reviews: route({
    method: 'GET',
    path: '/identity/reviews',
    tag: 'members',
    summary: 'List identities to review',
    who: headquarters,
    scope: 'members:read',
  })
    .input(
      z
        .object({
          state: z.enum(['open', 'joined', 'apart']).default('open'),
          kind: z.enum(['conflict', 'fuzzy']).optional(),
        })
        .extend(PageInput.shape),
    )
    .output(pageOf(Review)),
  findDuplicates: route({
    method: 'POST',
    path: '/identity/find-duplicates',
    tag: 'members',
    summary: 'Look for fuzzy duplicates',
    description:
      'Minutes for a million members: after 20 seconds the answer says that it is still running, and what is found goes on appearing among the reviews.',
    who: headquarters,
    scope: 'members:write',
  }).output(z.object({ proposed: z.int(), running: z.boolean() })),
  join: route({
    method: 'POST',
    path: '/identity/reviews/{id}/join',
    tag: 'members',
    summary: 'Join two persons',
    description:
      'Attributes of the side to keep win over what the other said before; consents, and where they came from, are as they were said.',
    who: headquarters,
    scope: 'members:write',
  })
    .input(z.object({ id: z.uuid(), keep: PublicId }))
    .output(z.object({ mergeId: z.uuid() })),
  keepApart: route({
    method: 'POST',
    path: '/identity/reviews/{id}/apart',
    tag: 'members',
    summary: 'Keep two persons apart',
    who: headquarters,
    scope: 'members:write',
  })
    .input(z.object({ id: z.uuid(), reason: z.string().max(200).optional() }))
    .output(z.object({ ok: z.literal(true) })),
  merges: route({
    method: 'GET',
    path: '/identity/merges',
    tag: 'members',
    summary: 'List merges',
    who: headquarters,
    scope: 'members:read',
  })
    .input(PageInput)
    .output(pageOf(Merge)),
  undoMerge: route({
    method: 'POST',
    path: '/identity/merges/{id}/undo',
    tag: 'members',
    summary: 'Undo a merge',
    who: headquarters,
    scope: 'members:write',
  })
    .input(z.object({ id: z.uuid() }))
    .output(z.object({ ok: z.literal(true) })),
}
