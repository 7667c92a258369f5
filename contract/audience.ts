import { z } from 'zod'
import { Instant, memberReaders, PageInput, pageOf, route, versioned, versionedWrite } from './base.ts'
import { SegmentId, TagGroupId, TagId } from './ids.ts'
import { MemberRow, MemberSource, Why } from './members.ts'
import { Rule } from './rule.ts'

const headquarters = ['owner', 'operator'] as const
const Text = z.object({ zh: z.string(), en: z.string() })

/** TAG-02: the four pairs, each a field of its own. */
export const TagTraits = z.object({
  volatility: z.enum(['dynamic', 'static']),
  subjectivity: z.enum(['subjective', 'objective']),
  derivation: z.enum(['fact', 'model']),
  composition: z.enum(['single', 'combined']),
})

export const TagGroup = versioned(
  z.object({
    id: TagGroupId,
    name: z.string(),
    level: z.enum(['S', 'business']),
    scope: z.enum(['brand', 'custom']),
    openToStores: z.boolean(),
    seeded: z.boolean(),
    tags: z.int(),
    /** Of an S-level group: how many persons have a value other than unknown, and how many have none. */
    covered: z.int().nullable(),
    unknown: z.int().nullable(),
  }),
)
export const Tag = versioned(
  TagTraits.extend({
    id: TagId,
    groupId: TagGroupId,
    group: z.string(),
    level: z.enum(['S', 'business']),
    parentId: TagId.nullable(),
    name: z.string(),
    producer: z.enum(['guide', 'system']),
    origin: z.enum(['synced', 'manual', 'auto']),
    scope: z.enum(['brand', 'custom']),
    use: z.string(),
    plan: z.string(),
    rule: Rule.nullable(),
    persons: z.int(),
    usedBy: z.array(z.string()),
    waste: z.boolean(),
    retiredAt: Instant.nullable(),
  }),
)
export type Tag = z.infer<typeof Tag>
export type TagGroup = z.infer<typeof TagGroup>

const tagFields = {
  groupId: TagGroupId,
  parentId: TagId.nullable().default(null),
  name: z.string().trim().min(1).max(40),
  ...TagTraits.shape,
  producer: z.enum(['guide', 'system']),
  origin: z.enum(['synced', 'manual', 'auto']),
  use: z.string().trim().min(1).max(500),
  plan: z.string().trim().min(1).max(500),
  rule: Rule.nullable().default(null),
}
const groupFields = {
  name: z.string().trim().min(1).max(40),
  level: z.enum(['S', 'business']),
  scope: z.enum(['brand', 'custom']).default('brand'),
  openToStores: z.boolean().default(false),
}

/**
 * live: follows what happens and time. snapshot: who was in it at a moment, until it is taken anew. on_demand: computed
 * when somebody asks, and nothing meanwhile; rules and SOPs cannot use it.
 */
export const segmentKinds = ['live', 'snapshot', 'on_demand'] as const
export const SegmentKind = z.enum(segmentKinds)
export type SegmentKind = z.infer<typeof SegmentKind>

export const Segment = versioned(
  z.object({
    id: SegmentId,
    name: z.string(),
    description: z.string(),
    rule: Rule,
    sentence: Text,
    persons: z.int(),
    enteredToday: z.int(),
    leftToday: z.int(),
    usedBy: z.array(z.string()),
    kind: SegmentKind,
    /** Of a snapshot or a segment on demand: the moment whose members it has; null before the first. */
    takenAt: Instant.nullable(),
    /** Computing: not everybody is answered yet, or a snapshot is being taken. */
    state: z.enum(['computing', 'live']),
    computedShare: z.number(),
    createdAt: Instant,
  }),
)
export type Segment = z.infer<typeof Segment>
const segmentFields = {
  name: z.string().trim().min(1).max(60),
  description: z.string().max(500).default(''),
  rule: Rule,
}

/** Days of the brand, ascending, the last is today; `size` at the end of the day. */
export const SegmentGrowth = z.object({
  /** False for a segment on demand: nothing is known of its days. */
  followed: z.boolean(),
  days: z.array(z.object({ day: z.iso.date(), size: z.int(), entered: z.int(), left: z.int() })),
})
export type SegmentGrowth = z.infer<typeof SegmentGrowth>

/** Counts of persons whom the caller may see. */
export const SegmentOverlap = z.object({
  onlyFirst: z.int(),
  both: z.int(),
  onlySecond: z.int(),
  of: z.int(),
})
export type SegmentOverlap = z.infer<typeof SegmentOverlap>

