import type { Lang } from './format.ts'

const reasons: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  slot: { zh: '等待下一个发送时段', en: 'waits for the next slot' },
  quiet_hours: { zh: '免打扰时段', en: 'quiet hours' },
  outranked: { zh: '同一时段有更合适的消息', en: 'a better message won the slot' },
  cap_person_week: { zh: '7 天内已达上限', en: 'cap of 7 days reached' },
  cap_channel: { zh: '渠道上限', en: 'cap of the channel' },
  holdout_base: { zh: '全局对照组', en: 'held out of everything' },
  holdout_journey: { zh: '本 SOP 对照组', en: 'held out of this SOP' },
  expired: { zh: '过了有效期', en: 'too late' },
  channel_off: { zh: '渠道未开启', en: 'the channel is off' },
  channel_in_test: {
    zh: '渠道处于测试，不在白名单',
    en: 'the channel is in test and the member not on its list',
  },
  demo_person_real_channel: { zh: '演示会员不会被真实联系', en: 'demo members are never really reached' },
  content_missing: { zh: '没有可用的内容或短信模板', en: 'no usable content or SMS template' },
  person_gone: { zh: '会员已不存在', en: 'the member is gone' },
  unreachable: { zh: '没有可用的联系方式', en: 'no way to reach the member' },
  not_a_contact: { zh: '不是导购好友', en: 'not a contact of a guide' },
  no_consent: { zh: '没有同意', en: 'no consent' },
  bought: { zh: '已经购买', en: 'bought already' },
  paused: { zh: 'SOP 已暂停', en: 'the SOP was paused' },
  ended: { zh: 'SOP 已结束', en: 'the SOP has ended' },
  channel_refused: { zh: '渠道拒绝', en: 'refused by the channel' },
  not_delivered: { zh: '没有送达', en: 'not delivered' },
  not_sent: { zh: '没有发出', en: 'not sent' },
  quota: { zh: '超出微信月度额度', en: 'over the monthly quota' },
  sender_gone: { zh: '导购已停用', en: 'the guide is gone' },
  step_missing: { zh: '步骤已不存在', en: 'the step is gone' },
  consent: { zh: '会员退订了', en: 'consent was withdrawn' },
  operator: { zh: '被运营撤回', en: 'taken back by an operator' },
  not_confirmed: { zh: '导购没有确认', en: 'the guide did not confirm' },
  not_copied: { zh: '导购没有发送', en: 'the guide did not send it' },
  returned: { zh: '已回店购买', en: 'came back' },
  not_returned: { zh: '没有回店', en: 'did not come back' },
  completed: { zh: '走完全部步骤', en: 'all steps done' },
  not_bought: { zh: '没有购买', en: 'did not buy' },
  merged: { zh: '会员已合并', en: 'persons were merged' },
}

/** Why something did or did not happen, in words; an unknown code stays as it is. */
export function reasonName(reason: string | null, lang: Lang): string {
  return reason === null || reason === '' ? '–' : (reasons[reason]?.[lang] ?? reason)
}
