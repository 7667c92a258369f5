import { Alert, Form, Input, Modal, Segmented, Switch } from 'antd'
import { useState } from 'react'
import type { TagGroup } from '../../../../contract/audience.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { StaleDialog } from '../../parts/StaleDialog.tsx'
import { isWord, tagWords } from '../../parts/tag-words.ts'
import { type Shared, useAct } from '../../parts/use-act.ts'

const words = {
  ...tagWords,
  add: { zh: '新建标签组', en: 'New group' },
  change: { zh: '修改 {name}', en: 'Change {name}' },
  name: { zh: '名称', en: 'Name' },
  level: { zh: '级别（之后不能改）', en: 'Level (cannot be changed later)' },
  sSays: {
    zh: 'S 级：每个会员在这一组里有且只有一个值，没有的算“未知”。群发按 S 级标签圈人不会重复打扰。',
    en: 'Level S: every member has exactly one value of this group, unknown at first. Broadcasts by level S touch nobody twice.',
  },
  businessSays: {
    zh: '业务标签：一个会员可以有多个，用来在 S 级之内进一步细分。',
    en: 'Business: a member may have several; they refine level S.',
  },
  scope: { zh: '范围', en: 'Scope' },
  open: { zh: '允许门店在这一组里加自己的标签', en: 'Stores may add tags of their own here' },
  yes: { zh: '是', en: 'yes' },
  no: { zh: '否', en: 'no' },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '请填写', en: 'Needed' },
}
type Fields = Pick<TagGroup, 'name' | 'level' | 'scope' | 'openToStores'>

/** Makes or changes a group. */
export function GroupForm({ group, onClose }: { group: TagGroup | undefined; onClose: () => void }) {
  const t = useWords(words)
  const [form] = Form.useForm<Fields>()
  const level = Form.useWatch('level', form) ?? group?.level ?? 'business'
  const [theirs, setTheirs] = useState<Shared>()
  const { act, busy } = useAct()
  const said = (value: unknown): string => {
    if (typeof value === 'boolean') return t(value ? 'yes' : 'no')
    return isWord(value) ? t(value) : String(value ?? '')
  }
  async function save(fields: Fields, version = group?.version ?? 0): Promise<void> {
    const work = () =>
      group
        ? client.audience.changeTagGroup({ ...fields, id: group.id, version })
        : client.audience.createTagGroup(fields)
    if (await act(work, { done: t('saved'), refresh: [api.audience.key()], onStale: setTheirs })) onClose()
  }
  return (
    <Modal
      open
      title={group ? t('change', { name: group.name }) : t('add')}
      okText={t('save')}
      okButtonProps={{ loading: busy }}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={group ?? { level: 'business', scope: 'brand', openToStores: false }}
        onFinish={(fields) => void save(fields)}
      >
        <Form.Item
          name="name"
          label={t('name')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input autoFocus maxLength={40} />
        </Form.Item>
        <Form.Item name="level" label={t('level')}>
          <Segmented
            disabled={group !== undefined}
            options={(['business', 'S'] as const).map((each) => ({ value: each, label: t(each) }))}
          />
        </Form.Item>
        <Alert type="info" style={{ marginBottom: 16 }} title={t(level === 'S' ? 'sSays' : 'businessSays')} />
        <Form.Item name="scope" label={t('scope')}>
          <Segmented
            options={(['brand', 'custom'] as const).map((each) => ({ value: each, label: t(each) }))}
          />
        </Form.Item>
        <Form.Item name="openToStores" label={t('open')} valuePropName="checked">
          <Switch />
        </Form.Item>
      </Form>
      <StaleDialog
        rows={
          theirs
            ? (['name', 'scope', 'openToStores'] as const).map((key) => ({
                label: t(key === 'openToStores' ? 'open' : key),
                yours: said(form.getFieldValue(key)),
                theirs: said(theirs[key]),
              }))
            : undefined
        }
        onTake={onClose}
        onKeep={() => {
          const version = Number(theirs?.['version'])
          setTheirs(undefined)
          void save(form.getFieldsValue(), version)
        }}
        onClose={() => setTheirs(undefined)}
      />
    </Modal>
  )
}
