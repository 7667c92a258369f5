/** The life of a task: made, done, late, taken back, cancelled; each change is an event in the same transaction. */
import { append, type NewEvent } from '../events/events.ts'
import { idOf } from '../platform/ids.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import type { NewTask } from './new-task.ts'
import {
  cancelOpen,
  type EndedTask,
  endBroadcast,
  endTask,
  forgetWords,
  insertTasks,
  makeLate,
  moveTasks,
  moveTasksBack,
  reopenTask,
  type TaskRow,
  taskById,
} from './store.ts'

const SOURCE = 'tasks'
const LATE_BATCH = 500
const UNDO_MINUTES = 10

/** Makes the tasks that are not there yet, in the caller's transaction; the ids of the new ones. */
export async function createTasks(tx: Tx, tasks: readonly NewTask[], at: Date): Promise<string[]> {
  if (tasks.length === 0) return []
  const made = new Set(await insertTasks(tx, tasks, at))
  const events = tasks
    .filter((task) => made.has(task.id))
    .map(
      (task): NewEvent => ({
        id: idOf('task_created', task.id),
        type: 'task_created',
        profileId: task.personId,
        personId: task.personId,
        at,
        data: { taskId: task.id, kind: task.kind, staffId: task.staffId, storeId: task.storeId },
      }),
    )
  await append(tx, events, { lane: 'live', source: SOURCE, receivedAt: at })
  return [...made]
}

export type Finish = { outcome: string; feedback?: string | undefined; by: string; at: Date }

/**
 * Ends a task. Errors: not_found; conflict where it has ended already; bad_input (field feedback) where feedback is due.
 */
export async function finishTask(tx: Tx, id: string, finish: Finish): Promise<void> {
  const task = await taskById(tx, id)
  if (!task) throw new Problem('not_found', 'There is no such task.')
  const feedback = finish.feedback?.trim() ? finish.feedback.trim() : null
  if (task.feedback_needed && feedback === null) {
    throw new Problem('bad_input', 'This task asks for feedback: say what the member answered.', {
      field: 'feedback',
    })
  }
  const ended = await endTask(tx, id, { outcome: finish.outcome, feedback, by: finish.by, at: finish.at })
  if (!ended)
    throw new Problem('conflict', 'This task has ended already.', { details: { state: task.state } })
  await tell(tx, [ended], finish.outcome, finish.at)
}

/** Whether nothing follows from the end of a task; what follows cannot be taken back with it. */
export function isUndoable(task: Pick<TaskRow, 'kind' | 'enrolment_id' | 'copied'>): boolean {
  return task.kind !== 'broadcast' && task.kind !== 'tag' && task.enrolment_id === null && !task.copied
}

/**
 * Takes back one's own finished task within ten minutes. Errors: conflict where that is over, or where a SOP went on
 * with it, a tag was set by it, or a message counts as sent because of it.
 */
export async function undoFinish(tx: Tx, id: string, by: string, now: Date): Promise<void> {
  const task = await taskById(tx, id)
  if (task && !isUndoable(task)) {
    throw new Problem(
      'conflict',
      'This cannot be taken back: a SOP has gone on with it, a tag was set by it, or a message counts as sent.',
    )
  }
  const since = new Date(now.getTime() - UNDO_MINUTES * 60_000)
  if (!(await reopenTask(tx, id, by, since, now))) {
    throw new Problem('conflict', `Only your own task can be taken back, within ${UNDO_MINUTES} minutes.`)
  }
}

/** A broadcast was confirmed in WeCom: its task is done. */
export async function broadcastConfirmed(tx: Tx, outboxIds: readonly string[], at: Date): Promise<void> {
  await tell(tx, await endBroadcast(tx, outboxIds, at), 'confirmed', at)
}

/** What was asked for has no sense any more: the SOP was left, the message cancelled. */
export async function cancelTasks(
  tx: Tx,
  which: { outboxIds?: readonly string[]; enrolmentIds?: readonly string[] },
  at: Date,
): Promise<number> {
  return (await cancelOpen(tx, which, at)).length
}

/** Marks what fell due as late, at most 500 a call; how many. */
export async function markLate(db: Database, now: Date): Promise<number> {
  return db.transaction(async (tx) => {
    const late = await makeLate(tx, now, LATE_BATCH)
    const events = late.map(
      (task): NewEvent => ({
        id: idOf('task_late', task.id),
        type: 'task_late',
        profileId: task.person_id,
        personId: task.person_id,
        at: now,
        data: { taskId: task.id, kind: task.kind, staffId: task.staff_id },
      }),
    )
    await append(tx, events, { lane: 'live', source: SOURCE, receivedAt: now })
    return late.length
  })
}

/** Follows merges of persons, so that an undo is exact. */
export const taskFollower = {
  async merged(tx: Tx, merge: { mergeId: string; kept: number; absorbed: number }): Promise<void> {
    await moveTasks(tx, merge.mergeId, merge.kept, merge.absorbed)
  },
  async split(tx: Tx, merge: { mergeId: string }): Promise<void> {
    await moveTasksBack(tx, merge.mergeId)
  },
  /** Somebody was erased: nobody is asked about them any more, and what tasks said of them goes. */
  async erased(tx: Tx, { persons, at }: { persons: readonly number[]; at: Date }): Promise<void> {
    await cancelOpen(tx, { personIds: persons }, at)
    await forgetWords(tx, persons)
  },
}

async function tell(tx: Tx, ended: readonly EndedTask[], outcome: string, at: Date): Promise<void> {
  const events = ended.map(
    (task): NewEvent => ({
      id: idOf('task_done', task.id, at.toISOString()),
      type: 'task_done',
      profileId: task.person_id,
      personId: task.person_id,
      at,
      data: { taskId: task.id, kind: task.kind, staffId: task.staff_id, outcome },
    }),
  )
  await append(tx, events, { lane: 'live', source: SOURCE, receivedAt: at })
}
