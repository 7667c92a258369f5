import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Empty, Popconfirm, Space, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, client } from '../../../client.ts'
import { date, minute, relative, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { type Secret, SecretOnce } from '../../parts/SecretOnce.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useZone } from '../../parts/use-brand.ts'
import { ApiKeyForm } from './ApiKeyForm.tsx'
import type { VersionedKey } from './shown.ts'
import { scopeWords } from './staff-words.ts'

const words = {
  add: { zh: '新建密钥', en: 'New key' },
  docs: { zh: 'API 文档', en: 'API pages' },
  name: { zh: '名称', en: 'Name' },
  scopes: { zh: '范围', en: 'Scopes' },
  limit: { zh: '每分钟上限', en: 'Per minute' },
  made: { zh: '创建', en: 'Made' },
  madeBy: { zh: '{at}，{by}', en: '{at}, {by}' },
  used: { zh: '最近使用', en: 'Last used' },
  never: { zh: '从未', en: 'never' },
  until: { zh: '有效至', en: 'Valid until' },
  ever: { zh: '长期', en: 'no end' },
  revoke: { zh: '吊销', en: 'Revoke' },
  revokeSays: {
    zh: '使用它的程序会立即失败，不能恢复。',
    en: 'Programs that use it fail at once; this cannot be undone.',
  },
  revoked: { zh: '已吊销', en: 'revoked' },
  change: { zh: '修改', en: 'Change' },
  none: {
    zh: '还没有密钥。给收银、商城或数据程序各建一个，只给需要的范围。',
    en: 'No key yet: make one for each till, shop or program, with the scopes it needs.',
  },
  secret: { zh: 'API 密钥', en: 'API key' },
  secretSays: {
    zh: '程序在请求头里这样使用：Authorization: Bearer <密钥>',
    en: 'Programs send it as the header Authorization: Bearer <key>',
  },
}

/** Keys for programs: made, shown once, limited, revoked. */
export function ApiKeys() {
  const t = useWords(words)
  const query = useQuery(api.apiKeys.list.queryOptions())
  const [editing, setEditing] = useState<VersionedKey | 'new'>()
  const [secret, setSecret] = useState<Secret>()
  return (
    <>
      <Space style={{ marginBottom: 12 }}>
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setEditing('new')}>
          {t('add')}
        </Button>
        <Button href="/docs/api" target="_blank">
          {t('docs')}
        </Button>
      </Space>
      <Loaded query={query}>{({ items }) => <Keys items={items} onEdit={setEditing} />}</Loaded>
      {editing ? (
        <ApiKeyForm
          apiKey={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onCreated={(made) => setSecret({ title: t('secret'), says: t('secretSays'), secret: made })}
        />
      ) : null}
      <SecretOnce shown={secret} onClose={() => setSecret(undefined)} />
    </>
  )
}

function Keys({ items, onEdit }: { items: readonly VersionedKey[]; onEdit: (key: VersionedKey) => void }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const { act } = useAct()
  const revoke = (id: string): void =>
    void act(() => client.apiKeys.revoke({ id }), { done: t('revoked'), refresh: [api.apiKeys.key()] })
  return (
    <Table<VersionedKey>
      size="middle"
      rowKey="id"
      pagination={false}
      scroll={{ x: 1000 }}
      dataSource={[...items]}
      locale={{ emptyText: <Empty description={t('none')} /> }}
      columns={[
        {
          title: t('name'),
          width: 220,
          render: (_, key) => (
            <span style={key.revokedAt ? { opacity: 0.75 } : {}}>
              {key.name} <Typography.Text code>{key.prefix}…</Typography.Text>{' '}
              {key.revokedAt ? <Tag>{t('revoked')}</Tag> : null}
            </span>
          ),
        },
        {
          title: t('scopes'),
          render: (_, key) => (
            <Space wrap size={4}>
              {key.scopes.map((scope) => (
                <Tooltip key={scope} title={scopeWords[scope][lang]}>
                  <Tag>{scope}</Tag>
                </Tooltip>
              ))}
            </Space>
          ),
        },
        { title: t('limit'), width: 110, align: 'right', render: (_, key) => whole(key.perMinute) },
        {
          title: t('made'),
          width: 170,
          render: (_, key) => t('madeBy', { at: date(key.createdAt, zone), by: key.createdBy }),
        },
        {
          title: t('used'),
          width: 120,
          render: (_, key) =>
            key.usedAt ? (
              <Tooltip title={minute(key.usedAt, zone)}>{relative(key.usedAt, lang, Date.now())}</Tooltip>
            ) : (
              t('never')
            ),
        },
        {
          title: t('until'),
          width: 120,
          render: (_, key) => (key.expiresAt ? date(key.expiresAt, zone) : t('ever')),
        },
        {
          width: 150,
          render: (_, key) =>
            key.revokedAt ? null : (
              <Space>
                <Button size="small" onClick={() => onEdit(key)}>
                  {t('change')}
                </Button>
                <Popconfirm
                  title={t('revoke')}
                  description={t('revokeSays')}
                  okButtonProps={{ danger: true }}
                  onConfirm={() => revoke(key.id)}
                >
                  <Button size="small" danger>
                    {t('revoke')}
                  </Button>
                </Popconfirm>
              </Space>
            ),
        },
      ]}
    />
  )
}
