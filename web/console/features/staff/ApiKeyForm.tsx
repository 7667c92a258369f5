import { Checkbox, DatePicker, Form, Input, InputNumber, Modal } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { type Scope, scopes } from '../../../../contract/base.ts'
import { api, client } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import type { VersionedKey } from './shown.ts'
import { scopeWords } from './staff-words.ts'

const words = {
  add: { zh: '新建 API 密钥', en: 'New API key' },
  change: { zh: '修改 {name}', en: 'Change {name}' },
  name: { zh: '名称（给哪个程序用）', en: 'Name (which program uses it)' },
  scopes: { zh: '范围（只勾需要的）', en: 'Scopes (only what is needed)' },
  limit: { zh: '每分钟最多请求', en: 'Requests a minute at most' },
  until: { zh: '有效至（可不填）', en: 'Valid until (optional)' },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '请填写', en: 'Needed' },
}

type Fields = { name: string; scopes: Scope[]; perMinute: number; expiresAt?: Dayjs | null }
type Props = { apiKey: VersionedKey | undefined; onClose: () => void; onCreated: (secret: string) => void }

/** Makes or changes a key. */
export function ApiKeyForm({ apiKey, onClose, onCreated }: Props) {
  const t = useWords(words)
  const lang = useLang()
  const [form] = Form.useForm<Fields>()
  const { act, busy } = useAct()
  const [theirs, setTheirs] = useState<Shared>()
  const refresh = [api.apiKeys.key()]
  async function save({ expiresAt, ...fields }: Fields, version = apiKey?.version ?? 0): Promise<void> {
    if (apiKey) {
      const { name, scopes: chosen, perMinute } = fields
      const done = await act(
        () => client.apiKeys.change({ id: apiKey.id, version, name, scopes: chosen, perMinute }),
        { done: t('saved'), refresh, onStale: setTheirs },
      )
      if (done) onClose()
      return
    }
    const made = await act(
      () => client.apiKeys.create({ ...fields, expiresAt: expiresAt?.endOf('day').toISOString() ?? null }),
      { refresh },
    )
    if (!made) return
    onClose()
    onCreated(made.secret)
  }
  const say = (value: unknown): string => (Array.isArray(value) ? value.join('、') : String(value ?? ''))
  return (
    <Modal
      open
      width={640}
      title={apiKey ? t('change', { name: apiKey.name }) : t('add')}
      okText={t('save')}
      okButtonProps={{ loading: busy }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={
          apiKey
            ? { name: apiKey.name, scopes: apiKey.scopes, perMinute: apiKey.perMinute }
            : { perMinute: 600 }
        }
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input autoFocus maxLength={100} />
        </Form.Item>
        <Form.Item name="scopes" label={t('scopes')} rules={[{ required: true, message: t('needed') }]}>
          <Checkbox.Group style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 6 }}>
            {scopes.map((scope: Scope) => (
              <Checkbox key={scope} value={scope}>
                {scopeWords[scope][lang]} <small style={{ opacity: 0.75 }}>{scope}</small>
              </Checkbox>
            ))}
          </Checkbox.Group>
        </Form.Item>
        <Form.Item name="perMinute" label={t('limit')} rules={[{ required: true, message: t('needed') }]}>
          <InputNumber min={1} max={1_000_000} style={{ width: 160 }} />
        </Form.Item>
        {apiKey ? null : (
          <Form.Item name="expiresAt" label={t('until')}>
            <DatePicker />
          </Form.Item>
        )}
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={(now) =>
          (['name', 'scopes', 'perMinute'] as const).map((key) => ({
            label: t(key === 'perMinute' ? 'limit' : key),
            yours: say(form.getFieldValue(key)),
            theirs: say(now[key]),
          }))
        }
        forget={() => setTheirs(undefined)}
        onTake={onClose}
        onKeep={(version) => void save(form.getFieldsValue(), version)}
      />
    </Modal>
  )
}
