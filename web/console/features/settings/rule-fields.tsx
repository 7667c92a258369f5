import { Alert, Form, InputNumber, Space, TimePicker } from 'antd'
import dayjs, { type Dayjs } from 'dayjs'
import { useWords } from '../../../ui/language.ts'
import { useMoney } from '../../parts/use-brand.ts'

const words = {
  touches: { zh: '每人最多营销消息', en: 'Marketing messages per person' },
  within: { zh: '在多少天内（滚动）', en: 'In rolling days' },
  moments: { zh: '每位员工每天朋友圈', en: 'Moments per member of staff a day' },
  slot: { zh: '多久决定一次（分钟）', en: 'Decided every … minutes' },
  from: { zh: '开始', en: 'From' },
  to: { zh: '结束', en: 'To' },
  base: { zh: '全体对照组（%）', en: 'Of the base (%)' },
  journey: { zh: '每个 SOP 对照组（%）', en: 'Of each SOP (%)' },
  none: {
    zh: '没有对照组：之后无法证明 SOP 带来了多少',
    en: 'Without a holdout nobody can tell later what an SOP brought',
  },
  event: { zh: '营销与跟进（小时）', en: 'Marketing and follow-up (hours)' },
  transactional: { zh: '交易通知（小时）', en: 'Transactional (hours)' },
  wecom: { zh: '企微消息（每条）', en: 'One WeCom message' },
  sms: { zh: '短信（每条）', en: 'One SMS' },
  task: { zh: '导购任务（每个）', en: 'One guide task' },
}

export function CapFields() {
  const t = useWords(words)
  return (
    <Space wrap size={24}>
      <Count name="marketingTouches" label={t('touches')} min={0} max={100} />
      <Count name="withinDays" label={t('within')} min={1} max={40} />
      <Count name="momentsPerStaffAndDay" label={t('moments')} min={0} max={100} />
      <Count name="slotMinutes" label={t('slot')} min={1} max={1440} />
    </Space>
  )
}

export function QuietFields() {
  const t = useWords(words)
  return (
    <Space wrap size={24}>
      {(['from', 'to'] as const).map((name) => (
        <Form.Item
          key={name}
          name={name}
          label={t(name)}
          rules={[{ required: true }]}
          style={{ marginBottom: 0 }}
          getValueProps={(time: string | undefined) => ({ value: time ? dayjs(`2000-01-01T${time}`) : null })}
          normalize={(time: Dayjs | null) => time?.format('HH:mm')}
        >
          <TimePicker
            format="HH:mm"
            minuteStep={5}
            allowClear={false}
            needConfirm={false}
            style={{ width: 130 }}
          />
        </Form.Item>
      ))}
    </Space>
  )
}

export function HoldoutFields() {
  const t = useWords(words)
  const base = Form.useWatch('basePercent') as number | undefined
  const journey = Form.useWatch('journeyPercent') as number | undefined
  return (
    <>
      <Space wrap size={24}>
        <Count name="basePercent" label={t('base')} min={0} max={100} />
        <Count name="journeyPercent" label={t('journey')} min={0} max={100} />
      </Space>
      {base === 0 || journey === 0 ? (
        <Alert type="warning" showIcon title={t('none')} style={{ marginTop: 12 }} />
      ) : null}
    </>
  )
}

export function FreshnessFields() {
  const t = useWords(words)
  return (
    <Space wrap size={24}>
      <Count name="eventHours" label={t('event')} min={1} max={720} />
      <Count name="transactionalHours" label={t('transactional')} min={1} max={720} />
    </Space>
  )
}

export function CostFields() {
  const t = useWords(words)
  return (
    <Space wrap size={24}>
      <Money name="wecomCents" label={t('wecom')} />
      <Money name="smsCents" label={t('sms')} />
      <Money name="guideTaskCents" label={t('task')} />
    </Space>
  )
}

function Count({ name, label, min, max }: { name: string; label: string; min: number; max: number }) {
  return (
    <Form.Item name={name} label={label} rules={[{ required: true }]} style={{ marginBottom: 0 }}>
      <InputNumber min={min} max={max} style={{ width: 130 }} />
    </Form.Item>
  )
}

/** Shown with two decimals, kept in cents. */
function Money({ name, label }: { name: string; label: string }) {
  const { symbol } = useMoney()
  return (
    <Form.Item
      name={name}
      label={label}
      rules={[{ required: true }]}
      style={{ marginBottom: 0 }}
      getValueProps={(cents: number | undefined) => ({ value: cents === undefined ? null : cents / 100 })}
      normalize={(amount: number | null) => (amount === null ? undefined : Math.round(amount * 100))}
    >
      <InputNumber min={0} step={0.01} precision={2} prefix={symbol} style={{ width: 140 }} />
    </Form.Item>
  )
}
