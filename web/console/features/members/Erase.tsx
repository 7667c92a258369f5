import { DeleteOutlined } from '@ant-design/icons'
import { Button, Checkbox, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import type { MemberCard } from '../../../../contract/members.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { useAct } from '../../parts/use-act.ts'
import { useMe } from '../../parts/use-brand.ts'

const words = {
  open: { zh: '按本人要求删除资料', en: 'Erase at the member’s request' },
  title: { zh: '删除这位会员的全部资料', en: 'Erase everything that is known of this member' },
  goes: {
    zh: '姓名、手机号等身份标识、标签、导购关系和备注会被永久删除，无法恢复；未完成的导购任务取消，退出所有 SOP，待发消息不再发送。',
    en: 'Name, numbers, tags, relations to guides and remarks go for good. Open tasks are cancelled, SOPs are left, waiting messages are dropped.',
  },
  stays: {
    zh: '订单只保留金额用于汇总，不再指向任何人。以后的导入再出现同一手机号或会员编号时会被拒收，直到解除。',
    en: 'Orders stay in totals and lead to nobody. Files that name the member again are refused until the erasure is lifted.',
  },
  reason: {
    zh: '原因（写入操作记录，请勿填写姓名或号码）',
    en: 'Reason (kept in the audit trail; no name or number, please)',
  },
  example: { zh: '例如：本人来电要求删除', en: 'For example: asked for by phone' },
  understood: { zh: '我明白此操作无法撤销', en: 'I understand that this cannot be undone' },
  go: { zh: '永久删除', en: 'Erase for good' },
  done: { zh: '资料已删除', en: 'Erased' },
}

type Given = { reason: string; understood: true }

/** For the owner: erases the member after a reason and a second confirmation, and leads back to the list. */
export function Erase({ card }: { card: MemberCard }) {
  const t = useWords(words)
  const me = useMe()
  const navigate = useNavigate()
  const { act, busy } = useAct()
  const [open, setOpen] = useState(false)
  const [form] = Form.useForm<Given>()
  const understood = Form.useWatch('understood', form)
  if (me?.roles.includes('owner') !== true) return null
  async function erase({ reason }: Given) {
    const erased = await act(() => client.members.erase({ id: card.id, reason, understood: true }), {
      done: t('done'),
      refresh: [api.members.search.key()],
    })
    if (erased) await navigate('/members')
  }
  return (
    <>
      <Button block danger icon={<DeleteOutlined />} onClick={() => setOpen(true)}>
        {t('open')}
      </Button>
      <Modal
        open={open}
        title={t('title')}
        okText={t('go')}
        okButtonProps={{ danger: true, disabled: understood !== true }}
        confirmLoading={busy}
        onOk={() => form.submit()}
        onCancel={() => setOpen(false)}
        destroyOnHidden
      >
        <p>{t('goes')}</p>
        <p>{t('stays')}</p>
        <Form form={form} layout="vertical" onFinish={erase} preserve={false}>
          <Form.Item name="reason" label={t('reason')} rules={[{ required: true, min: 2, max: 200 }]}>
            <Input.TextArea rows={2} maxLength={200} placeholder={t('example')} />
          </Form.Item>
          <Form.Item name="understood" valuePropName="checked" noStyle>
            <Checkbox>{t('understood')}</Checkbox>
          </Form.Item>
        </Form>
      </Modal>
    </>
  )
}
