/** Sources of events, the tracking plan, and what was seen beside it. */
import { z } from 'zod'
import { Instant, route, versioned, versionedWrite } from './base.ts'
import { Name } from './org-words.ts'

const intake = { tag: 'Events' } as const

/** member_no: the number of the member in the source that `userIdScope` names ('file' for imports, unless told otherwise). */
export const userIdKinds = [
  'member_no',
  'card',
  'phone',
  'email',
  'unionid',
  'mp_openid',
  'oa_openid',
  'external_userid',
] as const
export const UserIdKind = z.enum(userIdKinds)

const Origin = z.string().trim().min(1).max(200)

export const EventSource = z.object({
  id: z.uuid(),
  /** Names the source in the log, for ever. */
  code: z.string(),
  name: Name,
  /** Public: it stands in pages and apps. */
  writeKey: z.string(),
  /** Sites whose pages may send; none: any. */
  origins: z.array(z.string()),
  /** What its user ids are. */
  userIdKind: UserIdKind,
  /** The source of member numbers; the app id or card system of other ids, where there are several. */
  userIdScope: z.string().max(100),
  state: z.enum(['open', 'closed']),
  createdAt: Instant,
  /** When an event last came. */
  lastAt: Instant.nullable(),
  events: z.int(),
  version: z.int(),
})
export type EventSource = z.infer<typeof EventSource>

const ChangeableSource = {
  name: Name,
  origins: z.array(Origin).max(100).default([]),
  userIdKind: UserIdKind.default('member_no'),
  userIdScope: z.string().trim().max(100).default(''),
}

export const propertyTypes = ['text', 'number', 'boolean', 'time'] as const
export const PropertyType = z.enum(propertyTypes)
export type PropertyType = z.infer<typeof PropertyType>

export const PlannedProperty = z.object({
  type: PropertyType,
  required: z.boolean().default(false),
  description: z.string().max(500).default(''),
})
export type PlannedProperty = z.infer<typeof PlannedProperty>

const EventName = z.string().trim().min(1).max(200)
const PlannedProperties = z.record(z.string().min(1).max(200), PlannedProperty)

export const PlannedEvent = z.object({
  name: EventName,
  description: z.string().max(1000),
  properties: PlannedProperties,
  changedAt: Instant,
})
export type PlannedEvent = z.infer<typeof PlannedEvent>

/** unplanned: the plan does not know it. ill_typed: it came as another type than planned. missing: planned, and never came. */
export const findings = ['unplanned', 'ill_typed', 'missing', 'missing_required'] as const
export const Finding = z.enum(findings)
export type Finding = z.infer<typeof Finding>

export const SeenProperty = z.object({
  property: z.string(),
  types: z.array(z.object({ type: PropertyType, count: z.int(), sample: z.string() })),
  planned: PlannedProperty.nullable(),
  finding: Finding.nullable(),
  firstAt: Instant.nullable(),
  count: z.int(),
})
export type SeenProperty = z.infer<typeof SeenProperty>

export const SeenEvent = z.object({
  name: z.string(),
  sources: z.array(z.string()),
  count: z.int(),
  firstAt: Instant.nullable(),
  lastAt: Instant.nullable(),
  planned: versioned(PlannedEvent).nullable(),
  finding: Finding.nullable(),
  /** Properties of it that the plan does not know, or knows otherwise. */
  findings: z.int(),
  properties: z.array(SeenProperty),
  /** Events of which a part was cut, left out, or hidden as personal. */
  cut: z.int(),
  leftOut: z.int(),
  hidden: z.int(),
})
export type SeenEvent = z.infer<typeof SeenEvent>

export const refusedReasons = [
  'not_an_object',
  'unknown_type',
  'no_name',
  'nobody',
  'bad_time',
  'too_old',
  'in_the_future',
  'too_large',
] as const
export const RefusedReason = z.enum(refusedReasons)
export type RefusedReason = z.infer<typeof RefusedReason>

export const RefusedEvents = z.object({
  source: z.string(),
  reason: RefusedReason,
  name: z.string(),
  count: z.int(),
  lastAt: Instant,
})

/** Where an SDK is pointed, beside the write key. */
export const IntakeAddresses = z.object({ segment: z.string(), sensors: z.string() })

const who = ['owner', 'engineer', 'operator'] as const

export const intakeContract = {
  sources: route({
    ...intake,
    method: 'GET',
    path: '/event-sources',
    summary: 'List the sources of events',
    who: [...who, 'analyst'],
    scope: 'org:read',
  }).output(z.object({ items: z.array(EventSource), addresses: IntakeAddresses })),
  createSource: route({
    ...intake,
    method: 'POST',
    path: '/event-sources',
    summary: 'Make a source of events, with a write key',
    who: ['owner', 'engineer'],
    scope: 'org:write',
  })
    .input(z.object({ code: z.string().regex(/^[a-z][a-z0-9-]{1,39}$/), ...ChangeableSource }))
    .output(EventSource),
  changeSource: route({
    ...intake,
    method: 'PUT',
    path: '/event-sources/{id}',
    summary: 'Change, close or open a source of events, or give it a new write key',
    who: ['owner', 'engineer'],
    scope: 'org:write',
  })
    .input(
      versionedWrite({
        id: z.uuid(),
        ...ChangeableSource,
        state: z.enum(['open', 'closed']),
        newKey: z.boolean().default(false),
      }),
    )
    .output(EventSource),
  seen: route({
    ...intake,
    method: 'GET',
    path: '/tracking-plan',
    summary: 'Show the tracking plan beside what came',
    who: [...who, 'analyst'],
    scope: 'org:read',
  }).output(
    z.object({
      events: z.array(SeenEvent),
      refused: z.array(RefusedEvents),
      /** There are more names than a page shows, or than are counted apart. */
      more: z.boolean(),
    }),
  ),
  plan: route({
    ...intake,
    method: 'PUT',
    path: '/tracking-plan/events',
    summary: 'Take an event into the tracking plan, or change what the plan says of it',
    who,
    scope: 'org:write',
  })
    .input(
      versionedWrite({
        name: EventName,
        description: z.string().trim().max(1000).default(''),
        properties: PlannedProperties.default({}),
      }),
    )
    .output(versioned(PlannedEvent)),
  unplan: route({
    ...intake,
    method: 'DELETE',
    path: '/tracking-plan/events',
    summary: 'Take an event out of the tracking plan; what came of it stays',
    who,
    scope: 'org:write',
  })
    .input(z.object({ name: EventName, version: z.int() }))
    .output(z.object({ done: z.literal(true) })),
}
