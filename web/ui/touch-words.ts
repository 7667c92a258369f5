import type { Lang } from './format.ts'

const states: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  offered: { zh: '待决定', en: 'To be decided' },
  deferred: { zh: '推迟', en: 'Deferred' },
  held_out: { zh: '对照组保留', en: 'Held out' },
  dropped: { zh: '未发送', en: 'Dropped' },
  planned: { zh: '已排期', en: 'Planned' },
  sending: { zh: '发送中', en: 'Sending' },
  asked: { zh: '待导购处理', en: 'With a guide' },
  created: { zh: '待导购确认', en: 'To be confirmed' },
  confirmed: { zh: '已发出', en: 'Sent' },
  delivered: { zh: '已送达', en: 'Delivered' },
  failed: { zh: '失败', en: 'Failed' },
  quota: { zh: '超出微信月度额度', en: 'Over the monthly quota' },
  not_a_contact: { zh: '已不是好友', en: 'Not a contact any more' },
  expired: { zh: '过期未确认', en: 'Expired' },
  unknown: { zh: '结果未知', en: 'Unknown' },
}

export const touchStates = Object.keys(states)

/** The name of a state of a touch; one that is not known here stays as it is. */
export function touchStateName(state: string, lang: Lang): string {
  return states[state]?.[lang] ?? state
}
