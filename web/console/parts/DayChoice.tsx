import { DatePicker } from 'antd'
import dayjs from 'dayjs'

/** A day of the brand above a table: none chosen means all of them. */
export function DayChoice({
  label,
  value,
  onChange,
}: {
  label: string
  value: string | undefined
  onChange: (value: string | undefined) => void
}) {
  return (
    <DatePicker
      aria-label={label}
      placeholder={label}
      value={value === undefined ? null : dayjs(value)}
      onChange={(day) => onChange(day?.format('YYYY-MM-DD'))}
      style={{ width: 150 }}
    />
  )
}
