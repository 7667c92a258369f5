import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Checkbox, Form, Input, Modal, Select } from 'antd'
import { useNavigate } from 'react-router'
import type { JourneyTemplate } from '../../../../contract/journeys.ts'
import { api, faultOf } from '../../../client.ts'
import { whole } from '../../../ui/format.ts'
import { templateWords } from '../../../ui/journey-words.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { problemWords } from '../../../ui/problem-words.ts'

const words = {
  title: { zh: '新建：{name}', en: 'New: {name}' },
  name: { zh: '名称', en: 'Name' },
  segment: { zh: '哪些会员', en: 'Which members' },
  own: { zh: '沉默与濒临睡眠（自动建立人群）', en: 'Silent and near-sleep (a segment is made)' },
  onDemand: { zh: '按需人群，不能触发 SOP', en: 'on demand, triggers no SOP' },
  present: {
    zh: '现在已经在这个人群里的会员也进入（{n} 人）',
    en: 'Take in those who are in the segment now ({n} persons)',
  },
  presentNew: { zh: '现在已经沉睡的会员也进入', en: 'Take in those who sleep already' },
  note: {
    zh: '先存成草稿，上线前会告诉您会联系多少人。',
    en: 'It is saved as a draft; before it goes live you see how many it reaches.',
  },
  make: { zh: '建立草稿', en: 'Make a draft' },
}

/** A draft from a template: name, which members, and whether those who are there now enter too. */
export function NewJourney({
  template,
  segment,
  onClose,
}: {
  template: JourneyTemplate
  segment: string | null
  onClose: () => void
}) {
  const t = useWords(words)
  const say = useWords(problemWords)
  const lang = useLang()
  const { message } = App.useApp()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [form] = Form.useForm<{ name: string; segmentId?: number; enterPresent?: boolean }>()
  const segments = useQuery(api.audience.segments.queryOptions({ enabled: template === 'wake_sleeping' }))
  const chosen = Form.useWatch('segmentId', form)
  const create = useMutation(api.journeys.create.mutationOptions())
  const size = segments.data?.items.find((each) => (each.id as number) === chosen)?.persons
  async function make(): Promise<void> {
    const values = await form.validateFields()
    try {
      const made = await create.mutateAsync({
        template,
        name: values.name,
        enterPresent: values.enterPresent ?? false,
        texts: {},
        ...(values.segmentId ? { segmentId: values.segmentId as never } : {}),
      })
      await queries.invalidateQueries({ queryKey: api.journeys.key() })
      void navigate(`/journeys/${made.id}`)
    } catch (error) {
      void message.error(`${say(faultOf(error).code)}：${faultOf(error).message}`)
    }
  }
  return (
    <Modal
      open
      title={t('title', { name: templateWords[template].name[lang] })}
      okText={t('make')}
      confirmLoading={create.isPending}
      onOk={() => void make()}
      onCancel={onClose}
    >
      <p>{templateWords[template].says[lang]}</p>
      <Form
        form={form}
        layout="vertical"
        initialValues={{
          name: templateWords[template].name[lang],
          segmentId: segment ? Number(segment) : undefined,
          enterPresent: template === 'wake_sleeping',
        }}
      >
        <Form.Item name="name" label={t('name')} rules={[{ required: true, max: 60 }]}>
          <Input maxLength={60} />
        </Form.Item>
        {template === 'wake_sleeping' ? (
          <>
            <Form.Item name="segmentId" label={t('segment')}>
              <Select
                allowClear
                placeholder={t('own')}
                options={(segments.data?.items ?? []).map((each) => ({
                  value: each.id as number,
                  disabled: each.kind === 'on_demand',
                  label: `${each.name}（${each.kind === 'on_demand' ? t('onDemand') : whole(each.persons)}）`,
                }))}
              />
            </Form.Item>
            <Form.Item name="enterPresent" valuePropName="checked">
              <Checkbox>{size === undefined ? t('presentNew') : t('present', { n: whole(size) })}</Checkbox>
            </Form.Item>
          </>
        ) : null}
      </Form>
      <p style={{ opacity: 0.75 }}>{t('note')}</p>
    </Modal>
  )
}
