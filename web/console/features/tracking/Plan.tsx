import { useQuery } from '@tanstack/react-query'
import {
  Alert,
  Button,
  Empty,
  Input,
  Popconfirm,
  Segmented,
  Space,
  Table,
  Tag,
  Tooltip,
  Typography,
} from 'antd'
import { useState } from 'react'
import type { Finding, SeenEvent, SeenProperty } from '../../../../contract/intake.ts'
import { api, client } from '../../../client.ts'
import { minute, relative, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { Loaded } from '../../parts/Loaded.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useMay, useZone } from '../../parts/use-brand.ts'
import { PlanForm } from './PlanForm.tsx'
import { findingWords, ownNames, typeWords } from './tracking-words.ts'

const words = {
  find: { zh: '搜索事件', en: 'Find an event' },
  all: { zh: '全部', en: 'All' },
  findings: { zh: '需要看', en: 'To look at' },
  add: { zh: '新增事件', en: 'New event' },
  event: { zh: '事件', en: 'Event' },
  count: { zh: '次数', en: 'Times' },
  first: { zh: '首次', en: 'First' },
  last: { zh: '最近', en: 'Last' },
  sources: { zh: '来源', en: 'Sources' },
  state: { zh: '方案', en: 'Plan' },
  planned: { zh: '已纳入', en: 'planned' },
  some: { zh: '{n} 个属性要看', en: '{n} properties to look at' },
  property: { zh: '属性', en: 'Property' },
  types: { zh: '收到的类型', en: 'Came as' },
  sample: { zh: '样例', en: 'Sample' },
  plannedAs: { zh: '方案类型', en: 'Planned as' },
  required: { zh: '必填', en: 'required' },
  take: { zh: '纳入方案', en: 'Take in' },
  change: { zh: '修改', en: 'Change' },
  remove: { zh: '移出', en: 'Take out' },
  removeSays: { zh: '只从方案中移出；已收到的事件不受影响。', en: 'Only from the plan; what came stays.' },
  removed: { zh: '已移出', en: 'Taken out' },
  none: {
    zh: '还没有收到事件，也没有方案。先建一个来源并接上 SDK。',
    en: 'Nothing came and nothing is planned: make a source and connect an SDK.',
  },
  more: {
    zh: '事件名太多，只列出最近的 500 个。名字里是否带了编号或时间？',
    en: 'Too many names: the last 500 are shown. Is there a number or a time in the names?',
  },
  hidden: {
    zh: '{n} 次隐去了个人信息（手机号、姓名、地址等）',
    en: 'Personal data hidden {n} times (phones, names, addresses)',
  },
  cut: { zh: '{n} 次文本过长被截断', en: 'Texts cut {n} times' },
  left: { zh: '{n} 次属性过多、未全部保留', en: 'Properties left out {n} times' },
}

/** Events as they came, beside what the plan says of them. */
export function Plan() {
  const t = useWords(words)
  const mayPlan = useMay(['owner', 'operator', 'engineer'])
  const query = useQuery(api.intake.seen.queryOptions({ refetchInterval: 15_000 }))
  const [editing, setEditing] = useState<SeenEvent | 'new'>()
  const [text, setText] = useState('')
  const [only, setOnly] = useState<'all' | 'findings'>('all')
  const wanted = (event: SeenEvent): boolean =>
    event.name.toLowerCase().includes(text.trim().toLowerCase()) &&
    (only === 'all' || event.finding !== null || event.findings > 0)
  return (
    <>
      <Space wrap style={{ marginBottom: 12 }}>
        <Input.Search
          allowClear
          placeholder={t('find')}
          aria-label={t('find')}
          onChange={({ target }) => setText(target.value)}
        />
        <Segmented
          value={only}
          onChange={setOnly}
          options={[
            { value: 'all', label: t('all') },
            { value: 'findings', label: t('findings') },
          ]}
        />
        {mayPlan ? <Button onClick={() => setEditing('new')}>{t('add')}</Button> : null}
      </Space>
      <Loaded query={query}>
        {({ events, more }) => (
          <>
            {more ? <Alert type="warning" showIcon style={{ marginBottom: 12 }} title={t('more')} /> : null}
            <Events items={events.filter(wanted)} onEdit={mayPlan ? setEditing : undefined} />
          </>
        )}
      </Loaded>
      {editing ? (
        <PlanForm event={editing === 'new' ? undefined : editing} onClose={() => setEditing(undefined)} />
      ) : null}
    </>
  )
}

type EventsProps = { items: readonly SeenEvent[]; onEdit: ((event: SeenEvent) => void) | undefined }

function Events({ items, onEdit }: EventsProps) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  const { act } = useAct()
  const remove = ({ name, planned }: SeenEvent): void =>
    void act(() => client.intake.unplan({ name, version: planned?.version ?? 0 }), {
      done: t('removed'),
      refresh: [api.intake.key()],
    })
  return (
    <Table<SeenEvent>
      size="middle"
      rowKey="name"
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      scroll={{ x: 1180 }}
      dataSource={[...items]}
      locale={{ emptyText: <Empty description={t('none')} /> }}
      expandable={{ expandedRowRender: (event) => <Properties event={event} /> }}
      columns={[
        {
          title: t('event'),
          width: 260,
          render: (_, { name, planned }) => (
            <>
              <Typography.Text strong translate="no">
                {ownNames[name]?.[lang] ?? name}
              </Typography.Text>
              {planned?.description ? <div style={{ opacity: 0.75 }}>{planned.description}</div> : null}
            </>
          ),
        },
        { title: t('count'), width: 110, align: 'right', render: (_, { count }) => whole(count) },
        {
          title: t('first'),
          width: 150,
          render: (_, { firstAt }) => (firstAt ? minute(firstAt, zone) : '–'),
        },
        {
          title: t('last'),
          width: 120,
          render: (_, { lastAt }) => (lastAt ? relative(lastAt, lang, Date.now()) : '–'),
        },
        {
          title: t('sources'),
          width: 130,
          render: (_, { sources }) => sources.map((source) => source.replace(/^sdk:/, '')).join('、'),
        },
        {
          title: t('state'),
          width: 210,
          render: (_, { planned, finding, findings }) => (
            <Space wrap size={4}>
              {finding ? <FindingTag finding={finding} /> : null}
              {planned && !finding ? <Tag color="success">{t('planned')}</Tag> : null}
              {findings > 0 ? <Tag color="warning">{t('some', { n: findings })}</Tag> : null}
            </Space>
          ),
        },
        {
          width: 170,
          render: (_, event) =>
            onEdit ? (
              <Space>
                <Button size="small" onClick={() => onEdit(event)}>
                  {t(event.planned ? 'change' : 'take')}
                </Button>
                {event.planned ? (
                  <Popconfirm
                    title={t('remove')}
                    description={t('removeSays')}
                    onConfirm={() => remove(event)}
                  >
                    <Button size="small">{t('remove')}</Button>
                  </Popconfirm>
                ) : null}
              </Space>
            ) : null,
        },
      ]}
    />
  )
}

