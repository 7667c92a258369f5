/** Tasks over HTTP. A guide sees the own tasks, a manager those of the own stores, headquarters all. */
import { implement } from '@orpc/server'
import { z } from 'zod'
import type { Task } from '../../contract/tasks.ts'
import { tasksContract } from '../../contract/tasks.ts'
import type { Call, Viewer } from '../org/org.ts'
import { brand } from '../org/org.ts'
import { decodeCursor, pageFrom } from '../platform/cursor.ts'
import type { Database, Tx } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { instant } from '../platform/time/clock.ts'
import { addDays, dayOf, startOfDay } from '../platform/time/zone.ts'
import { scoreOf } from './score.ts'
import { countsBy, doneSince, listTasks, openTasksOf, type TaskRow, taskById } from './store.ts'
import { finishTask, isUndoable, undoFinish } from './work.ts'

/** Puts the tag on the member when a tag task is done; joined by app.ts. */
export type PutTag = (
  tx: Tx,
  put: { personId: number; tagId: number; staffId: string; at: Date },
) => Promise<void>

const TaskCursor = z.tuple([z.iso.datetime(), z.uuid()])
const DAY_MS = 86_400_000
const SCORE_DAYS = 30

/** The routes over a database and the port that tags. */
export function taskRoutes({ db, putTag }: { db: Database; putTag: PutTag }) {
  const api = implement(tasksContract).$context<Call>()
  return api.router({
    mine: api.mine.handler(async ({ context: { viewer, now } }) => {
      const { zone } = await brand(db)
      const rows = await openTasksOf(db, viewer.staffId, viewer.storeIds)
      const counts = await countsBy(
        db,
        'guide',
        new Date(now.getTime() - SCORE_DAYS * DAY_MS),
        now,
        null,
        viewer.staffId,
      )
      const own = counts[0]
      return {
        items: rows.map((row) => shown(row, viewer)),
        doneToday: await doneSince(db, viewer.staffId, startOfDay(zone, dayOf(zone, now))),
        score: own ? scoreOf({ done: own.done, doneLate: own.done_late, late: own.late }) : null,
      }
    }),
    get: api.get.handler(async ({ input, context: { viewer } }) =>
      shown(await mayTouch(db, input.id, viewer), viewer),
    ),
    list: api.list.handler(async ({ input, context: { viewer } }) => {
      const after = decodeCursor(input.cursor, TaskCursor)
      const { zone } = await brand(db)
      const rows = await listTasks(db, {
        ...input,
        doneWithin:
          input.doneOn === undefined
            ? undefined
            : {
                from: startOfDay(zone, input.doneOn),
                to: startOfDay(zone, addDays(input.doneOn, 1)),
              },
        storeIds: viewer.all ? null : viewer.storeIds,
        after: after ? { at: instant(after[0]), id: after[1] } : null,
        limit: input.limit + 1,
      })
      return pageFrom(rows, input.limit, {
        item: (row) => shown(row, viewer),
        cursor: (row) => [row.created_at.toISOString(), row.id],
      })
    }),
    scores: api.scores.handler(async ({ input, context: { viewer, now } }) => {
      const rows = await countsBy(
        db,
        input.by,
        new Date(now.getTime() - input.days * DAY_MS),
        now,
        viewer.all ? null : viewer.storeIds,
      )
      return {
        items: rows.map((row) => ({
          id: row.id,
          name: row.name,
          store: row.store,
          open: row.open,
          done: row.done,
          doneLate: row.done_late,
          late: row.late,
          withFeedback: row.with_feedback,
          score: scoreOf({ done: row.done, doneLate: row.done_late, late: row.late }),
        })),
      }
    }),
    finish: api.finish.handler(async ({ input, context: { viewer, now } }) => {
      await db.transaction(async (tx) => {
        const task = await mayTouch(tx, input.id, viewer)
        if (task.kind === 'broadcast') {
          throw new Problem(
            'conflict',
            'A mass message is confirmed in WeCom; the task ends by itself when WeCom says so.',
          )
        }
        if (task.kind === 'tag') {
          const offered = task.tag?.options.some((option) => option.tagId === input.tagId) ?? false
          if (input.tagId === undefined || !offered || task.person_id === null)
            throw new Problem('bad_input', 'Choose one of the tags that this task offers.', {
              field: 'tagId',
            })
          await putTag(tx, { personId: task.person_id, tagId: input.tagId, staffId: viewer.staffId, at: now })
        }
        await finishTask(tx, input.id, {
          outcome: input.outcome,
          feedback: input.feedback,
          by: viewer.staffId,
          at: now,
        })
      })
      return shown(await mayTouch(db, input.id, viewer), viewer)
    }),
    undo: api.undo.handler(async ({ input, context: { viewer, now } }) => {
      await db.transaction((tx) => undoFinish(tx, input.id, viewer.staffId, now))
      return shown(await mayTouch(db, input.id, viewer), viewer)
    }),
  })
}

/** The task, if it is the viewer's to see; else it does not exist for the viewer. */
async function mayTouch(
  db: Pick<Tx, 'rows' | 'row' | 'maybe' | 'run'>,
  id: string,
  viewer: Viewer,
): Promise<TaskRow> {
  const task = await taskById(db, id)
  const own =
    task &&
    (viewer.all ||
      task.staff_id === viewer.staffId ||
      (mayManage(viewer, task) && viewer.storeIds.includes(task.store_id ?? '')))
  if (!task || !own) throw new Problem('not_found', 'There is no such task.')
  return task
}

function mayManage(viewer: Viewer, task: TaskRow): boolean {
  return (
    task.staff_id === null ||
    viewer.roles.some((role) => role === 'store_manager' || role === 'regional_manager')
  )
}

function shown(row: TaskRow, viewer: Viewer): Task {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    title: row.title,
    reason: row.reason,
    script: viewer.maySeePersonal ? row.script : null,
    dueAt: row.due_at.toISOString(),
    createdAt: row.created_at.toISOString(),
    doneAt: row.ended_at?.toISOString() ?? null,
    outcome: row.outcome,
    feedback: row.feedback,
    feedbackNeeded: row.feedback_needed,
    undoable: isUndoable(row),
    guide:
      row.staff_id !== null && row.staff_name !== null
        ? { id: row.staff_id as NonNullable<Task['guide']>['id'], name: row.staff_name }
        : null,
    store:
      row.store_id !== null && row.store_name !== null
        ? { id: row.store_id as NonNullable<Task['store']>['id'], name: row.store_name }
        : null,
    journey: row.journey_name,
    members: row.members,
    member:
      row.member === null
        ? null
        : {
            ...row.member,
            id: row.member.id as NonNullable<Task['member']>['id'],
            name: viewer.maySeePersonal ? row.member.name : maskName(row.member.name),
            lastPurchaseAt:
              row.member.lastPurchaseAt === null ? null : instant(row.member.lastPurchaseAt).toISOString(),
          },
    tag: row.tag,
  }
}

function maskName(name: string | null): string | null {
  return name === null ? null : `${[...name][0] ?? ''}**`
}
