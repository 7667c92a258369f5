/**
 * A server on loopback that answers like Aliyun's SMS service (dysmsapi 2017-05-25): SendSms, QuerySendDetails, and
 * receipts pushed to a callback. Below /control tests and the demo deliver messages and read what arrived.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { signatureOf } from './aliyun-signature.ts'

export type SmsMessage = {
  bizId: string
  phone: string
  sign: string
  template: string
  params: Record<string, string>
  outId: string
  sentAt: number
  shownFrom: number
  /** 1 waiting for the receipt, 2 failed, 3 delivered. */
  status: 1 | 2 | 3
  receiptAt: number | null
}

export type SmsFault =
  /** The effect happens, the answer never comes. */
  | { kind: 'drop_answer'; times?: number }
  | { kind: 'drop_call'; times?: number }
  /** Refused without effect. */
  | { kind: 'refuse'; code: string; times?: number }

export type SmsOptions = {
  accessKeyId: string
  accessKeySecret: string
  visibleAfterMs: number
  /** Each answer takes this long. */
  latencyMs: number
  /** Where receipts are pushed to; none: not at all. */
  receiptUrl: string | undefined
  /** Pauses before a push that failed is repeated: 1, 5 and 10 minutes at the real provider. */
  retryMs: readonly number[]
  clock: () => Date
  /** Messages of an earlier run. */
  messages: readonly SmsMessage[]
  /** Called with what changed, before the answer: keep it and a restart forgets nothing. */
  keep: (message: SmsMessage) => Promise<void>
}

export type SmsSandbox = {
  readonly baseUrl: string
  readonly messages: readonly SmsMessage[]
  inject(fault: SmsFault): void
  /** The operator reports; the receipt is pushed. Resolves when the push was taken or given up. */
  report(bizId: string, delivered: boolean): Promise<void>
  setReceiptUrl(url: string): void
  /** Nothing was ever sent. */
  forget(): void
  close(): Promise<void>
}

const DEFAULTS: SmsOptions = {
  accessKeyId: 'sandbox-key',
  accessKeySecret: 'sandbox-secret',
  visibleAfterMs: 0,
  latencyMs: 0,
  receiptUrl: undefined,
  retryMs: [60_000, 300_000, 600_000],
  clock: () => new Date(),
  messages: [],
  keep: async () => undefined,
}
const CHINA_MS = 8 * 3_600_000

type Room = {
  options: SmsOptions
  messages: SmsMessage[]
  faults: { fault: SmsFault; left: number }[]
  waiting: Set<NodeJS.Timeout>
}

