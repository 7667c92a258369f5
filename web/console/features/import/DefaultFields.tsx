import { Select, Space, Typography } from 'antd'
import type { ImportDefaults } from '../../../../contract/import.ts'
import { type ImportKind, memberSources } from '../../../../contract/import-fields.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { sourceName } from '../../../ui/source-words.ts'
import { useStores } from '../../parts/use-stores.ts'

const words = {
  title: { zh: '文件里没写的，一律按这里填（可不选）', en: 'Where the file says nothing (optional)' },
  source: { zh: '会员来源', en: 'Member source' },
  side: { zh: '线上/线下', en: 'Online or offline' },
  online: { zh: '线上', en: 'Online' },
  offline: { zh: '线下', en: 'Offline' },
  registration: { zh: '注册情况', en: 'Registration' },
  registered: { zh: '注册会员', en: 'Registered' },
  registered_before: { zh: '曾经注册过', en: 'Registered before' },
  bought_unregistered: { zh: '买过未注册', en: 'Bought, not registered' },
  store: { zh: '门店', en: 'Store' },
  channel: { zh: '销售渠道', en: 'Sales channel' },
}
const CHANNELS = ['门店', '小程序', '天猫', '京东', '抖音', '官网']

type Props = { kind: ImportKind; value: ImportDefaults; onChange: (value: ImportDefaults) => void }

/** What holds for every row that does not say otherwise. */
export function DefaultFields({ kind, value, onChange }: Props) {
  const t = useWords(words)
  const lang = useLang()
  const stores = useStores()
  const put = (key: keyof ImportDefaults) => (chosen: string | null | undefined) => {
    const { [key]: _, ...rest } = value
    onChange(chosen ? { ...rest, [key]: chosen } : rest)
  }
  const sides = (['online', 'offline'] as const).map((side) => [side, t(side)] as const)
  const classes = (['registered', 'registered_before', 'bought_unregistered'] as const).map(
    (each) => [each, t(each)] as const,
  )
  return (
    <>
      <Typography.Text type="secondary">{t('title')}</Typography.Text>
      <Space wrap style={{ display: 'flex', marginTop: 8 }}>
        <One
          label={t('source')}
          value={value.source}
          onChange={put('source')}
          options={memberSources.map((each) => [each, sourceName(each, lang)])}
        />
        <One label={t('side')} value={value.side} onChange={put('side')} options={sides} />
        {kind === 'orders' ? (
          <One
            label={t('channel')}
            value={value.channel}
            onChange={put('channel')}
            options={CHANNELS.map((channel) => [channel, channel])}
          />
        ) : (
          <One
            label={t('registration')}
            value={value.registration}
            onChange={put('registration')}
            options={classes}
          />
        )}
        <One
          label={t('store')}
          value={value.storeCode}
          onChange={put('storeCode')}
          options={stores.map((store) => [store.code, store.name])}
        />
      </Space>
    </>
  )
}

type OneProps = {
  label: string
  value: string | undefined
  onChange: (value: string | null | undefined) => void
  options: readonly (readonly [string, string])[]
}

function One({ label, value, onChange, options }: OneProps) {
  return (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      aria-label={label}
      placeholder={label}
      style={{ width: 190 }}
      value={value ?? null}
      onChange={onChange}
      options={options.map(([key, name]) => ({ value: key, label: name }))}
    />
  )
}
