import { useQuery } from '@tanstack/react-query'
import { Space, Tabs } from 'antd'
import { api } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMay } from '../../parts/use-brand.ts'
import { BandFields } from './BandFields.tsx'
import { BrandForm } from './BrandForm.tsx'
import { Channels } from './Channels.tsx'
import { DemoBrand } from './DemoBrand.tsx'
import { LiftErasure } from './LiftErasure.tsx'
import { CapFields, CostFields, FreshnessFields, HoldoutFields, QuietFields } from './rule-fields.tsx'
import { SettingCard, type ShownSetting } from './SettingCard.tsx'
import { SmsTexts } from './SmsTexts.tsx'

const words = {
  title: { zh: '规则与渠道', en: 'Rules and channels' },
  answer: {
    zh: '每人 {days} 天内最多 {n} 条营销消息，{from}–{to} 不打扰；{days1}/{days2}/{days3}/{days4} 天分别进入沉默、濒临睡眠、休眠、流失。',
    en: 'At most {n} marketing messages to a person in {days} days, none between {from} and {to}; silent, near-sleep, hibernating and lost begin after {days1}, {days2}, {days3} and {days4} days.',
  },
  channels: { zh: '渠道', en: 'Channels' },
  sms: { zh: '短信模板', en: 'SMS templates' },
  erasure: { zh: '资料删除', en: 'Erasure' },
  reach: { zh: '触达规则', en: 'Rules of reach' },
  lifecycle: { zh: '生命周期', en: 'Life cycle' },
  brand: { zh: '品牌', en: 'Brand' },
  bands: { zh: '生命周期分段', en: 'Bands of the life cycle' },
  bandsSays: {
    zh: '按距最近一次购买的天数。修改后所有会员重新计算，人群随之变化；由此产生的变化不会触发任何消息。',
    en: 'By days since the last purchase. A change evaluates everybody again and moves segments; it starts no message.',
  },
  caps: { zh: '频率上限', en: 'Caps' },
  capsSays: {
    zh: '跨所有导购和 SOP 合并计算。欢迎语、交易通知和回复只记录，不受限。',
    en: 'Counted over all guides and SOPs. Welcome, transactional messages and answers are recorded, not capped.',
  },
  quiet: { zh: '免打扰时段', en: 'Quiet hours' },
  quietSays: {
    zh: '按品牌所在时区；时段内的营销消息推迟到结束后再决定。',
    en: 'In the zone of the brand; marketing waits until they end and is then decided again.',
  },
  holdouts: { zh: '对照组', en: 'Holdouts' },
  holdoutsSays: {
    zh: '固定不发的一小部分人，用来证明 SOP 真的有用。设为 0 就再也量不出效果。',
    en: 'A small part that is never sent to, so that the effect can be measured. At 0 it cannot.',
  },
  fresh: { zh: '时效', en: 'Freshness' },
  freshSays: {
    zh: '比这更旧的事件只入账，不再触发消息。',
    en: 'Events older than this are recorded and start nothing.',
  },
  costs: { zh: '触达成本', en: 'Costs' },
  costsSays: {
    zh: '用于投入产出核算和发送前的费用预估。',
    en: 'For return on investment and for the price shown before anything is sent.',
  },
}

/** What holds for everybody: channels, caps, bands, costs, the brand itself. */
export function Settings() {
  const t = useWords(words)
  const address = useAddress()
  const owner = useMay(['owner'])
  const query = useQuery(api.settings.list.queryOptions())
  return (
    <Loaded query={query}>
      {({ items }) => (
        <>
          <Answer title={t('title')}>{t('answer', sentenceValues(items))}</Answer>
          <Tabs
            activeKey={address.get('tab') ?? 'channels'}
            onChange={(tab) => address.set({ tab: tab === 'channels' ? undefined : tab })}
            items={[
              { key: 'channels', label: t('channels'), children: <Channels /> },
              { key: 'sms', label: t('sms'), children: <SmsTexts /> },
              { key: 'reach', label: t('reach'), children: <ReachRules items={items} /> },
              {
                key: 'lifecycle',
                label: t('lifecycle'),
                children: (
                  <SettingCard
                    item={settingOf(items, 'lifecycle_bands')}
                    title={t('bands')}
                    says={t('bandsSays')}
                  >
                    <BandFields />
                  </SettingCard>
                ),
              },
              { key: 'brand', label: t('brand'), children: <Brand /> },
              ...(owner ? [{ key: 'erasure', label: t('erasure'), children: <LiftErasure /> }] : []),
            ]}
          />
        </>
      )}
    </Loaded>
  )
}

function Brand() {
  return (
    <>
      <BrandForm />
      <DemoBrand />
    </>
  )
}

function ReachRules({ items }: { items: readonly ShownSetting[] }) {
  const t = useWords(words)
  return (
    <Space orientation="vertical" size={12} style={{ width: '100%' }}>
      <SettingCard item={settingOf(items, 'caps')} title={t('caps')} says={t('capsSays')}>
        <CapFields />
      </SettingCard>
      <SettingCard item={settingOf(items, 'quiet_hours')} title={t('quiet')} says={t('quietSays')}>
        <QuietFields />
      </SettingCard>
      <SettingCard item={settingOf(items, 'holdouts')} title={t('holdouts')} says={t('holdoutsSays')}>
        <HoldoutFields />
      </SettingCard>
      <SettingCard item={settingOf(items, 'freshness')} title={t('fresh')} says={t('freshSays')}>
        <FreshnessFields />
      </SettingCard>
      <SettingCard item={settingOf(items, 'touch_costs')} title={t('costs')} says={t('costsSays')}>
        <CostFields />
      </SettingCard>
    </Space>
  )
}

function settingOf(items: readonly ShownSetting[], name: ShownSetting['name']): ShownSetting {
  return (
    items.find((item) => item.name === name) ?? {
      name,
      value: {},
      version: 0,
      changedAt: null,
      changedBy: null,
    }
  )
}

function sentenceValues(items: readonly ShownSetting[]): Record<string, string | number> {
  const caps = settingOf(items, 'caps').value as { marketingTouches: number; withinDays: number }
  const quiet = settingOf(items, 'quiet_hours').value as { from: string; to: string }
  const { brand } = settingOf(items, 'lifecycle_bands').value as { brand: Record<string, number> }
  return {
    n: caps.marketingTouches,
    days: caps.withinDays,
    from: quiet.from,
    to: quiet.to,
    days1: brand['silent'] ?? 0,
    days2: brand['nearSleep'] ?? 0,
    days3: brand['hibernating'] ?? 0,
    days4: brand['lost'] ?? 0,
  }
}
