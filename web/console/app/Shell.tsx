import { useQuery } from '@tanstack/react-query'
import { Drawer, Grid, Layout } from 'antd'
import { useState } from 'react'
import { Navigate, Outlet, useLocation } from 'react-router'
import { api, faultOf } from '../../client.ts'
import { useWords } from '../../ui/language.ts'
import { Loaded } from '../parts/Loaded.tsx'
import { Header } from './Header.tsx'
import { Navigation } from './Navigation.tsx'
import { Shortcuts } from './Shortcuts.tsx'
import { StillCounting } from './StillCounting.tsx'

const words = { menu: { zh: '菜单', en: 'Menu' } }
const MENU_WIDTH = 208

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

type FrameProps = { name: string; roles: readonly string[]; brand: string; demo: boolean }

/** The menu stands beside the page where there is room, else behind a button. */
function Frame({ name, roles, brand, demo }: FrameProps) {
  const t = useWords(words)
  const wide = Grid.useBreakpoint().lg ?? true
  const [open, setOpen] = useState(false)
  const navigation = <Navigation roles={roles} brand={brand} onChoose={() => setOpen(false)} />
  return (
    <Layout style={{ minHeight: '100%' }}>
      {wide ? (
        <Layout.Sider
          width={MENU_WIDTH}
          theme="light"
          style={{
            borderInlineEnd: '1px solid rgba(128,128,128,.15)',
            position: 'sticky',
            top: 0,
            height: '100vh',
            overflow: 'auto',
          }}
        >
          {navigation}
        </Layout.Sider>
      ) : (
        <Drawer
          open={open}
          placement="left"
          size={MENU_WIDTH + 40}
          title={t('menu')}
          styles={{ body: { padding: 0 } }}
          onClose={() => setOpen(false)}
        >
          {navigation}
        </Drawer>
      )}
      <Layout style={{ minWidth: 0 }}>
        <Header name={name} demo={demo} wide={wide} onMenu={() => setOpen(true)} />
        <Layout.Content
          style={{
            padding: wide ? '8px 24px 40px' : '0 12px 32px',
            maxWidth: 1680,
            width: '100%',
            margin: '0 auto',
          }}
        >
          <StillCounting />
          <Outlet />
        </Layout.Content>
      </Layout>
      <Shortcuts />
    </Layout>
  )
}
