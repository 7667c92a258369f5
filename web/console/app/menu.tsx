/** The rooms of the console by what operators do (P-07, P-12). A room that is not built is not here. */
import {
  AuditOutlined,
  BarChartOutlined,
  CheckSquareOutlined,
  HomeOutlined,
  SettingOutlined,
  TeamOutlined,
  ThunderboltOutlined,
} from '@ant-design/icons'
import type { MenuProps } from 'antd'
import type { ReactNode } from 'react'
import type { Lang } from '../../ui/format.ts'

type Room = {
  key: string
  zh: string
  en: string
  icon?: ReactNode
  roles?: readonly string[]
  rooms?: readonly Room[]
}

const headquarters = ['owner', 'operator']
const rooms: readonly Room[] = [
  { key: '/', zh: '总览', en: 'Home', icon: <HomeOutlined /> },
  {
    key: 'members',
    zh: '会员',
    en: 'Members',
    icon: <TeamOutlined />,
    rooms: [
      { key: '/members', zh: '会员列表', en: 'All members' },
      {
        key: '/audit-base',
        zh: '会员体检',
        en: 'Member audit',
        roles: ['owner', 'operator', 'analyst', 'regional_manager'],
      },
      { key: '/import', zh: '导入数据', en: 'Import', roles: headquarters },
      { key: '/identity', zh: '身份合并', en: 'Identity', roles: headquarters },
    ],
  },
  {
    key: 'activate',
    zh: '激活',
    en: 'Activate',
    icon: <ThunderboltOutlined />,
    rooms: [
      { key: '/segments', zh: '人群', en: 'Segments' },
      { key: '/tags', zh: '标签', en: 'Tags' },
      {
        key: '/journeys',
        zh: 'SOP',
        en: 'SOPs',
        roles: ['owner', 'operator', 'regional_manager', 'store_manager', 'analyst'],
      },
      {
        key: '/touches',
        zh: '触达记录',
        en: 'Touches',
        roles: ['owner', 'operator', 'regional_manager', 'analyst'],
      },
    ],
  },
  {
    key: '/tasks',
    zh: '任务',
    en: 'Tasks',
    icon: <CheckSquareOutlined />,
    roles: ['owner', 'operator', 'regional_manager', 'store_manager', 'analyst'],
  },
  {
    key: 'insight',
    zh: '数据',
    en: 'Insight',
    icon: <BarChartOutlined />,
    rooms: [{ key: '/lifecycle', zh: '生命周期与 RFM', en: 'Life cycle and RFM' }],
  },
  {
    key: 'settings',
    zh: '设置',
    en: 'Settings',
    icon: <SettingOutlined />,
    rooms: [
      {
        key: '/settings',
        zh: '规则与渠道',
        en: 'Rules and channels',
        roles: ['owner', 'operator', 'regional_manager', 'analyst', 'engineer'],
      },
      { key: '/staff', zh: '员工与密钥', en: 'Staff and keys', roles: ['owner', 'operator', 'engineer'] },
      { key: '/tracking', zh: '埋点', en: 'Tracking', roles: ['owner', 'operator', 'engineer', 'analyst'] },
      {
        key: '/audit-trail',
        zh: '操作记录',
        en: 'Audit trail',
        icon: <AuditOutlined />,
        roles: ['owner', 'operator', 'engineer'],
      },
      { key: '/dead-letters', zh: '异常事件', en: 'Dead letters', roles: ['owner', 'operator', 'engineer'] },
    ],
  },
]

/** Menu items that these roles may open, and the item that a path belongs to. */
export function menuFor(
  lang: Lang,
  roles: readonly string[],
): { items: NonNullable<MenuProps['items']>; keyOf: (path: string) => string | undefined } {
  const allowed = (room: Room): boolean => !room.roles || room.roles.some((role) => roles.includes(role))
  const items: NonNullable<MenuProps['items']> = []
  const keys: string[] = []
  for (const room of rooms.filter(allowed)) {
    const inner = room.rooms?.filter(allowed)
    if (inner && inner.length === 0) continue
    keys.push(...(inner ? inner.map((each) => each.key) : [room.key]))
    items.push({
      key: room.key,
      label: room[lang],
      icon: room.icon,
      ...(inner ? { children: inner.map((each) => ({ key: each.key, label: each[lang] })) } : {}),
    })
  }
  return {
    items,
    keyOf: (path) =>
      keys
        .filter((key) => path === key || (key !== '/' && path.startsWith(`${key}/`)))
        .sort((a, b) => b.length - a.length)[0],
  }
}
