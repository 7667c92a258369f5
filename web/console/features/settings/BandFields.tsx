import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Form, Input, InputNumber, Space, Tooltip } from 'antd'
import { useState } from 'react'
import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import type { Bands } from '../../../../contract/settings.ts'
import { settingDefaults } from '../../../../contract/settings.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { colourOf, inkOn } from '../../../ui/tokens.ts'

const words = {
  brand: { zh: '整个品牌', en: 'The whole brand' },
  from: { zh: '{state}从第几天开始', en: '{state} from day' },
  lost: { zh: '超过多少天算流失', en: 'Lost after day' },
  days: { zh: '{from}–{to} 天', en: '{from}–{to} days' },
  more: { zh: '{from} 天以上', en: '{from} days and more' },
  categories: {
    zh: '按品类另设（例如复购快的品类分段更短）',
    en: 'Of one category (shorter where people buy more often)',
  },
  name: { zh: '品类名称', en: 'Category' },
  add: { zh: '添加品类', en: 'Add a category' },
  remove: { zh: '移除', en: 'Remove' },
}
const EDGES = ['silent', 'nearSleep', 'hibernating', 'lost'] as const
const STATES: Record<(typeof EDGES)[number], LifecycleState> = {
  silent: 'silent',
  nearSleep: 'near_sleep',
  hibernating: 'hibernating',
  lost: 'lost',
}

/** The four edges of the brand as a ribbon with their days, and those of single categories. */
export function BandFields() {
  const t = useWords(words)
  const brand = Form.useWatch('brand') as Bands | undefined
  return (
    <>
      <h4 style={{ marginTop: 0 }}>{t('brand')}</h4>
      {brand ? <BandRibbon bands={brand} /> : null}
      <Form.Item name="brand" noStyle>
        <Edges />
      </Form.Item>
      <h4>{t('categories')}</h4>
      <Form.Item name="byCategory" noStyle>
        <Categories fresh={brand ?? settingDefaults.lifecycle_bands.brand} />
      </Form.Item>
    </>
  )
}

type ByCategory = Readonly<Record<string, Bands>>
/** `value` and `onChange` come from the form. */
type CategoriesProps = { fresh: Bands; value?: ByCategory; onChange?: (value: ByCategory) => void }

function Categories({ fresh, value = {}, onChange }: CategoriesProps) {
  const t = useWords(words)
  const [name, setName] = useState('')
  const remove = (category: string): void => {
    const { [category]: _, ...rest } = value
    onChange?.(rest)
  }
  const add = (): void => {
    onChange?.({ ...value, [name.trim()]: fresh })
    setName('')
  }
  return (
    <>
      {Object.entries(value).map(([category, bands]) => (
        <div key={category} style={{ borderTop: '1px solid rgba(128,128,128,.15)', padding: '8px 0' }}>
          <b>{category}</b>
          <Button
            type="text"
            size="small"
            icon={<DeleteOutlined />}
            aria-label={`${t('remove')} ${category}`}
            onClick={() => remove(category)}
          />
          <br />
          <Edges value={bands} onChange={(next) => onChange?.({ ...value, [category]: next })} />
        </div>
      ))}
      <Space.Compact style={{ marginTop: 8 }}>
        <Input
          value={name}
          placeholder={t('name')}
          aria-label={t('name')}
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
        />
        <Button icon={<PlusOutlined />} disabled={name.trim() === '' || name.trim() in value} onClick={add}>
          {t('add')}
        </Button>
      </Space.Compact>
    </>
  )
}

function Edges({ value, onChange }: { value?: Bands; onChange?: (value: Bands) => void }) {
  const t = useWords(words)
  const lang = useLang()
  if (!value) return null
  return (
    <Space wrap size={24} style={{ marginTop: 12 }}>
      {EDGES.map((edge) => {
        const label = edge === 'lost' ? t('lost') : t('from', { state: lifecycleName(STATES[edge], lang) })
        return (
          <div key={edge}>
            <div style={{ marginBottom: 8 }}>{label}</div>
            <InputNumber
              aria-label={label}
              min={1}
              max={36_500}
              style={{ width: 130 }}
              value={value[edge]}
              onChange={(days) => days !== null && onChange?.({ ...value, [edge]: days })}
            />
          </div>
        )
      })}
    </Space>
  )
}

function BandRibbon({ bands }: { bands: Bands }) {
  const t = useWords(words)
  const lang = useLang()
  const edges = [0, bands.silent, bands.nearSleep, bands.hibernating, bands.lost + 1]
  const states: LifecycleState[] = ['active', 'silent', 'near_sleep', 'hibernating', 'lost']
  return (
    <div style={{ display: 'flex', gap: 2, borderRadius: 8, overflow: 'hidden' }}>
      {states.map((state, index) => {
        const from = edges[index] ?? 0
        const to = edges[index + 1]
        const days = to === undefined ? t('more', { from }) : t('days', { from, to: to - 1 })
        return (
          <Tooltip key={state} title={`${lifecycleName(state, lang)} ${days}`}>
            <div
              style={{
                flexGrow: to === undefined ? 90 : Math.max(to - from, 30),
                flexBasis: 60,
                minWidth: 0,
                background: colourOf(state),
                color: inkOn(state),
                padding: '6px 10px',
                fontSize: 13,
                overflow: 'hidden',
                whiteSpace: 'nowrap',
                textOverflow: 'ellipsis',
              }}
            >
              {lifecycleName(state, lang)} · {days}
            </div>
          </Tooltip>
        )
      })}
    </div>
  )
}
