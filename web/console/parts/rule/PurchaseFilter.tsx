import { Select } from 'antd'
import type { OrderFilter } from '../../../../contract/rule-parts.ts'
import { useWords } from '../../../ui/language.ts'
import { useStores } from '../use-stores.ts'
import { leafWords } from './leaf-words.ts'
import { Comparison, Many } from './small-fields.tsx'

/** Which purchases count; nothing chosen is all of them. */
export function PurchaseFilter({
  filter,
  onChange,
}: {
  filter: OrderFilter
  onChange: (filter: OrderFilter) => void
}) {
  const t = useWords(leafWords)
  const stores = useStores()
  const { amount, ...others } = filter
  return (
    <>
      <Select
        allowClear
        style={{ width: 120 }}
        placeholder={t('side')}
        aria-label={t('side')}
        value={filter.sides?.[0] ?? null}
        options={(['online', 'offline'] as const).map((side) => ({ value: side, label: t(side) }))}
        onChange={(side) => onChange({ ...filter, sides: side ? [side] : undefined })}
      />
      <Many
        label={t('stores')}
        value={filter.stores ?? []}
        options={stores.map((store) => [store.id as string, store.name])}
        onChange={(chosen) => onChange({ ...filter, stores: chosen.length > 0 ? chosen : undefined })}
      />
      <Select
        mode="tags"
        style={{ minWidth: 120 }}
        placeholder={t('categories')}
        aria-label={t('categories')}
        value={filter.categories ?? []}
        onChange={(categories: string[]) =>
          onChange({ ...filter, categories: categories.length > 0 ? categories : undefined })
        }
      />
      <Select
        style={{ width: 110 }}
        aria-label={t('perOrder')}
        value={amount ? 'some' : 'any'}
        options={[
          { value: 'any', label: t('anyAmount') },
          { value: 'some', label: t('perOrder') },
        ]}
        onChange={(chosen) =>
          onChange(chosen === 'some' ? { ...others, amount: { op: 'ge', value: 10_000 } } : others)
        }
      />
      {amount ? (
        <Comparison value={amount} scale={100} onChange={(next) => onChange({ ...filter, amount: next })} />
      ) : null}
    </>
  )
}
