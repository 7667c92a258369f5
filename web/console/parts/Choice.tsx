import { Select } from 'antd'

/** A filter above a table: nothing chosen means everything. */
export function Choice({
  label,
  value,
  onChange,
  options,
  width = 150,
}: {
  label: string
  value: string | undefined
  onChange: (value: string | undefined) => void
  options: readonly (readonly [string, string])[]
  width?: number
}) {
  return (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      aria-label={label}
      placeholder={label}
      value={value ?? null}
      onChange={(chosen: string | null | undefined) => onChange(chosen ?? undefined)}
      style={{ minWidth: width }}
      popupMatchSelectWidth={false}
      options={options.map(([key, name]) => ({ value: key, label: name }))}
    />
  )
}
