import { z } from 'zod'
import { Instant, PageInput, pageOf, route, versioned, versionedWrite } from './base.ts'

const Text = z.object({ zh: z.string(), en: z.string() })
const readers = ['owner', 'operator', 'regional_manager', 'analyst'] as const
const headquarters = ['owner', 'operator'] as const

export const channelNames = ['wecom', 'sms'] as const
export const ChannelName = z.enum(channelNames)
export type ChannelName = z.infer<typeof ChannelName>

/** Caps and quiet hours of the brand, LIM-08 and LIM-12. Times are local 'HH:MM'. */
export const ReachSettings = z.object({
  oneToOnePerWeek: z.int().min(0).max(14),
  momentsPerStaffDay: z.int().min(0).max(20),
  quietFrom: z.string().regex(/^\d\d:\d\d$/),
  quietTo: z.string().regex(/^\d\d:\d\d$/),
  holdoutBasePercent: z.number().min(0).max(50),
  holdoutJourneyPercent: z.number().min(0).max(50),
})
export type ReachSettings = z.infer<typeof ReachSettings>

export const ChannelState = versioned(
  z.object({
    name: ChannelName,
    mode: z.enum(['off', 'simulated', 'test', 'live']),
    allowList: z.array(z.string()),
    configured: z.boolean(),
    costCents: z.int(),
    sentToday: z.int(),
    failing: z.string().nullable(),
  }),
)
export type ChannelState = z.infer<typeof ChannelState>

export const Touch = z.object({
  id: z.uuid(),
  memberId: z.uuid(),
  member: z.string().nullable(),
  channel: z.string(),
  class: z.enum(['marketing', 'welcome', 'transactional', 'answer']),
  state: z.string(),
  reason: z.string(),
  reasonText: Text,
  journey: z.string().nullable(),
  sender: z.string().nullable(),
  content: z.string(),
  costCents: z.int(),
  plannedAt: Instant,
  at: Instant,
})
export type Touch = z.infer<typeof Touch>

export const reachContract = {
  touches: route({
    method: 'GET',
    path: '/touches',
    tag: 'reach',
    summary: 'List touches with their reasons',
    who: readers,
    scope: 'reach:read',
  })
    .input(
      PageInput.extend({
        state: z.string().max(40).optional(),
        reason: z.string().max(60).optional(),
        channel: ChannelName.optional(),
        journeyId: z.uuid().optional(),
        memberId: z.uuid().optional(),
        day: z.iso.date().optional(),
      }),
    )
    .output(pageOf(Touch)),
  today: route({
    method: 'GET',
    path: '/touches/today',
    tag: 'reach',
    summary: 'Touches of today by state and reason',
    who: readers,
    scope: 'reach:read',
  }).output(
    z.object({
      items: z.array(z.object({ state: z.string(), reason: z.string(), reasonText: Text, touches: z.int() })),
    }),
  ),
  settings: route({
    method: 'GET',
    path: '/settings/reach',
    tag: 'settings',
    summary: 'Caps, quiet hours and holdouts',
    who: readers,
    scope: 'reach:read',
  }).output(versioned(ReachSettings)),
  changeSettings: route({
    method: 'PUT',
    path: '/settings/reach',
    tag: 'settings',
    summary: 'Change caps, quiet hours and holdouts',
    who: headquarters,
    right: 'approve',
    scope: 'reach:write',
  })
    .input(versionedWrite(ReachSettings.shape))
    .output(versioned(ReachSettings)),
  channels: route({
    method: 'GET',
    path: '/channels',
    tag: 'settings',
    summary: 'Channels and their mode',
    who: readers,
    scope: 'reach:read',
  }).output(z.object({ items: z.array(ChannelState) })),
  changeChannel: route({
    method: 'PUT',
    path: '/channels/{name}',
    tag: 'settings',
    summary: 'Change the allow-list and cost of a channel',
    who: headquarters,
    scope: 'reach:write',
  })
    .input(
      versionedWrite({
        name: ChannelName,
        allowList: z.array(z.string().max(100)).max(200),
        costCents: z.int().min(0).max(100_000),
      }),
    )
    .output(ChannelState),
  channelToTest: route({
    method: 'POST',
    path: '/channels/{name}/test-mode',
    tag: 'settings',
    summary: 'Put a channel back to test mode at once',
    who: headquarters,
    scope: 'reach:write',
  })
    .input(z.object({ name: ChannelName }))
    .output(ChannelState),
  channelToLive: route({
    method: 'POST',
    path: '/channels/{name}/live-mode',
    tag: 'settings',
    summary: 'Put a channel live: name it again to confirm',
    who: ['owner'],
    right: 'approve',
    scope: 'reach:write',
  })
    .input(versionedWrite({ name: ChannelName, confirm: ChannelName }))
    .output(ChannelState),
}
