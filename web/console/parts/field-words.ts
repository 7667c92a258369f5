import type { Lang } from '../../ui/format.ts'

/** Names of fields as they stand in settings and in the audit trail. */
const names: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  marketingTouches: { zh: '每人最多营销消息', en: 'marketing messages per person' },
  withinDays: { zh: '滚动天数', en: 'rolling days' },
  momentsPerStaffAndDay: { zh: '每位员工每天朋友圈', en: 'Moments per staff a day' },
  slotMinutes: { zh: '多久决定一次（分钟）', en: 'minutes between decisions' },
  from: { zh: '开始', en: 'from' },
  to: { zh: '结束', en: 'to' },
  basePercent: { zh: '全体对照组（%）', en: 'holdout of the base (%)' },
  journeyPercent: { zh: '每个 SOP 对照组（%）', en: 'holdout of each SOP (%)' },
  eventHours: { zh: '营销与跟进时效（小时）', en: 'marketing and follow-up (hours)' },
  transactionalHours: { zh: '交易通知时效（小时）', en: 'transactional (hours)' },
  wecomCents: { zh: '企微消息成本（分）', en: 'cost of WeCom (cents)' },
  smsCents: { zh: '短信成本（分）', en: 'cost of SMS (cents)' },
  guideTaskCents: { zh: '导购任务成本（分）', en: 'cost of a guide task (cents)' },
  brand: { zh: '整个品牌', en: 'whole brand' },
  byCategory: { zh: '品类', en: 'category' },
  silent: { zh: '沉默起点（天）', en: 'silent from day' },
  nearSleep: { zh: '濒临睡眠起点（天）', en: 'near-sleep from day' },
  hibernating: { zh: '休眠起点（天）', en: 'hibernating from day' },
  lost: { zh: '流失（超过天数）', en: 'lost after day' },
  name: { zh: '名称', en: 'name' },
  zone: { zh: '时区', en: 'zone' },
  currency: { zh: '货币', en: 'currency' },
  code: { zh: '编码', en: 'code' },
  login: { zh: '账号', en: 'login' },
  roles: { zh: '角色', en: 'roles' },
  rights: { zh: '权限', en: 'rights' },
  state: { zh: '状态', en: 'state' },
  storeIds: { zh: '门店', en: 'stores' },
  regionIds: { zh: '区域', en: 'regions' },
  regionId: { zh: '区域', en: 'region' },
  city: { zh: '城市', en: 'city' },
  side: { zh: '线上/线下', en: 'online or offline' },
  scopes: { zh: '范围', en: 'scopes' },
  perMinute: { zh: '每分钟上限', en: 'per minute' },
  expiresAt: { zh: '有效至', en: 'valid until' },
  wecomUserId: { zh: '企微账号', en: 'WeCom userid' },
  use: { zh: '用途', en: 'use' },
  plan: { zh: '后续计划', en: 'plan' },
  rule: { zh: '条件', en: 'rule' },
  level: { zh: '级别', en: 'level' },
  scope: { zh: '范围', en: 'scope' },
  producer: { zh: '谁来打', en: 'set by' },
  origin: { zh: '从哪来', en: 'comes from' },
  version: { zh: '版本', en: 'version' },
}

/** 'brand.silent' as people say it; a part that is not known here stays as it is. */
export function fieldName(path: string, lang: Lang): string {
  return path
    .split('.')
    .map((part) => names[part]?.[lang] ?? part)
    .join(' · ')
}
