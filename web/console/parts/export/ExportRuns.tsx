import { Button, Flex, Progress, Tag, Typography } from 'antd'
import type { ExportRun } from '../../../../contract/exports.ts'
import { api, client } from '../../../client.ts'
import { bytes, duration, minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useAct } from '../use-act.ts'
import { useZone } from '../use-brand.ts'

const words = {
  before: { zh: '我的导出', en: 'My exports' },
  everybody: { zh: '全部会员', en: 'All members' },
  waiting: { zh: '排队中', en: 'Waiting' },
  writing: { zh: '正在写入', en: 'Writing' },
  done: { zh: '可下载', en: 'Ready' },
  cancelled: { zh: '已停止', en: 'Stopped' },
  failed: { zh: '没有完成', en: 'Failed' },
  gone: { zh: '文件已清除', en: 'File removed' },
  rows: { zh: '{n} 人', en: '{n} members' },
  of: { zh: '{n} / {total} 人', en: '{n} of {total} members' },
  rate: { zh: '每秒 {n} 人', en: '{n} a second' },
  left: { zh: '还需约 {time}', en: 'about {time} left' },
  until: { zh: '{time} 前可下载', en: 'until {time}' },
  full: { zh: '完整号码', en: 'whole numbers' },
  sheets: { zh: '{n} 张表', en: '{n} sheets' },
  download: { zh: '下载', en: 'Download' },
  stop: { zh: '停止', en: 'Stop' },
  remove: { zh: '删除文件', en: 'Remove the file' },
}

export function isUnderWay({ state }: ExportRun): boolean {
  return state === 'waiting' || state === 'writing'
}

/** What the viewer has exported: how far each is, and the file while it is kept. */
export function ExportRuns({ runs }: { runs: readonly ExportRun[] }) {
  const t = useWords(words)
  if (runs.length === 0) return null
  return (
    <div>
      <Typography.Title level={5}>{t('before')}</Typography.Title>
      <div style={{ maxHeight: 300, overflow: 'auto' }}>
        {runs.map((run) => (
          <RunLine key={run.id} run={run} />
        ))}
      </div>
    </div>
  )
}

const COLOURS = { waiting: 'blue', writing: 'blue', done: 'green', cancelled: '', failed: 'orange', gone: '' }

function RunLine({ run }: { run: ExportRun }) {
  const t = useWords(words)
  const { act, busy } = useAct()
  const end = (): void => {
    void act(() => client.exports.cancel({ id: run.id }), { refresh: [api.exports.key()] })
  }
  return (
    <div
      data-testid="export-run"
      style={{ borderTop: '1px solid rgba(128,128,128,0.2)', padding: '8px 0' }}
      aria-live="polite"
    >
      <Flex gap={8} align="center" wrap>
        <b>{run.segment ?? t('everybody')}</b>
        <span>{run.format === 'xlsx' ? 'Excel' : 'CSV'}</span>
        <Tag color={COLOURS[run.state]}>{t(run.state)}</Tag>
        {run.fullPhones ? <Tag color="gold">{t('full')}</Tag> : null}
        <span style={{ flex: 1 }} />
        {isUnderWay(run) ? (
          <Button size="small" danger loading={busy} onClick={end}>
            {t('stop')}
          </Button>
        ) : null}
        {run.state === 'done' ? (
          <>
            <Button size="small" type="link" loading={busy} onClick={end}>
              {t('remove')}
            </Button>
            <Button size="small" type="primary" href={`/api/exports/${run.id}/file`} download>
              {t('download')}
            </Button>
          </>
        ) : null}
      </Flex>
      {isUnderWay(run) ? (
        <Progress aria-label={t(run.state)} percent={Math.floor(run.done * 1000) / 10} status="active" />
      ) : null}
      <Typography.Text type="secondary">
        <Said run={run} />
      </Typography.Text>
    </div>
  )
}

function Said({ run }: { run: ExportRun }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const { state, rows, total, rowsPerSecond, secondsLeft, failure } = run
  const parts: string[] = [minute(run.createdAt, zone)]
  if (state === 'failed' && failure) parts.push(failure)
  if (state === 'writing' && total !== null) parts.push(t('of', { n: whole(rows), total: whole(total) }))
  if (state === 'writing' && rowsPerSecond !== null)
    parts.push(t('rate', { n: whole(Math.round(rowsPerSecond)) }))
  if (state === 'writing' && secondsLeft !== null)
    parts.push(t('left', { time: duration(secondsLeft, lang) }))
  if (state === 'done') {
    parts.push(t('rows', { n: whole(rows) }), bytes(run.bytes ?? 0))
    if ((run.sheets ?? 0) > 1) parts.push(t('sheets', { n: run.sheets ?? 0 }))
    parts.push(t('until', { time: minute(run.expiresAt, zone) }))
  }
  return parts.join(' · ')
}
