/** A task as whoever asks for it describes it. */
import type { Task, TaskKind } from '../../contract/tasks.ts'

/** A task to make. `id` = idOf(what asks for it): a repeat makes nothing. Exactly one of person and outbox. */
export type NewTask = {
  id: string
  kind: TaskKind
  personId: number | null
  staffId: string | null
  storeId: string | null
  journeyId: string | null
  /** As people know the SOP; the task keeps it. */
  journeyName: string | null
  enrolmentId: string | null
  nodeId: string | null
  outboxId: string | null
  members: number
  title: Task['title']
  reason: Task['reason']
  script: string | null
  tagGroupId: number | null
  feedbackNeeded: boolean
  dueAt: Date
  demo: boolean
}
