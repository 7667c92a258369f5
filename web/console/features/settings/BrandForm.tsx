import { useQuery } from '@tanstack/react-query'
import { Button, Card, Form, Input, Select } from 'antd'
import { useState } from 'react'
import type { Brand } from '../../../../contract/places.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { useMay } from '../../parts/use-brand.ts'
import { useHeld } from '../../parts/use-held.ts'

const words = {
  title: { zh: '品牌', en: 'Brand' },
  says: {
    zh: '时区决定“今天”、免打扰时段和生命周期天数从哪一刻算起。',
    en: 'The zone decides when a day begins: for today, quiet hours and the days of the life cycle.',
  },
  name: { zh: '品牌名称', en: 'Name' },
  zone: { zh: '时区', en: 'Time zone' },
  currency: { zh: '货币', en: 'Currency' },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '请填写', en: 'Needed' },
  owner: { zh: '只有所有者可以修改。', en: 'Only an owner can change this.' },
}
const CURRENCIES = ['CNY', 'HKD', 'TWD', 'USD', 'EUR', 'GBP', 'JPY', 'SGD']
type Versioned = Brand & { version: number }
type Fields = Pick<Brand, 'name' | 'zone' | 'currency'>

/** Name, zone and currency of the brand. */
export function BrandForm() {
  const query = useQuery(api.brand.get.queryOptions())
  return <Loaded query={query}>{(brand) => <Fields fresh={brand} />}</Loaded>
}

function Fields({ fresh }: { fresh: Versioned }) {
  const t = useWords(words)
  const mayChange = useMay(['owner'])
  const [form] = Form.useForm<Fields>()
  const [touched, setTouched] = useState(false)
  const brand = useHeld(fresh, touched)
  const [theirs, setTheirs] = useState<Shared>()
  const { act, busy } = useAct()
  async function save(fields: Fields, version = brand.version): Promise<void> {
    const work = () => client.brand.change({ ...fields, version })
    const done = await act(work, { done: t('saved'), refresh: [api.brand.key()], onStale: setTheirs })
    if (done) setTouched(false)
  }
  return (
    <Card title={t('title')} style={{ maxWidth: 640 }}>
      <p style={{ marginTop: 0, opacity: 0.75 }}>{mayChange ? t('says') : `${t('says')} ${t('owner')}`}</p>
      <Form
        key={brand.version}
        form={form}
        layout="vertical"
        requiredMark={false}
        disabled={!mayChange}
        initialValues={brand}
        onValuesChange={() => setTouched(true)}
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="zone" label={t('zone')} rules={[{ required: true }]}>
          <Select
            showSearch
            options={Intl.supportedValuesOf('timeZone').map((zone) => ({ value: zone, label: zone }))}
          />
        </Form.Item>
        <Form.Item name="currency" label={t('currency')} rules={[{ required: true }]}>
          <Select options={CURRENCIES.map((currency) => ({ value: currency, label: currency }))} />
        </Form.Item>
        {mayChange ? (
          <Button type="primary" htmlType="submit" loading={busy}>
            {t('save')}
          </Button>
        ) : null}
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={(now) =>
          (['name', 'zone', 'currency'] as const).map((key) => ({
            label: t(key),
            yours: String(form.getFieldValue(key)),
            theirs: String(now[key] ?? ''),
          }))
        }
        forget={() => setTheirs(undefined)}
        onTake={() => setTouched(false)}
        onKeep={(version) => void save(form.getFieldsValue(), version)}
      />
    </Card>
  )
}