/** Starts it on a free port of 127.0.0.1 (or the given one). */
export async function startSmsSandbox(
  given: Partial<SmsOptions> & { port?: number } = {},
): Promise<SmsSandbox> {
  const { port = 0, ...rest } = given
  const room: Room = {
    options: { ...DEFAULTS, ...rest },
    messages: [...(rest.messages ?? [])],
    faults: [],
    waiting: new Set(),
  }
  const server = createServer((request, reply) => {
    answer(request, reply, room).catch(() => reply.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    messages: room.messages,
    inject: (fault) => void room.faults.push({ fault, left: fault.times ?? 1 }),
    report: (bizId, delivered) => report(room, bizId, delivered),
    setReceiptUrl: (url) => {
      room.options.receiptUrl = url
    },
    forget: () => {
      room.messages.length = 0
      room.faults.length = 0
    },
    close: () => {
      for (const timer of room.waiting) clearTimeout(timer)
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function answer(request: IncomingMessage, reply: ServerResponse, room: Room): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://sandbox')
  const text = await readText(request)
  if (url.pathname.startsWith('/control/'))
    return send(reply, await control(room, url.pathname.slice(9), text))
  if (room.options.latencyMs > 0) await sleep(room.options.latencyMs)
  const params = Object.fromEntries([...url.searchParams, ...new URLSearchParams(text)])
  const expected = signatureOf('POST', params, room.options.accessKeySecret)
  if (params['AccessKeyId'] !== room.options.accessKeyId)
    return send(reply, said('InvalidAccessKeyId.NotFound'), 404)
  if (params['Signature'] !== expected) return send(reply, said('SignatureDoesNotMatch'), 400)
  if (params['Action'] === 'SendSms') {
    const before = room.messages.length
    const sent = sendSms(room, params)
    for (const message of room.messages.slice(before)) await room.options.keep(message)
    if (sent) send(reply, sent)
    else reply.destroy()
    return
  }
  if (params['Action'] === 'QuerySendDetails') return send(reply, details(room, params))
  return send(reply, said('InvalidAction.NotFound'), 404)
}

/** The answer; undefined: the connection breaks. */
function sendSms(room: Room, params: Record<string, string>): object | undefined {
  if (take(room, 'drop_call')) return undefined
  const refusal = take(room, 'refuse')
  if (refusal && 'code' in refusal) return said(refusal.code)
  const phones = (params['PhoneNumbers'] ?? '').split(',').filter((phone) => phone !== '')
  if (phones.length === 0 || phones.some((phone) => !/^1\d{10}$/.test(phone)))
    return said('isv.MOBILE_NUMBER_ILLEGAL')
  if (!params['SignName'] || !params['TemplateCode']) return said('MissingParameter')
  const now = room.options.clock().getTime()
  const bizId = `${now}${room.messages.length}^0`
  for (const phone of phones) {
    room.messages.push({
      bizId,
      phone,
      sign: params['SignName'],
      template: params['TemplateCode'],
      params: JSON.parse(params['TemplateParam'] || '{}'),
      outId: params['OutId'] ?? '',
      sentAt: now,
      shownFrom: now + room.options.visibleAfterMs,
      status: 1,
      receiptAt: null,
    })
  }
  if (take(room, 'drop_answer')) return undefined
  return { ...said('OK'), BizId: bizId }
}

function details(room: Room, params: Record<string, string>): object {
  const now = room.options.clock().getTime()
  const size = Math.min(Number(params['PageSize'] ?? 10), 50)
  const page = Number(params['CurrentPage'] ?? 1)
  const rows = room.messages.filter(
    (message) =>
      message.phone === params['PhoneNumber'] &&
      message.shownFrom <= now &&
      chinaTime(message.sentAt).slice(0, 10).replaceAll('-', '') === params['SendDate'] &&
      (!params['BizId'] || params['BizId'] === message.bizId),
  )
  return {
    ...said('OK'),
    TotalCount: rows.length,
    SmsSendDetailDTOs: {
      SmsSendDetailDTO: rows.slice((page - 1) * size, page * size).map((message) => ({
        PhoneNum: message.phone,
        SendStatus: message.status,
        ErrCode: message.status === 3 ? 'DELIVERED' : '',
        TemplateCode: message.template,
        Content: Object.values(message.params).join(' '),
        SendDate: chinaTime(message.sentAt),
        ReceiveDate: message.receiptAt === null ? '' : chinaTime(message.receiptAt),
        OutId: message.outId,
      })),
    },
  }
}

async function report(room: Room, bizId: string, delivered: boolean): Promise<void> {
  const reported = room.messages.filter((message) => message.bizId === bizId)
  for (const message of reported) {
    message.status = delivered ? 3 : 2
    message.receiptAt = room.options.clock().getTime()
    await room.options.keep(message)
  }
  if (room.options.receiptUrl && reported.length > 0)
    await push(room, room.options.receiptUrl, reported.map(receiptOf), 0)
}

function receiptOf(message: SmsMessage): object {
  const delivered = message.status === 3
  return {
    phone_number: message.phone,
    send_time: chinaTime(message.sentAt),
    report_time: chinaTime(message.receiptAt ?? message.sentAt),
    success: delivered,
    err_code: delivered ? 'DELIVERED' : 'MK:0013',
    err_msg: delivered ? '用户接收成功' : '用户已关机',
    sms_size: '1',
    biz_id: message.bizId,
    out_id: message.outId,
  }
}

async function push(room: Room, url: string, body: readonly object[], attempt: number): Promise<void> {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => undefined)
  const taken = reply?.ok && ((await reply.json().catch(() => ({}))) as { code?: number }).code === 0
  const pause = room.options.retryMs[attempt]
  if (taken || pause === undefined) return
  const timer = setTimeout(() => {
    room.waiting.delete(timer)
    void push(room, url, body, attempt + 1)
  }, pause)
  room.waiting.add(timer)
}

type Order = { bizId?: string; delivered?: boolean; fault?: SmsFault }

async function control(room: Room, path: string, text: string): Promise<object> {
  const order = (text === '' ? {} : JSON.parse(text)) as Order
  switch (path) {
    case 'messages':
      return { messages: room.messages }
    case 'report':
      await report(room, order.bizId ?? '', order.delivered ?? true)
      return {}
    case 'report-all':
      for (const { bizId, status } of [...room.messages])
        if (status === 1) await report(room, bizId, order.delivered ?? true)
      return {}
    case 'fault':
      if (order.fault) room.faults.push({ fault: order.fault, left: order.fault.times ?? 1 })
      return {}
    default:
      return { error: 'no such control' }
  }
}

function take(room: Room, kind: SmsFault['kind']): SmsFault | undefined {
  const index = room.faults.findIndex(({ fault }) => fault.kind === kind)
  const entry = room.faults[index]
  if (!entry) return undefined
  entry.left -= 1
  if (entry.left <= 0) room.faults.splice(index, 1)
  return entry.fault
}

function said(code: string): { Code: string; Message: string; RequestId: string } {
  return { Code: code, Message: code, RequestId: randomUUID().toUpperCase() }
}

/** 'YYYY-MM-DD hh:mm:ss' in China. */
function chinaTime(time: number): string {
  return new Date(time + CHINA_MS).toISOString().slice(0, 19).replace('T', ' ')
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function send(reply: ServerResponse, body: object, status = 200): void {
  reply.writeHead(status, { 'content-type': 'application/json' })
  reply.end(JSON.stringify(body))
}
