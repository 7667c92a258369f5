import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Empty, Popconfirm, Space, Table, Tag, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { SmsText } from '../../../../contract/sms-texts.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useMay } from '../../parts/use-brand.ts'
import { SmsApprovalForm } from './SmsApprovalForm.tsx'

const words = {
  says: {
    zh: '真实的短信服务商只发送它批准过的模板。每条短信在这里对应一个签名和模板 CODE，没有对应的不会发出。',
    en: 'A real SMS provider sends only templates it has approved. Each text is given its signature and template code here; without them it does not go out.',
  },
  missing: {
    zh: '{n} 条短信还没有模板，接入的服务商不会发出它们',
    en: '{n} texts have no template yet: the provider will not send them',
  },
  later: {
    zh: '现在没有接入真实服务商，{n} 条短信还没有模板；接入前填好即可',
    en: 'No real provider is connected now; {n} texts have no template yet, which is needed before one is',
  },
  all: { zh: '每条短信都有模板', en: 'Every text has its template' },
  none: {
    zh: '还没有在用的短信。含短信步骤的 SOP 上线后，它的文案会出现在这里。',
    en: 'No SMS is in use. Once a SOP with an SMS step is live, its text stands here.',
  },
  journeys: { zh: '看 SOP', en: 'See the SOPs' },
  text: { zh: '短信', en: 'Text' },
  used: { zh: '用在', en: 'Used in' },
  template: { zh: '签名与模板', en: 'Signature and template' },
  unnamed: { zh: '没有模板', en: 'no template' },
  demo: { zh: '演示', en: 'demo' },
  fill: { zh: '填写模板', en: 'Name the template' },
  change: { zh: '修改', en: 'Change' },
  clear: { zh: '清除', en: 'Clear' },
  clearAsks: {
    zh: '清除后，真实服务商不再发送这条短信。',
    en: 'A real provider does not send this text any more then.',
  },
  cleared: { zh: '已清除', en: 'Cleared' },
}

/** Every SMS in use, and which of the provider's templates stands for it. */
export function SmsTexts() {
  const t = useWords(words)
  const mayChange = useMay(['owner', 'operator'])
  const [editing, setEditing] = useState<SmsText>()
  const query = useQuery(api.reach.smsTexts.queryOptions())
  return (
    <Loaded query={query}>
      {({ items }) => (
        <>
          <Typography.Paragraph type="secondary">{t('says')}</Typography.Paragraph>
          <Standing items={items} />
          <Table<SmsText>
            size="middle"
            rowKey="id"
            pagination={false}
            scroll={{ x: 860 }}
            dataSource={[...items]}
            locale={{
              emptyText: (
                <Empty description={t('none')}>
                  <Link to="/journeys">
                    <Button>{t('journeys')}</Button>
                  </Link>
                </Empty>
              ),
            }}
            columns={[
              { title: t('text'), render: (_, text) => <Text text={text} /> },
              {
                title: t('used'),
                width: 180,
                render: (_, text) =>
                  text.usedBy.map(({ id, kind, label }) => (
                    <div key={id}>
                      {kind === 'journey' ? <Link to={`/journeys/${id}`}>{label}</Link> : label}
                    </div>
                  )),
              },
              { title: t('template'), width: 240, render: (_, text) => <Approval text={text} /> },
              ...(mayChange
                ? [
                    {
                      width: 170,
                      render: (_: unknown, text: SmsText) => (
                        <Space>
                          <Button size="small" onClick={() => setEditing(text)}>
                            {t(text.approval ? 'change' : 'fill')}
                          </Button>
                          {text.approval ? <Clear text={text} /> : null}
                        </Space>
                      ),
                    },
                  ]
                : []),
            ]}
          />
          {editing ? <SmsApprovalForm text={editing} onClose={() => setEditing(undefined)} /> : null}
        </>
      )}
    </Loaded>
  )
}

/** How many are missing, and whether that stops anything now. */
function Standing({ items }: { items: readonly SmsText[] }) {
  const t = useWords(words)
  const channels = useQuery(api.reach.channels.queryOptions())
  const mode = channels.data?.items.find(({ name }) => name === 'sms')?.mode
  const n = items.filter(({ approval }) => approval === null).length
  if (items.length === 0 || mode === undefined) return null
  const real = mode === 'test' || mode === 'live'
  const style = { marginBottom: 12 }
  if (n === 0) return <Alert type="success" showIcon style={style} title={t('all')} />
  return (
    <Alert
      type={real ? 'warning' : 'info'}
      showIcon
      style={style}
      title={t(real ? 'missing' : 'later', { n })}
    />
  )
}

function Text({ text }: { text: SmsText }) {
  const t = useWords(words)
  return (
    <>
      <div translate="no">{text.body}</div>
      <Typography.Text type="secondary" translate="no">
        {text.name}
      </Typography.Text>{' '}
      {text.demo ? <Tag>{t('demo')}</Tag> : null}
    </>
  )
}

function Approval({ text: { approval } }: { text: SmsText }) {
  const t = useWords(words)
  if (approval === null) return <Tag color="warning">{t('unnamed')}</Tag>
  return (
    <>
      <div translate="no">
        【{approval.sign}】<code>{approval.template}</code>
      </div>
      {Object.entries(approval.params).map(([name, value]) => (
        <div key={name}>
          <code>{`\${${name}} = ${value}`}</code>
        </div>
      ))}
    </>
  )
}

function Clear({ text }: { text: SmsText }) {
  const t = useWords(words)
  const { act, busy } = useAct()
  const clear = (): void =>
    void act(() => client.reach.approveSmsText({ id: text.id, version: text.version, approval: null }), {
      done: t('cleared'),
      refresh: [api.reach.key()],
    })
  return (
    <Popconfirm
      title={t('clear')}
      description={<div style={{ maxWidth: 320 }}>{t('clearAsks')}</div>}
      okButtonProps={{ danger: true }}
      onConfirm={clear}
    >
      <Button size="small" danger loading={busy}>
        {t('clear')}
      </Button>
    </Popconfirm>
  )
}
