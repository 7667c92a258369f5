/**
 * A client of the WeCom API.
 *
 * Always true: one token at a time, fetched once however many calls wait for it; an answer that refuses the token
 * (40014 and 42001 both mean "fetch a new one") leads to exactly one repeat; the token stands in no error and no log.
 * Reading is repeated while WeCom says that it is busy (-1, 6000); whatever has an effect never is.
 */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type WireAnswer, wireCode } from './wire/base.ts'
import type {
  AddMessage,
  AddMessageAnswer,
  GetSendResult,
  GetSendResultAnswer,
  GetTask,
  GetTaskAnswer,
  ListMessages,
  ListMessagesAnswer,
  NameMessage,
} from './wire/mass-message.ts'
import type { TokenAnswer } from './wire/token.ts'

/** WeCom answered with an error: it understood the call and says what it did not do. */
export class WecomRefused extends Error {
  override name = 'WecomRefused'
  readonly code: number

  constructor(path: string, code: number) {
    super(`${path}: errcode ${code}`)
    this.code = code
  }
}

/** No answer, or one that is no answer of WeCom: nobody knows whether the call had an effect. */
export class WecomSilent extends Error {
  override name = 'WecomSilent'
}

export type WecomOptions = {
  /** 'https://qyapi.weixin.qq.com', or a server that behaves like it. */
  baseUrl: string
  corpId: string
  secret: string
  fetch?: typeof fetch
  /** For a call without a signal of its own. */
  timeoutMs?: number
}

export type WecomClient = {
  readonly baseUrl: string
  addMessage(body: AddMessage, signal?: AbortSignal): Promise<AddMessageAnswer>
  listMessages(body: ListMessages, signal?: AbortSignal): Promise<ListMessagesAnswer>
  getTask(body: GetTask, signal?: AbortSignal): Promise<GetTaskAnswer>
  getSendResult(body: GetSendResult, signal?: AbortSignal): Promise<GetSendResultAnswer>
  remind(body: NameMessage, signal?: AbortSignal): Promise<WireAnswer>
  cancel(body: NameMessage, signal?: AbortSignal): Promise<WireAnswer>
}

const DEFAULT_TIMEOUT_MS = 5000
const BUSY_TRIES = 3
const BUSY_PAUSE_MS = 200
/** A token is given up this long before it ends. */
const TOKEN_MARGIN_MS = 300_000
const MAX_BODY_BYTES = 5_000_000

type Held = { token: string; until: number }

/** Opens a client; nothing is called before the first use. */
export function openWecom(options: WecomOptions): WecomClient {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const send = options.fetch ?? fetch
  let held: Promise<Held> | undefined

  async function token(signal: AbortSignal): Promise<string> {
    const present = held && (await held.catch(() => undefined))
    if (present && present.until > performance.now()) return present.token
    held = fetchToken(signal)
    return (await held).token
  }

  async function fetchToken(signal: AbortSignal): Promise<Held> {
    const query = new URLSearchParams({ corpid: options.corpId, corpsecret: options.secret })
    const answer = await ask<TokenAnswer>('/cgi-bin/gettoken', `?${query}`, undefined, signal)
    if (answer.errcode !== wireCode.ok || !answer.access_token)
      throw new WecomRefused('gettoken', answer.errcode)
    const lifetimeMs = (answer.expires_in ?? 7200) * 1000
    return {
      token: answer.access_token,
      until: performance.now() + Math.max(lifetimeMs - TOKEN_MARGIN_MS, lifetimeMs / 2),
    }
  }

  async function ask<Answer extends WireAnswer>(
    path: string,
    query: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    let text: string
    try {
      const reply = await send(`${options.baseUrl}${path}${query}`, {
        method: body ? 'POST' : 'GET',
        signal,
        redirect: 'error',
        ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
      })
      text = await reply.text()
    } catch (error) {
      // The cause of a failed fetch names the address with its token: only its kind is told.
      throw new WecomSilent(`${path}: ${error instanceof Error ? error.name : 'no answer'}`)
    }
    return parseAnswer<Answer>(path, text)
  }

  async function post<Answer extends WireAnswer>(
    path: string,
    body: object,
    signal: AbortSignal = AbortSignal.timeout(timeoutMs),
  ): Promise<Answer> {
    const used = await token(signal)
    const answer = await ask<Answer>(path, `?access_token=${encodeURIComponent(used)}`, body, signal)
    if (!REFUSED_TOKEN.has(answer.errcode)) return answer
    // Somebody else may have fetched a new one meanwhile: only the refused token is given up.
    const present = held && (await held.catch(() => undefined))
    if (present?.token === used) held = undefined
    const fresh = await token(signal)
    return ask<Answer>(path, `?access_token=${encodeURIComponent(fresh)}`, body, signal)
  }

  async function act<Answer extends WireAnswer>(path: string, body: object, signal?: AbortSignal) {
    return accepted(path, await post<Answer>(path, body, signal))
  }

  async function read<Answer extends WireAnswer>(path: string, body: object, signal?: AbortSignal) {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await post<Answer>(path, body, signal)
      const busy = answer.errcode === wireCode.busy || answer.errcode === wireCode.versionConflict
      if (!busy || attempt >= BUSY_TRIES) return accepted(path, answer)
      await sleep(BUSY_PAUSE_MS * attempt, undefined, signal ? { signal } : {})
    }
  }

  const contact = '/cgi-bin/externalcontact'
  return {
    baseUrl: options.baseUrl,
    addMessage: (body, signal) => act<AddMessageAnswer>(`${contact}/add_msg_template`, body, signal),
    listMessages: (body, signal) => read<ListMessagesAnswer>(`${contact}/get_groupmsg_list_v2`, body, signal),
    getTask: (body, signal) => read<GetTaskAnswer>(`${contact}/get_groupmsg_task`, body, signal),
    getSendResult: (body, signal) =>
      read<GetSendResultAnswer>(`${contact}/get_groupmsg_send_result`, body, signal),
    remind: (body, signal) => act(`${contact}/remind_groupmsg_send`, body, signal),
    cancel: (body, signal) => act(`${contact}/cancel_groupmsg_send`, body, signal),
  }
}

const REFUSED_TOKEN = new Set<number>([wireCode.badToken, wireCode.tokenExpired])

function parseAnswer<Answer extends WireAnswer>(path: string, text: string): Answer {
  if (text.length > MAX_BODY_BYTES) throw new WecomSilent(`${path}: the answer is too long`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new WecomSilent(`${path}: the answer is no JSON`)
  }
  if (
    typeof parsed !== 'object' ||
    parsed === null ||
    !('errcode' in parsed) ||
    typeof parsed.errcode !== 'number'
  )
    throw new WecomSilent(`${path}: the answer has no errcode`)
  return parsed as Answer
}

function accepted<Answer extends WireAnswer>(path: string, answer: Answer): Answer {
  if (answer.errcode !== wireCode.ok)
    throw new WecomRefused(path.slice(path.lastIndexOf('/') + 1), answer.errcode)
  return answer
}
