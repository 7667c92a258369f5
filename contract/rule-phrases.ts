/** Parts of the sentences of rules: windows, comparisons, and which purchases and events are meant. */
import type { Lang } from './lifecycle.ts'
import { ruleEventName } from './rule-events.ts'
import type {
  Anchor,
  Compare,
  EventFilter,
  Occurrence,
  OrderFilter,
  PropertyFilter,
  Window,
} from './rule-parts.ts'

/** Names of things that rules refer to by id; undefined for what is not known (the id is shown). */
export type RuleNames = {
  tag?(id: number): string | undefined
  group?(id: number): string | undefined
  segment?(id: number): string | undefined
  store?(id: string): string | undefined
  staff?(id: string): string | undefined
  journey?(id: string): string | undefined
}
export type Say = { readonly lang: Lang; readonly names: RuleNames }

/** The window as text: '最近 30 天', 'in the last 30 days'. */
export function windowText(window: Window, say: Say): string {
  const zh = say.lang === 'zh'
  if (window.kind === 'ever') return zh ? '' : 'ever'
  if (window.kind === 'rolling') return zh ? `最近 ${window.days} 天` : `in the last ${window.days} days`
  if (window.kind === 'since') {
    const begin = anchorText(window.anchor, say)
    if (window.days === undefined) return pick(say, [`${begin}之后`, `after ${begin}`])
    return pick(say, [`${begin}之后 ${window.days} 天内`, `within ${window.days} days after ${begin}`])
  }
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

function anchorText(anchor: Anchor, say: Say): string {
  if (anchor.at === 'joining') return pick(say, ['入会', 'joining'])
  const what = occurrenceText(anchor.what, say)
  return anchor.at === 'first'
    ? pick(say, [`首次${what}`, `the first ${what}`])
    : pick(say, [`最近一次${what}`, `the last ${what}`])
}

/** '在门店「西湖店」的购买', 'purchase in the store “西湖店”'. */
export function occurrenceText(what: Occurrence, say: Say): string {
  if (what.of === 'event') return eventText(what.filter, say)
  return pick(say, [`${filterText(what.filter, say)}购买`, `purchase${filterText(what.filter, say)}`])
}

/** The kind of event and what it must be like: '浏览页面(页面是「新品」)'. */
export function eventText(filter: EventFilter, say: Say): string {
  const name = ruleEventName(filter.event, say.lang)
  const quoted = (values: readonly string[]): string =>
    list(
      values.map((value) => quote(value, say)),
      say,
    )
  const parts: string[] = []
  if (filter.names) parts.push(quoted(filter.names))
  if (filter.channels)
    parts.push(pick(say, [`渠道${quoted(filter.channels)}`, `through ${quoted(filter.channels)}`]))
  if (filter.stores) {
    const stores = quoted(filter.stores.map((store) => say.names.store?.(store) ?? store.slice(0, 8)))
    parts.push(pick(say, [`门店${stores}`, `in the store ${stores}`]))
  }
  if (filter.journeys) {
    const journeys = quoted(
      filter.journeys.map((journey) => say.names.journey?.(journey) ?? journey.slice(0, 8)),
    )
    parts.push(pick(say, [`SOP${journeys}`, `of the SOP ${journeys}`]))
  }
  for (const property of filter.properties ?? []) parts.push(propertyText(property, say))
  if (parts.length === 0) return name
  return `${name}${pick(say, [`(${parts.join(',')})`, ` (${parts.join(', ')})`])}`
}

function propertyText(filter: PropertyFilter, say: Say): string {
  const name = filter.property
  switch (filter.op) {
    case 'compare':
      return `${name} ${comparison(filter.compare, plain, say).trim()}`
    case 'known':
      return pick(say, [`${name}已知`, `${name} is known`])
    case 'unknown':
      return pick(say, [`${name}未知`, `${name} is not known`])
    default: {
      const [zh, en] = textTests[filter.op]
      const values = list(
        filter.values.map((value) => quote(value, say)),
        say,
      )
      return pick(say, [`${name}${zh}${values}`, `${name} ${en} ${values}`])
    }
  }
}

/** How a text is tested: '包含', 'contains'. */
export const textTests = {
  in: ['是', 'is'],
  not_in: ['不是', 'is not'],
  contains: ['包含', 'contains'],
  starts_with: ['开头是', 'starts with'],
  ends_with: ['结尾是', 'ends with'],
} as const

const unitNames = {
  day: ['日', 'day'],
  week: ['周', 'week'],
  month: ['月', 'month'],
  quarter: ['季度', 'quarter'],
  year: ['年', 'year'],
} as const

export function filterText(filter: OrderFilter, say: Say): string {
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
  if (filter.amount) {
    parts.push([
      `单笔金额${comparison(filter.amount, money, say)}`,
      `with an amount ${comparison(filter.amount, money, say)}`,
    ])
  }
  if (filter.withCoupon === true) parts.push(['用券', 'with a coupon'])
  if (filter.withCoupon === false) parts.push(['未用券', 'without a coupon'])
  if (parts.length === 0) return ''
  return pick(say, [
    `在${parts.map(([zh]) => zh).join('、')}的`,
    ` ${parts.map(([, en]) => en.trim()).join(', ')}`,
  ])
}

/** '≥ 3', 'between 1 and 5' in the language. */
export function comparison(compare: Compare, number: (value: number, say: Say) => string, say: Say): string {
  if (compare.op === 'between') {
    return pick(say, [
      `在 ${number(compare.from, say)} 到 ${number(compare.to, say)} 之间`,
      `between ${number(compare.from, say)} and ${number(compare.to, say)}`,
    ])
  }
  const sign = { eq: '=', ne: '≠', lt: '<', le: '≤', gt: '>', ge: '≥' }[compare.op]
  return `${say.lang === 'zh' ? ' ' : ''}${sign} ${number(compare.value, say)}`
}

export const plain = (value: number): string => String(value)
export const money = (cents: number, say: Say): string =>
  say.lang === 'zh' ? `${cents / 100} 元` : String(cents / 100)

export const sideName = (side: 'online' | 'offline', say: Say): string =>
  side === 'online' ? pick(say, ['线上', 'online']) : pick(say, ['线下', 'offline'])

export const pick = (say: { lang: Lang }, [zh, en]: readonly [string, string]): string =>
  say.lang === 'zh' ? zh : en
export const quote = (text: string, say: Say): string => (say.lang === 'zh' ? `「${text}」` : `“${text}”`)
export const list = (texts: readonly string[], say: Say): string => texts.join(pick(say, ['或', ' or ']))