function Properties({ event }: { event: SeenEvent }) {
  const t = useWords(words)
  const lang = useLang()
  const notes = [
    event.hidden > 0 ? t('hidden', { n: whole(event.hidden) }) : undefined,
    event.cut > 0 ? t('cut', { n: whole(event.cut) }) : undefined,
    event.leftOut > 0 ? t('left', { n: whole(event.leftOut) }) : undefined,
  ].filter((note) => note !== undefined)
  return (
    <>
      {notes.length > 0 ? (
        <Typography.Paragraph type="secondary">{notes.join('；')}</Typography.Paragraph>
      ) : null}
      <Table<SeenProperty>
        size="small"
        rowKey="property"
        pagination={false}
        dataSource={event.properties}
        columns={[
          {
            title: t('property'),
            width: 220,
            render: (_, { property }) => <span translate="no">{property}</span>,
          },
          {
            title: t('types'),
            width: 200,
            render: (_, { types }) => (
              <Space wrap size={4}>
                {types.map(({ type, count }) => (
                  <Tag key={type}>{`${typeWords[type][lang]} ${whole(count)}`}</Tag>
                ))}
              </Space>
            ),
          },
          {
            title: t('sample'),
            render: (_, { types }) => (
              <Tooltip title={types.map(({ sample }) => sample).join(' · ')}>
                <Typography.Text type="secondary" translate="no" ellipsis style={{ maxWidth: 320 }}>
                  {types[0]?.sample}
                </Typography.Text>
              </Tooltip>
            ),
          },
          {
            title: t('plannedAs'),
            width: 140,
            render: (_, { planned }) =>
              planned
                ? `${typeWords[planned.type][lang]}${planned.required ? ` · ${t('required')}` : ''}`
                : '–',
          },
          { width: 170, render: (_, { finding }) => (finding ? <FindingTag finding={finding} /> : null) },
        ]}
      />
    </>
  )
}

function FindingTag({ finding }: { finding: Finding }) {
  const lang = useLang()
  const colour = finding === 'ill_typed' || finding === 'missing_required' ? 'error' : 'warning'
  return <Tag color={finding === 'missing' ? 'default' : colour}>{findingWords[finding][lang]}</Tag>
}
