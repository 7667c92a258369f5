/**
 * A server on loopback that answers like WeCom: the token, mass messages and their results, with faults on demand.
 * Below /control tests and the demo act as staff and customers, and read what arrived.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type WireAnswer, wireCode } from '../../wecom/wire/base.ts'
import {
  addMessage,
  type Call,
  cancelMessage,
  getSendResult,
  getTask,
  listMessages,
  refused,
  remindMessage,
} from './mass-messages.ts'
import { daysOfMonth, type Fault, type SandboxOptions, WecomState } from './state.ts'

export type WecomSandbox = {
  readonly baseUrl: string
  readonly state: WecomState
  /** The member of staff confirms; false where there is nothing to confirm. */
  confirm(msgid: string): boolean
  /** As `confirm`, and resolves when it is kept. */
  confirmAndKeep(msgid: string): Promise<boolean>
  close(): Promise<void>
}

const DEFAULTS: SandboxOptions = {
  corpId: 'ww-sandbox',
  secret: 'sandbox-secret',
  visibleAfterMs: 0,
  dispatchMs: 0,
  latencyMs: 0,
  monthlyQuota: undefined,
  clock: () => new Date(),
  messages: [],
  keep: async () => undefined,
}
const MAX_BODY = 2_000_000

const calls: Record<string, (call: Call, body: never) => WireAnswer> = {
  '/cgi-bin/externalcontact/add_msg_template': addMessage,
  '/cgi-bin/externalcontact/get_groupmsg_list_v2': listMessages,
  '/cgi-bin/externalcontact/get_groupmsg_task': getTask,
  '/cgi-bin/externalcontact/get_groupmsg_send_result': getSendResult,
  '/cgi-bin/externalcontact/remind_groupmsg_send': remindMessage,
  '/cgi-bin/externalcontact/cancel_groupmsg_send': cancelMessage,
}
const EFFECTS = new Set(['/cgi-bin/externalcontact/add_msg_template'])
const CHANGES = new Set([...EFFECTS, '/cgi-bin/externalcontact/cancel_groupmsg_send'])

/** Starts it on a free port of 127.0.0.1 (or the given one). */
export async function startWecomSandbox(
  given: Partial<SandboxOptions> & { port?: number } = {},
): Promise<WecomSandbox> {
  const { port = 0, ...rest } = given
  const options = { ...DEFAULTS, ...rest }
  const state = new WecomState(options.messages)
  const server = createServer((request, reply) => {
    answer(request, reply, { state, options }).catch(() => reply.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    confirm: (msgid) => confirm({ state, options }, msgid),
    async confirmAndKeep(msgid) {
      const confirmed = confirm({ state, options }, msgid)
      const message = state.messages.get(msgid)
      if (confirmed && message) await options.keep(message)
      return confirmed
    },
    close: () => closed(server),
  }
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

async function answer(request: IncomingMessage, reply: ServerResponse, call: Call): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://sandbox')
  const body = await readJson(request)
  if (url.pathname.startsWith('/control/')) return send(reply, control(call, url.pathname.slice(9), body))
  call.state.countCall(url.pathname)
  if (call.options.latencyMs > 0) await sleep(call.options.latencyMs)
  if (url.pathname === '/cgi-bin/gettoken') return send(reply, token(call, url))
  const handle = calls[url.pathname]
  if (!handle) return send(reply, refused(404, 'no such call'), 404)
  const objection = objectionTo(call, request, url)
  if (objection) return send(reply, objection)
  const effect = EFFECTS.has(url.pathname)
  if (effect && call.state.take('drop_call')) return void reply.destroy()
  const refusal = call.state.take('refuse')
  if (refusal) return send(reply, refused(refusal.code))
  const result = handle(call, body as never)
  if (CHANGES.has(url.pathname)) await keep(call, body, result)
  if (effect && call.state.take('drop_answer')) return void reply.destroy()
  if (effect && call.state.take('busy_after_effect')) return send(reply, refused(wireCode.busy))
  send(reply, result)
}

async function keep({ state, options }: Call, body: unknown, result: WireAnswer): Promise<void> {
  const { msgid } = { ...(body as { msgid?: string }), ...(result as { msgid?: string }) }
  const message = state.messages.get(msgid ?? '')
  if (result.errcode === 0 && message) await options.keep(message)
}

function token({ state, options }: Call, url: URL): WireAnswer {
  if (url.searchParams.get('corpid') !== options.corpId) return refused(wireCode.badCorp)
  if (url.searchParams.get('corpsecret') !== options.secret) return refused(wireCode.badSecret)
  const made = randomBytes(24).toString('base64url')
  state.tokens.clear()
  state.tokens.add(made)
  return { errcode: 0, errmsg: 'ok', access_token: made, expires_in: 7200 } as WireAnswer
}

function objectionTo({ state }: Call, request: IncomingMessage, url: URL): WireAnswer | undefined {
  const given = url.searchParams.get('access_token')
  if (!given) return refused(wireCode.tokenMissing)
  const fault = state.take('refuse_token')
  if (fault) state.tokens.delete(given)
  if (fault) return refused(fault.code, 'access_token expired')
  if (!state.tokens.has(given)) return refused(wireCode.badToken)
  return request.method === 'POST' ? undefined : refused(wireCode.badParameter)
}

type Order = { msgid?: string; fault?: Fault; userid?: string; externalUserId?: string }

function control(call: Call, path: string, body: unknown): object {
  const { state } = call
  const order = (body ?? {}) as Order
  switch (path) {
    case 'messages':
      return { messages: [...state.messages.values()] }
    case 'confirm':
      return { confirmed: confirm(call, order.msgid ?? '') }
    case 'confirm-all':
      return { confirmed: [...state.messages.keys()].filter((msgid) => confirm(call, msgid)).length }
    case 'fault':
      if (order.fault) state.inject(order.fault)
      return {}
    case 'clear-faults':
      state.clearFaults()
      return {}
    case 'unfriend':
      state.strangers.add(`${order.userid ?? ''} ${order.externalUserId ?? ''}`)
      return {}
    default:
      return { error: 'no such control' }
  }
}

function confirm({ state, options }: Call, msgid: string): boolean {
  const message = state.messages.get(msgid)
  if (!message || message.cancelled || message.confirmedAt !== null) return false
  const at = options.clock()
  state.confirm(message, at, options.monthlyQuota ?? daysOfMonth(at))
  return true
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Buffer).length
    if (size > MAX_BODY) throw new Error('too long')
    parts.push(part as Buffer)
  }
  return parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString('utf8'))
}

function send(reply: ServerResponse, body: object, status = 200): void {
  reply.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' })
  reply.end(JSON.stringify(body))
}
