/** A rule as a sentence that people read, in Chinese and English. */
import {
  aiplName,
  joinRecencyName,
  type Lang,
  lifecycleName,
  orderStageName,
  ownCycleName,
} from './lifecycle.ts'
import { rfmGroupName } from './rfm.ts'
import type { Compare, Leaf, OrderFilter, Rule, Window } from './rule.ts'

/** Names of things that rules refer to by id; undefined for what is not known (the id is shown). */
export type RuleNames = {
  tag?(id: number): string | undefined
  group?(id: number): string | undefined
  segment?(id: number): string | undefined
  store?(id: string): string | undefined
  staff?(id: string): string | undefined
}

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>
type Say = { readonly lang: Lang; readonly names: RuleNames }
type Sentences = { readonly [K in Leaf['kind']]: (leaf: LeafOf<K>, say: Say) => string }

/** The whole rule as one sentence; brackets only where all and any are mixed. */
export function sentence(rule: Rule, lang: Lang, names: RuleNames = {}): string {
  return tell(rule, { lang, names }, false)
}

function tell(rule: Rule, say: Say, inner: boolean): string {
  const zh = say.lang === 'zh'
  if (rule.kind === 'not')
    return zh ? `不满足「${tell(rule.rule, say, false)}」` : `not (${tell(rule.rule, say, false)})`
  if (rule.kind === 'all' || rule.kind === 'any') {
    const all = rule.kind === 'all'
    if (rule.rules.length === 0) return pick(say, all ? ['所有人', 'everybody'] : ['没有人', 'nobody'])
    const [only] = rule.rules
    if (rule.rules.length === 1 && only) return tell(only, say, inner)
    const text = rule.rules
      .map((child) => tell(child, say, true))
      .join(pick(say, all ? [',并且', ' and '] : [',或者', ' or ']))
    return inner ? pick(say, [`(${text})`, `(${text})`]) : text
  }
  return leafSentence(rule, say)
}

function leafSentence<K extends Leaf['kind']>(leaf: LeafOf<K>, say: Say): string {
  return (sentences[leaf.kind] as (leaf: LeafOf<K>, say: Say) => string)(leaf, say)
}

