import { PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, Empty, Input, Space, Table, Tag, Tooltip } from 'antd'
import { useState } from 'react'
import { type Role, roles } from '../../../../contract/base.ts'
import type { Staff } from '../../../../contract/staff.ts'
import { api } from '../../../client.ts'
import { minute, relative } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Choice } from '../../parts/Choice.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { type Secret, SecretOnce } from '../../parts/SecretOnce.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMay, useZone } from '../../parts/use-brand.ts'
import { useStores } from '../../parts/use-stores.ts'
import { StaffActions } from './StaffActions.tsx'
import { StaffForm } from './StaffForm.tsx'
import type { VersionedStaff } from './shown.ts'
import { rightWords, roleNotes, roleWords } from './staff-words.ts'

const words = {
  add: { zh: '添加员工', en: 'Add somebody' },
  find: { zh: '姓名或账号', en: 'Name or login' },
  role: { zh: '角色', en: 'Role' },
  store: { zh: '门店', en: 'Store' },
  name: { zh: '姓名', en: 'Name' },
  rights: { zh: '额外权限', en: 'Rights beside' },
  stores: { zh: '门店／区域', en: 'Stores, regions' },
  all: { zh: '全品牌', en: 'whole brand' },
  seen: { zh: '最近登录', en: 'Last seen' },
  never: { zh: '还没登录过', en: 'never' },
  disabled: { zh: '已停用', en: 'disabled' },
  oneTime: { zh: '待改密码', en: 'to set a password' },
  secret: { zh: '一次性密码', en: 'One-time password' },
  secretSays: {
    zh: '交给 {name}（账号 {login}）。第一次登录时会要求设置自己的密码。',
    en: 'For {name} (login {login}), who sets an own password when first signing in.',
  },
  none: { zh: '没有符合条件的员工', en: 'Nobody matches' },
  wide: { zh: '{n} 家门店', en: '{n} stores' },
}

/** Who may sign in. */
export function StaffList() {
  const t = useWords(words)
  const lang = useLang()
  const { get, set } = useAddress()
  const mayChange = useMay(['owner'])
  const stores = useStores()
  const [editing, setEditing] = useState<VersionedStaff | 'new'>()
  const [secret, setSecret] = useState<Secret>()
  const role = roles.find((each) => each === get('role'))
  const [text, storeId] = [get('text'), get('storeId')]
  const query = useInfiniteQuery(
    api.staff.list.infiniteOptions({
      input: (cursor: string | undefined) => ({
        cursor,
        limit: 50,
        ...(role ? { role } : {}),
        ...(text ? { text } : {}),
        ...(storeId ? { storeId: storeId as never } : {}),
      }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  const tell = (staff: Staff, oneTimePassword: string): void =>
    setSecret({
      title: t('secret'),
      says: t('secretSays', { name: staff.name, login: staff.login }),
      secret: oneTimePassword,
    })
  return (
    <>
      <Space wrap style={{ marginBottom: 12 }}>
        <Input.Search
          key={text}
          allowClear
          style={{ width: 240 }}
          defaultValue={text ?? ''}
          placeholder={t('find')}
          aria-label={t('find')}
          onSearch={(value) => set({ text: value.trim() })}
        />
        <Choice
          label={t('role')}
          value={role}
          onChange={(next) => set({ role: next })}
          options={roles.map((each: Role) => [each, roleWords[each][lang]])}
        />
        <Choice
          label={t('store')}
          value={storeId}
          onChange={(next) => set({ storeId: next })}
          options={stores.map((store) => [store.id, store.name])}
        />
        {mayChange ? (
          <Button type="primary" icon={<PlusOutlined />} onClick={() => setEditing('new')}>
            {t('add')}
          </Button>
        ) : null}
      </Space>
      <Loaded query={query as never}>
        {() => (
          <>
            <People items={items} onEdit={setEditing} onSecret={tell} />
            <More query={query} shown={items.length} />
          </>
        )}
      </Loaded>
      {editing ? (
        <StaffForm
          staff={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onCreated={(staff, oneTimePassword) => tell(staff, oneTimePassword)}
        />
      ) : null}
      <SecretOnce shown={secret} onClose={() => setSecret(undefined)} />
    </>
  )
}

type PeopleProps = {
  items: readonly VersionedStaff[]
  onEdit: (staff: VersionedStaff) => void
  onSecret: (staff: Staff, secret: string) => void
}

function People({ items, onEdit, onSecret }: PeopleProps) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const mayChange = useMay(['owner'])
  return (
    <Table<VersionedStaff>
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
          render: (_, staff) => (
            <span style={staff.state === 'disabled' ? { opacity: 0.75 } : {}}>
              {staff.name} <small style={{ opacity: 0.75 }}>{staff.login}</small>{' '}
              {staff.state === 'disabled' ? <Tag>{t('disabled')}</Tag> : null}
              {staff.mustChangePassword && staff.state === 'active' ? (
                <Tag color="gold">{t('oneTime')}</Tag>
              ) : null}
            </span>
          ),
        },
        {
          title: t('role'),
          width: 220,
          render: (_, staff) => (
            <Space wrap size={4}>
              {staff.roles.map((role) => (
                <Tooltip key={role} title={roleNotes[role][lang]}>
                  <Tag color="cyan">{roleWords[role][lang]}</Tag>
                </Tooltip>
              ))}
            </Space>
          ),
        },
        {
          title: t('rights'),
          width: 200,
          render: (_, staff) => (
            <Space wrap size={4}>
              {staff.rights.map((right) => (
                <Tag key={right}>{rightWords[right][lang]}</Tag>
              ))}
            </Space>
          ),
        },
        { title: t('stores'), render: (_, staff) => <Places staff={staff} /> },
        {
          title: t('seen'),
          width: 130,
          render: (_, staff) =>
            staff.lastSeenAt ? (
              <Tooltip title={minute(staff.lastSeenAt, zone)}>
                {relative(staff.lastSeenAt, lang, Date.now())}
              </Tooltip>
            ) : (
              t('never')
            ),
        },
        ...(mayChange
          ? [
              {
                width: 130,
                render: (_: unknown, staff: VersionedStaff) => (
                  <StaffActions staff={staff} onEdit={onEdit} onSecret={onSecret} />
                ),
              },
            ]
          : []),
      ]}
    />
  )
}

function Places({ staff }: { staff: Staff }) {
  const t = useWords(words)
  const stores = useStores()
  const regions = useQuery(api.regions.list.queryOptions())
  const names = [
    ...staff.regionIds.map((id) => regions.data?.items.find((region) => region.id === id)?.name ?? '…'),
    ...staff.storeIds.map((id) => stores.find((store) => store.id === id)?.name ?? '…'),
  ]
  if (names.length === 0)
    return (
      <span style={{ opacity: 0.75 }}>
        {staff.roles.some((role) => role === 'owner' || role === 'operator' || role === 'analyst')
          ? t('all')
          : '–'}
      </span>
    )
  return (
    <Tooltip title={names.join('、')}>
      {names.length > 3 ? t('wide', { n: names.length }) : names.join('、')}
    </Tooltip>
  )
}
