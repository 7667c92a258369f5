import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Input, Modal, Steps, Typography } from 'antd'
import { useState } from 'react'
import type { ChannelState } from '../../../../contract/reach.ts'
import { api, client } from '../../../client.ts'
import { compact } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'

const words = {
  title: { zh: '让“{name}”正式上线', en: 'Put {name} live' },
  look: { zh: '看清后果', en: 'What happens' },
  confirm: { zh: '确认', en: 'Confirm' },
  real: { zh: '上线后，真实会员会收到消息。', en: 'From then on real members receive messages.' },
  who: {
    zh: '{n} 位可触达的会员，{journeys} 个 SOP 正在运行。',
    en: '{n} members can be reached, {journeys} SOPs are at work.',
  },
  held: {
    zh: '频率上限、免打扰时段、退订和对照组照常生效；演示会员永远不会收到。',
    en: 'Caps, quiet hours, consent and holdouts go on to hold; demo members are never reached.',
  },
  stop: {
    zh: '随时可以在这里立即退回测试；已经交给服务商的消息收不回来。',
    en: 'It can be put back to test here at any moment; what was handed to the provider cannot be called back.',
  },
  next: { zh: '我明白，继续', en: 'I understand, go on' },
  type: { zh: '再次输入渠道名 {code} 以确认', en: 'Type the name of the channel, {code}, to confirm' },
  go: { zh: '正式上线', en: 'Go live' },
  live: { zh: '已正式上线', en: 'It is live' },
}

/** Two steps: what will happen, then the name of the channel again. */
export function GoLive({
  channel,
  name,
  onClose,
}: {
  channel: ChannelState
  name: string
  onClose: () => void
}) {
  const t = useWords(words)
  const lang = useLang()
  const [step, setStep] = useState(0)
  const [typed, setTyped] = useState('')
  const home = useQuery(api.insight.home.queryOptions())
  const { act, busy } = useAct()
  async function go(): Promise<void> {
    const done = await act(
      () =>
        client.reach.channelToLive({ name: channel.name, confirm: channel.name, version: channel.version }),
      { done: t('live'), refresh: [api.reach.key()] },
    )
    if (done) onClose()
  }
  return (
    <Modal open title={t('title', { name })} footer={null} onCancel={onClose}>
      <Steps
        size="small"
        current={step}
        items={[{ title: t('look') }, { title: t('confirm') }]}
        style={{ marginBottom: 16 }}
      />
      {step === 0 ? (
        <>
          <Alert
            type="warning"
            showIcon
            title={t('real')}
            description={
              home.data
                ? t('who', { n: compact(home.data.reachable, lang), journeys: home.data.journeysLive })
                : undefined
            }
          />
          <Typography.Paragraph style={{ marginTop: 12 }}>{t('held')}</Typography.Paragraph>
          <Typography.Paragraph>{t('stop')}</Typography.Paragraph>
          <Button type="primary" onClick={() => setStep(1)}>
            {t('next')}
          </Button>
        </>
      ) : (
        <>
          <Typography.Paragraph>{t('type', { code: channel.name })}</Typography.Paragraph>
          <Input
            autoFocus
            value={typed}
            aria-label={t('type', { code: channel.name })}
            onChange={(event) => setTyped(event.target.value)}
            style={{ marginBottom: 12 }}
          />
          <Button
            type="primary"
            danger
            loading={busy}
            disabled={typed.trim() !== channel.name}
            onClick={() => void go()}
          >
            {t('go')}
          </Button>
        </>
      )}
    </Modal>
  )
}
