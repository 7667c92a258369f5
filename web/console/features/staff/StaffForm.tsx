import { useQuery } from '@tanstack/react-query'
import { Button, Checkbox, Drawer, Form, Input, Select, Space } from 'antd'
import { useState } from 'react'
import { type Right, type Role, rights, roles } from '../../../../contract/base.ts'
import type { Staff } from '../../../../contract/staff.ts'
import { api, client } from '../../../client.ts'
import type { Lang } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { type Difference, StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { useStores } from '../../parts/use-stores.ts'
import type { VersionedStaff } from './shown.ts'
import { rightWords, roleNotes, roleWords } from './staff-words.ts'

const words = {
  add: { zh: '添加员工', en: 'Add somebody' },
  change: { zh: '修改 {name}', en: 'Change {name}' },
  login: { zh: '账号（登录用，之后不能改）', en: 'Login (cannot be changed later)' },
  name: { zh: '姓名', en: 'Name' },
  roles: { zh: '角色', en: 'Roles' },
  rights: {
    zh: '额外权限（审批不随角色自动获得）',
    en: 'Rights beside the roles (approving comes with no role)',
  },
  stores: { zh: '门店', en: 'Stores' },
  regions: { zh: '区域', en: 'Regions' },
  places: {
    zh: '店长、导购、客服和区域经理只看这里的会员',
    en: 'Managers, guides and customer service see the members of these',
  },
  wecom: { zh: '企业微信账号 userid（可不填）', en: 'WeCom userid (optional)' },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '请填写', en: 'Needed' },
  short: { zh: '至少 2 个字符，不含空格', en: 'At least 2 characters, no blanks' },
}

const names: Readonly<Record<string, Readonly<Record<Lang, string>>>> = { ...roleWords, ...rightWords }

type Fields = Pick<Staff, 'name' | 'roles' | 'rights' | 'storeIds' | 'regionIds'> & {
  login: string
  wecomUserId: string | null
}
type Props = {
  staff: VersionedStaff | undefined
  onClose: () => void
  onCreated: (staff: Staff, oneTimePassword: string) => void
}

/** Adds or changes a member of staff. */
export function StaffForm({ staff, onClose, onCreated }: Props) {
  const t = useWords(words)
  const lang = useLang()
  const [form] = Form.useForm<Fields>()
  const { act, busy } = useAct()
  const [theirs, setTheirs] = useState<Shared>()
  const refresh = [api.staff.key()]
  const stores = useStores()
  const regions = useQuery(api.regions.list.queryOptions())
  async function save(fields: Fields, version = staff?.version ?? 0): Promise<void> {
    const { login, ...rest } = fields
    const input = { ...rest, wecomUserId: fields.wecomUserId?.trim() || null }
    if (!staff) {
      const made = await act(() => client.staff.create({ login, ...input }), { refresh })
      if (!made) return
      onClose()
      onCreated(made.staff, made.oneTimePassword)
      return
    }
    const done = await act(
      () => client.staff.change({ ...input, id: staff.id, state: staff.state, version }),
      { done: t('saved'), refresh, onStale: setTheirs },
    )
    if (done) onClose()
  }
  const differences = (now: Shared): Difference[] => {
    const yours = form.getFieldsValue()
    const nameOf = (id: string): string =>
      stores.find((store) => store.id === id)?.name ??
      regions.data?.items.find((region) => region.id === id)?.name ??
      names[id]?.[lang] ??
      id
    const say = (value: unknown): string =>
      Array.isArray(value)
        ? value
            .map((each) => nameOf(String(each)))
            .sort()
            .join('、')
        : String(value ?? '')
    return (['name', 'roles', 'rights', 'stores', 'regions', 'wecom'] as const).map((label) => {
      const key = (
        {
          name: 'name',
          roles: 'roles',
          rights: 'rights',
          stores: 'storeIds',
          regions: 'regionIds',
          wecom: 'wecomUserId',
        } as const
      )[label]
      return { label: t(label), yours: say(yours[key]), theirs: say(now[key]) }
    })
  }
  return (
    <Drawer
      open
      size={520}
      title={staff ? t('change', { name: staff.name }) : t('add')}
      onClose={onClose}
      extra={
        <Button type="primary" loading={busy} onClick={() => form.submit()}>
          {t('save')}
        </Button>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={
          staff ?? { roles: ['guide'], rights: [], storeIds: [], regionIds: [], wecomUserId: null }
        }
        onFinish={(fields) => void save(fields)}
      >
        {staff ? null : (
          <Form.Item
            name="login"
            label={t('login')}
            rules={[{ required: true, min: 2, pattern: /^\S+$/, message: t('short') }]}
          >
            <Input autoFocus autoComplete="off" maxLength={100} />
          </Form.Item>
        )}
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="roles" label={t('roles')} rules={[{ required: true, message: t('needed') }]}>
          <Checkbox.Group>
            <Space orientation="vertical">
              {roles.map((role: Role) => (
                <Checkbox key={role} value={role}>
                  {roleWords[role][lang]} <small style={{ opacity: 0.75 }}>{roleNotes[role][lang]}</small>
                </Checkbox>
              ))}
            </Space>
          </Checkbox.Group>
        </Form.Item>
        <Form.Item name="rights" label={t('rights')}>
          <Checkbox.Group
            options={rights.map((right: Right) => ({ value: right, label: rightWords[right][lang] }))}
          />
        </Form.Item>
        <PlaceFields />
        <Form.Item name="wecomUserId" label={t('wecom')}>
          <Input maxLength={100} />
        </Form.Item>
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={differences}
        forget={() => setTheirs(undefined)}
        onTake={onClose}
        onKeep={(version) => void save(form.getFieldsValue(), version)}
      />
    </Drawer>
  )
}

function PlaceFields() {
  const t = useWords(words)
  const stores = useStores()
  const regions = useQuery(api.regions.list.queryOptions())
  return (
    <>
      <Form.Item name="storeIds" label={t('stores')} extra={t('places')}>
        <Select
          mode="multiple"
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          options={stores.map((store) => ({ value: store.id, label: store.name }))}
        />
      </Form.Item>
      <Form.Item name="regionIds" label={t('regions')}>
        <Select
          mode="multiple"
          allowClear
          showSearch={{ optionFilterProp: 'label' }}
          options={(regions.data?.items ?? []).map((region) => ({ value: region.id, label: region.name }))}
        />
      </Form.Item>
    </>
  )
}
