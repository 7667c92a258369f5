import { useQuery } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, Segmented, Select, Tooltip } from 'antd'
import { useState } from 'react'
import type { Tag } from '../../../../contract/audience.ts'
import type { Rule } from '../../../../contract/rule.ts'
import { api, client } from '../../../client.ts'
import { useWords } from '../../../ui/language.ts'
import { RuleEditor } from '../../parts/rule/RuleEditor.tsx'
import { StaleAnswer } from '../../parts/StaleDialog.tsx'
import { isWord, pairs, pairWords, tagWords } from '../../parts/tag-words.ts'
import { type Shared, useAct } from '../../parts/use-act.ts'
import { useAddress } from '../../parts/use-address.ts'

const words = {
  ...tagWords,
  ...pairWords,
  add: { zh: '新建标签', en: 'New tag' },
  change: { zh: '修改 {name}', en: 'Change {name}' },
  name: { zh: '名称', en: 'Name' },
  group: { zh: '标签组（之后不能改）', en: 'Group (cannot be changed later)' },
  parent: { zh: '上级标签（可不选）', en: 'Below (optional)' },
  producer: { zh: '谁来打', en: 'Set by' },
  origin: { zh: '从哪来', en: 'Comes from' },
  use: { zh: '用途：什么场景下用', en: 'Use: in which situation' },
  useHint: {
    zh: '例如：换季上新时，只通知穿 M 码的会员',
    en: 'e.g. tell only members of size M about the new season',
  },
  plan: { zh: '后续计划：打上之后做什么', en: 'Plan: what is done once it is set' },
  planHint: {
    zh: '例如：每月上新 SOP 按它分支；半年没用就停用',
    en: 'e.g. the monthly SOP branches on it; retired if unused for half a year',
  },
  rule: { zh: '自动打标签的条件', en: 'Set automatically where' },
  ruleHint: {
    zh: '选“系统 + 自动”后可以写条件，随事件和时间自动打上或取下',
    en: 'With system and automatic, a rule sets and removes it by events and by time',
  },
  guideHint: {
    zh: '导购时间有限，整个品牌最多 60 个要导购打的标签',
    en: 'Guides have little time: a brand has at most 60 tags that only they can set',
  },
  save: { zh: '保存', en: 'Save' },
  saved: { zh: '已保存', en: 'Saved' },
  needed: { zh: '没有它就不能建标签', en: 'A tag cannot be made without it' },
}
const COMPARED = [
  'name',
  'producer',
  'origin',
  'volatility',
  'subjectivity',
  'derivation',
  'composition',
  'use',
  'plan',
] as const
type Fields = Pick<Tag, 'groupId' | 'parentId' | (typeof COMPARED)[number]>
const FRESH = {
  parentId: null,
  volatility: 'dynamic',
  subjectivity: 'objective',
  derivation: 'fact',
  composition: 'single',
  producer: 'system',
  origin: 'auto',
} as const
const EMPTY: Rule = { kind: 'all', rules: [] }