const sentences: Sentences = {
  attribute: (leaf, say) => {
    const name = attributeName(leaf.attribute, say.lang)
    if (leaf.op === 'known') return pick(say, [`${name}已知`, `${name} is known`])
    if (leaf.op === 'unknown') return pick(say, [`${name}未知`, `${name} is not known`])
    const values = ('values' in leaf ? leaf.values : []).map((value) => valueName(leaf.attribute, value, say))
    if (leaf.op === 'in')
      return pick(say, [`${name}是${list(values, say)}`, `${name} is ${list(values, say)}`])
    return pick(say, [`${name}不是${list(values, say)}`, `${name} is not ${list(values, say)}`])
  },
  tag: (leaf, say) => {
    const tags = leaf.tags.map((tag) => quote(say.names.tag?.(tag) ?? `#${tag}`, say))
    if (leaf.tags.length === 1) return pick(say, [`有标签${tags[0]}`, `has the tag ${tags[0]}`])
    const [zh, en] = leaf.match === 'all' ? ['全部', 'all of the tags'] : ['任一', 'any of the tags']
    return pick(say, [`有标签${tags.join('、')}中的${zh}`, `has ${en} ${tags.join(', ')}`])
  },
  s_tag: (leaf, say) => {
    const group = say.names.group?.(leaf.group) ?? `#${leaf.group}`
    const values = leaf.values.map((tag) =>
      tag === null ? pick(say, ['未知', 'unknown']) : quote(say.names.tag?.(tag) ?? `#${tag}`, say),
    )
    return pick(say, [`${group}是${list(values, say)}`, `${group} is ${list(values, say)}`])
  },
  lifecycle: (leaf, say) => {
    const states = leaf.states.map((state) => lifecycleName(state, say.lang))
    const where =
      leaf.category === undefined
        ? ''
        : pick(say, [`在品类${quote(leaf.category, say)}中`, ` in ${quote(leaf.category, say)}`])
    return pick(say, [`${where}生命周期是${list(states, say)}`, `life cycle${where} is ${list(states, say)}`])
  },
  own_cycle: (leaf, say) =>
    list(
      leaf.states.map((state) => ownCycleName(state, say.lang)),
      say,
    ),
  order_stage: (leaf, say) => {
    const stages = list(
      leaf.stages.map((stage) => orderStageName(stage, say.lang)),
      say,
    )
    return pick(say, [`购买阶段是${stages}`, `order stage is ${stages}`])
  },
  join_recency: (leaf, say) => {
    const recencies = list(
      leaf.recencies.map((recency) => joinRecencyName(recency, say.lang)),
      say,
    )
    return pick(say, [`是${recencies}`, `is ${recencies}`])
  },
  aipl: (leaf, say) => {
    const stages = list(
      leaf.stages.map((stage) => aiplName(stage, say.lang)),
      say,
    )
    return pick(say, [`处于${stages}阶段`, `is in the stage ${stages}`])
  },
  one_time_buyer: (_, say) => pick(say, ['只买过一次', 'bought exactly once']),
  interaction_silent: (_, say) =>
    pick(say, ['互动沉默(90 天内没有交流)', 'silent in conversation (no exchange for 90 days)']),
  rfm_group: (leaf, say) => {
    const groups = list(
      leaf.groups.map((group) => rfmGroupName(group, say.lang)),
      say,
    )
    return pick(say, [`RFM 分群是${groups}`, `RFM group is ${groups}`])
  },
  rfm_score: (leaf, say) => {
    const parts = (['r', 'f', 'm'] as const).flatMap((measure) => {
      const span = leaf[measure]
      if (!span) return []
      return [
        span[0] === span[1]
          ? `${measure.toUpperCase()} = ${span[0]}`
          : `${measure.toUpperCase()} ${span[0]}–${span[1]}`,
      ]
    })
    return parts.length > 0
      ? parts.join(pick(say, [',', ', ']))
      : pick(say, ['有 RFM 评分', 'has RFM scores'])
  },
  age: (leaf, say) =>
    pick(say, [
      `年龄${comparison(leaf.compare, plain, say)}岁`,
      `age ${comparison(leaf.compare, plain, say)}`,
    ]),
  joined: (leaf, say) =>
    pick(say, [
      `入会天数${comparison(leaf.daysAgo, plain, say)}`,
      `days since joining ${comparison(leaf.daysAgo, plain, say)}`,
    ]),
  birthday: (leaf, say) =>
    leaf.withinDays === 0
      ? pick(say, ['今天生日', 'has a birthday today'])
      : pick(say, [`${leaf.withinDays} 天内过生日`, `has a birthday within ${leaf.withinDays} days`]),
  orders: ordersSentence,
  segment: (leaf, say) => {
    const name = quote(say.names.segment?.(leaf.segment) ?? `#${leaf.segment}`, say)
    return pick(say, [`属于人群${name}`, `is in the segment ${name}`])
  },
  sample: (leaf, say) =>
    pick(say, [`随机抽样 ${leaf.per10000 / 100}%`, `in a random sample of ${leaf.per10000 / 100}%`]),
}

function ordersSentence({ measure, filter, window, compare }: LeafOf<'orders'>, say: Say): string {
  const time = windowText(window, say)
  const which = filterText(filter, say)
  if (!('field' in measure) && measure.of === 'count') {
    return pick(say, [
      `${time}${which}购买次数${comparison(compare, plain, say)}`,
      `number of purchases${which} ${time} ${comparison(compare, plain, say)}`,
    ])
  }
  if (!('field' in measure)) {
    const last = measure.of === 'days_since_last'
    return pick(say, [
      `${time}${which}${last ? '最近' : '首次'}购买距今天数${comparison(compare, plain, say)}`,
      `days since the ${last ? 'last' : 'first'} purchase${which} ${time} ${comparison(compare, plain, say)}`,
    ])
  }
  const [zh, en] = measureNames[measure.of]
  const [fieldZh, fieldEn] = fieldNames[measure.field]
  const text = comparison(compare, measure.field === 'quantity' ? plain : money, say)
  return pick(say, [
    `${time}${which}${zh}${fieldZh}${text}`,
    `${en} ${fieldEn} of purchases${which} ${time} ${text}`,
  ])
}

const measureNames = {
  sum: ['累计', 'total'],
  avg: ['平均每单', 'average'],
  min: ['最低单笔', 'smallest'],
  max: ['最高单笔', 'largest'],
  first: ['首单', 'first'],
  last: ['最近一单', 'last'],
} as const
const fieldNames = {
  amount: ['金额', 'amount'],
  quantity: ['件数', 'quantity'],
  discount: ['优惠金额', 'discount'],
} as const

