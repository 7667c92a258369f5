import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Collapse, Empty, Space, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import type { EventSource } from '../../../../contract/intake.ts'
import { api } from '../../../client.ts'
import { minute, relative, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useMay, useZone } from '../../parts/use-brand.ts'
import { SourceForm } from './SourceForm.tsx'
import { snippetsOf } from './snippets.ts'
import { userIdWords } from './tracking-words.ts'

const words = {
  add: { zh: '新建来源', en: 'New source' },
  name: { zh: '名称', en: 'Name' },
  key: { zh: '写入密钥', en: 'Write key' },
  keySays: {
    zh: '它写在网页里，不是秘密；只能写入事件，读不到任何数据。',
    en: 'It stands in pages and is no secret: it can send events and read nothing.',
  },
  users: { zh: '用户 ID 是', en: 'User ids are' },
  origins: { zh: '允许的网站', en: 'Sites' },
  anySite: { zh: '不限', en: 'any' },
  events: { zh: '事件', en: 'Events' },
  last: { zh: '最近', en: 'Last' },
  never: { zh: '还没有收到', en: 'nothing yet' },
  closed: { zh: '已关闭', en: 'closed' },
  change: { zh: '修改', en: 'Change' },
  how: { zh: '怎样接入', en: 'How to connect' },
  none: {
    zh: '还没有来源。给网站、小程序、后端各建一个，把写入密钥填进 SDK。',
    en: 'No source yet: make one for each site, mini-program or server, and give its write key to the SDK.',
  },
}

/** Sources with their write keys, and how each SDK is pointed here. */
export function Sources() {
  const t = useWords(words)
  const mayChange = useMay(['owner', 'engineer'])
  const query = useQuery(api.intake.sources.queryOptions({ refetchInterval: 15_000 }))
  const [editing, setEditing] = useState<EventSource | 'new'>()
  return (
    <>
      {mayChange ? (
        <Button
          type="primary"
          icon={<PlusOutlined />}
          style={{ marginBottom: 12 }}
          onClick={() => setEditing('new')}
        >
          {t('add')}
        </Button>
      ) : null}
      <Loaded query={query}>
        {({ items, addresses }) => (
          <>
            <List items={items} onEdit={mayChange ? setEditing : undefined} />
            {items[0] ? <HowTo source={items[0]} addresses={addresses} /> : null}
          </>
        )}
      </Loaded>
      {editing ? (
        <SourceForm source={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />
      ) : null}
    </>
  )
}

type ListProps = { items: readonly EventSource[]; onEdit: ((source: EventSource) => void) | undefined }

function List({ items, onEdit }: ListProps) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  return (
    <Table<EventSource>
      size="middle"
      rowKey="id"
      pagination={false}
      scroll={{ x: 1000 }}
      dataSource={[...items]}
      locale={{ emptyText: <Empty description={t('none')} /> }}
      columns={[
        {
          title: t('name'),
          width: 200,
          render: (_, { name, code, state }) => (
            <>
              {name} <Typography.Text code>{code}</Typography.Text>{' '}
              {state === 'closed' ? <Tag>{t('closed')}</Tag> : null}
            </>
          ),
        },
        {
          title: <Tooltip title={t('keySays')}>{t('key')}</Tooltip>,
          width: 330,
          render: (_, { writeKey }) => (
            <Typography.Text code copyable style={{ whiteSpace: 'nowrap' }}>
              {writeKey}
            </Typography.Text>
          ),
        },
        { title: t('users'), width: 150, render: (_, { userIdKind }) => userIdWords[userIdKind][lang] },
        {
          title: t('origins'),
          render: (_, { origins }) => (origins.length === 0 ? t('anySite') : origins.join('、')),
        },
        { title: t('events'), width: 110, align: 'right', render: (_, { events }) => whole(events) },
        {
          title: t('last'),
          width: 130,
          render: (_, { lastAt }) =>
            lastAt ? (
              <Tooltip title={minute(lastAt, zone)}>{relative(lastAt, lang, Date.now())}</Tooltip>
            ) : (
              t('never')
            ),
        },
        {
          width: 90,
          render: (_, source) =>
            onEdit ? (
              <Button size="small" onClick={() => onEdit(source)}>
                {t('change')}
              </Button>
            ) : null,
        },
      ]}
    />
  )
}

function HowTo({
  source,
  addresses,
}: {
  source: EventSource
  addresses: { segment: string; sensors: string }
}) {
  const t = useWords(words)
  return (
    <Collapse
      style={{ marginTop: 16 }}
      items={[
        {
          key: 'how',
          label: t('how'),
          children: (
            <Space orientation="vertical" style={{ width: '100%' }}>
              {snippetsOf(source.writeKey, addresses, window.location.origin).map(({ title, code }) => (
                <div key={title}>
                  <Typography.Text strong>{title}</Typography.Text>
                  <Typography.Paragraph copyable={{ text: code }}>
                    <pre style={{ margin: 0, overflowX: 'auto' }}>{code}</pre>
                  </Typography.Paragraph>
                </div>
              ))}
            </Space>
          ),
        },
      ]}
    />
  )
}
