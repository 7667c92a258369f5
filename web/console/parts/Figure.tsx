import { Card, Tooltip } from 'antd'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { compact, whole } from '../../ui/format.ts'
import { useLang } from '../../ui/language.ts'

/** One number that leads to the members behind it. */
export function Figure({
  label,
  value,
  to,
  note,
  text,
}: {
  label: string
  value: number
  to?: string
  note?: ReactNode
  text?: string
}) {
  const lang = useLang()
  const figure = (
    <Tooltip title={whole(value)}>
      <span style={{ fontSize: 28, fontWeight: 600, lineHeight: 1.2 }}>{text ?? compact(value, lang)}</span>
    </Tooltip>
  )
  return (
    <Card size="small" style={{ height: '100%' }}>
      <div style={{ opacity: 0.75, marginBottom: 4 }}>{label}</div>
      {to ? <Link to={to}>{figure}</Link> : figure}
      {note ? <div style={{ opacity: 0.75, fontSize: 13, marginTop: 4 }}>{note}</div> : null}
    </Card>
  )
}
