import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Popconfirm, Space } from 'antd'
import type { z } from 'zod'
import type { UnknownHandover } from '../../../../contract/reach.ts'
import { api, client } from '../../../client.ts'
import { channelName } from '../../../ui/channel-words.ts'
import { minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useMay, useZone } from '../../parts/use-brand.ts'

const words = {
  title: {
    zh: '{n} 次交给渠道的发送没有结果：可能发出了，也可能没有。不会自动重发，请核对后告诉系统。',
    en: '{n} messages were handed over without a result: they may or may not have gone out. They are never sent again by themselves; look and tell.',
  },
  line: {
    zh: '{at} · {channel} · {n} 位会员 · {sender}',
    en: '{at} · {channel} · {n} members · {sender}',
  },
  system: { zh: '系统', en: 'the program' },
  reached: { zh: '发出了', en: 'It went out' },
  not: { zh: '没有发出', en: 'It did not' },
  sure: { zh: '确认后不能更改', en: 'This cannot be changed later' },
  settled: { zh: '已记录', en: 'Recorded' },
}
const REFRESH_MS = 30_000

/** Hand-overs of which nobody knows whether they reached anybody, and what a person found out; nothing where there is none. */
export function Unknown() {
  const t = useWords(words)
  const query = useQuery(api.reach.unknown.queryOptions({ refetchInterval: REFRESH_MS }))
  const items = query.data?.items ?? []
  if (items.length === 0) return null
  return (
    <Alert
      type="warning"
      showIcon
      style={{ marginBottom: 12 }}
      title={t('title', { n: whole(items.length) })}
      description={items.map((item) => <Line key={item.id} item={item} />)}
    />
  )
}

function Line({ item }: { item: z.infer<typeof UnknownHandover> }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const maySettle = useMay(['owner', 'operator'])
  const { act, busy } = useAct()
  const settle = (reached: boolean): void =>
    void act(() => client.reach.settleUnknown({ id: item.id, reached }), {
      done: t('settled'),
      refresh: [api.reach.key(), api.insight.key()],
    })
  return (
    <div style={{ display: 'flex', flexWrap: 'wrap', gap: '4px 12px', alignItems: 'center', marginTop: 8 }}>
      <div style={{ flex: '1 1 320px', minWidth: 0 }}>
        {t('line', {
          at: minute(item.triedAt, zone),
          channel: channelName(item.channel, lang),
          n: whole(item.touches),
          sender: item.sender ?? t('system'),
        })}
        <div translate="no" style={{ opacity: 0.75 }}>
          {item.text}
        </div>
      </div>
      {maySettle ? (
        <Space>
          <Popconfirm title={t('reached')} description={t('sure')} onConfirm={() => settle(true)}>
            <Button size="small" disabled={busy}>
              {t('reached')}
            </Button>
          </Popconfirm>
          <Popconfirm title={t('not')} description={t('sure')} onConfirm={() => settle(false)}>
            <Button size="small" disabled={busy}>
              {t('not')}
            </Button>
          </Popconfirm>
        </Space>
      ) : null}
    </div>
  )
}
