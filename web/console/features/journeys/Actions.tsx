import { Button, Popconfirm, Space } from 'antd'
import { useState } from 'react'
import type { JourneyDetail } from '../../../../contract/journeys.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useMay } from '../../parts/use-brand.ts'
import { GoLive } from './GoLive.tsx'

const words = {
  live: { zh: '上线…', en: 'Put it live …' },
  pause: { zh: '暂停', en: 'Pause' },
  resume: { zh: '继续', en: 'Go on' },
  pausing: {
    zh: '立即停止下一步，未发出的消息会撤回，继续后重新安排。',
    en: 'Stops at once; messages that have not gone out are withdrawn, and offered anew when it goes on.',
  },
  end: { zh: '结束', en: 'End it' },
  ending: {
    zh: '在途的会员全部离开，未完成的任务取消；不能再次启用，数据保留。',
    en: 'Whoever is in it leaves and open tasks are cancelled; it cannot be started again, its figures stay.',
  },
}

/** Put live, pause, go on and end, always in the same place; what needs the right to approve shows for who has it. */
export function Actions({ journey }: { journey: JourneyDetail }) {
  const t = useWords(words)
  const [asking, setAsking] = useState(false)
  const mayChange = useMay(['owner', 'operator'])
  const mayApprove = useMay(['owner', 'operator'], 'approve')
  const { act, busy } = useAct()
  const { id, state } = journey
  const refresh = [api.journeys.key()]
  const pause = (): void => void act(() => client.journeys.pause({ id }), { refresh })
  const resume = (): void => void act(() => client.journeys.resume({ id }), { refresh })
  const end = (): void => void act(() => client.journeys.end({ id, version: journey.version }), { refresh })
  return (
    <Space wrap>
      {mayApprove && (state === 'live' || state === 'paused') ? (
        <Popconfirm
          title={t('end')}
          description={<div style={{ maxWidth: 320 }}>{t('ending')}</div>}
          okButtonProps={{ danger: true }}
          onConfirm={end}
        >
          <Button type="text" danger disabled={busy}>
            {t('end')}
          </Button>
        </Popconfirm>
      ) : null}
      {mayApprove && state === 'draft' ? (
        <Button type="primary" onClick={() => setAsking(true)}>
          {t('live')}
        </Button>
      ) : null}
      {mayChange && state === 'live' ? (
        <Popconfirm title={t('pausing')} onConfirm={pause}>
          <Button danger loading={busy}>
            {t('pause')}
          </Button>
        </Popconfirm>
      ) : null}
      {mayApprove && state === 'paused' ? (
        <Button type="primary" loading={busy} onClick={resume}>
          {t('resume')}
        </Button>
      ) : null}
      {asking ? <GoLive journey={journey} onClose={() => setAsking(false)} /> : null}
    </Space>
  )
}
