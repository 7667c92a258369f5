import { Button, Progress, Statistic } from 'antd'
import type { ImportRun } from '../../../../contract/import.ts'
import { api, client } from '../../../client.ts'
import { duration, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { stateWords } from './import-words.ts'

const words = {
  reading: { zh: '正在读文件、核对每一行', en: 'Reading the file and checking each row' },
  writing: { zh: '正在写入', en: 'Writing' },
  rows: { zh: '已读行数', en: 'Rows read' },
  rejected: { zh: '被拒', en: 'Rejected' },
  rate: { zh: '每秒行数', en: 'Rows a second' },
  left: { zh: '还需约', en: 'About' },
  leftEn: { zh: '', en: 'left' },
  soon: { zh: '正在估算…', en: 'estimating…' },
  stop: { zh: '停止', en: 'Stop' },
  stopSays: {
    zh: '停在当前一批之后；已写入的保留，之后可以整批撤销。',
    en: 'Stops after the chunk under way; what is written stays and can be undone.',
  },
  stopped: { zh: '正在停止…', en: 'Stopping…' },
}

/** How far it is, how fast, how long yet, and the way to stop it. */
export function RunProgress({ run }: { run: ImportRun }) {
  const t = useWords(words)
  const lang = useLang()
  const { act, busy } = useAct()
  const stop = (): void => {
    void act(() => client.imports.cancel({ id: run.id }), {
      done: t('stopped'),
      refresh: [api.imports.key()],
    })
  }
  return (
    <div aria-live="polite">
      <b>
        {stateWords[run.state][lang]}
        {run.stage ? ` · ${t(run.stage)}` : ''}
      </b>
      <Progress
        aria-label={stateWords[run.state][lang]}
        percent={Math.floor(run.done * 1000) / 10}
        status="active"
        data-testid="import-progress"
      />
      <div style={{ display: 'flex', gap: 48, flexWrap: 'wrap', alignItems: 'center', marginTop: 12 }}>
        <Statistic title={t('rows')} value={whole(run.counts.read)} />
        <Statistic title={t('rejected')} value={whole(run.counts.rejected)} />
        <Statistic
          title={t('rate')}
          value={run.rowsPerSecond === null ? '–' : whole(Math.round(run.rowsPerSecond))}
        />
        <Statistic
          title={`${t('left')} ${t('leftEn')}`}
          value={run.secondsLeft === null ? t('soon') : duration(run.secondsLeft, lang)}
        />
        <span style={{ flex: 1 }} />
        {run.state === 'undoing' ? null : (
          <div style={{ textAlign: 'end' }}>
            <Button danger loading={busy} onClick={stop}>
              {t('stop')}
            </Button>
            <div style={{ opacity: 0.75, fontSize: 13, marginTop: 6, maxWidth: 320 }}>{t('stopSays')}</div>
          </div>
        )}
      </div>
    </div>
  )
}
