/** What a person is to the brand. */
export const kindWords = {
  member: { zh: '注册会员', en: 'Member' },
  customer: { zh: '买过未注册', en: 'Bought, not registered' },
  contact: { zh: '仅企微好友', en: 'WeCom contact only' },
  visitor: { zh: '访客', en: 'Visitor' },
} as const

export const kinds = Object.keys(kindWords) as (keyof typeof kindWords)[]
