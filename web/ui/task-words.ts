import type { TaskKind, TaskState } from '../../contract/tasks.ts'
import type { Lang } from './format.ts'

type Said = Readonly<Record<Lang, string>>

export const taskKindWords: Readonly<Record<TaskKind, Said>> = {
  follow_up: { zh: '跟进', en: 'Follow up' },
  invite: { zh: '邀约', en: 'Invite' },
  broadcast: { zh: '群发确认', en: 'Confirm a message' },
  tag: { zh: '打标签', en: 'Tag' },
}
export const taskStateWords: Readonly<Record<TaskState, Said>> = {
  open: { zh: '待完成', en: 'Open' },
  late: { zh: '已逾期', en: 'Late' },
  done: { zh: '已完成', en: 'Done' },
  done_late: { zh: '逾期完成', en: 'Done late' },
  cancelled: { zh: '已取消', en: 'Cancelled' },
}
export const taskStateColours = {
  open: 'processing',
  late: 'error',
  done: 'success',
  done_late: 'warning',
  cancelled: 'default',
} as const

export const outcomeWords: Readonly<Record<string, Said>> = {
  sent: { zh: '已发送', en: 'Sent' },
  called: { zh: '已致电', en: 'Called' },
  will_come: { zh: '会到店', en: 'Will come' },
  not_interested: { zh: '暂不需要', en: 'Not interested' },
  no_answer: { zh: '没有回应', en: 'No answer' },
  confirmed: { zh: '已确认群发', en: 'Confirmed' },
  tagged: { zh: '已打标签', en: 'Tagged' },
  other: { zh: '其他', en: 'Other' },
}
