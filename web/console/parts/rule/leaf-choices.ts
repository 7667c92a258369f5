/** The kinds of condition that can be added, with a sensible first value. */
import type { Rule } from '../../../../contract/rule.ts'
import type { Lang } from '../../../ui/format.ts'

type Choice = { kind: string; name: Record<Lang, string>; fresh: Rule }

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

export function freshLeaf(kind: string): Rule {
  const choice = leafChoices.find((each) => each.kind === kind)
  if (!choice) throw new Error(`no such condition: ${kind}`)
  return choice.fresh
}
