/** What reach asks of people: confirm a mass message in WeCom, or copy a text to one member. */
import { idOf } from '../platform/ids.ts'
import type { Tx } from '../platform/postgres/database.ts'
import type { AskAPerson, Request } from '../reach/reach.ts'
import type { NewTask } from './new-task.ts'
import { guidesOf, storesOfStaff } from './store.ts'
import { broadcastConfirmed, cancelTasks, createTasks } from './work.ts'

const confirm = {
  title: { zh: '确认群发', en: 'Confirm a mass message' },
  reason: {
    zh: '打开企业微信，在“客户联系 → 群发助手”里点发送',
    en: 'Open WeCom and press send in the mass message assistant',
  },
}
const copy = {
  title: { zh: '复制话术发给会员', en: 'Copy the text to the member' },
  reason: {
    zh: '这条消息含会员信息，请复制后在企业微信里发送',
    en: 'This message names the member: copy it and send it in WeCom',
  },
}

/** The port of reach: every request becomes one task; a repeat makes none. */
export const askAPerson: AskAPerson = {
  async ask(tx: Tx, requests: readonly Request[], now: Date): Promise<void> {
    const persons = requests.flatMap((request) => (request.kind === 'copy' ? [request.personId] : []))
    const guides = await guidesOf(tx, persons)
    const staff = requests.flatMap((request) => (request.staffId === null ? [] : [request.staffId]))
    const stores = await storesOfStaff(tx, [...new Set(staff)])
    await createTasks(
      tx,
      requests.map((request) =>
        request.kind === 'confirm' ? confirmTask(request, stores) : copyTask(request, guides, stores),
      ),
      now,
    )
  },
  async settle(
    tx: Tx,
    outboxIds: readonly string[],
    how: 'confirmed' | 'withdrawn',
    now: Date,
  ): Promise<void> {
    if (how === 'confirmed') await broadcastConfirmed(tx, outboxIds, now)
    else await cancelTasks(tx, { outboxIds }, now)
  },
}

function confirmTask(
  request: Extract<Request, { kind: 'confirm' }>,
  stores: ReadonlyMap<string, string>,
): NewTask {
  return {
    id: idOf('confirm', request.outboxId),
    kind: 'broadcast',
    personId: null,
    staffId: request.staffId,
    storeId: stores.get(request.staffId) ?? null,
    journeyId: request.journeyId,
    journeyName: null,
    enrolmentId: null,
    nodeId: null,
    outboxId: request.outboxId,
    members: request.members,
    ...confirm,
    script: request.text,
    tagGroupId: null,
    feedbackNeeded: false,
    dueAt: request.dueAt,
    demo: request.demo,
  }
}

/** The task bears the id of the touch: reach hears by it what came of the copy. */
function copyTask(
  request: Extract<Request, { kind: 'copy' }>,
  guides: Awaited<ReturnType<typeof guidesOf>>,
  stores: ReadonlyMap<string, string>,
): NewTask {
  const guide = guides.get(request.personId)
  const staffId = request.staffId ?? guide?.staffId ?? null
  return {
    id: request.touchId,
    kind: 'follow_up',
    personId: request.personId,
    staffId,
    storeId: guide?.storeId ?? (staffId === null ? null : (stores.get(staffId) ?? null)),
    journeyId: request.journeyId,
    journeyName: null,
    enrolmentId: request.enrolmentId,
    nodeId: request.nodeId,
    outboxId: null,
    members: 1,
    ...copy,
    script: request.text,
    tagGroupId: null,
    feedbackNeeded: false,
    dueAt: request.dueAt,
    demo: request.demo,
  }
}
