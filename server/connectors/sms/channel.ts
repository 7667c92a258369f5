/**
 * SMS through Aliyun, through the port of reach. One hand-over is one message to one number; its id travels as OutId,
 * by which it is found again: the provider does not de-duplicate by it.
 */
import { addDays, atLocalTime, dayOf } from '../../platform/time/zone.ts'
import type { Channel, Found, Handed, Handover, Progress } from '../../reach/reach.ts'
import { type AliyunClient, type Detail, type DetailsAnswer, type SendAnswer, SmsSilent } from './aliyun.ts'

export type SmsChannelOptions = { client: AliyunClient; settleSeconds?: number; pollSeconds?: number }

/** How long the provider may take to show what it has accepted. */
const SETTLE_SECONDS = 15 * 60
/** Receipts are pushed; asking is for those that got lost. */
const POLL_SECONDS = 600
const PAGE = 50
const MAX_PAGES = 20
/** The provider's dates are dates in China. */
const CHINA = 'Asia/Shanghai'

export function smsChannel({ client, settleSeconds, pollSeconds }: SmsChannelOptions): Channel {
  return {
    name: 'sms',
    baseUrl: client.baseUrl,
    needsPerson: false,
    maxAddressees: 1,
    concurrency: 8,
    settleSeconds: settleSeconds ?? SETTLE_SECONDS,
    pollSeconds: pollSeconds ?? POLL_SECONDS,
    hand: (handover, signal) => hand(client, handover, signal),
    find: (handover, _known, now, signal) => find(client, handover, now, signal),
    poll: (handover, now, signal) => poll(client, handover, now, signal),
    // What the provider has accepted cannot be taken back.
    cancel: async () => false,
  }
}

async function hand(client: AliyunClient, handover: Handover, signal: AbortSignal): Promise<Handed> {
  const [addressee] = handover.addressees
  if (!addressee) return { did: 'nothing', again: false, error: 'no number', reason: 'unreachable' }
  if (!handover.sms) return { did: 'nothing', again: false, error: 'no template', reason: 'content_missing' }
  try {
    const answer = await client.call<SendAnswer>(
      'SendSms',
      {
        PhoneNumbers: domestic(addressee.address),
        SignName: handover.sms.sign,
        TemplateCode: handover.sms.template,
        TemplateParam: JSON.stringify(handover.sms.params),
        OutId: handover.id,
      },
      signal,
    )
    if (answer.Code === 'OK' && answer.BizId) return { did: 'created', providerId: answer.BizId, refused: [] }
    return refusalOf(answer.Code)
  } catch (error) {
    return { did: 'unclear', error: error instanceof SmsSilent ? error.message : 'the call was broken off' }
  }
}

/** Numbers of the mainland are given without the country's prefix; others as digits with it. */
function domestic(number: string): string {
  return number.replace(/^\+86/, '').replace(/^\+/, '')
}

/** Codes of the service; those that are not known say nothing about the effect. */
function refusalOf(code: string): Handed {
  switch (code) {
    case 'isv.MOBILE_NUMBER_ILLEGAL':
    case 'isv.BLACK_KEY_CONTROL_LIMIT':
      return { did: 'nothing', again: false, error: code, reason: 'unreachable' }
    case 'isv.BUSINESS_LIMIT_CONTROL':
      return { did: 'nothing', again: true, error: code }
    case 'isv.AMOUNT_NOT_ENOUGH':
    case 'isv.OUT_OF_SERVICE':
    case 'isv.ACCOUNT_ABNORMAL':
    case 'SignatureDoesNotMatch':
    case 'InvalidAccessKeyId.NotFound':
      return { did: 'nothing', again: true, error: code, pauseSeconds: 300 }
    case 'isv.SMS_TEMPLATE_ILLEGAL':
    case 'isv.SMS_SIGNATURE_ILLEGAL':
    case 'isv.TEMPLATE_MISSING_PARAMETERS':
    case 'isv.INVALID_JSON_PARAM':
    case 'isv.PARAM_LENGTH_LIMIT':
    case 'isv.PARAM_NOT_SUPPORT_URL':
      return { did: 'nothing', again: false, error: code, reason: 'content_missing' }
    default:
      return { did: 'unclear', error: code }
  }
}

async function find(
  client: AliyunClient,
  handover: Handover,
  now: Date,
  signal: AbortSignal,
): Promise<Found> {
  try {
    const details = await detailsOf(client, handover, now, signal)
    if (details === 'incomplete') return { found: 'wait' }
    if (details.length === 0) return { found: 'none' }
    // The details do not name the BizId: the hand-over's own id stands for it.
    return details.length === 1
      ? { found: 'one', providerId: `out:${handover.id}`, refused: [] }
      : { found: 'several' }
  } catch {
    return { found: 'wait' }
  }
}

async function poll(
  client: AliyunClient,
  handover: Handover,
  now: Date,
  signal: AbortSignal,
): Promise<Progress> {
  try {
    const details = await detailsOf(client, handover, now, signal)
    const [addressee] = handover.addressees
    if (details === 'incomplete' || !addressee) return { state: 'wait' }
    const results = details.flatMap((detail) => {
      if (detail.SendStatus !== 2 && detail.SendStatus !== 3) return []
      const state = detail.SendStatus === 3 ? ('delivered' as const) : ('failed' as const)
      const reason = state === 'delivered' ? '' : 'not_delivered'
      return [{ address: addressee.address, state, at: chinaInstant(detail.ReceiveDate), reason }]
    })
    return { state: 'known', confirmedAt: handover.triedAt, results }
  } catch {
    return { state: 'wait' }
  }
}

/** What the provider has under this OutId, on the dates on which it may have been sent. */
async function detailsOf(
  client: AliyunClient,
  handover: Handover,
  now: Date,
  signal: AbortSignal,
): Promise<Detail[] | 'incomplete'> {
  const [addressee] = handover.addressees
  if (!addressee) return []
  const first = dayOf(CHINA, handover.firstTriedAt ?? now)
  const last = dayOf(CHINA, handover.triedAt ?? now)
  // Past midnight the provider may have written the next date.
  const days = [...new Set([first, last, addDays(last, 1)])]
  const found: Detail[] = []
  for (const day of days) {
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const answer = await client.call<DetailsAnswer>(
        'QuerySendDetails',
        {
          PhoneNumber: domestic(addressee.address),
          SendDate: day.replaceAll('-', ''),
          PageSize: String(PAGE),
          CurrentPage: String(page),
        },
        signal,
      )
      if (answer.Code !== 'OK') throw new SmsSilent(`QuerySendDetails: ${answer.Code}`)
      const rows = answer.SmsSendDetailDTOs?.SmsSendDetailDTO ?? []
      // Seen at the real service: a total above zero with an empty list.
      if (rows.length === 0 && page === 1 && Number(answer.TotalCount ?? 0) > 0) return 'incomplete'
      found.push(...rows.filter((row) => row.OutId === handover.id))
      if (rows.length < PAGE) break
    }
  }
  return found
}

/** 'YYYY-MM-DD hh:mm:ss' in China. */
export function chinaInstant(text: string | undefined): Date | null {
  const [, day, time] = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})/.exec(text ?? '') ?? []
  return day && time ? atLocalTime(CHINA, day, time) : null
}
