import { Menu } from 'antd'
import { useLocation, useNavigate } from 'react-router'
import { useLang, useWords } from '../../ui/language.ts'
import { menuFor } from './menu.tsx'

const words = { product: { zh: '留量', en: 'Liuliang' }, rooms: { zh: '功能', en: 'Rooms' } }

type Props = { roles: readonly string[]; brand: string; onChoose: () => void }

/** The brand and the rooms that these roles may enter. */
export function Navigation({ roles, brand, onChoose }: Props) {
  const t = useWords(words)
  const lang = useLang()
  const navigate = useNavigate()
  const { pathname } = useLocation()
  const { items, keyOf } = menuFor(lang, roles)
  const selected = keyOf(pathname)
  return (
    <nav aria-label={t('rooms')}>
      <div style={{ display: 'flex', gap: 10, alignItems: 'center', padding: '16px 20px' }}>
        <img src="/icon.svg" width={28} height={28} alt="" />
        <div style={{ minWidth: 0 }}>
          <div style={{ fontWeight: 600, fontSize: 16 }}>{t('product')}</div>
          <div
            style={{
              opacity: 0.75,
              fontSize: 12,
              overflow: 'hidden',
              textOverflow: 'ellipsis',
              whiteSpace: 'nowrap',
            }}
            title={brand}
          >
            {brand}
          </div>
        </div>
      </div>
      <Menu
        mode="inline"
        items={items}
        selectedKeys={selected ? [selected] : []}
        defaultOpenKeys={items.map((item) => String(item?.key))}
        onClick={({ key }) => {
          onChoose()
          void navigate(key)
        }}
        style={{ borderInlineEnd: 0 }}
      />
    </nav>
  )
}
