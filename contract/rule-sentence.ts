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
import type { Leaf, Rule } from './rule.ts'
import { attributeName, valueName } from './rule-attribute-names.ts'
import type { EventMeasure } from './rule-parts.ts'
import {
  comparison,
  eventText,
  filterText,
  list,
  money,
  occurrenceText,
  pick,
  plain,
  quote,
  type RuleNames,
  type Say,
  textTests,
  windowText,
} from './rule-phrases.ts'

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>
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
    if (leaf.op === 'compare') return `${name} ${comparison(leaf.compare, plain, say).trim()}`
    if (!('values' in leaf)) return name
    const whole = leaf.op === 'in' || leaf.op === 'not_in'
    const values = leaf.values.map((value) =>
      whole ? valueName(leaf.attribute, value, say) : quote(value, say),
    )
    const [zh, en] = textTests[leaf.op]
    return pick(say, [`${name}${zh}${list(values, say)}`, `${name} ${en} ${list(values, say)}`])
  },
  date: (leaf, say) => {
    const name = attributeName(leaf.attribute, say.lang)
    const { test } = leaf
    if (test.op === 'days_since') {
      const text = comparison(test.compare, plain, say)
      return pick(say, [`${name}距今天数${text}`, `days since ${name} ${text}`])
    }
    if (test.op === 'coming') {
      return test.withinDays === 0
        ? pick(say, [`${name}是今天`, `${name} is today`])
        : pick(say, [
            `${name}在未来 ${test.withinDays} 天内`,
            `${name} is within the next ${test.withinDays} days`,
          ])
    }
    if (test.from === null && test.to === null) return pick(say, [`${name}是日期`, `${name} is a date`])
    if (test.from === null)
      return pick(say, [`${name}不晚于 ${test.to}`, `${name} is on or before ${test.to}`])
    if (test.to === null)
      return pick(say, [`${name}不早于 ${test.from}`, `${name} is on or after ${test.from}`])
    return pick(say, [
      `${name}在 ${test.from} 至 ${test.to}`,
      `${name} is between ${test.from} and ${test.to}`,
    ])
  },
  cycle: (leaf, say) => {
    const text = comparison(leaf.multiple, plain, say)
    return pick(say, [
      `距上次购买是自己常规间隔的倍数${text}(至少购买 ${leaf.atLeast} 次)`,
      `time since the last purchase in multiples of the own usual gap ${text} (at least ${leaf.atLeast} purchases)`,
    ])
  },
  events: eventsSentence,
  sequence: (leaf, say) => {
    const [first, second] = [occurrenceText(leaf.first, say), occurrenceText(leaf.second, say)]
    const time = leaf.window.kind === 'ever' ? '' : windowText(leaf.window, say)
    const [zh, en] = { any: ['', 'a '], first: ['首次', 'the first '], last: ['最近一次', 'the last '] }[
      leaf.which
    ]
    const days = leaf.withinDays
    return leaf.happened
      ? pick(say, [
          `${time}${zh}${first}后 ${days} 天内有${second}`,
          `${en}${first}${time && ` ${time}`} was followed by ${second} within ${days} days`,
        ])
      : pick(say, [
          `${time}${zh}${first}后 ${days} 天内没有${second}`,
          `${en}${first}${time && ` ${time}`} was not followed by ${second} within ${days} days`,
        ])
  },
  coupon: (leaf, say) => {
    const states = list(
      leaf.states.map((state) => pick(say, couponNames[state])),
      say,
    )
    const kinds = leaf.kinds
      ? list(
          leaf.kinds.map((kind) => quote(kind, say)),
          say,
        )
      : ''
    const soon = leaf.expiresWithinDays
    return pick(say, [
      `有至少 ${leaf.atLeast} 张${states}的${kinds}券${soon === undefined ? '' : `,${soon} 天内到期`}`,
      `has at least ${leaf.atLeast} ${states} ${kinds === '' ? '' : `${kinds} `}coupon(s)${soon === undefined ? '' : `, running out within ${soon} days`}`,
    ])
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
  if (measure.of === 'distinct') {
    const [zh, en] = distinctNames[measure.by]
    return pick(say, [
      `${time}${which}购买的不同${zh}数${comparison(compare, plain, say)}`,
      `number of different ${en} of purchases${which} ${time} ${comparison(compare, plain, say)}`,
    ])
  }
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
const distinctNames = {
  sku: ['商品', 'products'],
  category: ['品类', 'categories'],
  store: ['门店', 'stores'],
  day: ['天', 'days'],
} as const
const couponNames = {
  received: ['未使用', 'unused'],
  used: ['已使用', 'used'],
  expired: ['已过期', 'expired'],
  withdrawn: ['已作废', 'withdrawn'],
} as const

function eventsSentence({ filter, measure, window, compare }: LeafOf<'events'>, say: Say): string {
  const what = eventText(filter, say)
  const time = windowText(window, say)
  const text = comparison(compare, plain, say)
  const [zh, en] = measuredText(measure)
  return pick(say, [`${time}${what}的${zh}${text}`, `${en} of ${what} ${time} ${text}`])
}

function measuredText(measure: EventMeasure): readonly [string, string] {
  switch (measure.of) {
    case 'count':
      return ['次数', 'number']
    case 'distinct_days':
      return ['天数', 'number of days']
    case 'days_since_first':
      return ['首次距今天数', 'days since the first']
    case 'days_since_last':
      return ['最近一次距今天数', 'days since the last']
    case 'distinct':
      return [`不同的 ${measure.property} 数`, `number of different ${measure.property}`]
    default: {
      const [zh, en] = foldNames[measure.of]
      return [`${zh} ${measure.property}`, `${en} ${measure.property}`]
    }
  }
}

const foldNames = {
  sum: ['累计', 'total'],
  avg: ['平均', 'average'],
  min: ['最小', 'smallest'],
  max: ['最大', 'greatest'],
  first: ['首次', 'first'],
  last: ['最近', 'latest'],
} as const
