import { Typography } from 'antd'
import type { ReactNode } from 'react'

/** The head of a page: the answer in one sentence first, what can be done beside it. */
export function Answer({
  title,
  children,
  actions,
}: {
  title: string
  children?: ReactNode
  actions?: ReactNode
}) {
  return (
    <div style={{ display: 'flex', gap: 16, alignItems: 'flex-start', marginBottom: 16, flexWrap: 'wrap' }}>
      <div style={{ flex: '1 1 420px', minWidth: 0 }}>
        <Typography.Title level={3} style={{ margin: 0 }}>
          {title}
        </Typography.Title>
        {children ? (
          <Typography.Paragraph type="secondary" style={{ fontSize: 15, margin: '6px 0 0', maxWidth: 900 }}>
            {children}
          </Typography.Paragraph>
        ) : null}
      </div>
      {actions ? <div style={{ display: 'flex', gap: 8, flexWrap: 'wrap' }}>{actions}</div> : null}
    </div>
  )
}
