import { Card, Descriptions } from 'antd'
import {
  type AiplStage,
  aiplName,
  type OrderStage,
  type OwnCycleState,
  orderStageName,
  ownCycleName,
} from '../../../../contract/lifecycle.ts'
import type { MemberCard } from '../../../../contract/members.ts'
import { type RfmGroup, rfmGroupName } from '../../../../contract/rfm.ts'
import { minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useZone } from '../../parts/use-brand.ts'
import { StateMark } from './StateMark.tsx'

const words = {
  state: { zh: '生命周期', en: 'Life cycle' },
  own: { zh: '按自己的周期', en: 'By own cycle' },
  median: { zh: '{state} · 购买间隔中位数 {d} 天', en: '{state} · median gap {d} days' },
  stage: { zh: '订单阶段', en: 'Order stage' },
  aipl: { zh: '关系阶段', en: 'Stage' },
  rfm: { zh: 'RFM', en: 'RFM' },
  scores: { zh: 'R{r} F{f} M{m}', en: 'R{r} F{f} M{m}' },
  nextChange: { zh: '下次自动变化', en: 'Changes by itself' },
}

/** Where the member stands by every measure, and when that changes by itself; nothing until evaluated. */
export function States({ card: { state } }: { card: MemberCard }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  if (!state) return null
  const { recency, frequency, monetary } = state
  const scores =
    recency === null || frequency === null || monetary === null
      ? '–'
      : t('scores', { r: recency, f: frequency, m: monetary })
  return (
    <Card title={t('state')} size="small">
      <Descriptions column={1} size="small">
        <Descriptions.Item label={t('state')}>
          <StateMark state={state.lifecycle} />
        </Descriptions.Item>
        {state.ownCycle ? (
          <Descriptions.Item label={t('own')}>
            {state.medianGapDays === null
              ? ownCycleName(state.ownCycle as OwnCycleState, lang)
              : t('median', {
                  state: ownCycleName(state.ownCycle as OwnCycleState, lang),
                  d: Math.round(state.medianGapDays),
                })}
          </Descriptions.Item>
        ) : null}
        <Descriptions.Item label={t('stage')}>
          {orderStageName(state.orderStage as OrderStage, lang)}
        </Descriptions.Item>
        <Descriptions.Item label={t('aipl')}>{aiplName(state.aipl as AiplStage, lang)}</Descriptions.Item>
        <Descriptions.Item label={t('rfm')}>
          {scores}
          {state.rfmGroup ? ` · ${rfmGroupName(state.rfmGroup as RfmGroup, lang)}` : ''}
        </Descriptions.Item>
        <Descriptions.Item label={t('nextChange')}>{minute(state.nextChangeAt, zone)}</Descriptions.Item>
      </Descriptions>
    </Card>
  )
}
