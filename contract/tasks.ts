import { z } from 'zod'
import { Day, Instant, PageInput, pageOf, route } from './base.ts'
import { PublicId, StaffId, StoreId } from './ids.ts'

export const taskKinds = ['follow_up', 'invite', 'broadcast', 'tag'] as const
export const TaskKind = z.enum(taskKinds)
export type TaskKind = z.infer<typeof TaskKind>
export const taskStates = ['open', 'done', 'late', 'done_late', 'cancelled'] as const
export const TaskState = z.enum(taskStates)
export type TaskState = z.infer<typeof TaskState>

/** GT-11: member facts, purchase facts and the filled-in script, so that the guide need not look anything up. */
export const Task = z.object({
  id: z.uuid(),
  kind: TaskKind,
  state: TaskState,
  title: z.object({ zh: z.string(), en: z.string() }),
  reason: z.object({ zh: z.string(), en: z.string() }),
  script: z.string().nullable(),
  dueAt: Instant,
  createdAt: Instant,
  doneAt: Instant.nullable(),
  outcome: z.string().nullable(),
  feedback: z.string().nullable(),
  feedbackNeeded: z.boolean(),
  /** Whether it can be taken back once it is done: no step of a SOP, no tag and no message follows from it. */
  undoable: z.boolean(),
  guide: z.object({ id: StaffId, name: z.string() }).nullable(),
  store: z.object({ id: StoreId, name: z.string() }).nullable(),
  journey: z.string().nullable(),
  /** How many members the task is for: 1, or the recipients of a broadcast to confirm. */
  members: z.int(),
  member: z
    .object({
      id: PublicId,
      name: z.string().nullable(),
      gender: z.string().nullable(),
      lifecycle: z.string().nullable(),
      lastPurchaseAt: Instant.nullable(),
      purchases: z.int(),
      spentCents: z.int(),
      lastItems: z.array(z.string()),
      birthday: z.string().nullable(),
      tags: z.array(z.string()),
    })
    .nullable(),
  tag: z
    .object({
      groupId: z.int(),
      group: z.string(),
      options: z.array(z.object({ tagId: z.int(), name: z.string() })),
    })
    .nullable(),
})
export type Task = z.infer<typeof Task>

export const outcomes = [
  'sent',
  'called',
  'will_come',
  'not_interested',
  'no_answer',
  'confirmed',
  'tagged',
  'other',
] as const
export const Outcome = z.enum(outcomes)

export const Score = z.object({
  id: z.uuid(),
  name: z.string(),
  store: z.string().nullable(),
  open: z.int(),
  done: z.int(),
  doneLate: z.int(),
  late: z.int(),
  withFeedback: z.int(),
  score: z.int().nullable(),
})

const everyone = [
  'owner',
  'operator',
  'regional_manager',
  'store_manager',
  'guide',
  'customer_service',
] as const
const managers = ['owner', 'operator', 'regional_manager', 'store_manager', 'analyst'] as const

export const tasksContract = {
  mine: route({
    method: 'GET',
    path: '/tasks/mine',
    tag: 'tasks',
    summary: 'Tasks of the one who asks, for today',
    who: everyone,
    scope: 'tasks:read',
  }).output(z.object({ items: z.array(Task), doneToday: z.int(), score: z.int().nullable() })),
  get: route({
    method: 'GET',
    path: '/tasks/{id}',
    tag: 'tasks',
    summary: 'Show a task',
    who: everyone,
    scope: 'tasks:read',
  })
    .input(z.object({ id: z.uuid() }))
    .output(Task),
  list: route({
    method: 'GET',
    path: '/tasks',
    tag: 'tasks',
    summary: 'List tasks',
    who: managers,
    scope: 'tasks:read',
  })
    .input(
      PageInput.extend({
        state: TaskState.optional(),
        /** A day of the brand on which it was done, in time or late. */
        doneOn: Day.optional(),
        kind: TaskKind.optional(),
        storeId: StoreId.optional(),
        guideId: StaffId.optional(),
      }),
    )
    .output(pageOf(Task)),
  scores: route({
    method: 'GET',
    path: '/tasks/scores',
    tag: 'tasks',
    summary: 'Execution scores of guides and stores',
    who: managers,
    scope: 'tasks:read',
  })
    .input(
      z.object({ by: z.enum(['guide', 'store']).default('guide'), days: z.int().min(1).max(90).default(30) }),
    )
    .output(z.object({ items: z.array(Score) })),
  finish: route({
    method: 'POST',
    path: '/tasks/{id}/done',
    tag: 'tasks',
    summary: 'Finish a task with its outcome',
    who: everyone,
    scope: 'tasks:write',
  })
    .input(
      z.object({
        id: z.uuid(),
        outcome: Outcome,
        feedback: z.string().max(500).optional(),
        tagId: z.int().optional(),
      }),
    )
    .output(Task),
  undo: route({
    method: 'POST',
    path: '/tasks/{id}/undo',
    tag: 'tasks',
    summary:
      'Take back a finished task within ten minutes, unless a SOP, a tag or a message followed from it',
    who: everyone,
    scope: 'tasks:write',
  })
    .input(z.object({ id: z.uuid() }))
    .output(Task),
}
