import {
  GlobalOutlined,
  KeyOutlined,
  LogoutOutlined,
  MoonOutlined,
  SunOutlined,
  UserOutlined,
} from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Dropdown, Input, type InputRef, Layout, Menu, Modal, Tag, Tooltip } from 'antd'
import { useContext, useEffect, useRef, useState } from 'react'
import { Navigate, Outlet, useLocation, useNavigate } from 'react-router'
import { api, client, faultOf } from '../../client.ts'
import { useDark } from '../../ui/dark.ts'
import { LanguageContext, useWords } from '../../ui/language.ts'
import { Loaded } from '../parts/Loaded.tsx'
import { menuFor } from './menu.tsx'

const words = {
  product: { zh: '留量', en: 'Liuliang' },
  search: {
    zh: '搜索会员：姓名、手机号、卡号（按 / 聚焦）',
    en: 'Find a member: name, phone, card (press /)',
  },
  signOut: { zh: '退出登录', en: 'Sign out' },
  password: { zh: '修改密码', en: 'Change password' },
  demo: { zh: '演示品牌', en: 'Demo brand' },
  dark: { zh: '深色', en: 'Dark' },
  light: { zh: '浅色', en: 'Light' },
  language: { zh: 'English', en: '中文' },
  shortcuts: { zh: '键盘快捷键', en: 'Keyboard shortcuts' },
}
const shortcuts = [
  ['/', { zh: '搜索会员', en: 'Find a member' }],
  ['g h', { zh: '总览', en: 'Home' }],
  ['g m', { zh: '会员', en: 'Members' }],
  ['g s', { zh: '人群', en: 'Segments' }],
  ['g j', { zh: 'SOP', en: 'SOPs' }],
  ['?', { zh: '显示本列表', en: 'This list' }],
] as const

/** The frame of every console page: navigation by what operators do, search, language, account. */
export function Shell() {
  const me = useQuery(api.session.me.queryOptions({ retry: false }))
  const brand = useQuery(
    api.brand.get.queryOptions({ enabled: me.data !== undefined && !me.data.mustChangePassword }),
  )
  const location = useLocation()
  if (me.error && ['not_signed_in', 'wrong_credentials'].includes(faultOf(me.error).code)) {
    return <Navigate to={`/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`} replace />
  }
  if (me.data?.mustChangePassword) return <Navigate to="/password" replace />
  if (!me.data) return <Loaded query={me}>{() => null}</Loaded>
  return (
    <Frame
      name={me.data.name}
      roles={me.data.roles}
      brand={brand.data?.name ?? ''}
      demo={brand.data?.demo ?? false}
    />
  )
}

function Frame({
  name,
  roles,
  brand,
  demo,
}: {
  name: string
  roles: readonly string[]
  brand: string
  demo: boolean
}) {
  const t = useWords(words)
  const { lang, setLang } = useContext(LanguageContext)
  const { dark, setDark } = useDark()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const { items, keyOf } = menuFor(lang, roles)
  const selected = keyOf(pathname)
  return (
    <Layout style={{ minHeight: '100%' }}>
      <Layout.Sider
        width={208}
        breakpoint="lg"
        collapsedWidth={0}
        theme={dark ? 'dark' : 'light'}
        style={{
          borderInlineEnd: '1px solid rgba(128,128,128,.15)',
          position: 'sticky',
          top: 0,
          height: '100vh',
          overflow: 'auto',
        }}
      >
        <div style={{ display: 'flex', gap: 10, alignItems: 'center', padding: '16px 20px' }}>
          <img src="/icon.svg" width={28} height={28} alt="" />
          <div style={{ minWidth: 0 }}>
            <div style={{ fontWeight: 600, fontSize: 16, color: dark ? '#fff' : undefined }}>
              {t('product')}
            </div>
            <div
              style={{
                opacity: 0.6,
                fontSize: 12,
                overflow: 'hidden',
                textOverflow: 'ellipsis',
                whiteSpace: 'nowrap',
                color: dark ? '#fff' : undefined,
              }}
              title={brand}
            >
              {brand}
            </div>
          </div>
        </div>
        <Menu
          mode="inline"
          theme={dark ? 'dark' : 'light'}
          items={items}
          selectedKeys={selected ? [selected] : []}
          defaultOpenKeys={items.map((item) => String(item?.key))}
          onClick={({ key }) => void navigate(key)}
          style={{ borderInlineEnd: 0 }}
        />
      </Layout.Sider>
      <Layout>
        <Layout.Header
          style={{
            background: 'transparent',
            display: 'flex',
            gap: 12,
            alignItems: 'center',
            padding: '0 24px',
          }}
        >
          <Search
            placeholder={t('search')}
            onFind={(text) => void navigate(`/members?q=${encodeURIComponent(text)}`)}
          />
          <span style={{ flex: 1 }} />
          {demo ? <Tag color="gold">{t('demo')}</Tag> : null}
          <Tooltip title={t(dark ? 'light' : 'dark')}>
            <Button
              type="text"
              aria-label={t(dark ? 'light' : 'dark')}
              icon={dark ? <SunOutlined /> : <MoonOutlined />}
              onClick={() => setDark(!dark)}
            />
          </Tooltip>
          <Button type="text" icon={<GlobalOutlined />} onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}>
            {t('language')}
          </Button>
          <Dropdown
            menu={{
              items: [
                {
                  key: 'password',
                  icon: <KeyOutlined />,
                  label: t('password'),
                  onClick: () => void navigate('/password'),
                },
                { key: 'out', icon: <LogoutOutlined />, label: t('signOut'), onClick: () => void signOut() },
              ],
            }}
          >
            <Button type="text" icon={<UserOutlined />}>
              {name}
            </Button>
          </Dropdown>
        </Layout.Header>
        <Layout.Content style={{ padding: '8px 24px 40px', maxWidth: 1680, width: '100%', margin: '0 auto' }}>
          <Outlet />
        </Layout.Content>
      </Layout>
      <Shortcuts title={t('shortcuts')} />
    </Layout>
  )
}

async function signOut(): Promise<void> {
  await client.session.signOut()
  window.location.assign('/sign-in')
}

function Search({ placeholder, onFind }: { placeholder: string; onFind: (text: string) => void }) {
  const input = useRef<InputRef>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || isTyping(event.target)) return
      event.preventDefault()
      input.current?.focus()
    }
    window.addEventListener('keydown', focus)
    return () => window.removeEventListener('keydown', focus)
  }, [])
  return (
    <Input.Search
      ref={input}
      allowClear
      placeholder={placeholder}
      aria-label={placeholder}
      style={{ maxWidth: 420, minWidth: 120 }}
      onSearch={(text) => text.trim() !== '' && onFind(text.trim())}
    />
  )
}

function Shortcuts({ title }: { title: string }) {
  const { lang } = useContext(LanguageContext)
  const [open, setOpen] = useState(false)
  const navigate = useNavigate()
  const before = useRef('')
  useEffect(() => {
    const goals: Record<string, string> = { h: '/', m: '/members', s: '/segments', j: '/journeys' }
    const listen = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey) return
      const goal = goals[event.key]
      if (event.key === '?') setOpen(true)
      else if (before.current === 'g' && goal) void navigate(goal)
      before.current = event.key
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [navigate])
  return (
    <Modal open={open} onCancel={() => setOpen(false)} footer={null} title={title}>
      {shortcuts.map(([keys, says]) => (
        <p key={keys} style={{ display: 'flex', gap: 16 }}>
          <kbd style={{ width: 48 }}>{keys}</kbd>
          {says[lang]}
        </p>
      ))}
    </Modal>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}