export const Preview = z.object({
  persons: z.int(),
  of: z.int(),
  exact: z.boolean(),
  sentence: Text,
  warnings: z.array(Text),
  /** So many were looked at where `exact` is false: everything else is estimated from them. */
  lookedAt: z.int(),
  byLifecycle: z.array(z.object({ state: z.string(), persons: z.int() })),
  bySource: z.array(z.object({ source: MemberSource, persons: z.int() })),
  /** The largest stores; null is without a store, and what is left over is `otherStores`. */
  byStore: z.array(z.object({ store: z.string().nullable(), persons: z.int() })),
  otherStores: z.int(),
  /** How many marketing can reach on a channel: an address that works, and consent where the channel needs it first. */
  reachable: z.array(z.object({ channel: z.string(), persons: z.int() })),
  sample: z.array(MemberRow),
})

/** As of the end of a day of the brand's zone, today at the latest; without one, as of now. */
const AsOf = z.object({ asOf: z.iso.date().optional() })

/** Life cycle, RFM matrix and the flow from source to state: what the pictures show. */
export const LifecycleOverview = z.object({
  asOf: Instant,
  bands: z.array(
    z.object({
      state: z.string(),
      fromDays: z.int().nullable(),
      toDays: z.int().nullable(),
      persons: z.int(),
      spentCents: z.int(),
    }),
  ),
  neverBought: z.array(z.object({ state: z.string(), persons: z.int() })),
  ownCycle: z.array(z.object({ state: z.string(), persons: z.int() })),
  stages: z.array(z.object({ stage: z.string(), persons: z.int(), conversion: z.number().nullable() })),
  joinRecency: z.array(z.object({ state: z.string(), persons: z.int() })),
  aipl: z.array(z.object({ stage: z.string(), persons: z.int() })),
  oneTimeBuyers: z.int(),
  interactionSilent: z.int(),
  fallingAsleep30Days: z.int(),
  wokenThisMonth: z.int(),
  newThisMonth: z.int(),
})
export const RfmMatrix = z.object({
  publishedAt: Instant.nullable(),
  cuts: z
    .object({ recency: z.array(z.number()), frequency: z.array(z.number()), monetary: z.array(z.number()) })
    .nullable(),
  cells: z.array(z.object({ recency: z.int(), frequency: z.int(), persons: z.int(), spentCents: z.int() })),
  groups: z.array(z.object({ group: z.string(), name: Text, persons: z.int(), spentCents: z.int() })),
})
export const SourceFlow = z.object({
  links: z.array(
    z.object({
      source: MemberSource,
      side: z.enum(['online', 'offline']).nullable(),
      state: z.string(),
      persons: z.int(),
    }),
  ),
})

