import { Alert, Button, Popconfirm, Space } from 'antd'
import { Link } from 'react-router'
import type { ImportRun } from '../../../../contract/import.ts'
import { api, client } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useZone } from '../../parts/use-brand.ts'
import { Counts } from './Counts.tsx'

const words = {
  audit: { zh: '看会员体检', en: 'Read the audit of the base' },
  members: { zh: '看会员', en: 'See the members' },
  review: { zh: '核对 {n} 个身份', en: 'Review {n} identities' },
  again: { zh: '继续导入', en: 'Go on' },
  undo: { zh: '撤销这次导入', en: 'Undo this import' },
  undoSays: {
    zh: '这次导入新建的会员和订单会被移除，改动会恢复，合并会拆开；之后又被修改过的内容保留。',
    en: 'Members and orders that it created are removed, changes restored, merges taken apart; what was changed later stays.',
  },
  until: { zh: '可撤销至 {at}', en: 'can be undone until {at}' },
  failed: {
    zh: '导入中断，已写入的部分完好，没有重复',
    en: 'The import broke off; what is written is whole, without doubles',
  },
  cancelled: { zh: '导入已停止，已写入的部分保留', en: 'The import was stopped; what is written stays' },
  started: { zh: '正在撤销', en: 'Undoing' },
}

/** What became of it, what to do next, and the way back. */
export function Result({ run }: { run: ImportRun }) {
  return (
    <>
      <State run={run} />
      <Next run={run} />
      {run.state === 'undone' ? null : <Counts run={run} counts={run.counts} />}
    </>
  )
}

function State({ run }: { run: ImportRun }) {
  const t = useWords(words)
  const style = { marginBottom: 12 }
  if (run.state === 'failed')
    return (
      <Alert type="error" showIcon style={style} title={t('failed')} description={run.failure ?? undefined} />
    )
  if (run.state === 'cancelled') return <Alert type="warning" showIcon style={style} title={t('cancelled')} />
  return null
}

function Next({ run }: { run: ImportRun }) {
  const t = useWords(words)
  const zone = useZone()
  const { act, busy } = useAct()
  const refresh = [api.imports.key()]
  const undo = (): void =>
    void act(() => client.imports.undo({ id: run.id }), { done: t('started'), refresh })
  const resume = (): void => void act(() => client.imports.start({ id: run.id }), { refresh })
  const broken = run.state === 'failed' || run.state === 'cancelled'
  return (
    <Space wrap style={{ marginBottom: 12 }}>
      {broken ? (
        <Button type="primary" loading={busy} onClick={resume}>
          {t('again')}
        </Button>
      ) : (
        <Link to="/audit-base">
          <Button type="primary">{t('audit')}</Button>
        </Link>
      )}
      <Link to="/members">
        <Button>{t('members')}</Button>
      </Link>
      {run.counts.reviews > 0 ? (
        <Link to="/identity">
          <Button>{t('review', { n: run.counts.reviews })}</Button>
        </Link>
      ) : null}
      {run.state !== 'undone' && run.undoUntil ? (
        <>
          <Popconfirm
            title={t('undo')}
            description={<div style={{ maxWidth: 320 }}>{t('undoSays')}</div>}
            okButtonProps={{ danger: true }}
            onConfirm={undo}
          >
            <Button danger loading={busy}>
              {t('undo')}
            </Button>
          </Popconfirm>
          <span style={{ opacity: 0.75 }}>{t('until', { at: minute(run.undoUntil, zone) })}</span>
        </>
      ) : null}
    </Space>
  )
}
