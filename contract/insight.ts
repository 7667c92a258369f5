import { z } from 'zod'
import { Instant, PageInput, pageOf, route } from './base.ts'
import { ChannelName } from './reach.ts'

const Text = z.object({ zh: z.string(), en: z.string() })
/** Who reads figures of the brand; guides and customer service see their own members only. */
export const readers = [
  'owner',
  'operator',
  'regional_manager',
  'store_manager',
  'analyst',
  'engineer',
] as const

/** The first page: how the base is, what has stopped, what happens today. Of the whole brand, whoever asks. */
export const Home = z.object({
  /** Of what time the figures are: they are counted once for whoever asks within ten seconds. */
  asOf: Instant,
  brand: z.object({ name: z.string(), demo: z.boolean(), currency: z.string(), zone: z.string() }),
  stopped: z.array(z.object({ what: z.string(), text: Text, since: Instant.nullable() })),
  persons: z.int(),
  members: z.int(),
  /** By at least one channel, as the audit of the base counts it. */
  reachable: z.int(),
  lifecycle: z.array(z.object({ state: z.string(), persons: z.int() })),
  asleep: z.int(),
  fallingAsleep30Days: z.int(),
  newThisMonth: z.int(),
  wokenThisMonth: z.int(),
  journeysLive: z.int(),
  touchesToday: z.array(z.object({ state: z.string(), touches: z.int() })),
  tasksToday: z.object({ open: z.int(), done: z.int(), late: z.int() }),
  days: z.array(z.object({ day: z.string(), joined: z.int(), bought: z.int(), touched: z.int() })),
})
export type Home = z.infer<typeof Home>

/** Whether what is shown of persons still changes by itself. */
export const StillCounting = z.object({
  /** So many wait to be evaluated, counted up to ten thousand; 0 where it are no more than there always are. */
  persons: z.int(),
  orMore: z.boolean(),
  /** Everybody is evaluated anew, since rules have changed: how far it has come; `of` null before the first has been counted. */
  everybody: z.object({ done: z.int(), of: z.int().nullable() }).nullable(),
})
export type StillCounting = z.infer<typeof StillCounting>

export const DeadLetter = z.object({
  id: z.string(),
  consumer: z.string(),
  state: z.enum(['trying', 'behind', 'dead', 'discarded']),
  type: z.string(),
  at: Instant,
  failedAt: Instant,
  tries: z.int(),
  error: z.string(),
})

export const Touch = z.object({
  id: z.uuid(),
  memberId: z.uuid(),
  member: z.string().nullable(),
  channel: z.string(),
  class: z.enum(['marketing', 'welcome', 'transactional', 'answer']),
  state: z.string(),
  reason: z.string(),
  journey: z.string().nullable(),
  sender: z.string().nullable(),
  content: z.string(),
  costCents: z.int(),
  plannedAt: Instant,
  at: Instant,
})
export type Touch = z.infer<typeof Touch>

const decisionReaders = ['owner', 'operator', 'regional_manager', 'analyst'] as const

export const insightContract = {
  touches: route({
    method: 'GET',
    path: '/touches',
    tag: 'reach',
    summary: 'List touches with their reasons',
    description: 'Of members whom the caller may see.',
    who: decisionReaders,
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
    description: 'Of the whole brand, whoever asks.',
    who: decisionReaders,
    scope: 'reach:read',
  }).output(
    z.object({
      day: z.iso.date(),
      items: z.array(z.object({ state: z.string(), reason: z.string(), touches: z.int() })),
    }),
  ),

  home: route({
    method: 'GET',
    path: '/home',
    tag: 'insight',
    summary: 'The state of the brand at a glance',
    description: 'Figures of the whole brand, whoever asks; counted once for all who ask within ten seconds.',
    who: readers,
    scope: 'insight:read',
  }).output(Home),
  counting: route({
    method: 'GET',
    path: '/counting',
    tag: 'insight',
    summary: 'Whether segments and life cycles are still being counted',
    description: 'Of the whole brand, whoever asks.',
    who: readers,
    scope: 'insight:read',
  }).output(StillCounting),
  deadLetters: route({
    method: 'GET',
    path: '/dead-letters',
    tag: 'insight',
    summary: 'Events that could not be handled',
    who: ['owner', 'operator', 'engineer'],
    scope: 'insight:read',
  })
    .input(PageInput)
    .output(pageOf(DeadLetter)),
  retryDeadLetter: route({
    method: 'POST',
    path: '/dead-letters/{id}/retry',
    tag: 'insight',
    summary: 'Handle an event again',
    who: ['owner', 'operator', 'engineer'],
  })
    .input(z.object({ id: z.string() }))
    .output(z.object({ done: z.literal(true) })),
  discardDeadLetter: route({
    method: 'POST',
    path: '/dead-letters/{id}/discard',
    tag: 'insight',
    summary: 'Give an event up, with a reason',
    who: ['owner', 'engineer'],
  })
    .input(z.object({ id: z.string(), reason: z.string().min(1).max(300) }))
    .output(z.object({ done: z.literal(true) })),
}
