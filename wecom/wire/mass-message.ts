/** 企业群发: a mass message is a request that a member of staff confirms in the client. All calls are POST with JSON. */
import type { WireAnswer } from './base.ts'

export type ChatType = 'single' | 'group'

export type WireAttachment =
  | { msgtype: 'link'; link: { title: string; picurl?: string; desc?: string; url: string } }
  | { msgtype: 'image'; image: { media_id?: string; pic_url?: string } }
  | {
      msgtype: 'miniprogram'
      miniprogram: { title: string; pic_media_id?: string; appid: string; page: string }
    }
  | { msgtype: 'video'; video: { media_id: string } }
  | { msgtype: 'file'; file: { media_id: string } }

/** /cgi-bin/externalcontact/add_msg_template. At most 10,000 customers, 4000 bytes of text, 9 attachments. */
export type AddMessage = {
  chat_type?: ChatType
  external_userid?: string[]
  sender?: string
  allow_select?: boolean
  text?: { content: string }
  attachments?: WireAttachment[]
}
/** `fail_list`: customers that cannot be sent to. */
export type AddMessageAnswer = WireAnswer & { fail_list?: string[]; msgid?: string }

/** /cgi-bin/externalcontact/get_groupmsg_list_v2. Times in seconds, at most one month; `filter_type` 0 made by the corp, 1 by staff, 2 both. */
export type ListMessages = {
  chat_type: ChatType
  start_time: number
  end_time: number
  creator?: string
  filter_type?: 0 | 1 | 2
  limit?: number
  cursor?: string
}
export type ListedMessage = {
  msgid: string
  creator?: string
  create_time: string | number
  create_type: 0 | 1
  text?: { content: string }
  attachments?: WireAttachment[]
}
export type ListMessagesAnswer = WireAnswer & { next_cursor?: string; group_msg_list?: ListedMessage[] }

/** /cgi-bin/externalcontact/get_groupmsg_task: who has sent it. `status` 0 not yet, 2 sent. */
export type GetTask = { msgid: string; limit?: number; cursor?: string }
export type TaskOfMessage = { userid: string; status: 0 | 2; send_time?: number }
export type GetTaskAnswer = WireAnswer & { next_cursor?: string; task_list?: TaskOfMessage[] }

/** /cgi-bin/externalcontact/get_groupmsg_send_result: whom it reached. `status` 0 not yet, 1 sent, 2 no friend, 3 quota used up. */
export type GetSendResult = { msgid: string; userid: string; limit?: number; cursor?: string }
export type SendResult = {
  external_userid?: string
  chat_id?: string
  userid: string
  status: 0 | 1 | 2 | 3
  send_time?: number
}
export type GetSendResultAnswer = WireAnswer & { next_cursor?: string; send_list?: SendResult[] }

/** /cgi-bin/externalcontact/remind_groupmsg_send and /cgi-bin/externalcontact/cancel_groupmsg_send. */
export type NameMessage = { msgid: string }
