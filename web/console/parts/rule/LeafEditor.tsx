import { Input, InputNumber } from 'antd'
import type { ReactNode } from 'react'
import {
  aiplName,
  aiplStages,
  joinRecencies,
  joinRecencyName,
  lifecycleName,
  lifecycleStates,
  orderStageName,
  orderStages,
  ownCycleName,
  ownCycleStates,
} from '../../../../contract/lifecycle.ts'
import { rfmGroupName, rfmGroups } from '../../../../contract/rfm.ts'
import type { Leaf } from '../../../../contract/rule.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Attribute } from './AttributeFields.tsx'
import { DateFields } from './DateFields.tsx'
import { CouponFields, CycleFields, EventFields, SequenceFields } from './HappenedFields.tsx'
import { leafChoices } from './leaf-choices.ts'
import { leafWords } from './leaf-words.ts'
import { OrderFields } from './OrderFields.tsx'
import { SegmentChoice, STag, Tags } from './PickFields.tsx'
import { Comparison, Many, Score } from './small-fields.tsx'

/** The small editor of one condition, by its kind. */
export function LeafEditor({ leaf, onChange }: { leaf: Leaf; onChange: (leaf: Leaf) => void }) {
  const lang = useLang()
  const name = leafChoices.find((choice) => choice.kind === leaf.kind)?.name[lang] ?? leaf.kind
  return (
    <div className="leaf-fields">
      <b style={{ whiteSpace: 'nowrap' }}>{name.split(/[：:]/)[0]}</b>
      <Fields leaf={leaf} onChange={onChange} />
    </div>
  )
}

function Fields({ leaf, onChange }: { leaf: Leaf; onChange: (leaf: Leaf) => void }): ReactNode {
  const t = useWords(leafWords)
  const lang = useLang()
  switch (leaf.kind) {
    case 'lifecycle':
      return (
        <Many
          name={t('values')}
          value={leaf.states}
          options={lifecycleStates.map((state) => [state, lifecycleName(state, lang)])}
          onChange={(states) => onChange({ ...leaf, states })}
        />
      )
    case 'own_cycle':
      return (
        <Many
          name={t('values')}
          value={leaf.states}
          options={ownCycleStates.map((state) => [state, ownCycleName(state, lang)])}
          onChange={(states) => onChange({ ...leaf, states })}
        />
      )
    case 'order_stage':
      return (
        <Many
          name={t('values')}
          value={leaf.stages}
          options={orderStages.map((stage) => [stage, orderStageName(stage, lang)])}
          onChange={(stages) => onChange({ ...leaf, stages })}
        />
      )
    case 'join_recency':
      return (
        <Many
          name={t('values')}
          value={leaf.recencies}
          options={joinRecencies.map((each) => [each, joinRecencyName(each, lang)])}
          onChange={(recencies) => onChange({ ...leaf, recencies })}
        />
      )
    case 'aipl':
      return (
        <Many
          name={t('values')}
          value={leaf.stages}
          options={aiplStages.map((stage) => [stage, aiplName(stage, lang)])}
          onChange={(stages) => onChange({ ...leaf, stages })}
        />
      )
    case 'rfm_group':
      return (
        <Many
          name={t('values')}
          value={leaf.groups}
          options={rfmGroups.map((group) => [group, rfmGroupName(group, lang)])}
          onChange={(groups) => onChange({ ...leaf, groups })}
        />
      )
    case 'rfm_score':
      return (['r', 'f', 'm'] as const).map((letter) => (
        <Score
          key={letter}
          letter={letter}
          value={leaf[letter]}
          onChange={(score) => onChange({ ...leaf, [letter]: score })}
        />
      ))
    case 'one_time_buyer':
    case 'interaction_silent':
      return null
    case 'age':
      return <Comparison value={leaf.compare} onChange={(compare) => onChange({ ...leaf, compare })} />
    case 'joined':
      return <Comparison value={leaf.daysAgo} onChange={(daysAgo) => onChange({ ...leaf, daysAgo })} />
    case 'birthday':
      return (
        <InputNumber
          min={0}
          max={180}
          aria-label={t('days')}
          value={leaf.withinDays}
          suffix={t('within')}
          onChange={(withinDays) => onChange({ ...leaf, withinDays: withinDays ?? 0 })}
        />
      )
    case 'orders':
      return <OrderFields leaf={leaf} onChange={onChange} />
    case 'attribute':
      return <Attribute leaf={leaf} onChange={onChange} />
    case 'tag':
      return <Tags leaf={leaf} onChange={onChange} />
    case 's_tag':
      return <STag leaf={leaf} onChange={onChange} />
    case 'date':
      return <DateFields leaf={leaf} onChange={onChange} />
    case 'cycle':
      return <CycleFields leaf={leaf} onChange={onChange} />
    case 'events':
      return <EventFields leaf={leaf} onChange={onChange} />
    case 'sequence':
      return <SequenceFields leaf={leaf} onChange={onChange} />
    case 'coupon':
      return <CouponFields leaf={leaf} onChange={onChange} />
    case 'segment':
      return <SegmentChoice leaf={leaf} onChange={onChange} />
    case 'sample':
      return (
        <>
          <InputNumber
            min={0}
            max={100}
            step={0.01}
            aria-label={t('share')}
            value={leaf.per10000 / 100}
            suffix={t('share')}
            onChange={(share) => onChange({ ...leaf, per10000: Math.round((share ?? 0) * 100) })}
          />
          <Input
            style={{ width: 120 }}
            value={leaf.salt}
            aria-label={t('draw')}
            onChange={(event) => onChange({ ...leaf, salt: event.target.value || 'a' })}
          />
        </>
      )
    default:
      return null
  }
}
