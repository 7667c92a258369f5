/** What a condition found of a person, in words: '沉默会员', '320 元', '12 days'. */
import {
  type AiplStage,
  aiplName,
  type JoinRecency,
  joinRecencyName,
  type LifecycleState,
  lifecycleName,
  type OrderStage,
  type OwnCycleState,
  orderStageName,
  ownCycleName,
} from './lifecycle.ts'
import { type RfmGroup, rfmGroupName } from './rfm.ts'
import type { Leaf } from './rule.ts'
import { valueName } from './rule-attribute-names.ts'
import { money, pick, quote, type Say } from './rule-phrases.ts'

type Value = string | number | boolean | null

/** `value` as the function that decides gives it: codes, cents, pieces, days. */
export function valueText(leaf: Leaf, value: Value, say: Say): string {
  if (value === null) return pick(say, ['未知', 'not known'])
  if (typeof value === 'boolean') return value ? pick(say, ['是', 'yes']) : pick(say, ['否', 'no'])
  return typeof value === 'number' ? numberText(leaf, value, say) : codeText(leaf, value, say)
}

function codeText(leaf: Leaf, code: string, say: Say): string {
  switch (leaf.kind) {
    case 'lifecycle':
      return lifecycleName(code as LifecycleState, say.lang)
    case 'own_cycle':
      return ownCycleName(code as OwnCycleState, say.lang)
    case 'order_stage':
      return orderStageName(code as OrderStage, say.lang)
    case 'join_recency':
      return joinRecencyName(code as JoinRecency, say.lang)
    case 'aipl':
      return aiplName(code as AiplStage, say.lang)
    case 'rfm_group':
      return rfmGroupName(code as RfmGroup, say.lang)
    case 'rfm_score':
      return [...code].map((score, place) => `${'RFM'[place] ?? ''}${score}`).join(' ')
    case 'attribute':
      return valueName(leaf.attribute, code, say)
    default:
      return code
  }
}

function numberText(leaf: Leaf, number: number, say: Say): string {
  const plain = String(Math.round(number * 100) / 100)
  switch (leaf.kind) {
    case 'orders': {
      if (!('field' in leaf.measure)) return isAge(leaf.measure.of) ? days(plain, say) : plain
      return leaf.measure.field === 'quantity'
        ? pick(say, [`${plain} 件`, `${plain} pieces`])
        : money(Math.round(number), say)
    }
    case 'events':
      return isAge(leaf.measure.of) ? days(plain, say) : plain
    case 'joined':
    case 'date':
      return days(plain, say)
    case 'birthday':
      return pick(say, [`${plain} 天后生日`, `${plain} days until the birthday`])
    case 'age':
      return pick(say, [`${plain} 岁`, plain])
    case 'cycle':
      return pick(say, [`${plain} 倍间隔`, `${plain} × the gap`])
    case 's_tag':
      return quote(say.names.tag?.(number) ?? `#${number}`, say)
    case 'coupon':
      return pick(say, [`${plain} 张`, plain])
    default:
      return plain
  }
}

const isAge = (of: string): boolean => of === 'days_since_first' || of === 'days_since_last'
const days = (count: string, say: Say): string => pick(say, [`${count} 天`, `${count} days`])
