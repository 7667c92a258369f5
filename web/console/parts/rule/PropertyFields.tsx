import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Select, Space } from 'antd'
import type { PropertyFilter } from '../../../../contract/rule-parts.ts'
import { useWords } from '../../../ui/language.ts'
import { leafWords } from './leaf-words.ts'
import { Comparison } from './small-fields.tsx'

const MOST = 10
const ops = ['in', 'not_in', 'contains', 'compare', 'known', 'unknown'] as const
type Op = (typeof ops)[number]

/** Properties that the events must have, all of them. */
export function PropertyFields({
  properties,
  known,
  onChange,
}: {
  properties: readonly PropertyFilter[]
  /** Names to choose from; others can be written. */
  known: readonly string[]
  onChange: (properties: PropertyFilter[]) => void
}) {
  const t = useWords(leafWords)
  const put = (place: number, filter: PropertyFilter): void =>
    onChange(properties.map((old, at) => (at === place ? filter : old)))
  return (
    <>
      {properties.map((filter, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity beside their place
        <Space.Compact key={place}>
          <PropertyField filter={filter} known={known} onChange={(next) => put(place, next)} />
          <Button
            aria-label={t('remove')}
            icon={<DeleteOutlined />}
            onClick={() => onChange(properties.filter((_, at) => at !== place))}
          />
        </Space.Compact>
      ))}
      {properties.length < MOST ? (
        <Button
          size="small"
          icon={<PlusOutlined />}
          onClick={() => onChange([...properties, { property: '', op: 'in', values: [] }])}
        >
          {t('property')}
        </Button>
      ) : null}
    </>
  )
}

function PropertyField({
  filter,
  known,
  onChange,
}: {
  filter: PropertyFilter
  known: readonly string[]
  onChange: (filter: PropertyFilter) => void
}) {
  const t = useWords(leafWords)
  const { property } = filter
  const withOp = (op: Op): PropertyFilter => {
    if (op === 'compare') return { property, op, compare: { op: 'ge', value: 0 } }
    if (op === 'known' || op === 'unknown') return { property, op }
    return { property, op, values: 'values' in filter ? filter.values : [] }
  }
  return (
    <>
      <PropertyName
        name={property}
        known={known}
        onChange={(name) => onChange({ ...filter, property: name })}
      />
      <Select
        style={{ width: 92 }}
        aria-label={t('test')}
        value={filter.op}
        options={ops.map((op) => ({ value: op, label: t(`op_${op}`) }))}
        onChange={(op) => onChange(withOp(op))}
      />
      {'values' in filter ? (
        <Select
          mode="tags"
          style={{ minWidth: 110 }}
          aria-label={t('values')}
          value={filter.values}
          onChange={(values: string[]) => onChange({ ...filter, values })}
        />
      ) : null}
      {filter.op === 'compare' ? (
        <Comparison value={filter.compare} onChange={(compare) => onChange({ ...filter, compare })} />
      ) : null}
    </>
  )
}

/** The name of a property, written or chosen from those that came. */
export function PropertyName({
  name,
  known,
  onChange,
  label,
}: {
  name: string
  known: readonly string[]
  onChange: (name: string) => void
  label?: string
}) {
  const t = useWords(leafWords)
  return (
    <AutoComplete
      style={{ width: 130 }}
      aria-label={label ?? t('property')}
      placeholder={t('property')}
      maxLength={200}
      value={name}
      options={known.map((each) => ({ value: each }))}
      showSearch={{ filterOption: (written, option) => String(option?.value ?? '').includes(written) }}
      onChange={onChange}
    />
  )
}
