import { Button, Space } from 'antd'
import type { ImportRun } from '../../../../contract/import.ts'
import { api, client } from '../../../client.ts'
import { whole } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useAddress } from '../../parts/use-address.ts'
import { Counts } from './Counts.tsx'

const words = {
  start: { zh: '导入 {n} 行', en: 'Import {n} rows' },
  back: { zh: '改列的对应', en: 'Change the columns' },
  nothing: { zh: '没有可导入的行，请检查列的对应', en: 'No row would go in: look at the columns' },
  promise: {
    zh: '导入历史不会发送任何消息；完成后 30 天内可以撤销。',
    en: 'History sends no message; it can be undone for 30 days.',
  },
}

/** What the dry run found, and the button that makes it real. */
export function Forecast({ run }: { run: ImportRun }) {
  const t = useWords(words)
  const address = useAddress()
  const { act, busy } = useAct()
  const counts = run.forecast ?? run.counts
  const start = (): void => {
    void act(() => client.imports.start({ id: run.id }), { refresh: [api.imports.key()] })
  }
  return (
    <>
      <Space wrap style={{ marginBottom: 12 }}>
        <Button type="primary" size="large" loading={busy} disabled={counts.accepted === 0} onClick={start}>
          {counts.accepted === 0 ? t('nothing') : t('start', { n: whole(counts.accepted) })}
        </Button>
        <Button size="large" onClick={() => address.set({ step: 'columns' })}>
          {t('back')}
        </Button>
        <span style={{ opacity: 0.75 }}>{t('promise')}</span>
      </Space>
      <Counts run={run} counts={counts} />
    </>
  )
}
