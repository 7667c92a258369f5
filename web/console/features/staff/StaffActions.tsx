import { MoreOutlined } from '@ant-design/icons'
import { Button, Dropdown, Modal, Space } from 'antd'
import type { Staff } from '../../../../contract/staff.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useMe } from '../../parts/use-brand.ts'
import type { VersionedStaff } from './shown.ts'

const words = {
  change: { zh: '修改', en: 'Change' },
  reset: { zh: '重置密码', en: 'Reset the password' },
  resetSays: {
    zh: '{name} 的所有登录会立即失效，需要用新的一次性密码登录。',
    en: 'All sessions of {name} end at once; a new one-time password is needed to sign in.',
  },
  disable: { zh: '停用', en: 'Disable' },
  disableSays: {
    zh: '{name} 立即无法登录；跟进的会员、任务和记录保留。随时可以恢复。',
    en: '{name} cannot sign in from now on; contacts, tasks and records stay. It can be undone any time.',
  },
  enable: { zh: '恢复', en: 'Enable' },
  enabled: { zh: '已恢复', en: 'Enabled' },
  wasDisabled: { zh: '已停用', en: 'Disabled' },
  more: { zh: '更多', en: 'More' },
}

type Props = {
  staff: VersionedStaff
  onEdit: (staff: VersionedStaff) => void
  onSecret: (staff: Staff, secret: string) => void
}

/** Change, reset the password, disable or enable one member of staff. */
export function StaffActions({ staff, onEdit, onSecret }: Props) {
  const t = useWords(words)
  const me = useMe()
  const { act } = useAct()
  const [modal, holder] = Modal.useModal()
  const refresh = [api.staff.key()]
  async function reset(): Promise<void> {
    if (!(await modal.confirm({ title: t('reset'), content: t('resetSays', { name: staff.name }) }))) return
    const made = await act(() => client.staff.resetPassword({ id: staff.id }), { refresh })
    if (made) onSecret(staff, made.oneTimePassword)
  }
  async function toState(state: Staff['state']): Promise<void> {
    if (
      state === 'disabled' &&
      !(await modal.confirm({
        title: t('disable'),
        content: t('disableSays', { name: staff.name }),
        okButtonProps: { danger: true },
      }))
    )
      return
    const { login: _, mustChangePassword: __, lastSeenAt: ___, ...input } = staff
    await act(() => client.staff.change({ ...input, state }), {
      done: t(state === 'disabled' ? 'wasDisabled' : 'enabled'),
      refresh,
    })
  }
  const disabled = staff.state === 'disabled'
  return (
    <Space>
      {holder}
      <Button size="small" onClick={() => onEdit(staff)}>
        {t('change')}
      </Button>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'reset', label: t('reset'), disabled, onClick: () => void reset() },
            {
              key: 'state',
              label: t(disabled ? 'enable' : 'disable'),
              danger: !disabled,
              disabled: staff.id === me?.staffId,
              onClick: () => void toState(disabled ? 'active' : 'disabled'),
            },
          ],
        }}
      >
        <Button size="small" icon={<MoreOutlined />} aria-label={t('more')} />
      </Dropdown>
    </Space>
  )
}
