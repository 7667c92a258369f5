/**
 * What a rule costs, as a number of rows: answering it for everybody takes in one row a person, every order, and beside
 * them every line of an order, and every event of the types that it asks for, where it asks for any. This is the most
 * that it can be: names, channels and windows are not counted, because rows stand in order of persons.
 */

import type { Lang } from './lifecycle.ts'
import { nodesOf, occurrencesOf, type Rule } from './rule.ts'
import { loggedAs, ruleEventName } from './rule-events.ts'
import type { RuleEvent } from './rule-parts.ts'

/** How many rows there are; events by their type in the log. */
export type Sizes = { persons: number; orders: number; lines: number; events: ReadonlyMap<string, number> }
export type Cost = {
  rows: number
  /** The greatest sources beside persons and orders, the greatest first. */
  beside: { source: 'lines' | RuleEvent | 'coupon'; rows: number }[]
}

/** Beside persons and orders, which every computation reads. */
export const COSTLY_ROWS = 10_000_000

export function costOf(rule: Rule, sizes: Sizes): Cost {
  const sources = new Map<string, Cost['beside'][number]>()
  const add = (key: string, source: Cost['beside'][number]['source'], rows = 0): void => {
    if (!sources.has(key)) sources.set(key, { source, rows })
  }
  for (const { rule: node } of nodesOf(rule)) {
    if (readsLines(node)) add('lines', 'lines', sizes.lines)
    if (node.kind === 'coupon') add('coupon_changed', 'coupon', sizes.events.get('coupon_changed'))
    for (const what of occurrencesOf(node)) {
      if (what.of !== 'event') continue
      const { type } = loggedAs(what.filter.event)
      add(type, what.filter.event, sizes.events.get(type))
    }
  }
  const beside = [...sources.values()].sort((left, right) => right.rows - left.rows)
  return { rows: beside.reduce((sum, { rows }) => sum + rows, sizes.persons + sizes.orders), beside }
}

/** Whether a condition, its purchases or what begins its window looks at lines of orders. */
export function readsLines(leaf: Rule): boolean {
  if (leaf.kind === 'lifecycle') return leaf.category !== undefined
  if (leaf.kind === 'orders') {
    const { measure } = leaf
    if (measure.of === 'distinct' && (measure.by === 'sku' || measure.by === 'category')) return true
    if ('field' in measure && measure.field === 'quantity') return true
  }
  return occurrencesOf(leaf).some(
    ({ of, filter }) => of === 'purchase' && (filter.categories !== undefined || filter.skus !== undefined),
  )
}

/** What an operator is told where a rule costs much; undefined where it does not. */
export function costWarning({ rows, beside }: Cost): Readonly<Record<Lang, string>> | undefined {
  const [greatest] = beside
  if (!greatest || beside.reduce((sum, each) => sum + each.rows, 0) < COSTLY_ROWS) return undefined
  const name = (lang: Lang): string => {
    if (greatest.source === 'lines') return { zh: '订单明细', en: 'lines of orders' }[lang]
    return greatest.source === 'coupon'
      ? { zh: '优惠券', en: 'coupons' }[lang]
      : ruleEventName(greatest.source, lang)
  }
  return {
    zh: `这个条件很费时：为所有会员计算一次要读约 ${inChinese(rows)}行，最多的是${name('zh')}（${inChinese(greatest.rows)}行）。换用更少见的事件会快得多`,
    en: `This is costly: computing it for everybody reads about ${inMillions(rows)} rows, most of them ${name('en')} (${inMillions(greatest.rows)}). A rarer event is much faster`,
  }
}

const inChinese = (rows: number): string =>
  rows >= 100_000_000 ? `${(rows / 100_000_000).toFixed(1)} 亿` : `${Math.round(rows / 10_000)} 万`
const inMillions = (rows: number): string => `${(rows / 1_000_000).toFixed(1)} million`
