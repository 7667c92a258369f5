// Guide tasks. Owns: task rows, their states and scores, who is asked for a member.
// Promises: a task is made once for its id, ends once, feedback that is asked for is there; each change is an event.
// Never: sends anything; decides about caps; looks at another store's members for a guide.
export { askAPerson } from './asking.ts'
export type { NewTask } from './new-task.ts'
export { dayCounts as taskCounts, guidesOf } from './store.ts'
export { MOST_OPEN_TAG_TASKS, tagTaskRoom } from './tag-room.ts'
export {
  cancelTasks,
  createTasks,
  type Finish,
  finishTask,
  markLate,
  taskFollower,
} from './work.ts'
