import { useQuery } from '@tanstack/react-query'
import {
  Alert,
  Button,
  Tag as Chip,
  Empty,
  Popconfirm,
  Segmented,
  Space,
  Table,
  Tooltip,
  Typography,
} from 'antd'
import { type Key, useState } from 'react'
import { Link } from 'react-router'
import type { Tag } from '../../../../contract/audience.ts'
import { api, client } from '../../../client.ts'
import { date, whole } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { pairs, tagWords } from '../../parts/tag-words.ts'
import { useAct } from '../../parts/use-act.ts'
import { useAddress } from '../../parts/use-address.ts'
import { useZone } from '../../parts/use-brand.ts'

const words = {
  ...tagWords,
  active: { zh: '在用的', en: 'Active' },
  waste: { zh: '没人用的', en: 'Waste' },
  retired: { zh: '已停用', en: 'Retired' },
  name: { zh: '标签与标签组', en: 'Tag and group' },
  kind: { zh: '性质，谁打 · 从哪来', en: 'Kind; set by, comes from' },
  use: { zh: '用途', en: 'Use' },
  plan: { zh: '后续计划：{plan}', en: 'Plan: {plan}' },
  persons: { zh: '人数', en: 'Persons' },
  used: { zh: '用在', en: 'Used by' },
  unused: { zh: '没人用', en: 'unused' },
  since: { zh: '{at} 停用', en: 'retired {at}' },
  retire: { zh: '停用已选 {n} 个', en: 'Retire {n}' },
  retireSays: {
    zh: '停用后不能再打，会员身上的也不再显示；随时可以整批恢复，恢复后每个人的标签都回来。',
    en: 'They can no longer be set and disappear from members; all of them can be brought back, with who carried them.',
  },
  done: { zh: '已停用 {n} 个标签', en: '{n} tags retired' },
  undo: { zh: '全部恢复', en: 'Bring them back' },
  restored: { zh: '已恢复', en: 'They are back' },
  none: {
    zh: '这里还没有标签。标签要先想好用途和后续计划，再建。',
    en: 'No tag here. First decide what it is for and what will be done with it, then make it.',
  },
  noWaste: { zh: '没有闲置的标签，很好。', en: 'No waste: every tag is used.' },
  change: { zh: '修改', en: 'Change' },
}
const VIEWS = ['active', 'waste', 'retired'] as const

/** Tags by what they are for; unused ones can be retired together, and brought back. */
export function TagTable({ onEdit }: { onEdit: ((tag: Tag) => void) | undefined }) {
  const t = useWords(words)
  const { get, set } = useAddress()
  const view = VIEWS.find((each) => each === get('view')) ?? 'active'
  const groupId = get('groupId')
  const query = useQuery(
    api.audience.tags.queryOptions({
      input: {
        ...(groupId ? { groupId: Number(groupId) as never } : {}),
        retired: view === 'retired',
        wasteOnly: view === 'waste',
      },
      placeholderData: (before) => before,
    }),
  )
  const [chosen, setChosen] = useState<number[]>([])
  return (
    <>
      <Space wrap style={{ marginBottom: 12 }}>
        <Segmented
          value={view}
          onChange={(next) => {
            setChosen([])
            set({ view: next === 'active' ? undefined : next })
          }}
          options={VIEWS.map((each) => ({ value: each, label: t(each) }))}
        />
        {onEdit && chosen.length > 0 ? <Retire ids={chosen} onDone={() => setChosen([])} /> : null}
      </Space>
      <UndoBar />
      <Loaded query={query}>
        {({ items }) => (
          <Rows items={items} view={view} chosen={chosen} onChoose={setChosen} onEdit={onEdit} />
        )}
      </Loaded>
    </>
  )
}

function Retire({ ids, onDone }: { ids: readonly number[]; onDone: () => void }) {
  const t = useWords(words)
  const { set } = useAddress()
  const { act, busy } = useAct()
  async function retire(): Promise<void> {
    const made = await act(() => client.audience.retireTags({ ids: ids as never[] }), {
      refresh: [api.audience.key()],
    })
    if (!made) return
    onDone()
    set({ undo: made.retirementId, count: String(made.retired) })
  }
  return (
    <Popconfirm
      title={t('retire', { n: ids.length })}
      description={<div style={{ maxWidth: 320 }}>{t('retireSays')}</div>}
      onConfirm={() => retire()}
    >
      <Button danger loading={busy}>
        {t('retire', { n: ids.length })}
      </Button>
    </Popconfirm>
  )
}