/** Makes or changes a tag: what it is, who sets it, what it is for and what will be done with it. */
export function TagForm({ tag, onClose }: { tag: Tag | undefined; onClose: () => void }) {
  const t = useWords(words)
  const { get } = useAddress()
  const [form] = Form.useForm<Fields>()
  const [rule, setRule] = useState<Rule | null>(tag?.rule ?? null)
  const [theirs, setTheirs] = useState<Shared>()
  const { act, busy } = useAct()
  const producer = Form.useWatch('producer', form) ?? tag?.producer ?? FRESH.producer
  const origin = Form.useWatch('origin', form) ?? tag?.origin ?? FRESH.origin
  const ruled = producer === 'system' && origin === 'auto'
  const chosen = get('groupId')
  const said = (value: unknown): string => (isWord(value) ? t(value) : String(value ?? ''))
  async function save(fields: Fields, version = tag?.version ?? 0): Promise<void> {
    const input = {
      ...fields,
      parentId: fields.parentId ?? null,
      rule: ruled && !isEmpty(rule) ? rule : null,
    }
    const work = () =>
      tag ? client.audience.changeTag({ ...input, id: tag.id, version }) : client.audience.createTag(input)
    if (await act(work, { done: t('saved'), refresh: [api.audience.key()], onStale: setTheirs })) onClose()
  }
  return (
    <Drawer
      open
      size={620}
      title={tag ? t('change', { name: tag.name }) : t('add')}
      onClose={onClose}
      extra={
        <Button type="primary" loading={busy} onClick={() => form.submit()}>
          {t('save')}
        </Button>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={tag ?? { ...FRESH, ...(chosen ? { groupId: Number(chosen) } : {}) }}
        onFinish={(fields) => void save(fields)}
      >
        <PlaceFields tag={tag} />
        <Form.Item
          name="use"
          label={t('use')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input.TextArea rows={2} maxLength={500} placeholder={t('useHint')} />
        </Form.Item>
        <Form.Item
          name="plan"
          label={t('plan')}
          rules={[{ required: true, whitespace: true, message: t('needed') }]}
        >
          <Input.TextArea rows={2} maxLength={500} placeholder={t('planHint')} />
        </Form.Item>
        <Form.Item
          name="producer"
          label={t('producer')}
          extra={producer === 'guide' ? t('guideHint') : undefined}
        >
          <Segmented
            options={(['system', 'guide'] as const).map((each) => ({ value: each, label: t(each) }))}
          />
        </Form.Item>
        <Form.Item name="origin" label={t('origin')} extra={ruled ? undefined : t('ruleHint')}>
          <Segmented
            options={(['auto', 'manual', 'synced'] as const).map((each) => ({ value: each, label: t(each) }))}
          />
        </Form.Item>
        {ruled ? (
          <Form.Item label={t('rule')}>
            <RuleEditor rule={rule ?? EMPTY} onChange={setRule} />
          </Form.Item>
        ) : null}
        <Traits />
      </Form>
      <StaleAnswer
        theirs={theirs}
        compare={(now) =>
          COMPARED.map((key) => ({
            label: t(key),
            yours: said(form.getFieldValue(key)),
            theirs: said(now[key]),
          }))
        }
        forget={() => setTheirs(undefined)}
        onTake={onClose}
        onKeep={(version) => void save(form.getFieldsValue(true), version)}
      />
    </Drawer>
  )
}

function PlaceFields({ tag }: { tag: Tag | undefined }) {
  const t = useWords(words)
  const groups = useQuery(api.audience.tagGroups.queryOptions())
  const groupId = Form.useWatch('groupId') as number | undefined
  const tags = useQuery(api.audience.tags.queryOptions({ input: {} }))
  const above = (tags.data?.items ?? []).filter(
    (other) => (other.groupId as number) === groupId && other.id !== tag?.id,
  )
  return (
    <>
      <Form.Item name="groupId" label={t('group')} rules={[{ required: true, message: t('needed') }]}>
        <Select
          disabled={tag !== undefined}
          options={(groups.data?.items ?? []).map((group) => ({
            value: group.id,
            label: `${group.name}（${t(group.level)}）`,
          }))}
        />
      </Form.Item>
      <Form.Item
        name="name"
        label={t('name')}
        rules={[{ required: true, whitespace: true, message: t('needed') }]}
      >
        <Input maxLength={40} />
      </Form.Item>
      {above.length > 0 ? (
        <Form.Item name="parentId" label={t('parent')}>
          <Select allowClear options={above.map((other) => ({ value: other.id, label: other.name }))} />
        </Form.Item>
      ) : null}
    </>
  )
}

function Traits() {
  const t = useWords(words)
  return (
    <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', columnGap: 16 }}>
      {pairs.map(([name, sides]) => (
        <Tooltip key={name} title={t(`${name}Note`)} placement="left">
          <Form.Item name={name} label={t(name)}>
            <Segmented options={sides.map((side) => ({ value: side, label: t(side) }))} />
          </Form.Item>
        </Tooltip>
      ))}
    </div>
  )
}

function isEmpty(rule: Rule | null): boolean {
  return rule === null || ((rule.kind === 'all' || rule.kind === 'any') && rule.rules.length === 0)
}
