/** Names of attributes and of their values, for sentences and forms. */
import type { Lang } from './lifecycle.ts'
import { pick, quote, type Say, sideName } from './rule-phrases.ts'

const attributeNames: Readonly<Record<string, readonly [string, string]>> = {
  kind: ['身份', 'kind'],
  gender: ['性别', 'gender'],
  source: ['会员来源', 'source'],
  source_side: ['来源线上线下', 'side of the source'],
  source_channel: ['来客渠道', 'channel of the source'],
  register_channel: ['注册渠道', 'registration channel'],
  registration: ['注册情况', 'registration'],
  home_store: ['归属门店', 'home store'],
  owner_staff: ['归属导购', 'owner'],
  city: ['城市', 'city'],
  occupation: ['职业', 'occupation'],
  wecom: ['企微关系', 'WeCom relation'],
  phone: ['手机号', 'phone'],
  joined: ['入会日期', 'date of joining'],
  birthday: ['出生日期', 'date of birth'],
}

export function attributeName(attribute: string, lang: Lang): string {
  if (attribute.startsWith('custom.')) return attribute.slice('custom.'.length)
  const [zh, en] = attributeNames[attribute] ?? [attribute, attribute]
  return lang === 'zh' ? zh : en
}

const valueNames: Readonly<Record<string, readonly [string, string]>> = {
  female: ['女', 'female'],
  male: ['男', 'male'],
  member: ['会员', 'member'],
  contact: ['企微联系人', 'contact'],
  customer: ['顾客', 'customer'],
  visitor: ['访客', 'visitor'],
  referral_fission: ['拉新裂变', 'referral'],
  returning: ['原有流量回流', 'returning'],
  member_get_member: ['老会员带新会员', 'member gets member'],
  guide_recruited: ['线下导购招募', 'recruited by a guide'],
  organic: ['自然流量', 'organic'],
  online_platform: ['电商平台', 'e-commerce platform'],
  online_seo_ads: ['SEO广告', 'search and ads'],
  offline_direct_store: ['直营店', 'own store'],
  offline_agent: ['代理商', 'agent'],
  registered: ['已注册', 'registered'],
  registered_before: ['曾经注册过', 'registered before'],
  bought_unregistered: ['买过但未注册', 'bought, not registered'],
  followed: ['已添加', 'added'],
  lost: ['已流失', 'lost'],
  unfollowed: ['未建立关系', 'known, no relation'],
  none: ['没有', 'none'],
  mobile: ['有效手机号', 'valid mobile'],
  landline: ['固定电话', 'fixed line'],
  invalid: ['无效', 'invalid'],
}

/** What these values are called where they stand alone, as in a cell, by value. */
export function valueWords<Value extends string>(
  ...values: readonly Value[]
): Readonly<Record<Value, Readonly<Record<Lang, string>>>> {
  const words = values.map((value) => {
    const [zh, en] = valueNames[value] ?? [value, value]
    return [value, { zh, en: en.charAt(0).toUpperCase() + en.slice(1) }] as const
  })
  return Object.fromEntries(words) as Record<Value, Record<Lang, string>>
}

export function valueName(attribute: string, value: string, say: Say): string {
  if (attribute === 'home_store') return quote(say.names.store?.(value) ?? value.slice(0, 8), say)
  if (attribute === 'owner_staff') return quote(say.names.staff?.(value) ?? value.slice(0, 8), say)
  if (value === 'online' || value === 'offline') return sideName(value, say)
  if (attribute.startsWith('custom.')) return quote(value, say)
  const names = valueNames[value]
  return names ? pick(say, names) : quote(value, say)
}
