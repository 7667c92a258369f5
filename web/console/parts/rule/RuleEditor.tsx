import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { Button, Dropdown, Segmented, Space } from 'antd'
import type { Leaf, Rule } from '../../../../contract/rule.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { LeafEditor } from './LeafEditor.tsx'
import { freshLeaf, keyOfChoice, leafChoices } from './leaf-choices.ts'

const words = {
  all: { zh: '满足全部', en: 'All of' },
  any: { zh: '满足任一', en: 'Any of' },
  add: { zh: '添加条件', en: 'Add a condition' },
  group: { zh: '添加一组', en: 'Add a group' },
  not: { zh: '不', en: 'not' },
  is: { zh: '是', en: 'is' },
  remove: { zh: '删除这一条', en: 'Remove this' },
  everybody: { zh: '没有条件：所有人', en: 'No condition: everybody' },
}

type Group = Extract<Rule, { kind: 'all' | 'any' }>

/** The tree of a rule: groups of all or any, each condition with its own small editor, each can be turned to "not". */
export function RuleEditor({ rule, onChange }: { rule: Rule; onChange: (rule: Rule) => void }) {
  const group: Group = rule.kind === 'all' || rule.kind === 'any' ? rule : { kind: 'all', rules: [rule] }
  return <GroupEditor group={group} onChange={onChange} depth={0} />
}

function GroupEditor({
  group,
  onChange,
  depth,
  onRemove,
}: {
  group: Group
  onChange: (group: Group) => void
  depth: number
  onRemove?: () => void
}) {
  const t = useWords(words)
  const lang = useLang()
  const put = (index: number, rule: Rule): void =>
    onChange({ ...group, rules: group.rules.map((old, at) => (at === index ? rule : old)) })
  const drop = (index: number): void =>
    onChange({ ...group, rules: group.rules.filter((_, at) => at !== index) })
  const add = (rule: Rule): void => onChange({ ...group, rules: [...group.rules, rule] })
  return (
    <div
      style={{
        borderInlineStart: `3px solid rgba(15,118,110,${depth === 0 ? 0.6 : 0.3})`,
        paddingInlineStart: 12,
      }}
    >
      <Space style={{ display: 'flex', marginBottom: 8 }}>
        <Segmented<'all' | 'any'>
          size="small"
          value={group.kind}
          onChange={(kind) => onChange({ ...group, kind })}
          options={[
            { value: 'all', label: t('all') },
            { value: 'any', label: t('any') },
          ]}
        />
        {group.rules.length === 0 && depth === 0 ? (
          <span style={{ opacity: 0.75 }}>{t('everybody')}</span>
        ) : null}
        {onRemove ? (
          <Button
            size="small"
            type="text"
            aria-label={t('remove')}
            icon={<DeleteOutlined />}
            onClick={onRemove}
          />
        ) : null}
      </Space>
      {group.rules.map((rule, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity beside their place
        <div key={index} style={{ marginBottom: 8 }}>
          <NodeEditor
            rule={rule}
            depth={depth + 1}
            onChange={(next) => put(index, next)}
            onRemove={() => drop(index)}
          />
        </div>
      ))}
      <Space>
        <Dropdown
          menu={{
            items: leafChoices.map((choice) => ({ key: keyOfChoice(choice), label: choice.name[lang] })),
            onClick: ({ key }) => add(freshLeaf(key)),
            style: { maxHeight: 380, overflow: 'auto' },
          }}
          trigger={['click']}
        >
          <Button size="small" icon={<PlusOutlined />}>
            {t('add')}
          </Button>
        </Dropdown>
        {depth < 3 ? (
          <Button
            size="small"
            type="dashed"
            onClick={() => add({ kind: group.kind === 'all' ? 'any' : 'all', rules: [] })}
          >
            {t('group')}
          </Button>
        ) : null}
      </Space>
    </div>
  )
}

function NodeEditor({
  rule,
  depth,
  onChange,
  onRemove,
}: {
  rule: Rule
  depth: number
  onChange: (rule: Rule) => void
  onRemove: () => void
}) {
  const t = useWords(words)
  if (rule.kind === 'all' || rule.kind === 'any')
    return <GroupEditor group={rule} depth={depth} onChange={onChange} onRemove={onRemove} />
  const inverted = rule.kind === 'not'
  const inner = inverted ? rule.rule : rule
  const wrap = (next: Rule): Rule => (inverted ? { kind: 'not', rule: next } : next)
  return (
    <div style={{ display: 'flex', gap: 8, alignItems: 'flex-start' }}>
      <Segmented
        size="small"
        style={{ marginTop: 4 }}
        value={inverted ? 'not' : 'is'}
        options={[
          { value: 'is', label: t('is') },
          { value: 'not', label: t('not') },
        ]}
        onChange={(value) => onChange(value === 'not' ? { kind: 'not', rule: inner } : inner)}
      />
      <div style={{ flex: 1, minWidth: 0 }}>
        {inner.kind === 'all' || inner.kind === 'any' ? (
          <GroupEditor group={inner} depth={depth} onChange={(next) => onChange(wrap(next))} />
        ) : (
          <LeafEditor leaf={inner as Leaf} onChange={(next) => onChange(wrap(next))} />
        )}
      </div>
      <Button
        size="small"
        type="text"
        aria-label={t('remove')}
        icon={<DeleteOutlined />}
        onClick={onRemove}
      />
    </div>
  )
}
