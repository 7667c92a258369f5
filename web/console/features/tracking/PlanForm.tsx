import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Checkbox, Form, Input, Modal, Select, Space } from 'antd'
import { useState } from 'react'
import { type PropertyType, propertyTypes, type SeenEvent } from '../../../../contract/intake.ts'
import { api, client } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { typeWords } from './tracking-words.ts'

const words = {
  add: { zh: '新增事件', en: 'New event' },
  change: { zh: '埋点方案：{name}', en: 'Plan of {name}' },
  name: { zh: '事件名', en: 'Name of the event' },
  description: { zh: '什么时候发生、谁负责', en: 'When it happens, and who looks after it' },
  properties: { zh: '属性', en: 'Properties' },
  property: { zh: '属性名', en: 'Property' },
  type: { zh: '类型', en: 'Type' },
  required: { zh: '必填', en: 'Required' },
  more: { zh: '增加属性', en: 'Another property' },
  remove: { zh: '去掉', en: 'Remove' },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '请填写', en: 'Needed' },
}

type Row = { property: string; type: PropertyType; required: boolean }
type Fields = { name: string; description: string; rows: Row[] }

/** Takes an event into the plan with the properties that came, or changes what the plan says. */
export function PlanForm({ event, onClose }: { event: SeenEvent | undefined; onClose: () => void }) {
  const t = useWords(words)
  const lang = useLang()
  const [form] = Form.useForm<Fields>()
  const { act, busy } = useAct()
  const [theirs, setTheirs] = useState<Shared>()
  async function save(
    { name, description, rows }: Fields,
    version = event?.planned?.version ?? 0,
  ): Promise<void> {
    const properties = Object.fromEntries(
      (rows ?? []).map(({ property, type, required }) => [
        property.trim(),
        { type, required: required === true, description: '' },
      ]),
    )
    const done = await act(
      () => client.intake.plan({ name, description: description ?? '', properties, version }),
      {
        done: t('saved'),
        refresh: [api.intake.key()],
        onStale: setTheirs,
      },
    )
    if (done) onClose()
  }
  return (
    <Modal
      open
      width={640}
      title={event ? t('change', { name: event.name }) : t('add')}
      okText={t('save')}
      okButtonProps={{ loading: busy }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: event?.name, description: event?.planned?.description, rows: rowsOf(event) }}
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input autoFocus maxLength={200} disabled={event !== undefined} />
        </Form.Item>
        <Form.Item name="description" label={t('description')}>
          <Input.TextArea rows={2} maxLength={1000} />
        </Form.Item>
        <Form.Item label={t('properties')}>
          <Form.List name="rows">
            {(fields, { add, remove }) => (
              <>
                {fields.map(({ key, name }) => (
                  <Space key={key} align="baseline" wrap>
                    <Form.Item
                      name={[name, 'property']}
                      rules={[{ required: true, whitespace: true, message: t('needed') }]}
                      style={{ marginBottom: 8 }}
                    >
                      <Input
                        aria-label={t('property')}
                        placeholder={t('property')}
                        maxLength={200}
                        style={{ width: 260 }}
                      />
                    </Form.Item>
                    <Form.Item name={[name, 'type']} style={{ marginBottom: 8 }}>
                      <Select
                        aria-label={t('type')}
                        style={{ width: 110 }}
                        options={propertyTypes.map((type) => ({ value: type, label: typeWords[type][lang] }))}
                      />
                    </Form.Item>
                    <Form.Item name={[name, 'required']} valuePropName="checked" style={{ marginBottom: 8 }}>
                      <Checkbox>{t('required')}</Checkbox>
                    </Form.Item>
                    <Button
                      type="text"
                      icon={<DeleteOutlined />}
                      aria-label={t('remove')}
                      onClick={() => remove(name)}
                    />
                  </Space>
                ))}
                <Button
                  type="dashed"
                  icon={<PlusOutlined />}
                  onClick={() => add({ property: '', type: 'text', required: false })}
                >
                  {t('more')}
                </Button>
              </>
            )}
          </Form.List>
        </Form.Item>
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={(now) => [
          {
            label: t('description'),
            yours: String(form.getFieldValue('description') ?? ''),
            theirs: String(now['description'] ?? ''),
          },
        ]}
        forget={() => setTheirs(undefined)}
        onTake={onClose}
        onKeep={(version) => void save(form.getFieldsValue(true), version)}
      />
    </Modal>
  )
}

/** What the plan says; for an event that it does not know yet, what came, by the type that came most often. */
function rowsOf(event: SeenEvent | undefined): Row[] {
  if (!event) return [{ property: '', type: 'text', required: false }]
  return event.properties
    .filter(({ planned }) => !event.planned || planned)
    .map(({ property, types, planned }) => ({
      property,
      type: planned?.type ?? [...types].sort((a, b) => b.count - a.count)[0]?.type ?? 'text',
      required: planned?.required ?? false,
    }))
}
