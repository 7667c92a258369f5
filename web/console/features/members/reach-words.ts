import type { Lang } from '../../../ui/format.ts'

const reasons: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  demo: { zh: '演示会员', en: 'a demo member' },
  withdrawn: { zh: '已退订', en: 'withdrew consent' },
  no_phone: { zh: '没有手机号', en: 'no phone' },
  invalid_phone: { zh: '手机号无效', en: 'the phone is not valid' },
  not_a_mobile: { zh: '不是手机号', en: 'not a mobile phone' },
  no_email: { zh: '没有邮箱', en: 'no e-mail' },
  no_openid: { zh: '没有关注公众号', en: 'does not follow the account' },
  not_in_wecom: { zh: '没有添加企业微信', en: 'not in WeCom' },
  contact_lost: { zh: '好友关系已解除', en: 'no longer a contact' },
  failed: { zh: '上次发送失败', en: 'the last message failed' },
  blocked: { zh: '被会员屏蔽', en: 'blocked by the member' },
  followed: { zh: '导购好友', en: 'a guide’s contact' },
  delivered: { zh: '发送成功过', en: 'a message arrived' },
  consented: { zh: '已同意', en: 'consented' },
  no_relation_known: {
    zh: '在企业微信里，但不知道是谁的好友',
    en: 'in WeCom, but nobody knows whose contact',
  },
  never_tried: { zh: '没有发过，也没有同意', en: 'never tried, no consent' },
}

/** Why somebody can or cannot be reached; a reason that is not known here stays as it is. */
export function reachName(reason: string, lang: Lang): string {
  return reasons[reason]?.[lang] ?? reason
}
