import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Col, Grid, Popconfirm, Row, Space, Steps, Tag } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { ChannelState } from '../../../../contract/reach.ts'
import { api, client } from '../../../client.ts'
import { channelModeWords } from '../../../ui/channel-words.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useMay } from '../../parts/use-brand.ts'
import { AllowList } from './AllowList.tsx'
import { Connect } from './Connect.tsx'
import { GoLive } from './GoLive.tsx'
import { ReceiptAddress } from './ReceiptAddress.tsx'

const words = {
  wecom: { zh: '企业微信 1 对 1', en: 'WeCom one to one' },
  sms: { zh: '短信', en: 'SMS' },
  offSays: { zh: '没有接入服务商，什么都不会发出去。', en: 'No provider is connected: nothing goes out.' },
  simulatedSays: {
    zh: '发到这台电脑上的模拟服务商。没有任何真人会收到。',
    en: 'Goes to a simulated provider on this machine. Nobody real is reached.',
  },
  testSays: {
    zh: '只发给下面名单里的人，其他人一律拦下并记录原因。',
    en: 'Only those on the list below are reached; everybody else is held back, with the reason.',
  },
  liveSays: {
    zh: '发给真实会员。演示会员永远不会收到。',
    en: 'Reaches real members. Demo members are never reached.',
  },
  toTest: { zh: '退回测试', en: 'Back to test' },
  backNow: { zh: '立即退回测试，停止对外发送', en: 'Back to test at once: nothing more goes out' },
  wentBack: { zh: '已退回测试模式', en: 'Back in test mode' },
  goLive: { zh: '正式上线…', en: 'Go live …' },
  failing: {
    zh: '服务商报错，发送已暂停，会自动重试',
    en: 'The provider fails; sending waits and is tried again',
  },
  touches: { zh: '看触达记录', en: 'See the touches' },
  templates: {
    zh: '短信模板：每条短信用哪个已批准的模板',
    en: 'SMS templates: which approved one stands for each text',
  },
  connect: { zh: '接入服务商…', en: 'Connect a provider …' },
  again: { zh: '更换密钥…', en: 'Replace the secrets …' },
  account: { zh: '账号 {account}', en: 'account {account}' },
  off_now: { zh: '关闭渠道', en: 'Switch it off' },
  offAsks: {
    zh: '立即停止发送，并忘记保存的密钥；再用要重新接入。导购企业微信里还没确认的群发会留着：要撤回，请先退回测试。',
    en: 'Nothing more is handed over and the secrets are forgotten; to use it again it has to be connected anew. Mass messages that guides have not confirmed stay with them: to take those back, put it back to test first.',
  },
  wentOff: { zh: '已关闭', en: 'It is off' },
  who: { zh: '上线需要所有者和审批权限。', en: 'Going live needs an owner with the right to approve.' },
}
const MODES = ['off', 'simulated', 'test', 'live'] as const
const COLOURS = { off: 'default', simulated: 'blue', test: 'gold', live: 'green' } as const

/** Where messages go out, and how far each way out is open. */
export function Channels() {
  const query = useQuery(api.reach.channels.queryOptions({ refetchInterval: 30_000 }))
  return (
    <Loaded query={query}>
      {({ items }) => (
        <Row gutter={[12, 12]}>
          {items.map((channel) => (
            <Col key={channel.name} xs={24} xl={12}>
              <Channel channel={channel} />
            </Col>
          ))}
        </Row>
      )}
    </Loaded>
  )
}

function Channel({ channel }: { channel: ChannelState }) {
  const t = useWords(words)
  const lang = useLang()
  const wide = Grid.useBreakpoint().sm ?? true
  const mayChange = useMay(['owner', 'operator'])
  const mayGoLive = useMay(['owner'], 'approve')
  const mayConnect = useMay(['owner', 'engineer'])
  const [opening, setOpening] = useState<'live' | 'connection'>()
  const { act, busy } = useAct()
  const back = (): void =>
    void act(() => client.reach.channelToTest({ name: channel.name }), {
      done: t('wentBack'),
      refresh: [api.reach.key()],
    })
  const off = (): void =>
    void act(() => client.reach.channelOff({ name: channel.name }), {
      done: t('wentOff'),
      refresh: [api.reach.key()],
    })
  return (
    <Card
      style={{ height: '100%' }}
      title={
        <Space>
          {t(channel.name)}
          <Tag color={COLOURS[channel.mode]}>{channelModeWords[channel.mode][lang]}</Tag>
          {channel.account === null ? null : (
            <small style={{ opacity: 0.75, fontWeight: 400 }}>
              {t('account', { account: channel.account })}
            </small>
          )}
        </Space>
      }
      extra={<Link to={`/touches?channel=${channel.name}`}>{t('touches')}</Link>}
    >
      {channel.failing ? (
        <Alert
          type="error"
          showIcon
          title={t('failing')}
          description={channel.failing}
          style={{ marginBottom: 12 }}
        />
      ) : null}
      <Steps
        size="small"
        responsive={false}
        titlePlacement={wide ? 'horizontal' : 'vertical'}
        current={MODES.indexOf(channel.mode)}
        items={MODES.map((mode) => ({ title: channelModeWords[mode][lang] }))}
      />
      <p>{t(`${channel.mode}Says`)}</p>
      {channel.mode === 'off' ? null : <AllowList fresh={channel} mayChange={mayChange} />}
      {channel.name === 'sms' && mayConnect ? <ReceiptAddress /> : null}
      {channel.name === 'sms' ? (
        <p>
          <Link to="/settings?tab=sms">{t('templates')}</Link>
        </p>
      ) : null}
      <Space wrap style={{ marginTop: 12 }}>
        {channel.mode === 'live' && mayChange ? (
          <Button danger type="primary" loading={busy} onClick={back}>
            {t('backNow')}
          </Button>
        ) : null}
        {channel.mode === 'test' && mayGoLive ? (
          <Button type="primary" onClick={() => setOpening('live')}>
            {t('goLive')}
          </Button>
        ) : null}
        {mayConnect && channel.mode !== 'live' ? (
          <Button onClick={() => setOpening('connection')}>
            {t(channel.account === null ? 'connect' : 'again')}
          </Button>
        ) : null}
        {mayConnect && channel.mode !== 'off' ? (
          <Popconfirm
            title={t('off_now')}
            description={<div style={{ maxWidth: 320 }}>{t('offAsks')}</div>}
            okButtonProps={{ danger: true }}
            onConfirm={off}
          >
            <Button danger loading={busy}>
              {t('off_now')}
            </Button>
          </Popconfirm>
        ) : null}
        {channel.mode === 'test' && !mayGoLive ? <small style={{ opacity: 0.75 }}>{t('who')}</small> : null}
      </Space>
      {opening === 'live' ? (
        <GoLive channel={channel} name={t(channel.name)} onClose={() => setOpening(undefined)} />
      ) : null}
      {opening === 'connection' ? (
        <Connect channel={channel} name={t(channel.name)} onClose={() => setOpening(undefined)} />
      ) : null}
    </Card>
  )
}
