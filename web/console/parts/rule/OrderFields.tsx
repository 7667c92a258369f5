import { Select } from 'antd'
import type { Leaf } from '../../../../contract/rule.ts'
import type { Measure } from '../../../../contract/rule-parts.ts'
import { useWords } from '../../../ui/language.ts'
import { type LeafWord, leafWords } from './leaf-words.ts'
import { PurchaseFilter } from './PurchaseFilter.tsx'
import { Comparison } from './small-fields.tsx'
import { WindowFields } from './WindowFields.tsx'

type OrdersLeaf = Extract<Leaf, { kind: 'orders' }>

/** What was bought: in which time, what is measured, compared with what, of which purchases. */
export function OrderFields({ leaf, onChange }: { leaf: OrdersLeaf; onChange: (leaf: Leaf) => void }) {
  const t = useWords(leafWords)
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
    'distinct',
  ] as const
  const { measure, window } = leaf
  const inMoney = 'field' in measure && measure.field !== 'quantity'
  const distinct = ['sku', 'category', 'store', 'day'] as const
  const plain = (of: string): of is 'count' | 'days_since_first' | 'days_since_last' =>
    of === 'count' || of.startsWith('days_')
  const measureOf = (of: (typeof measures)[number]): Measure => {
    if (plain(of)) return { of }
    if (of === 'distinct') return { of, by: 'category' }
    return { of, field: 'field' in measure ? measure.field : 'amount' } as Measure
  }
  return (
    <>
      <WindowFields window={window} onChange={(next) => onChange({ ...leaf, window: next })} />
      <Select
        style={{ width: 140 }}
        aria-label={t('measure')}
        value={measure.of}
        options={measures.map((of) => ({ value: of, label: t(of as LeafWord) }))}
        onChange={(of) => onChange({ ...leaf, measure: measureOf(of) })}
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
      {measure.of === 'distinct' ? (
        <Select
          style={{ width: 110 }}
          aria-label={t('distinctBy')}
          value={measure.by}
          options={distinct.map((by) => ({ value: by, label: t(by === 'day' ? 'dayOf' : by) }))}
          onChange={(by) => onChange({ ...leaf, measure: { ...measure, by } })}
        />
      ) : null}
      <Comparison
        value={leaf.compare}
        scale={inMoney ? 100 : 1}
        onChange={(compare) => onChange({ ...leaf, compare })}
      />
      <PurchaseFilter filter={leaf.filter} onChange={(filter) => onChange({ ...leaf, filter })} />
    </>
  )
}
