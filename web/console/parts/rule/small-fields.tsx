import { InputNumber, Select } from 'antd'
import type { Compare } from '../../../../contract/rule-parts.ts'
import { useWords } from '../../../ui/language.ts'
import { leafWords } from './leaf-words.ts'

export function Many<T extends string>({
  value,
  options,
  onChange,
  label,
  name,
}: {
  value: readonly T[]
  options: (readonly [T, string])[]
  onChange: (value: T[]) => void
  /** Said where nothing is chosen; then nothing is a choice. */
  label?: string
  /** For who cannot see what stands before it. */
  name?: string
}) {
  return (
    <Select
      mode="multiple"
      aria-label={name ?? label}
      placeholder={label}
      style={{ minWidth: 180, maxWidth: 480 }}
      value={[...value]}
      onChange={(next) => (next.length > 0 || label ? onChange(next) : undefined)}
      options={options.map(([key, name]) => ({ value: key, label: name }))}
      showSearch={{ optionFilterProp: 'label' }}
    />
  )
}

export function Score({
  letter,
  value,
  onChange,
}: {
  letter: string
  value: [number, number] | undefined
  onChange: (value: [number, number] | undefined) => void
}) {
  const options = [1, 2, 3, 4, 5].flatMap((from) =>
    [1, 2, 3, 4, 5]
      .filter((to) => to >= from)
      .map((to) => ({
        value: `${from}-${to}`,
        label: from === to ? `${letter.toUpperCase()} ${from}` : `${letter.toUpperCase()} ${from}–${to}`,
      })),
  )
  return (
    <Select
      allowClear
      style={{ width: 96 }}
      aria-label={letter.toUpperCase()}
      placeholder={letter.toUpperCase()}
      value={value ? `${value[0]}-${value[1]}` : null}
      options={options}
      onChange={(text: string | null) =>
        onChange(text ? (text.split('-').map(Number) as [number, number]) : undefined)
      }
    />
  )
}

export function Comparison({
  value,
  onChange,
  scale = 1,
}: {
  value: Compare
  onChange: (value: Compare) => void
  scale?: number
}) {
  const t = useWords(leafWords)
  const ops = ['ge', 'gt', 'le', 'lt', 'eq', 'ne', 'between'] as const
  const first = value.op === 'between' ? value.from : value.value
  return (
    <>
      <Select
        style={{ width: 86 }}
        aria-label={t('compare')}
        value={value.op}
        options={ops.map((op) => ({ value: op, label: t(op) }))}
        onChange={(op) => onChange(op === 'between' ? { op, from: first, to: first } : { op, value: first })}
      />
      {value.op === 'between' ? (
        <>
          <InputNumber
            aria-label={t('least')}
            value={value.from / scale}
            onChange={(from) => onChange({ ...value, from: (from ?? 0) * scale })}
          />
          <InputNumber
            aria-label={t('most')}
            value={value.to / scale}
            onChange={(to) => onChange({ ...value, to: (to ?? 0) * scale })}
          />
        </>
      ) : (
        <InputNumber
          aria-label={t('number')}
          value={value.value / scale}
          onChange={(number) => onChange({ ...value, value: (number ?? 0) * scale })}
        />
      )}
    </>
  )
}