/** Stands in the address, so that it is still there after a reload. */
function UndoBar() {
  const t = useWords(words)
  const { get, set } = useAddress()
  const { act, busy } = useAct()
  const id = get('undo')
  if (!id) return null
  async function undo(): Promise<void> {
    const done = await act(() => client.audience.undoRetire({ id: id ?? '' }), {
      done: t('restored'),
      refresh: [api.audience.key()],
    })
    if (done) set({ undo: undefined, count: undefined })
  }
  return (
    <Alert
      type="success"
      showIcon
      style={{ marginBottom: 12 }}
      closable={{ onClose: () => set({ undo: undefined, count: undefined }) }}
      title={t('done', { n: get('count') ?? '' })}
      action={
        <Button loading={busy} onClick={() => void undo()}>
          {t('undo')}
        </Button>
      }
    />
  )
}

type RowsProps = {
  items: readonly Tag[]
  view: (typeof VIEWS)[number]
  chosen: number[]
  onChoose: (ids: number[]) => void
  onEdit: ((tag: Tag) => void) | undefined
}

function Rows({ items, view, chosen, onChoose, onEdit }: RowsProps) {
  const t = useWords(words)
  const zone = useZone()
  const nameOf = (id: number | null): string => items.find((tag) => tag.id === id)?.name ?? ''
  return (
    <Table<Tag>
      size="middle"
      rowKey="id"
      pagination={items.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
      scroll={{ x: 840 }}
      dataSource={[...items]}
      locale={{ emptyText: <Empty description={t(view === 'waste' ? 'noWaste' : 'none')} /> }}
      {...(onEdit && view !== 'retired'
        ? {
            rowSelection: {
              selectedRowKeys: chosen,
              onChange: (keys: Key[]) => onChoose(keys.map(Number)),
              getCheckboxProps: (tag: Tag) => ({ disabled: !tag.waste, title: tag.usedBy.join('、') }),
            },
          }
        : {})}
      columns={[
        {
          title: t('name'),
          width: 170,
          render: (_, tag) => (
            <>
              {tag.parentId === null ? null : (
                <span style={{ opacity: 0.75 }}>{nameOf(tag.parentId)} / </span>
              )}
              <b>{tag.name}</b> {tag.scope === 'custom' ? <Chip>{t('custom')}</Chip> : null}
              <div style={{ opacity: 0.75, fontSize: 13 }}>
                {tag.group} {tag.level === 'S' ? <Chip color="gold">S</Chip> : null}
              </div>
            </>
          ),
        },
        {
          title: t('kind'),
          width: 170,
          render: (_, tag) => (
            <>
              {pairs.map(([name]) => t(tag[name])).join(' · ')}
              <div style={{ opacity: 0.75, fontSize: 13 }}>
                {t(tag.producer)} · {t(tag.origin)}
              </div>
            </>
          ),
        },
        {
          title: t('use'),
          render: (_, tag) => (
            <Tooltip title={t('plan', { plan: tag.plan })}>
              <Typography.Paragraph ellipsis={{ rows: 2 }} style={{ margin: 0 }}>
                {tag.use}
              </Typography.Paragraph>
            </Tooltip>
          ),
        },
        {
          title: t('persons'),
          width: 70,
          align: 'right',
          render: (_, tag) => <Link to={`/members?tagId=${tag.id}`}>{whole(tag.persons)}</Link>,
        },
        {
          title: t('used'),
          width: 120,
          render: (_, tag) => {
            if (tag.retiredAt) return t('since', { at: date(tag.retiredAt, zone) })
            return tag.waste ? (
              <Chip color="warning">{t('unused')}</Chip>
            ) : (
              tag.usedBy.map((user) => <Chip key={user}>{user}</Chip>)
            )
          },
        },
        ...(onEdit && view !== 'retired'
          ? [
              {
                width: 70,
                render: (_: unknown, tag: Tag) => (
                  <Button size="small" onClick={() => onEdit(tag)}>
                    {t('change')}
                  </Button>
                ),
              },
            ]
          : []),
      ]}
    />
  )
}
