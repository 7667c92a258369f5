import { InputNumber, Select } from 'antd'
import { couponStates, type Leaf } from '../../../../contract/rule.ts'
import { ruleEventName } from '../../../../contract/rule-events.ts'
import { type EventMeasure, ruleEvents } from '../../../../contract/rule-parts.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { leafWords } from './leaf-words.ts'
import { EventFilterFields, OccurrenceFields } from './OccurrenceFields.tsx'
import { PropertyName } from './PropertyFields.tsx'
import { Comparison, Many } from './small-fields.tsx'
import { propertiesOf, useTracked } from './use-tracked.ts'
import { WindowFields } from './WindowFields.tsx'

type LeafOf<K extends Leaf['kind']> = Extract<Leaf, { kind: K }>
type Props<K extends Leaf['kind']> = { leaf: LeafOf<K>; onChange: (leaf: Leaf) => void }

const measures = [
  'count',
  'distinct_days',
  'days_since_first',
  'days_since_last',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'last',
  'distinct',
] as const
const ofRows: readonly string[] = measures.slice(0, 4)

/** What happened: in which time, which events, what is measured, compared with what. */
export function EventFields({ leaf, onChange }: Props<'events'>) {
  const t = useWords(leafWords)
  const lang = useLang()
  const tracked = useTracked()
  const { measure } = leaf
  const measureOf = (of: (typeof measures)[number]): EventMeasure =>
    (ofRows.includes(of)
      ? { of }
      : { of, property: 'property' in measure ? measure.property : '' }) as EventMeasure
  return (
    <>
      <WindowFields window={leaf.window} onChange={(window) => onChange({ ...leaf, window })} />
      <Select
        style={{ minWidth: 150 }}
        popupMatchSelectWidth={false}
        aria-label={t('event')}
        value={leaf.filter.event}
        options={ruleEvents.map((event) => ({ value: event, label: ruleEventName(event, lang) }))}
        onChange={(event) => onChange({ ...leaf, filter: { event } })}
      />
      <EventFilterFields filter={leaf.filter} onChange={(filter) => onChange({ ...leaf, filter })} />
      <Select
        style={{ minWidth: 140 }}
        popupMatchSelectWidth={false}
        aria-label={t('measure')}
        value={measure.of}
        options={measures.map((of) => ({ value: of, label: t(of) }))}
        onChange={(of) => onChange({ ...leaf, measure: measureOf(of) })}
      />
      {'property' in measure ? (
        <PropertyName
          name={measure.property}
          known={leaf.filter.event === 'tracked' ? propertiesOf(tracked, leaf.filter.names) : []}
          label={t('measured')}
          onChange={(property) => onChange({ ...leaf, measure: { ...measure, property } })}
        />
      ) : null}
      <Comparison value={leaf.compare} onChange={(compare) => onChange({ ...leaf, compare })} />
    </>
  )
}

/** One after the other, or not. */
export function SequenceFields({ leaf, onChange }: Props<'sequence'>) {
  const t = useWords(leafWords)
  return (
    <>
      <WindowFields window={leaf.window} onChange={(window) => onChange({ ...leaf, window })} />
      <Select
        style={{ minWidth: 110 }}
        popupMatchSelectWidth={false}
        aria-label={t('whichFirst')}
        value={leaf.which}
        options={[
          { value: 'any', label: t('anyOfThem') },
          { value: 'first', label: t('first') },
          { value: 'last', label: t('last') },
        ]}
        onChange={(which) => onChange({ ...leaf, which })}
      />
      <OccurrenceFields what={leaf.first} onChange={(first) => onChange({ ...leaf, first })} />
      <Select
        style={{ minWidth: 110 }}
        popupMatchSelectWidth={false}
        aria-label={t('followed')}
        value={leaf.happened ? 'yes' : 'no'}
        options={[
          { value: 'yes', label: t('followedBy') },
          { value: 'no', label: t('notFollowedBy') },
        ]}
        onChange={(chosen) => onChange({ ...leaf, happened: chosen === 'yes' })}
      />
      <OccurrenceFields what={leaf.second} onChange={(second) => onChange({ ...leaf, second })} />
      <InputNumber
        min={1}
        max={3660}
        aria-label={t('days')}
        value={leaf.withinDays}
        suffix={t('within')}
        onChange={(days) => onChange({ ...leaf, withinDays: days ?? 1 })}
      />
    </>
  )
}

export function CouponFields({ leaf, onChange }: Props<'coupon'>) {
  const t = useWords(leafWords)
  const { kinds, expiresWithinDays, ...others } = leaf
  const soon = expiresWithinDays === undefined ? {} : { expiresWithinDays }
  return (
    <>
      <Many
        name={t('values')}
        value={leaf.states}
        options={couponStates.map((state) => [state, t(`coupon_${state}`)])}
        onChange={(states) => onChange({ ...leaf, states })}
      />
      <Select
        mode="tags"
        style={{ minWidth: 140 }}
        aria-label={t('couponKinds')}
        placeholder={t('couponKinds')}
        value={kinds ?? []}
        onChange={(chosen: string[]) =>
          onChange(chosen.length > 0 ? { ...others, ...soon, kinds: chosen } : { ...others, ...soon })
        }
      />
      <InputNumber
        min={1}
        max={3660}
        aria-label={t('expires')}
        placeholder={t('expires')}
        value={expiresWithinDays ?? null}
        suffix={t('within')}
        onChange={(days) => {
          const rest = kinds ? { ...others, kinds } : others
          onChange(days === null ? rest : { ...rest, expiresWithinDays: days })
        }}
      />
      <InputNumber
        min={1}
        max={1000}
        aria-label={t('atLeast')}
        prefix={t('atLeast')}
        value={leaf.atLeast}
        onChange={(atLeast) => onChange({ ...leaf, atLeast: atLeast ?? 1 })}
      />
    </>
  )
}

export function CycleFields({ leaf, onChange }: Props<'cycle'>) {
  const t = useWords(leafWords)
  return (
    <>
      <Comparison value={leaf.multiple} onChange={(multiple) => onChange({ ...leaf, multiple })} />
      <span>{t('ownGap')}</span>
      <InputNumber
        min={2}
        max={100}
        aria-label={t('purchasesAtLeast')}
        prefix={t('purchasesAtLeast')}
        value={leaf.atLeast}
        onChange={(atLeast) => onChange({ ...leaf, atLeast: atLeast ?? 2 })}
      />
    </>
  )
}
