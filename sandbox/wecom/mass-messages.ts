/** The calls of 企业群发, as WeCom answers them. */
import { type WireAnswer, wireCode } from '../../wecom/wire/base.ts'
import type {
  AddMessage,
  AddMessageAnswer,
  GetSendResult,
  GetSendResultAnswer,
  GetTask,
  GetTaskAnswer,
  ListedMessage,
  ListMessages,
  ListMessagesAnswer,
  NameMessage,
} from '../../wecom/wire/mass-message.ts'
import type { MassMessage, SandboxOptions, WecomState } from './state.ts'

const MAX_CUSTOMERS = 10_000
const MAX_TEXT_BYTES = 4000
const MAX_ATTACHMENTS = 9
const MAX_SPAN_SECONDS = 31 * 86_400

export type Call = { state: WecomState; options: SandboxOptions }

export function refused(errcode: number, errmsg = 'refused'): WireAnswer {
  return { errcode, errmsg }
}
const OK: WireAnswer = { errcode: 0, errmsg: 'ok' }

export function addMessage({ state, options }: Call, body: AddMessage): AddMessageAnswer {
  const customers = body.external_userid ?? []
  if ((body.chat_type ?? 'single') !== 'single') return refused(wireCode.badChatType)
  if (!body.sender && customers.length === 0) return refused(wireCode.badParameter)
  if (customers.length > MAX_CUSTOMERS) return refused(wireCode.badParameter)
  if (Buffer.byteLength(body.text?.content ?? '') > MAX_TEXT_BYTES) return refused(wireCode.badParameter)
  if ((body.attachments ?? []).length > MAX_ATTACHMENTS) return refused(wireCode.tooManyAttachments)
  if (!body.text?.content && !body.attachments?.length) return refused(wireCode.badParameter)
  const sender = body.sender ?? ''
  const failed = customers.filter((customer) => state.strangers.has(`${sender} ${customer}`))
  const taken = customers.filter((customer) => !failed.includes(customer))
  if (taken.length === 0) return refused(wireCode.nobodyToSendTo)
  const now = options.clock().getTime()
  const message: MassMessage = {
    msgid: state.nextMessageId(),
    sender,
    text: body.text?.content ?? '',
    attachments: body.attachments ?? [],
    createdAt: now,
    shownFrom: now + options.visibleAfterMs,
    dispatchedAt: now + options.dispatchMs,
    confirmedAt: null,
    cancelled: false,
    recipients: taken.map((externalUserId) => ({ externalUserId, status: 0, sendTime: null })),
  }
  state.messages.set(message.msgid, message)
  return { ...OK, fail_list: failed, msgid: message.msgid }
}

export function listMessages({ state, options }: Call, body: ListMessages): ListMessagesAnswer {
  if (body.end_time - body.start_time > MAX_SPAN_SECONDS || body.end_time < body.start_time)
    return refused(wireCode.badParameter)
  const now = options.clock().getTime()
  const shown = [...state.messages.values()].filter((message) => {
    const second = Math.floor(message.createdAt / 1000)
    return message.shownFrom <= now && second >= body.start_time && second <= body.end_time
  })
  const page = pageOf(shown, body.cursor, body.limit, 100, 50)
  if (!page) return refused(wireCode.badPagingCursor)
  return { ...OK, next_cursor: page.next, group_msg_list: page.items.map(listed) }
}

function listed(message: MassMessage): ListedMessage {
  return {
    msgid: message.msgid,
    create_time: String(Math.floor(message.createdAt / 1000)),
    create_type: 0,
    text: { content: message.text },
    attachments: message.attachments,
  }
}

export function getTask(call: Call, body: GetTask): GetTaskAnswer {
  const message = messageOf(call, body.msgid)
  if ('errcode' in message) return message
  const confirmed = message.confirmedAt !== null
  return {
    ...OK,
    next_cursor: '',
    task_list: [
      confirmed
        ? { userid: message.sender, status: 2, send_time: Math.floor((message.confirmedAt ?? 0) / 1000) }
        : { userid: message.sender, status: 0 },
    ],
  }
}

export function getSendResult(call: Call, body: GetSendResult): GetSendResultAnswer {
  const message = messageOf(call, body.msgid)
  if ('errcode' in message) return message
  const rows = body.userid === message.sender ? message.recipients : []
  const page = pageOf(rows, body.cursor, body.limit, 1000, 500)
  if (!page) return refused(wireCode.badPagingCursor)
  return {
    ...OK,
    next_cursor: page.next,
    send_list: page.items.map((recipient) => ({
      external_userid: recipient.externalUserId,
      userid: message.sender,
      status: recipient.status,
      ...(recipient.sendTime === null ? {} : { send_time: Math.floor(recipient.sendTime / 1000) }),
    })),
  }
}

export function remindMessage(call: Call, body: NameMessage): WireAnswer {
  const message = messageOf(call, body.msgid)
  return 'errcode' in message ? message : OK
}

export function cancelMessage(call: Call, body: NameMessage): WireAnswer {
  const message = messageOf(call, body.msgid, true)
  if ('errcode' in message) return message
  if (message.cancelled) return refused(wireCode.alreadyCancelled)
  // What was delivered is not recalled.
  if (message.confirmedAt === null) message.cancelled = true
  return OK
}

function messageOf({ state, options }: Call, msgid: string, evenCancelled = false): MassMessage | WireAnswer {
  if (!msgid) return refused(wireCode.messageIdMissing)
  const message = state.messages.get(msgid)
  if (!message) return refused(wireCode.messageIdInvalid)
  if (options.clock().getTime() < message.dispatchedAt) return refused(wireCode.stillDispatching)
  if (message.cancelled && !evenCancelled) return refused(wireCode.alreadyCancelled)
  return message
}

/** A page by the cursor that the page before gave; too large a limit falls back to the default, as WeCom does. */
function pageOf<T>(
  rows: readonly T[],
  cursor: string | undefined,
  limit: number | undefined,
  most: number,
  usual: number,
): { items: T[]; next: string } | undefined {
  const from = cursor ? Number(Buffer.from(cursor, 'base64url').toString()) : 0
  if (!Number.isInteger(from) || from < 0) return undefined
  const size = limit && limit <= most ? limit : usual
  const next = from + size < rows.length ? Buffer.from(String(from + size)).toString('base64url') : ''
  return { items: rows.slice(from, from + size), next }
}
