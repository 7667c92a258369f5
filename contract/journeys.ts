import { z } from 'zod'
import { Instant, PageInput, pageOf, route, versionedWrite } from './base.ts'
import { SegmentId } from './ids.ts'

const Text = z.object({ zh: z.string(), en: z.string() })
const readers = ['owner', 'operator', 'regional_manager', 'store_manager', 'analyst'] as const
const headquarters = ['owner', 'operator'] as const

export const journeyTemplates = ['new_member_follow_up', 'wake_sleeping', 'birthday'] as const
export const JourneyTemplate = z.enum(journeyTemplates)
export type JourneyTemplate = z.infer<typeof JourneyTemplate>

/** A node as the canvas draws it; positions are layout, kept apart from meaning. */
export const CanvasNode = z.object({
  id: z.string(),
  kind: z.enum(['trigger', 'wait', 'branch', 'split', 'touch', 'task', 'tag', 'webhook', 'exit']),
  title: Text,
  sentence: Text,
  x: z.number(),
  y: z.number(),
  /** Persons there now, and how many ever came. */
  waiting: z.int(),
  passed: z.int(),
})
export const CanvasEdge = z.object({ from: z.string(), to: z.string(), label: Text.nullable() })

export const Journey = z.object({
  id: z.uuid(),
  name: z.string(),
  template: JourneyTemplate,
  state: z.enum(['draft', 'live', 'paused', 'ended']),
  version: z.int(),
  goal: Text,
  entry: Text,
  enrolled: z.int(),
  active: z.int(),
  finished: z.int(),
  touchesToday: z.int(),
  tasksToday: z.int(),
  demo: z.boolean(),
  liveSince: Instant.nullable(),
})
export type Journey = z.infer<typeof Journey>

export const JourneyDetail = Journey.extend({
  nodes: z.array(CanvasNode),
  edges: z.array(CanvasEdge),
  /** Entered → touched → delivered → replied or returned → bought, and the held-out group beside it. */
  funnel: z.array(z.object({ step: z.string(), name: Text, persons: z.int(), heldOut: z.int().nullable() })),
  /** Return rate of those treated and of the holdout: bought or came back within the window after entry. */
  result: z.object({
    windowDays: z.int(),
    treated: z.int(),
    treatedReturned: z.int(),
    heldOut: z.int(),
    heldOutReturned: z.int(),
    costCents: z.int(),
  }),
  reasons: z.array(z.object({ state: z.string(), reason: z.string(), text: Text, touches: z.int() })),
  settings: z.record(z.string(), z.unknown()),
  steps: z.array(z.object({ nodeId: z.string(), name: Text, text: z.string(), channel: z.string() })),
})
export type JourneyDetail = z.infer<typeof JourneyDetail>

/** What would happen: shown before anything goes out. */
export const GoLiveCheck = z.object({
  entersNow: z.int(),
  perDay: z.array(z.object({ day: z.string(), touches: z.int(), tasks: z.int() })),
  byChannel: z.array(
    z.object({
      channel: z.string(),
      reachable: z.int(),
      unreachable: z.int(),
      mode: z.enum(['off', 'simulated', 'test', 'live']),
    }),
  ),
  heldOut: z.int(),
  costCents: z.int(),
  problems: z.array(z.object({ nodeId: z.string().nullable(), text: Text, blocks: z.boolean() })),
})
export type GoLiveCheck = z.infer<typeof GoLiveCheck>

export const Enrolment = z.object({
  id: z.uuid(),
  memberId: z.uuid(),
  name: z.string().nullable(),
  enteredAt: Instant,
  node: Text,
  dueAt: Instant.nullable(),
  state: z.enum(['active', 'finished', 'left']),
  reason: z.string().nullable(),
  heldOut: z.boolean(),
})

/** In an emergency the button works whatever others do; who gives the version that was seen is told of a change. */
const pressed = z.object({ id: z.uuid(), version: z.int().positive().optional() })

export const journeysContract = {
  list: route({
    method: 'GET',
    path: '/journeys',
    tag: 'journeys',
    summary: 'List SOPs',
    who: readers,
    scope: 'journeys:read',
  }).output(z.object({ items: z.array(Journey) })),
  get: route({
    method: 'GET',
    path: '/journeys/{id}',
    tag: 'journeys',
    summary: 'Show a SOP with its canvas and funnel',
    who: readers,
    scope: 'journeys:read',
  })
    .input(z.object({ id: z.uuid() }))
    .output(JourneyDetail),
  create: route({
    method: 'POST',
    path: '/journeys',
    tag: 'journeys',
    summary: 'Make a SOP from a template',
    who: headquarters,
    scope: 'journeys:write',
  })
    .input(
      z.object({
        template: JourneyTemplate,
        name: z.string().trim().min(1).max(60),
        segmentId: SegmentId.optional(),
        enterPresent: z.boolean().default(false),
        texts: z.record(z.string(), z.string().max(1000)).default({}),
      }),
    )
    .output(Journey),
  change: route({
    method: 'PUT',
    path: '/journeys/{id}',
    tag: 'journeys',
    summary: 'Change a draft',
    who: headquarters,
    scope: 'journeys:write',
  })
    .input(
      versionedWrite({
        id: z.uuid(),
        name: z.string().trim().min(1).max(60),
        texts: z.record(z.string(), z.string().max(1000)),
      }),
    )
    .output(Journey),
  check: route({
    method: 'GET',
    path: '/journeys/{id}/check',
    tag: 'journeys',
    summary: 'Say what going live would do',
    who: headquarters,
    scope: 'journeys:read',
  })
    .input(z.object({ id: z.uuid() }))
    .output(GoLiveCheck),
  goLive: route({
    method: 'POST',
    path: '/journeys/{id}/go-live',
    tag: 'journeys',
    summary: 'Put a SOP live',
    who: headquarters,
    right: 'approve',
    scope: 'journeys:write',
  })
    .input(versionedWrite({ id: z.uuid() }))
    .output(Journey),
  pause: route({
    method: 'POST',
    path: '/journeys/{id}/pause',
    tag: 'journeys',
    summary: 'Pause a SOP at once',
    who: headquarters,
    scope: 'journeys:write',
  })
    .input(pressed)
    .output(Journey),
  resume: route({
    method: 'POST',
    path: '/journeys/{id}/resume',
    tag: 'journeys',
    summary: 'Go on with a paused SOP',
    who: headquarters,
    right: 'approve',
    scope: 'journeys:write',
  })
    .input(pressed)
    .output(Journey),
  end: route({
    method: 'POST',
    path: '/journeys/{id}/end',
    tag: 'journeys',
    summary: 'End a SOP for good: whoever is in it leaves',
    who: headquarters,
    right: 'approve',
    scope: 'journeys:write',
  })
    .input(versionedWrite({ id: z.uuid() }))
    .output(Journey),
  enrolments: route({
    method: 'GET',
    path: '/journeys/{id}/enrolments',
    tag: 'journeys',
    summary: 'Who is in a SOP',
    who: readers,
    scope: 'journeys:read',
  })
    .input(PageInput.extend({ id: z.uuid(), nodeId: z.string().optional() }))
    .output(pageOf(Enrolment)),
}
