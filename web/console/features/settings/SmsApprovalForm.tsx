import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Form, Input, Modal, Space, Typography } from 'antd'
import { useState } from 'react'
import { type SmsApproval, type SmsText, smsVariables } from '../../../../contract/sms-texts.ts'
import { api, client } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { type Shared, useAct } from '../../parts/use-act.ts'

const words = {
  title: { zh: '这条短信的模板', en: 'The template of this SMS' },
  own: {
    zh: '服务商发出的是它模板里的文字，请确认与这条文案一致：',
    en: 'The provider sends the text of its own template. See that it says the same as:',
  },
  sign: { zh: '短信签名', en: 'Signature' },
  signSays: { zh: '不带【】', en: 'Without brackets' },
  template: { zh: '模板 CODE', en: 'Template code' },
  codeWrong: {
    zh: '只含字母、数字、- 和 _，例如 SMS_154950909',
    en: 'Letters, digits, - and _ only, SMS_154950909 for example',
  },
  params: { zh: '模板变量', en: 'Parameters of the template' },
  paramsSay: {
    zh: '模板里的每个变量各用什么来填；没有变量就不用添加。',
    en: 'What fills each of them. Add none where the template has none.',
  },
  param: { zh: '变量名', en: 'Parameter' },
  value: { zh: '填入', en: 'Filled with' },
  paramWrong: { zh: '只含字母、数字和 _', en: 'Letters, digits and _ only' },
  twice: { zh: '变量名重复', en: 'This parameter stands twice' },
  unknown: {
    zh: '只能用列表里的内容：{{ … }} 里的名字或写法不对',
    en: 'Only what the list offers: a name within {{ … }}, or how it is written, is wrong',
  },
  add: { zh: '添加变量', en: 'Add a parameter' },
  remove: { zh: '去掉变量', en: 'Take the parameter away' },
  needed: { zh: '请填写', en: 'Needed' },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
}
const variableWords = {
  'member.name': { zh: '会员姓名（没有姓名写“会员”）', en: 'Name of the member, or “会员”' },
  'store.name': { zh: '门店', en: 'Store' },
  'guide.name': { zh: '导购', en: 'Guide' },
  'order.items': { zh: '最近购买的商品', en: 'What was bought last' },
  'tried.sku': { zh: '试用过的商品', en: 'The item that was tried' },
  days: { zh: '距最近购买的天数', en: 'Days since the last purchase' },
  'brand.name': { zh: '品牌名称', en: 'Name of the brand' },
} as const satisfies Record<(typeof smsVariables)[number], { zh: string; en: string }>

type Given = { sign: string; template: string; params?: { name: string; value: string }[] }