/** The window as text: '最近 30 天', 'in the last 30 days'. */
export function windowText(window: Window, { lang }: { lang: Lang }): string {
  const zh = lang === 'zh'
  if (window.kind === 'ever') return zh ? '' : 'ever'
  if (window.kind === 'rolling') return zh ? `最近 ${window.days} 天` : `in the last ${window.days} days`
  if (window.kind === 'absolute')
    return zh ? `${window.from} 至 ${window.to}` : `from ${window.from} to ${window.to}`
  const [unitZh, unitEn] = unitNames[window.unit]
  if (window.count === 1 && window.back === 0) return zh ? `本${unitZh}` : `this ${unitEn}`
  if (window.count === 1 && window.back === 1) return zh ? `上${unitZh}` : `in the ${unitEn} before`
  if (window.back === 0)
    return zh ? `含本${unitZh}的 ${window.count} ${unitZh}` : `in ${window.count} ${unitEn}s with this one`
  return zh
    ? `往前数第 ${window.back} ${unitZh}为止的 ${window.count} ${unitZh}`
    : `in ${window.count} ${unitEn}s up to ${window.back} ${unitEn}s ago`
}

const unitNames = {
  day: ['日', 'day'],
  week: ['周', 'week'],
  month: ['月', 'month'],
  quarter: ['季度', 'quarter'],
  year: ['年', 'year'],
} as const

function filterText(filter: OrderFilter, say: Say): string {
  const parts: [string, string][] = []
  const add = (values: readonly string[] | undefined, zh: string, en: string): void => {
    if (values) parts.push([`${zh}${list(values, say)}`, `${en} ${list(values, say)}`])
  }
  add(
    filter.stores?.map((store) => quote(say.names.store?.(store) ?? store.slice(0, 8), say)),
    '门店',
    'in the store',
  )
  add(
    filter.channels?.map((channel) => quote(channel, say)),
    '渠道',
    'through',
  )
  add(
    filter.sides?.map((side) => sideName(side, say)),
    '',
    '',
  )
  add(
    filter.sellers?.map((staff) => quote(say.names.staff?.(staff) ?? staff.slice(0, 8), say)),
    '导购',
    'sold by',
  )
  add(
    filter.campaigns?.map((campaign) => quote(campaign, say)),
    '活动',
    'in the campaign',
  )
  add(
    filter.categories?.map((category) => quote(category, say)),
    '品类',
    'of the category',
  )
  add(
    filter.skus?.map((sku) => quote(sku, say)),
    '商品',
    'of the product',
  )
  if (filter.withCoupon === true) parts.push(['用券', 'with a coupon'])
  if (filter.withCoupon === false) parts.push(['未用券', 'without a coupon'])
  if (parts.length === 0) return ''
  return pick(say, [
    `在${parts.map(([zh]) => zh).join('、')}的`,
    ` ${parts.map(([, en]) => en.trim()).join(', ')}`,
  ])
}

/** '≥ 3', 'between 1 and 5' in the language. */
function comparison(compare: Compare, number: (value: number, say: Say) => string, say: Say): string {
  if (compare.op === 'between') {
    return pick(say, [
      `在 ${number(compare.from, say)} 到 ${number(compare.to, say)} 之间`,
      `between ${number(compare.from, say)} and ${number(compare.to, say)}`,
    ])
  }
  const sign = { eq: '=', ne: '≠', lt: '<', le: '≤', gt: '>', ge: '≥' }[compare.op]
  return `${say.lang === 'zh' ? ' ' : ''}${sign} ${number(compare.value, say)}`
}

const plain = (value: number): string => String(value)
const money = (cents: number, say: Say): string =>
  say.lang === 'zh' ? `${cents / 100} 元` : String(cents / 100)

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

function valueName(attribute: string, value: string, say: Say): string {
  if (attribute === 'home_store') return quote(say.names.store?.(value) ?? value.slice(0, 8), say)
  if (attribute === 'owner_staff') return quote(say.names.staff?.(value) ?? value.slice(0, 8), say)
  if (value === 'online' || value === 'offline') return sideName(value, say)
  if (attribute.startsWith('custom.')) return quote(value, say)
  const names = valueNames[value]
  return names ? pick(say, names) : quote(value, say)
}

const sideName = (side: 'online' | 'offline', say: Say): string =>
  side === 'online' ? pick(say, ['线上', 'online']) : pick(say, ['线下', 'offline'])

const pick = (say: { lang: Lang }, [zh, en]: readonly [string, string]): string =>
  say.lang === 'zh' ? zh : en
const quote = (text: string, say: Say): string => (say.lang === 'zh' ? `「${text}」` : `“${text}”`)
const list = (texts: readonly string[], say: Say): string => texts.join(pick(say, ['或', ' or ']))
