import { z } from 'zod'
import { Done, Instant, route, streamRoute, versioned, versionedWrite } from './base.ts'
import { smsTextsContract } from './sms-texts.ts'

const readers = ['owner', 'operator', 'regional_manager', 'analyst', 'engineer'] as const
const headquarters = ['owner', 'operator'] as const

export const channelNames = ['wecom', 'sms'] as const
export const ChannelName = z.enum(channelNames)
export type ChannelName = z.infer<typeof ChannelName>

export const ChannelState = versioned(
  z.object({
    name: ChannelName,
    mode: z.enum(['off', 'simulated', 'test', 'live']),
    allowList: z.array(z.string()),
    configured: z.boolean(),
    /** By which account the provider knows us, masked; null where no credentials are kept. */
    account: z.string().nullable(),
    liveSince: Instant.nullable(),
    failing: z.string().nullable(),
  }),
)
export type ChannelState = z.infer<typeof ChannelState>

const Secret = z.string().trim().min(1).max(200)

/** What a real provider asks for. Goes in, is sealed at rest, and never comes out again. */
export const ChannelCredentials = z.discriminatedUnion('channel', [
  z.object({
    channel: z.literal('wecom'),
    corpId: Secret,
    secret: Secret,
    /** Token and EncodingAESKey of the callback, where WeCom tells of contacts as they come and go. */
    callbackToken: z
      .string()
      .regex(/^[A-Za-z0-9]{1,32}$/)
      .optional(),
    callbackKey: z
      .string()
      .regex(/^[A-Za-z0-9]{43}$/)
      .optional(),
  }),
  z.object({ channel: z.literal('sms'), accessKeyId: Secret, accessKeySecret: Secret }),
])
export type ChannelCredentials = z.infer<typeof ChannelCredentials>

/** A hand-over of which nobody can say whether it reached anybody; it is never sent again by itself. */
export const UnknownHandover = z.object({
  id: z.uuid(),
  channel: ChannelName,
  sender: z.string().nullable(),
  triedAt: Instant,
  touches: z.int(),
  /** The words; of an SMS only what the text is called, for whoever may not see personal data. */
  text: z.string(),
})

export const reachContract = {
  ...smsTextsContract,
  unknown: route({
    method: 'GET',
    path: '/hand-overs/unknown',
    tag: 'reach',
    summary: 'List what may or may not have been sent',
    who: readers,
    scope: 'reach:read',
  }).output(z.object({ items: z.array(UnknownHandover) })),
  settleUnknown: route({
    method: 'POST',
    path: '/hand-overs/{id}/settle',
    tag: 'reach',
    summary: 'Say what became of an unknown hand-over',
    who: headquarters,
    scope: 'reach:write',
  })
    .input(z.object({ id: z.uuid(), reached: z.boolean() }))
    .output(Done),
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
    summary: 'Change who may be reached in test',
    who: headquarters,
    scope: 'reach:write',
  })
    .input(
      versionedWrite({
        name: ChannelName,
        allowList: z.array(z.string().max(100)).max(200),
      }),
    )
    .output(ChannelState),
  connectChannel: route({
    method: 'PUT',
    path: '/channels/{name}/connection',
    tag: 'settings',
    summary: 'Connect a channel to its real provider: it starts in test mode',
    who: ['owner', 'engineer'],
    scope: 'reach:write',
  })
    .input(versionedWrite({ name: ChannelName, credentials: ChannelCredentials }))
    .output(ChannelState),
  receiptAddress: route({
    method: 'GET',
    path: '/channels/sms/receipt-address',
    tag: 'settings',
    summary: 'Say where the SMS provider pushes its receipts',
    description:
      'The address holds a key that only the provider is told. It has no host where no public URL is set.',
    who: ['owner', 'engineer'],
  }).output(z.object({ address: z.string() })),
  channelOff: route({
    method: 'POST',
    path: '/channels/{name}/off',
    tag: 'settings',
    summary: 'Switch a channel off at once and forget its credentials',
    who: ['owner', 'engineer'],
    scope: 'reach:write',
  })
    .input(z.object({ name: ChannelName }))
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

/** The body is what the provider sends, a JSON array; `key` is known to the provider only. */
export const smsReceipts = streamRoute({
  method: 'POST',
  path: '/callbacks/sms/{key}',
  tag: 'callbacks',
  summary: 'Take receipts that the SMS provider pushes',
  who: 'public',
  intake: true,
  maxBytes: 1_000_000,
})

/** WeCom checks an address before it uses it: the reply is the bare text that was sealed in `echostr`. */
export const wecomCallbackCheck = streamRoute({
  method: 'GET',
  path: '/callbacks/wecom',
  tag: 'callbacks',
  summary: 'Answer the check of the callback address by WeCom',
  who: 'public',
  maxBytes: 0,
})

/** The body is sealed XML, signed with the token; the reply is empty. */
export const wecomCallback = streamRoute({
  method: 'POST',
  path: '/callbacks/wecom',
  tag: 'callbacks',
  summary: 'Take what WeCom tells of contacts that come and go',
  who: 'public',
  maxBytes: 200_000,
})
