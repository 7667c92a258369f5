import { Checkbox, Form, Input, Modal, Select, Switch } from 'antd'
import { useState } from 'react'
import { type EventSource, userIdKinds } from '../../../../contract/intake.ts'
import { api, client } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { userIdWords } from './tracking-words.ts'

const words = {
  add: { zh: '新建事件来源', en: 'New source of events' },
  change: { zh: '修改 {name}', en: 'Change {name}' },
  name: { zh: '名称', en: 'Name' },
  nameSays: { zh: '例如：官网、小程序、订单后端', en: 'For instance: web shop, mini-program, order server' },
  code: { zh: '代号', en: 'Code' },
  codeSays: {
    zh: '小写字母开头，字母、数字和短横线；以后不能改。',
    en: 'Small letters, digits and dashes, a letter first; it cannot be changed later.',
  },
  users: { zh: '用户 ID 是什么', en: 'What its user ids are' },
  usersSays: {
    zh: 'SDK 的 userId / login_id 填的是哪一种标识，决定行为归到哪位会员。',
    en: 'Which identifier the SDK sends as userId or login_id: it decides whose the events are.',
  },
  scope: { zh: '所属应用或系统（可不填）', en: 'App or system (optional)' },
  scopeSays: {
    zh: '会员编号：导入或推送会员时的来源名，不填即文件导入（file）；openid：应用 ID。',
    en: 'For member numbers the source that members were imported or sent under, “file” if empty; for openids the app id.',
  },
  origins: { zh: '允许的网站（可不填）', en: 'Sites that may send (optional)' },
  originsSays: {
    zh: '例如 https://shop.example.com，回车添加；不填则任何网站都可以。',
    en: 'For instance https://shop.example.com, Enter adds it; none: any site.',
  },
  open: { zh: '接收事件', en: 'Takes events' },
  newKey: {
    zh: '换一个新的写入密钥（旧的立即失效）',
    en: 'Give it a new write key (the old one ends at once)',
  },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '请填写', en: 'Needed' },
}

type Fields = {
  code: string
  name: string
  origins: string[]
  userIdKind: EventSource['userIdKind']
  userIdScope: string
  open: boolean
  newKey: boolean
}

/** Makes or changes a source of events. */
export function SourceForm({ source, onClose }: { source: EventSource | undefined; onClose: () => void }) {
  const t = useWords(words)
  const lang = useLang()
  const [form] = Form.useForm<Fields>()
  const { act, busy } = useAct()
  const [theirs, setTheirs] = useState<Shared>()
  async function save(
    { code, open, newKey, ...fields }: Fields,
    version = source?.version ?? 0,
  ): Promise<void> {
    const done = await act(
      () =>
        source
          ? client.intake.changeSource({
              ...fields,
              id: source.id,
              version,
              newKey,
              state: open ? 'open' : 'closed',
            })
          : client.intake.createSource({ ...fields, code }),
      { done: t('saved'), refresh: [api.intake.key()], onStale: setTheirs },
    )
    if (done) onClose()
  }
  const say = (value: unknown): string => (Array.isArray(value) ? value.join('、') : String(value ?? ''))
  return (
    <Modal
      open
      width={560}
      title={source ? t('change', { name: source.name }) : t('add')}
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
          source
            ? { ...source, open: source.state === 'open', newKey: false }
            : { userIdKind: 'member_no', userIdScope: '', origins: [], open: true, newKey: false }
        }
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item
          name="name"
          label={t('name')}
          extra={t('nameSays')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input autoFocus maxLength={100} />
        </Form.Item>
        <Form.Item
          name="code"
          label={t('code')}
          extra={source ? undefined : t('codeSays')}
          rules={[{ required: true, pattern: /^[a-z][a-z0-9-]{1,39}$/, message: t('codeSays') }]}
        >
          <Input maxLength={40} disabled={source !== undefined} placeholder="web" />
        </Form.Item>
        <Form.Item name="userIdKind" label={t('users')} extra={t('usersSays')}>
          <Select options={userIdKinds.map((kind) => ({ value: kind, label: userIdWords[kind][lang] }))} />
        </Form.Item>
        <Form.Item name="userIdScope" label={t('scope')} extra={t('scopeSays')}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="origins" label={t('origins')} extra={t('originsSays')}>
          <Select mode="tags" tokenSeparators={[',', ' ', '，']} open={false} suffixIcon={null} />
        </Form.Item>
        {source ? (
          <>
            <Form.Item name="open" label={t('open')} valuePropName="checked">
              <Switch />
            </Form.Item>
            <Form.Item name="newKey" valuePropName="checked">
              <Checkbox>{t('newKey')}</Checkbox>
            </Form.Item>
          </>
        ) : null}
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={(now) =>
          (['name', 'origins'] as const).map((key) => ({
            label: t(key),
            yours: say(form.getFieldValue(key)),
            theirs: say(now[key]),
          }))
        }
        forget={() => setTheirs(undefined)}
        onTake={onClose}
        onKeep={(version) => void save(form.getFieldsValue(true), version)}
      />
    </Modal>
  )
}
