/** What would turn a condition about one person, in words: "再下 1 单", "one more order". */
import type { Leaf } from './rule.ts'
import type { EventFilter, OrderFilter } from './rule-parts.ts'
import { eventText, filterText, list, money, pick, quote, type Say } from './rule-phrases.ts'
import { sentence } from './rule-sentence.ts'

type Distinct = 'sku' | 'category' | 'store' | 'day'

/** One thing that somebody does, or that is said of him. Amounts in cents, quantities in pieces. */
export type Act =
  /** So many purchases of a kind. */
  | { of: 'purchases'; count: number; filter: OrderFilter }
  /** So many purchases, each with a product, category, store or day that was not there before. */
  | { of: 'distinct'; count: number; by: Distinct; filter: OrderFilter }
  /** So much more in purchases of a kind. */
  | { of: 'more'; field: 'amount' | 'quantity' | 'discount'; by: number; filter: OrderFilter }
  /** One purchase of at least, or at most, so much. */
  | {
      of: 'one'
      field: 'amount' | 'quantity' | 'discount'
      bound: 'at_least' | 'at_most' | 'exactly'
      value: number
      filter: OrderFilter
    }
  /** So many events; with a property each has that value of it. */
  | { of: 'events'; count: number; filter: EventFilter; property?: { name: string; value: number | 'new' } }
  /** An attribute changes so that the condition turns. */
  | { of: 'attribute'; leaf: Extract<Leaf, { kind: 'attribute' }>; holds: boolean }
  | { of: 'tags'; add: readonly number[]; remove: readonly number[] }
  | { of: 'value'; group: number; tag: number }
  | { of: 'coupons'; count: number; kind: string | null }

/** What is done, one after the other, and how long one then has to wait without doing more. */
export type Acts = { acts: readonly Act[]; thenDays?: number }

/** '再下 2 单', '2 more orders'; several joined by "then". */
export function actsText({ acts, thenDays }: Acts, say: Say): string {
  const text = acts.map((act) => actText(act, say)).join(pick(say, ['，然后', ', then ']))
  if (thenDays === undefined) return text
  return pick(say, [
    `${text}，并在之后 ${thenDays} 天内什么都不发生`,
    `${text}, and nothing follows within ${thenDays} days`,
  ])
}

function actText(act: Act, say: Say): string {
  switch (act.of) {
    case 'purchases':
      return pick(say, [
        `再下 ${act.count} 单${which(act.filter, say)}`,
        `${act.count === 1 ? 'one more order' : `${act.count} more orders`}${which(act.filter, say)}`,
      ])
    case 'distinct': {
      const [zh, en] = DISTINCT[act.by]
      return pick(say, [
        `再买 ${act.count} 个没买过的${zh}${which(act.filter, say)}`,
        `orders with ${act.count} more ${act.count === 1 ? en : PLURAL[act.by]}${which(act.filter, say)}`,
      ])
    }
    case 'more':
      return pick(say, [
        `再${VERBS[act.field]} ${quantity(act.field, act.by, say)}${which(act.filter, say)}`,
        `${quantity(act.field, act.by, say)} more ${NOUNS[act.field]}${which(act.filter, say)}`,
      ])
    case 'one': {
      const [zh, en] = BOUNDS[act.bound]
      const value = quantity(act.field, act.value, say)
      return pick(say, [
        `再下一单，${FIELDS[act.field]}${zh} ${value}${which(act.filter, say)}`,
        `an order with ${NOUN_OF_ONE[act.field]} of ${en} ${value}${which(act.filter, say)}`,
      ])
    }
    case 'events': {
      const what = eventText(act.filter, say)
      const each = propertyText(act.property, say)
      return pick(say, [
        `再发生 ${act.count} 次「${what}」${each}`,
        `${act.count === 1 ? 'once more' : `${act.count} times more`}: ${what}${each}`,
      ])
    }
    case 'attribute': {
      const condition = sentence(act.leaf, say.lang, say.names)
      return act.holds
        ? pick(say, [`资料变为：${condition}`, `the profile changes to: ${condition}`])
        : pick(say, [`资料变为不再满足：${condition}`, `the profile changes, no longer: ${condition}`])
    }
    case 'tags':
      return [
        ...(act.add.length > 0 ? [tagText(act.add, ['打上标签', 'the tag is put on: '], say)] : []),
        ...(act.remove.length > 0 ? [tagText(act.remove, ['去掉标签', 'the tag is taken off: '], say)] : []),
      ].join(pick(say, ['，', ', ']))
    case 'value':
      return pick(say, [
        `${say.names.group?.(act.group) ?? `#${act.group}`}设为${tagName(act.tag, say)}`,
        `${say.names.group?.(act.group) ?? `#${act.group}`} is set to ${tagName(act.tag, say)}`,
      ])
    case 'coupons': {
      const kind = act.kind === null ? '' : quote(act.kind, say)
      return pick(say, [
        `再领 ${act.count} 张${kind}券`,
        `${act.count === 1 ? 'one more coupon' : `${act.count} more coupons`}${kind === '' ? '' : ` ${kind}`} received`,
      ])
    }
  }
}

function propertyText(property: Extract<Act, { of: 'events' }>['property'], say: Say): string {
  if (property === undefined) return ''
  const { name, value } = property
  if (value === 'new') return pick(say, [`（新的 ${name}）`, ` (a new ${name})`])
  return pick(say, [`（${name} = ${value}）`, ` (${name} = ${value})`])
}

const which = (filter: OrderFilter, say: Say): string => {
  const text = filterText(filter, say)
  if (text === '') return ''
  return say.lang === 'zh' ? `（${text.replace(/^在|的$/g, '')}）` : ` (${text.trim()})`
}

function quantity(field: 'amount' | 'quantity' | 'discount', value: number, say: Say): string {
  return field === 'quantity' ? pick(say, [`${value} 件`, `${value} pieces`]) : money(value, say)
}

const tagName = (tag: number, say: Say): string => quote(say.names.tag?.(tag) ?? `#${tag}`, say)

function tagText(tags: readonly number[], [zh, en]: readonly [string, string], say: Say): string {
  const names = list(
    tags.map((tag) => tagName(tag, say)),
    { ...say },
  ).replaceAll(pick(say, ['或', ' or ']), pick(say, ['、', ', ']))
  return pick(say, [`${zh}${names}`, `${en}${names}`])
}

const VERBS = { amount: '消费', quantity: '买', discount: '享受优惠' } as const
const NOUNS = { amount: 'spent', quantity: 'bought', discount: 'in discounts' } as const
const FIELDS = { amount: '金额', quantity: '件数', discount: '优惠' } as const
const NOUN_OF_ONE = { amount: 'an amount', quantity: 'a quantity', discount: 'a discount' } as const
const BOUNDS = {
  at_least: ['至少', 'at least'],
  at_most: ['至多', 'at most'],
  exactly: ['正好', 'exactly'],
} as const
const DISTINCT = {
  sku: ['商品', 'new product'],
  category: ['品类', 'new category'],
  store: ['门店', 'new store'],
  day: ['日子', 'new day'],
} as const
const PLURAL = {
  sku: 'new products',
  category: 'new categories',
  store: 'new stores',
  day: 'new days',
} as const
