import { Alert, Button, Card, Form, Space } from 'antd'
import { type ReactNode, useState } from 'react'
import { type SettingName, settingDefaults, settingSchemas } from '../../../../contract/settings.ts'
import { api, client } from '../../../client.ts'
import { minute } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { flatLines } from '../../parts/BeforeAfter.tsx'
import { fieldName } from '../../parts/field-words.ts'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { useMay, useZone } from '../../parts/use-brand.ts'
import { useHeld } from '../../parts/use-held.ts'
import { SettingHistory } from './SettingHistory.tsx'

export type ShownSetting = {
  name: SettingName
  value?: unknown
  version: number
  changedAt: string | null
  changedBy: string | null
}

const words = {
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存，对之后的决定生效', en: 'Saved; it holds for what is decided from now on' },
  reset: { zh: '恢复默认值', en: 'Back to the defaults' },
  undo: { zh: '放弃修改', en: 'Drop the changes' },
  history: { zh: '历史版本', en: 'Earlier versions' },
  isDefault: { zh: '默认值', en: 'default' },
  changed: { zh: '{by} 于 {at} 修改', en: 'changed by {by}, {at}' },
  program: { zh: '系统', en: 'the program' },
  order: { zh: '每一段的起点都要比前一段大', en: 'Each edge must lie after the one before' },
  wrong: { zh: '请检查填写的内容：{text}', en: 'Look at the values: {text}' },
}

/** One setting: its fields, who changed it last, earlier versions; a lost write shows both. */
export function SettingCard({
  item: fresh,
  title,
  says,
  children,
}: {
  item: ShownSetting
  title: string
  says: string
  children: ReactNode
}) {
  const t = useWords(words)
  const zone = useZone()
  const lang = useLang()
  const mayChange = useMay(['owner', 'operator', 'engineer'])
  const [form] = Form.useForm()
  const [touched, setTouched] = useState(false)
  const item = useHeld(fresh, touched)
  const [history, setHistory] = useState(false)
  const [wrong, setWrong] = useState<string>()
  const [theirs, setTheirs] = useState<Shared>()
  const { act, busy } = useAct()
  async function save(version = item.version): Promise<void> {
    const value = form.getFieldsValue(true) as Record<string, unknown>
    const checked = settingSchemas[item.name].safeParse(value)
    const fields =
      checked.error?.issues.map((issue) => fieldName(issue.path.join('.'), lang)).join('、') ?? ''
    const says = item.name === 'lifecycle_bands' ? t('order') : t('wrong', { text: fields })
    setWrong(checked.success ? undefined : says)
    if (!checked.success) return
    const done = await act(() => client.settings.change({ name: item.name, version, value }), {
      done: t('saved'),
      refresh: [api.settings.key()],
      onStale: setTheirs,
    })
    if (done) setTouched(false)
  }
  const by = item.changedBy ?? t('program')
  return (
    <Card
      title={title}
      extra={
        <Space>
          <small style={{ opacity: 0.75 }}>
            {item.changedAt ? t('changed', { by, at: minute(item.changedAt, zone) }) : t('isDefault')}
          </small>
          <Button type="text" size="small" onClick={() => setHistory(true)}>
            {t('history')}
          </Button>
        </Space>
      }
    >
      <p style={{ marginTop: 0, opacity: 0.75 }}>{says}</p>
      {wrong ? <Alert type="error" showIcon title={wrong} style={{ marginBottom: 12 }} /> : null}
      <Form
        key={item.version}
        form={form}
        layout="vertical"
        requiredMark={false}
        disabled={!mayChange}
        initialValues={item.value as object}
        onValuesChange={() => setTouched(true)}
        onFinish={() => void save()}
      >
        {children}
        {mayChange ? (
          <Space style={{ display: 'flex', marginTop: 16 }}>
            <Button type="primary" htmlType="submit" loading={busy} disabled={!touched}>
              {t('save')}
            </Button>
            {touched ? (
              <Button
                onClick={() => {
                  form.resetFields()
                  setTouched(false)
                }}
              >
                {t('undo')}
              </Button>
            ) : null}
            {item.version > 0 ? (
              <Button
                type="text"
                onClick={() => {
                  form.setFieldsValue(settingDefaults[item.name])
                  setTouched(true)
                }}
              >
                {t('reset')}
              </Button>
            ) : null}
          </Space>
        ) : null}
      </Form>
      {history ? <SettingHistory name={item.name} title={title} onClose={() => setHistory(false)} /> : null}
      <StaleAnswer
        theirs={theirs}
        compare={(now) =>
          flatLines(form.getFieldsValue(true), now['value'], true).map(({ field, before, after }) => ({
            label: fieldName(field, lang),
            yours: before,
            theirs: after,
          }))
        }
        forget={() => setTheirs(undefined)}
        onTake={() => setTouched(false)}
        onKeep={(version) => void save(version)}
      />
    </Card>
  )
}
