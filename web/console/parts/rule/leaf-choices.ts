/** The kinds of condition that can be added, with a sensible first value. */
import type { Rule } from '../../../../contract/rule.ts'
import type { Lang } from '../../../ui/format.ts'

/** `key`: where a kind can be begun with in several ways; the first one names it. */
type Choice = { kind: string; key?: string; name: Record<Lang, string>; fresh: Rule }

export const leafChoices: readonly Choice[] = [
  {
    kind: 'lifecycle',
    name: { zh: '生命周期', en: 'Life cycle' },
    fresh: { kind: 'lifecycle', states: ['silent', 'near_sleep'] },
  },
  {
    kind: 'orders',
    name: { zh: '订单：次数、金额、距今天数…', en: 'Orders: count, amount, days since …' },
    fresh: {
      kind: 'orders',
      measure: { of: 'count' },
      filter: {},
      window: { kind: 'rolling', days: 365 },
      compare: { op: 'ge', value: 1 },
    },
  },
  {
    kind: 'events',
    name: { zh: '行为事件：浏览、埋点、到店…', en: 'Events: views, tracked, visits …' },
    fresh: {
      kind: 'events',
      filter: { event: 'page_viewed' },
      measure: { of: 'count' },
      window: { kind: 'rolling', days: 30 },
      compare: { op: 'ge', value: 1 },
    },
  },
  {
    kind: 'sequence',
    name: { zh: '先后行为：之后做了或没做', en: 'In sequence: did or did not follow' },
    fresh: {
      kind: 'sequence',
      first: { of: 'event', filter: { event: 'visited_store' } },
      second: { of: 'purchase', filter: {} },
      withinDays: 7,
      happened: false,
      which: 'last',
      window: { kind: 'rolling', days: 90 },
    },
  },
  {
    kind: 'events',
    key: 'touches',
    name: { zh: '触达次数', en: 'Touches' },
    fresh: {
      kind: 'events',
      filter: { event: 'touch_sent' },
      measure: { of: 'count' },
      window: { kind: 'rolling', days: 30 },
      compare: { op: 'ge', value: 1 },
    },
  },
  {
    kind: 'sequence',
    key: 'replied',
    name: { zh: '触达后是否回复', en: 'Replied after a touch' },
    fresh: {
      kind: 'sequence',
      first: { of: 'event', filter: { event: 'touch_delivered' } },
      second: { of: 'event', filter: { event: 'member_replied' } },
      withinDays: 3,
      happened: true,
      which: 'last',
      window: { kind: 'rolling', days: 90 },
    },
  },
  {
    kind: 'events',
    key: 'held_out',
    name: { zh: '被留作对照组', en: 'Held out' },
    fresh: {
      kind: 'events',
      filter: { event: 'touch_held_out' },
      measure: { of: 'count' },
      window: { kind: 'ever' },
      compare: { op: 'ge', value: 1 },
    },
  },
  {
    kind: 'coupon',
    name: { zh: '优惠券', en: 'Coupons' },
    fresh: { kind: 'coupon', states: ['received'], expiresWithinDays: 7, atLeast: 1 },
  },
  {
    kind: 'one_time_buyer',
    name: { zh: '只买过一次', en: 'Bought once only' },
    fresh: { kind: 'one_time_buyer' },
  },
  {
    kind: 'rfm_group',
    name: { zh: 'RFM 分群', en: 'RFM group' },
    fresh: { kind: 'rfm_group', groups: ['champions'] },
  },
  { kind: 'rfm_score', name: { zh: 'RFM 分数', en: 'RFM scores' }, fresh: { kind: 'rfm_score', r: [4, 5] } },
  {
    kind: 'own_cycle',
    name: { zh: '按自己的购买周期', en: 'Own purchase cycle' },
    fresh: { kind: 'own_cycle', states: ['silent'] },
  },
  {
    kind: 'cycle',
    name: { zh: '晚于自己的购买间隔', en: 'Later than the own purchase gap' },
    fresh: { kind: 'cycle', multiple: { op: 'ge', value: 1.5 }, atLeast: 3 },
  },
  {
    kind: 'order_stage',
    name: { zh: '订单阶段', en: 'Order stage' },
    fresh: { kind: 'order_stage', stages: ['first_purchase'] },
  },
  {
    kind: 'join_recency',
    name: { zh: '入会新旧', en: 'Since joining' },
    fresh: { kind: 'join_recency', recencies: ['new'] },
  },
  {
    kind: 'joined',
    name: { zh: '入会天数', en: 'Days since joining' },
    fresh: { kind: 'joined', daysAgo: { op: 'le', value: 30 } },
  },
  {
    kind: 'birthday',
    name: { zh: '生日（含农历）', en: 'Birthday (lunar too)' },
    fresh: { kind: 'birthday', withinDays: 7 },
  },
  {
    kind: 'date',
    name: { zh: '日期：入会、出生、自定义', en: 'Date: joining, birth, your own' },
    fresh: {
      kind: 'date',
      attribute: 'joined',
      test: { op: 'days_since', compare: { op: 'ge', value: 365 } },
    },
  },
  {
    kind: 'age',
    name: { zh: '年龄', en: 'Age' },
    fresh: { kind: 'age', compare: { op: 'between', from: 25, to: 35 } },
  },
  {
    kind: 'attribute',
    name: { zh: '属性：性别、来源、门店…', en: 'Attribute: gender, source, store …' },
    fresh: { kind: 'attribute', attribute: 'gender', op: 'in', values: ['female'] },
  },
  { kind: 'tag', name: { zh: '标签', en: 'Tag' }, fresh: { kind: 'tag', tags: [], match: 'any' } },
  {
    kind: 's_tag',
    name: { zh: 'S 级标签', en: 'Tag of level S' },
    fresh: { kind: 's_tag', group: 1, values: [null] },
  },
  {
    kind: 'aipl',
    name: { zh: '认知·兴趣·购买·忠诚', en: 'Awareness … loyalty' },
    fresh: { kind: 'aipl', stages: ['loyalty'] },
  },
  {
    kind: 'interaction_silent',
    name: { zh: '互动沉默', en: 'Silent in contact' },
    fresh: { kind: 'interaction_silent' },
  },
  {
    kind: 'segment',
    name: { zh: '另一个人群', en: 'Another segment' },
    fresh: { kind: 'segment', segment: 0 },
  },
  {
    kind: 'sample',
    name: { zh: '随机样本', en: 'Random sample' },
    fresh: { kind: 'sample', salt: 'a', per10000: 1000 },
  },
]

export const keyOfChoice = ({ kind, key }: Choice): string => key ?? kind

export function freshLeaf(key: string): Rule {
  const choice = leafChoices.find((each) => keyOfChoice(each) === key)
  if (!choice) throw new Error(`no such condition: ${key}`)
  return choice.fresh
}