/** Signature, code and parameters of the approved template; a lost write shows both sides. */
export function SmsApprovalForm({ text, onClose }: { text: SmsText; onClose: () => void }) {
  const t = useWords(words)
  const [form] = Form.useForm<Given>()
  const [theirs, setTheirs] = useState<Shared>()
  const { act, busy } = useAct()
  async function save(given: Given, version = text.version): Promise<void> {
    const approval = approvalOf(given)
    const saved = await act(() => client.reach.approveSmsText({ id: text.id, version, approval }), {
      done: t('saved'),
      refresh: [api.reach.key()],
      onStale: setTheirs,
      onFault: ({ data }) => {
        const [, name] = /^approval\.params\.(.+)$/.exec(data?.field ?? '') ?? []
        const place = (given.params ?? []).findIndex((param) => param.name === name)
        if (place < 0) return false
        form.setFields([{ name: ['params', place, 'value'], errors: [t('unknown')] }])
        return true
      },
    })
    if (saved) onClose()
  }
  return (
    <Modal
      open
      title={t('title')}
      okText={t('save')}
      okButtonProps={{ htmlType: 'submit', form: 'sms-approval', loading: busy }}
      onCancel={onClose}
    >
      <p>{t('own')}</p>
      <Typography.Paragraph translate="no">
        <blockquote>{text.body}</blockquote>
      </Typography.Paragraph>
      <Form
        id="sms-approval"
        form={form}
        layout="vertical"
        requiredMark={false}
        autoComplete="off"
        initialValues={{
          sign: text.approval?.sign ?? '',
          template: text.approval?.template ?? '',
          params: Object.entries(text.approval?.params ?? {}).map(([name, value]) => ({ name, value })),
        }}
        onFinish={(given) => void save(given)}
      >
        <Form.Item
          name="sign"
          label={t('sign')}
          extra={t('signSays')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input autoFocus maxLength={50} />
        </Form.Item>
        <Form.Item
          name="template"
          label={t('template')}
          rules={[
            { required: true, message: t('needed') },
            { pattern: /^\s*[\w-]{1,64}\s*$/, message: t('codeWrong') },
          ]}
        >
          <Input maxLength={64} placeholder="SMS_154950909" />
        </Form.Item>
        <Params />
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={(now) => differences(t, form.getFieldsValue(), now)}
        forget={() => setTheirs(undefined)}
        onTake={onClose}
        onKeep={(version) => void save(form.getFieldsValue(), version)}
      />
    </Modal>
  )
}

function Params() {
  const t = useWords(words)
  const lang = useLang()
  const options = smsVariables.map((variable) => ({
    value: variable === 'member.name' ? '{{ member.name | default: "会员" }}' : `{{ ${variable} }}`,
    label: variableWords[variable][lang],
  }))
  return (
    <>
      <div>{t('params')}</div>
      <Typography.Paragraph type="secondary">{t('paramsSay')}</Typography.Paragraph>
      <Form.List name="params">
        {(fields, { add, remove }) => (
          <>
            {fields.map(({ key, name }) => (
              <div key={key} style={{ display: 'flex', gap: 8, alignItems: 'flex-start' }}>
                <Form.Item
                  name={[name, 'name']}
                  style={{ flex: '0 1 130px', marginBottom: 12 }}
                  rules={[
                    { required: true, message: t('needed') },
                    { pattern: /^\w{1,40}$/, message: t('paramWrong') },
                    ({ getFieldValue }) => ({
                      validator: (_, value: string) =>
                        (getFieldValue('params') as Given['params'])?.filter((each) => each?.name === value)
                          .length === 1
                          ? Promise.resolve()
                          : Promise.reject(new Error(t('twice'))),
                    }),
                  ]}
                >
                  <Input placeholder={t('param')} aria-label={t('param')} maxLength={40} />
                </Form.Item>
                <Form.Item
                  name={[name, 'value']}
                  style={{ flex: '1 1 200px', marginBottom: 12 }}
                  rules={[{ required: true, whitespace: true, message: t('needed') }]}
                >
                  <AutoComplete
                    popupMatchSelectWidth={false}
                    options={options}
                    placeholder={t('value')}
                    aria-label={t('value')}
                    maxLength={200}
                  />
                </Form.Item>
                <Button
                  type="text"
                  aria-label={t('remove')}
                  icon={<DeleteOutlined />}
                  onClick={() => remove(name)}
                />
              </div>
            ))}
            <Space>
              <Button icon={<PlusOutlined />} disabled={fields.length >= 20} onClick={() => add({})}>
                {t('add')}
              </Button>
            </Space>
          </>
        )}
      </Form.List>
    </>
  )
}

function approvalOf({ sign, template, params = [] }: Given): SmsApproval {
  return {
    sign: sign.trim(),
    template: template.trim(),
    params: Object.fromEntries(params.map(({ name, value }) => [name, value.trim()])),
  }
}

function differences(t: (key: keyof typeof words) => string, given: Given, theirs: Shared) {
  const yours = approvalOf(given)
  const other = theirs['approval'] as SmsApproval | null
  const said = (params: SmsApproval['params'] = {}): string =>
    Object.entries(params)
      .map(([name, value]) => `${name} = ${value}`)
      .join('、')
  return [
    { label: t('sign'), yours: yours.sign, theirs: other?.sign ?? '' },
    { label: t('template'), yours: yours.template, theirs: other?.template ?? '' },
    { label: t('params'), yours: said(yours.params), theirs: said(other?.params) },
  ]
}
