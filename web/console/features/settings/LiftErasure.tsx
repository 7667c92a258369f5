import { Button, Card, Form, Input, Popconfirm, Select } from 'antd'
import { useState } from 'react'
import { client } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { identifierName } from '../../parts/identifier-words.ts'
import { useAct } from '../../parts/use-act.ts'

const words = {
  title: { zh: '解除资料删除', en: 'Lift an erasure' },
  says: {
    zh: '按本人要求删除过资料的会员，以后的导入和入会会被拒收。本人愿意重新成为会员时，在这里用当时的手机号或卡号解除；已删除的资料不会恢复。',
    en: 'Whoever was erased at their own request is refused from then on. Where they want to be a member again, it is lifted here by the phone number or card they had then. Nothing that was erased comes back.',
  },
  kind: { zh: '凭什么认出', en: 'Known by' },
  value: { zh: '号码', en: 'Number' },
  scope: { zh: '号码属于哪个系统', en: 'System that the numbers belong to' },
  scopeSays: {
    zh: '与导入时填的一致，没有改过就是 file',
    en: 'As it was said at the import; file where nobody changed it',
  },
  reason: {
    zh: '原因（写入操作记录，请勿填写姓名或号码）',
    en: 'Reason (kept in the audit trail; no name or number, please)',
  },
  example: { zh: '例如：本人到店重新入会', en: 'For example: joined again in the store' },
  needed: { zh: '请填写', en: 'Needed' },
  short: { zh: '至少 2 个字', en: 'At least 2 letters' },
  lift: { zh: '解除', en: 'Lift it' },
  asks: {
    zh: '以后再出现这个人的手机号或卡号时不再拒收。',
    en: 'What names this person is not refused any more.',
  },
  lifted: { zh: '已解除，可以重新入会', en: 'Lifted: they can be a member again' },
  nobody: {
    zh: '没有人用这个号码被删除过，请核对号码',
    en: 'Nobody with this number was erased: check it',
  },
  wrong: { zh: '这不是一个有效的号码', en: 'This is no such number' },
}
const KINDS = ['phone', 'card', 'email', 'external_userid', 'unionid', 'mp_openid', 'oa_openid'] as const

type Given = { kind: (typeof KINDS)[number]; value: string; scope?: string; reason: string }

/** For the owner: lets somebody who was erased come back, by a number they had then. */
export function LiftErasure() {
  const t = useWords(words)
  const lang = useLang()
  const [form] = Form.useForm<Given>()
  const kind = Form.useWatch('kind', form)
  const [asking, setAsking] = useState(false)
  const { act, busy } = useAct()
  async function lift({ scope = '', ...given }: Given): Promise<void> {
    setAsking(false)
    const done = await act(() => client.members.liftErasure({ ...given, scope: scope.trim() }), {
      done: t('lifted'),
      onFault: ({ code }) => {
        if (code !== 'not_found' && code !== 'bad_input') return false
        form.setFields([{ name: 'value', errors: [t(code === 'not_found' ? 'nobody' : 'wrong')] }])
        return true
      },
    })
    if (done) form.resetFields()
  }
  return (
    <Card title={t('title')} style={{ maxWidth: 640 }}>
      <p style={{ marginTop: 0, opacity: 0.75 }}>{t('says')}</p>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        autoComplete="off"
        initialValues={{ kind: 'phone', scope: 'file' }}
        onFinish={(given) => void lift(given)}
      >
        <Form.Item name="kind" label={t('kind')}>
          <Select options={KINDS.map((each) => ({ value: each, label: identifierName(each, lang) }))} />
        </Form.Item>
        <Form.Item
          name="value"
          label={t('value')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input maxLength={200} />
        </Form.Item>
        {kind === 'card' ? (
          <Form.Item name="scope" label={t('scope')} extra={t('scopeSays')}>
            <Input maxLength={100} />
          </Form.Item>
        ) : null}
        <Form.Item
          name="reason"
          label={t('reason')}
          rules={[
            { required: true, whitespace: true, message: t('needed') },
            { min: 2, message: t('short') },
          ]}
        >
          <Input.TextArea rows={2} maxLength={200} placeholder={t('example')} />
        </Form.Item>
        <Popconfirm
          open={asking}
          onOpenChange={(open) => {
            if (!open) setAsking(false)
          }}
          title={t('title')}
          description={<div style={{ maxWidth: 320 }}>{t('asks')}</div>}
          onConfirm={() => form.submit()}
          onCancel={() => setAsking(false)}
        >
          <Button
            type="primary"
            loading={busy}
            onClick={() =>
              void form.validateFields().then(
                () => setAsking(true),
                () => undefined,
              )
            }
          >
            {t('lift')}
          </Button>
        </Popconfirm>
      </Form>
    </Card>
  )
}
