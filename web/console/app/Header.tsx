import {
  GlobalOutlined,
  KeyOutlined,
  LogoutOutlined,
  MenuOutlined,
  MoonOutlined,
  SunOutlined,
  UserOutlined,
} from '@ant-design/icons'
import { Button, Dropdown, Input, type InputRef, Layout, Tag, Tooltip } from 'antd'
import { useContext, useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'
import { client } from '../../client.ts'
import { useDark } from '../../ui/dark.ts'
import { LanguageContext, useWords } from '../../ui/language.ts'
import { isTyping } from './typing.ts'

const words = {
  menu: { zh: '打开菜单', en: 'Open the menu' },
  search: {
    zh: '搜索会员：姓名、手机号、卡号（按 / 聚焦）',
    en: 'Find a member: name, phone, card (press /)',
  },
  find: { zh: '搜索会员', en: 'Find a member' },
  signOut: { zh: '退出登录', en: 'Sign out' },
  password: { zh: '修改密码', en: 'Change password' },
  account: { zh: '账号：{name}', en: 'Account: {name}' },
  demo: { zh: '演示品牌', en: 'Demo brand' },
  dark: { zh: '深色', en: 'Dark' },
  light: { zh: '浅色', en: 'Light' },
  language: { zh: 'English', en: '中文' },
}

type Props = { name: string; demo: boolean; wide: boolean; onMenu: () => void }

/** Search from everywhere, shade, language, account; on a narrow screen icons only, and the way to the menu. */
export function Header({ name, demo, wide, onMenu }: Props) {
  const t = useWords(words)
  const { lang, setLang } = useContext(LanguageContext)
  const { dark, setDark } = useDark()
  const navigate = useNavigate()
  return (
    <Layout.Header
      style={{
        background: 'transparent',
        display: 'flex',
        gap: wide ? 12 : 4,
        alignItems: 'center',
        padding: wide ? '0 24px' : '0 8px',
      }}
    >
      {wide ? null : <Button type="text" icon={<MenuOutlined />} aria-label={t('menu')} onClick={onMenu} />}
      <Search
        placeholder={t(wide ? 'search' : 'find')}
        onFind={(text) => void navigate(`/members?q=${encodeURIComponent(text)}`)}
      />
      {wide ? <span style={{ flex: 1 }} /> : null}
      {demo && wide ? <Tag color="gold">{t('demo')}</Tag> : null}
      <Tooltip title={t(dark ? 'light' : 'dark')}>
        <Button
          type="text"
          aria-label={t(dark ? 'light' : 'dark')}
          icon={dark ? <SunOutlined /> : <MoonOutlined />}
          onClick={() => setDark(!dark)}
        />
      </Tooltip>
      <Button
        type="text"
        icon={<GlobalOutlined />}
        aria-label={t('language')}
        translate="no"
        onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}
      >
        {wide ? t('language') : null}
      </Button>
      <Dropdown
        trigger={['click']}
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
        <Button type="text" icon={<UserOutlined />} aria-label={t('account', { name })}>
          {wide ? name : null}
        </Button>
      </Dropdown>
    </Layout.Header>
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
      style={{ maxWidth: 420, minWidth: 0, flex: '1 1 120px' }}
      onSearch={(text) => text.trim() !== '' && onFind(text.trim())}
    />
  )
}
