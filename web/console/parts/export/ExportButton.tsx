import { DownloadOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { lazy, Suspense, useState } from 'react'
import { useWords } from '../../../ui/language.ts'

const words = { export: { zh: '导出', en: 'Export' } }
const ExportDialog = lazy(async () => ({ default: (await import('./ExportDialog.tsx')).ExportDialog }))

/** Opens the export of a segment, or of everybody whom the viewer may see. */
export function ExportButton({ segment }: { segment?: { id: number; name: string } }) {
  const t = useWords(words)
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button icon={<DownloadOutlined />} onClick={() => setOpen(true)}>
        {t('export')}
      </Button>
      {open ? (
        <Suspense>
          <ExportDialog {...(segment === undefined ? {} : { segment })} onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  )
}