export const audienceContract = {
  tagGroups: route({
    method: 'GET',
    path: '/tag-groups',
    tag: 'tags',
    summary: 'List tag groups',
    who: memberReaders,
    scope: 'audience:read',
  }).output(z.object({ items: z.array(TagGroup) })),
  createTagGroup: route({
    method: 'POST',
    path: '/tag-groups',
    tag: 'tags',
    summary: 'Make a tag group',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(z.object(groupFields))
    .output(TagGroup),
  changeTagGroup: route({
    method: 'PUT',
    path: '/tag-groups/{id}',
    tag: 'tags',
    summary: 'Change a tag group',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(versionedWrite({ id: TagGroupId, ...groupFields }))
    .output(TagGroup),
  tags: route({
    method: 'GET',
    path: '/tags',
    tag: 'tags',
    summary: 'List tags',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(
      z.object({
        groupId: TagGroupId.optional(),
        retired: z.boolean().default(false),
        wasteOnly: z.boolean().default(false),
      }),
    )
    .output(z.object({ items: z.array(Tag) })),
  createTag: route({
    method: 'POST',
    path: '/tags',
    tag: 'tags',
    summary: 'Make a tag',
    who: ['owner', 'operator', 'store_manager'],
    scope: 'audience:write',
  })
    .input(z.object(tagFields))
    .output(Tag),
  changeTag: route({
    method: 'PUT',
    path: '/tags/{id}',
    tag: 'tags',
    summary: 'Change a tag',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(versionedWrite({ id: TagId, ...tagFields }))
    .output(Tag),
  retireTags: route({
    method: 'POST',
    path: '/tags/retire',
    tag: 'tags',
    summary: 'Retire tags',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(z.object({ ids: z.array(TagId).min(1).max(500) }))
    .output(z.object({ retirementId: z.uuid(), retired: z.int() })),
  undoRetire: route({
    method: 'POST',
    path: '/tags/retirements/{id}/undo',
    tag: 'tags',
    summary: 'Bring retired tags back',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(z.object({ id: z.uuid() }))
    .output(z.object({ restored: z.int() })),
  lostSyncs: route({
    method: 'GET',
    path: '/tags/lost-syncs',
    tag: 'tags',
    summary: 'Synced values that lost against a stronger one',
    who: headquarters,
    scope: 'audience:read',
  })
    .input(PageInput)
    .output(
      pageOf(
        z.object({
          memberId: z.uuid(),
          group: z.string(),
          lost: z.string(),
          kept: z.string(),
          at: Instant,
          writtenBackAt: Instant.nullable(),
        }),
      ),
    ),
  segments: route({
    method: 'GET',
    path: '/segments',
    tag: 'segments',
    summary: 'List segments',
    who: memberReaders,
    scope: 'audience:read',
  }).output(z.object({ items: z.array(Segment) })),
  segment: route({
    method: 'GET',
    path: '/segments/{id}',
    tag: 'segments',
    summary: 'Show a segment',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(z.object({ id: SegmentId }))
    .output(Segment),
  preview: route({
    method: 'POST',
    path: '/segments/preview',
    tag: 'segments',
    summary: 'Count and sample a rule',
    who: ['owner', 'operator', 'regional_manager', 'analyst'],
    scope: 'audience:read',
  })
    .input(
      z.object({
        rule: Rule,
        quick: z
          .boolean()
          .default(false)
          .describe('Of a base of 100,000 and more only look at a stable part first'),
      }),
    )
    .output(Preview),
  createSegment: route({
    method: 'POST',
    path: '/segments',
    tag: 'segments',
    summary: 'Make a segment',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(z.object({ ...segmentFields, kind: SegmentKind.default('live') }))
    .output(Segment),
  changeSegment: route({
    method: 'PUT',
    path: '/segments/{id}',
    tag: 'segments',
    summary: 'Change a segment',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(versionedWrite({ id: SegmentId, ...segmentFields, kind: SegmentKind.optional() }))
    .output(Segment),
  takeSegment: route({
    method: 'POST',
    path: '/segments/{id}/take',
    tag: 'segments',
    summary: 'Take a snapshot anew, or compute a segment on demand',
    description:
      'Answers at once; `state` is computing until it is done. Until then the members of the time before stay.',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(z.object({ id: SegmentId }))
    .output(Segment),
  segmentGrowth: route({
    method: 'GET',
    path: '/segments/{id}/growth',
    tag: 'segments',
    summary: 'Size of a segment by day, with who entered and left',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(z.object({ id: SegmentId, days: z.int().min(2).max(731).default(90) }))
    .output(SegmentGrowth),
  segmentOverlap: route({
    method: 'GET',
    path: '/segments/{id}/overlap/{otherId}',
    tag: 'segments',
    summary: 'Count who is in both of two segments, and in one alone',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(z.object({ id: SegmentId, otherId: SegmentId }))
    .output(SegmentOverlap),
  deleteSegment: route({
    method: 'DELETE',
    path: '/segments/{id}',
    tag: 'segments',
    summary: 'Delete a segment that nothing uses',
    who: headquarters,
    scope: 'audience:write',
  })
    .input(versionedWrite({ id: SegmentId }))
    .output(z.object({ done: z.literal(true) })),
  why: route({
    method: 'GET',
    path: '/members/{id}/segments/{segmentId}/why',
    tag: 'segments',
    summary: 'Why a member is in a segment or not',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(z.object({ id: z.uuid(), segmentId: SegmentId }))
    .output(Why),
  lifecycle: route({
    method: 'GET',
    path: '/lifecycle',
    tag: 'life cycle',
    summary: 'Life cycle of the base',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(AsOf)
    .output(LifecycleOverview),
  rfm: route({
    method: 'GET',
    path: '/rfm',
    tag: 'life cycle',
    summary: 'RFM matrix and groups',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(AsOf)
    .output(RfmMatrix),
  flow: route({
    method: 'GET',
    path: '/source-flow',
    tag: 'life cycle',
    summary: 'Flow from source to life cycle',
    who: memberReaders,
    scope: 'audience:read',
  })
    .input(AsOf)
    .output(SourceFlow),
}
