import { DatePicker, InputNumber, Select } from 'antd'
import dayjs from 'dayjs'
import type { Leaf } from '../../../../contract/rule.ts'
import type { Measure, Window } from '../../../../contract/rule-parts.ts'
import { useWords } from '../../../ui/language.ts'
import { useStores } from '../use-stores.ts'
import { type LeafWord, leafWords } from './leaf-words.ts'
import { Comparison, Many } from './small-fields.tsx'

type OrdersLeaf = Extract<Leaf, { kind: 'orders' }>

/** What was bought: in which time, what is measured, compared with what, of which purchases. */
export function OrderFields({ leaf, onChange }: { leaf: OrdersLeaf; onChange: (leaf: Leaf) => void }) {
  const t = useWords(leafWords)
  const stores = useStores()
  const measures = [
    'count',
    'sum',
    'avg',
    'min',
    'max',
    'first',
    'last',
    'days_since_first',
    'days_since_last',
  ] as const
  const { measure, window } = leaf
  const inMoney = 'field' in measure && measure.field !== 'quantity'
  const plain = (of: string): of is 'count' | 'days_since_first' | 'days_since_last' =>
    of === 'count' || of.startsWith('days_')
  const setMeasure = (of: (typeof measures)[number]): void =>
    onChange({
      ...leaf,
      measure: plain(of) ? { of } : ({ of, field: 'field' in measure ? measure.field : 'amount' } as Measure),
    })
  return (
    <>
      <WindowFields window={window} onChange={(next) => onChange({ ...leaf, window: next })} />
      <Select
        style={{ width: 140 }}
        aria-label={t('measure')}
        value={measure.of}
        options={measures.map((of) => ({ value: of, label: t(of as LeafWord) }))}
        onChange={setMeasure}
      />
      {'field' in measure ? (
        <Select
          style={{ width: 120 }}
          aria-label={t('field')}
          value={measure.field}
          options={(['amount', 'quantity', 'discount'] as const).map((field) => ({
            value: field,
            label: t(field),
          }))}
          onChange={(field) => onChange({ ...leaf, measure: { ...measure, field } })}
        />
      ) : null}
      <Comparison
        value={leaf.compare}
        scale={inMoney ? 100 : 1}
        onChange={(compare) => onChange({ ...leaf, compare })}
      />
      <Select
        allowClear
        style={{ width: 120 }}
        placeholder={t('side')}
        aria-label={t('side')}
        value={leaf.filter.sides?.[0] ?? null}
        options={(['online', 'offline'] as const).map((side) => ({ value: side, label: t(side) }))}
        onChange={(side) =>
          onChange({ ...leaf, filter: { ...leaf.filter, sides: side ? [side] : undefined } })
        }
      />
      <Many
        label={t('stores')}
        value={leaf.filter.stores ?? []}
        options={stores.map((store) => [store.id as string, store.name])}
        onChange={(chosen) =>
          onChange({ ...leaf, filter: { ...leaf.filter, stores: chosen.length > 0 ? chosen : undefined } })
        }
      />
      <Select
        mode="tags"
        style={{ minWidth: 120 }}
        placeholder={t('categories')}
        aria-label={t('categories')}
        value={leaf.filter.categories ?? []}
        onChange={(categories: string[]) =>
          onChange({
            ...leaf,
            filter: { ...leaf.filter, categories: categories.length > 0 ? categories : undefined },
          })
        }
      />
    </>
  )
}

function WindowFields({ window, onChange }: { window: Window; onChange: (window: Window) => void }) {
  const t = useWords(leafWords)
  const kinds = ['ever', 'rolling', 'calendar', 'absolute'] as const
  const today = dayjs().format('YYYY-MM-DD')
  const fresh: Record<(typeof kinds)[number], Window> = {
    ever: { kind: 'ever' },
    rolling: { kind: 'rolling', days: 90 },
    calendar: { kind: 'calendar', unit: 'month', back: 0, count: 1 },
    absolute: { kind: 'absolute', from: today, to: today },
  }
  return (
    <>
      <Select
        style={{ width: 116 }}
        aria-label={t('window')}
        value={window.kind}
        options={kinds.map((kind) => ({ value: kind, label: t(kind) }))}
        onChange={(kind) => onChange(fresh[kind])}
      />
      {window.kind === 'rolling' ? (
        <InputNumber
          min={1}
          max={3660}
          aria-label={t('days')}
          value={window.days}
          onChange={(days) => onChange({ kind: 'rolling', days: days ?? 1 })}
        />
      ) : null}
      {window.kind === 'calendar' ? (
        <>
          <Select
            style={{ width: 76 }}
            aria-label={t('which')}
            value={window.back}
            options={[
              { value: 0, label: t('this') },
              { value: 1, label: t('before') },
            ]}
            onChange={(back) => onChange({ ...window, back })}
          />
          <Select
            style={{ width: 86 }}
            aria-label={t('unit')}
            value={window.unit}
            options={(['day', 'week', 'month', 'quarter', 'year'] as const).map((unit) => ({
              value: unit,
              label: t(unit),
            }))}
            onChange={(unit) => onChange({ ...window, unit })}
          />
        </>
      ) : null}
      {window.kind === 'absolute' ? (
        <DatePicker.RangePicker
          aria-label={t('absolute')}
          value={[dayjs(window.from), dayjs(window.to)]}
          onChange={(range) =>
            range?.[0] &&
            range[1] &&
            onChange({
              kind: 'absolute',
              from: range[0].format('YYYY-MM-DD'),
              to: range[1].format('YYYY-MM-DD'),
            })
          }
        />
      ) : null}
    </>
  )
}
