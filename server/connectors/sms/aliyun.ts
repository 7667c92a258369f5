/** A client of Aliyun's SMS service (dysmsapi 2017-05-25, RPC style, signature version 1.0 with HMAC-SHA1). */
import { createHmac, randomUUID } from 'node:crypto'

export type AliyunOptions = {
  /** 'https://dysmsapi.aliyuncs.com', or a server that behaves like it. */
  baseUrl: string
  accessKeyId: string
  accessKeySecret: string
  /** The time that stands in the signature. */
  clock: () => Date
  fetch?: typeof fetch
}

export type SendAnswer = { Code: string; BizId?: string }
export type Detail = {
  PhoneNum?: string
  /** 1 waits for the receipt, 2 failed, 3 delivered. */
  SendStatus?: number
  ErrCode?: string
  OutId?: string
  ReceiveDate?: string
}
export type DetailsAnswer = {
  Code: string
  TotalCount?: number | string
  SmsSendDetailDTOs?: { SmsSendDetailDTO?: Detail[] }
}

/** No answer, or one that is no answer of the service: nobody knows whether the call had an effect. */
export class SmsSilent extends Error {
  override name = 'SmsSilent'
}

export type AliyunClient = {
  readonly baseUrl: string
  call<Answer extends { Code: string }>(
    action: string,
    params: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Answer>
}

/** Opens a client; nothing is called before the first use. */
export function openAliyun(options: AliyunOptions): AliyunClient {
  const send = options.fetch ?? fetch
  return {
    baseUrl: options.baseUrl,
    async call(action, params, signal) {
      const all: Record<string, string> = {
        ...params,
        Action: action,
        Version: '2017-05-25',
        Format: 'JSON',
        AccessKeyId: options.accessKeyId,
        SignatureMethod: 'HMAC-SHA1',
        SignatureVersion: '1.0',
        SignatureNonce: randomUUID(),
        Timestamp: options
          .clock()
          .toISOString()
          .replace(/\.\d+Z$/, 'Z'),
      }
      const body = new URLSearchParams({ ...all, Signature: sign(all, options.accessKeySecret) })
      let text: string
      try {
        const reply = await send(`${options.baseUrl}/`, { method: 'POST', body, signal, redirect: 'error' })
        text = await reply.text()
      } catch (error) {
        throw new SmsSilent(`${action}: ${error instanceof Error ? error.name : 'no answer'}`)
      }
      return parse(action, text)
    },
  }
}

function parse<Answer extends { Code: string }>(action: string, text: string): Answer {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new SmsSilent(`${action}: the answer is no JSON`)
  }
  const code = (answer as { Code?: unknown } | null)?.Code
  if (typeof code !== 'string') throw new SmsSilent(`${action}: the answer has no code`)
  return answer as Answer
}

/** The signature over all parameters but itself. */
export function sign(params: Readonly<Record<string, string>>, secret: string): string {
  const query = Object.entries(params)
    .map(([name, value]) => [percent(name), percent(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  return createHmac('sha1', `${secret}&`)
    .update(`POST&%2F&${percent(query)}`)
    .digest('base64')
}

function percent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
