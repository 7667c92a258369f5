import { useQuery } from '@tanstack/react-query'
import { Button, Card, Input, Modal, Typography } from 'antd'
import { useState } from 'react'
import { api, client } from '../../../client.ts'
import { compact } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'

const words = {
  title: { zh: '演示数据', en: 'Demo brand' },
  says: {
    zh: '{members} 位演示会员、{orders} 笔订单都是虚构的，永远不会触达真实渠道。导入自己的数据前可以整体移除。',
    en: '{members} demo members and {orders} orders are invented and reach no real channel. Take them out before you import your own.',
  },
  going: {
    zh: '正在移除，剩余 {members} 位演示会员。',
    en: 'Being taken out; {members} demo members are left.',
  },
  remove: { zh: '移除演示数据', en: 'Take the demo out' },
  sure: { zh: '移除全部演示数据？', en: 'Take out the whole demo?' },
  what: {
    zh: '演示的会员、订单、门店、员工、标签、人群和 SOP 将被删除，无法恢复；真实数据和审计记录保留。',
    en: 'Members, orders, stores, staff, tags, segments and SOPs of the demo are deleted for good; real data and the audit trail stay.',
  },
  type: { zh: '输入品牌名“{name}”以确认', en: 'Type the name of the brand, {name}, to confirm' },
  done: { zh: '开始移除', en: 'It is being taken out' },
}
const GONE = ['none', 'removed']
const REFRESH_MS = 3000

/** What the demo is and the way to be rid of it; nothing where there is none. */
export function DemoBrand() {
  const t = useWords(words)
  const lang = useLang()
  const [asking, setAsking] = useState(false)
  const query = useQuery(
    api.demo.get.queryOptions({
      refetchInterval: ({ state }) => (state.data?.state === 'removing' ? REFRESH_MS : false),
    }),
  )
  if (!query.data || GONE.includes(query.data.state)) return null
  const { state, members, orders } = query.data
  const counts = { members: compact(members, lang), orders: compact(orders, lang) }
  const going = state === 'removing'
  return (
    <Card size="small" title={t('title')} style={{ marginTop: 12 }}>
      <Typography.Paragraph>{going ? t('going', counts) : t('says', counts)}</Typography.Paragraph>
      <Button danger loading={going} onClick={() => setAsking(true)}>
        {t('remove')}
      </Button>
      {asking && !going && <Confirm onClose={() => setAsking(false)} />}
    </Card>
  )
}

/** The name of the brand again, so that nobody does it by a slip. */
function Confirm({ onClose }: { onClose: () => void }) {
  const t = useWords(words)
  const [typed, setTyped] = useState('')
  const brand = useQuery(api.brand.get.queryOptions())
  const { act, busy } = useAct()
  const name = brand.data?.name ?? ''
  async function remove(): Promise<void> {
    const done = await act(() => client.demo.remove({ confirm: typed }), {
      done: t('done'),
      refresh: [api.demo.key()],
    })
    if (done) onClose()
  }
  return (
    <Modal
      open
      title={t('sure')}
      okText={t('remove')}
      okButtonProps={{ danger: true, loading: busy, disabled: name === '' || typed.trim() !== name }}
      onOk={() => void remove()}
      onCancel={onClose}
    >
      <Typography.Paragraph>{t('what')}</Typography.Paragraph>
      <Typography.Paragraph>{t('type', { name })}</Typography.Paragraph>
      <Input
        autoFocus
        value={typed}
        aria-label={t('type', { name })}
        onChange={(event) => setTyped(event.target.value)}
      />
    </Modal>
  )
}
