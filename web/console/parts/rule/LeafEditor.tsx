import { useQuery } from '@tanstack/react-query'
import { DatePicker, Input, InputNumber, Select, Space } from 'antd'
import dayjs from 'dayjs'
import type { ReactNode } from 'react'
import {
  aiplName,
  aiplStages,
  joinRecencies,
  joinRecencyName,
  lifecycleName,
  lifecycleStates,
  orderStageName,
  orderStages,
  ownCycleName,
  ownCycleStates,
} from '../../../../contract/lifecycle.ts'
import { memberSources } from '../../../../contract/members.ts'
import { rfmGroupName, rfmGroups } from '../../../../contract/rfm.ts'
import type { Compare, Leaf, Measure, Window } from '../../../../contract/rule.ts'
import { api } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { sourceName } from '../../../ui/source-words.ts'
import { leafChoices } from './leaf-choices.ts'

const words = {
  count: { zh: '次数', en: 'count' },
  sum: { zh: '总和', en: 'sum' },
  avg: { zh: '平均', en: 'average' },
  min: { zh: '最小', en: 'smallest' },
  max: { zh: '最大', en: 'greatest' },
  first: { zh: '首次', en: 'first' },
  last: { zh: '最近一次', en: 'latest' },
  days_since_first: { zh: '距首次天数', en: 'days since the first' },
  days_since_last: { zh: '距最近一次天数', en: 'days since the latest' },
  amount: { zh: '金额（元）', en: 'amount' },
  quantity: { zh: '件数', en: 'pieces' },
  discount: { zh: '优惠（元）', en: 'discount' },
  ge: { zh: '≥', en: '≥' },
  gt: { zh: '＞', en: '>' },
  le: { zh: '≤', en: '≤' },
  lt: { zh: '＜', en: '<' },
  eq: { zh: '=', en: '=' },
  ne: { zh: '≠', en: '≠' },
  between: { zh: '介于', en: 'between' },
  ever: { zh: '一直以来', en: 'ever' },
  rolling: { zh: '最近…天', en: 'last … days' },
  calendar: { zh: '自然周期', en: 'calendar' },
  absolute: { zh: '指定日期', en: 'from – to' },
  day: { zh: '日', en: 'day' },
  week: { zh: '周', en: 'week' },
  month: { zh: '月', en: 'month' },
  quarter: { zh: '季', en: 'quarter' },
  year: { zh: '年', en: 'year' },
  this: { zh: '本', en: 'this' },
  before: { zh: '上', en: 'last' },
  online: { zh: '线上', en: 'online' },
  offline: { zh: '线下', en: 'offline' },
  side: { zh: '线上/线下', en: 'online/offline' },
  categories: { zh: '品类', en: 'category' },
  stores: { zh: '门店', en: 'store' },
  within: { zh: '天内', en: 'days' },
  gender: { zh: '性别', en: 'gender' },
  female: { zh: '女', en: 'female' },
  male: { zh: '男', en: 'male' },
  source: { zh: '来源', en: 'source' },
  kind: { zh: '身份', en: 'kind' },
  register_channel: { zh: '注册渠道', en: 'registered' },
  home_store: { zh: '归属门店', en: 'home store' },
  member: { zh: '注册会员', en: 'member' },
  customer: { zh: '买过未注册', en: 'customer' },
  contact: { zh: '仅企微好友', en: 'contact' },
  visitor: { zh: '访客', en: 'visitor' },
  unknown: { zh: '未知', en: 'unknown' },
  any: { zh: '任一', en: 'any of' },
  all: { zh: '全部', en: 'all of' },
  share: { zh: '比例 %', en: 'share %' },
  draw: { zh: '抽签名', en: 'name of the draw' },
}
type Word = keyof typeof words

/** The small editor of one condition, by its kind. */
export function LeafEditor({ leaf, onChange }: { leaf: Leaf; onChange: (leaf: Leaf) => void }) {
  const lang = useLang()
  const name = leafChoices.find((choice) => choice.kind === leaf.kind)?.name[lang] ?? leaf.kind
  return (
    <Space wrap size={6}>
      <b style={{ whiteSpace: 'nowrap' }}>{name.split(/[：:]/)[0]}</b>
      <Fields leaf={leaf} onChange={onChange} />
    </Space>
  )
}

function Fields({ leaf, onChange }: { leaf: Leaf; onChange: (leaf: Leaf) => void }): ReactNode {
  const t = useWords(words)
  const lang = useLang()
  switch (leaf.kind) {
    case 'lifecycle':
      return (
        <Many
          value={leaf.states}
          options={lifecycleStates.map((state) => [state, lifecycleName(state, lang)])}
          onChange={(states) => onChange({ ...leaf, states })}
        />
      )
    case 'own_cycle':
      return (
        <Many
          value={leaf.states}
          options={ownCycleStates.map((state) => [state, ownCycleName(state, lang)])}
          onChange={(states) => onChange({ ...leaf, states })}
        />
      )
    case 'order_stage':
      return (
        <Many
          value={leaf.stages}
          options={orderStages.map((stage) => [stage, orderStageName(stage, lang)])}
          onChange={(stages) => onChange({ ...leaf, stages })}
        />
      )
    case 'join_recency':
      return (
        <Many
          value={leaf.recencies}
          options={joinRecencies.map((each) => [each, joinRecencyName(each, lang)])}
          onChange={(recencies) => onChange({ ...leaf, recencies })}
        />
      )
    case 'aipl':
      return (
        <Many
          value={leaf.stages}
          options={aiplStages.map((stage) => [stage, aiplName(stage, lang)])}
          onChange={(stages) => onChange({ ...leaf, stages })}
        />
      )
    case 'rfm_group':
      return (
        <Many
          value={leaf.groups}
          options={rfmGroups.map((group) => [group, rfmGroupName(group, lang)])}
          onChange={(groups) => onChange({ ...leaf, groups })}
        />
      )
    case 'rfm_score':
      return (['r', 'f', 'm'] as const).map((letter) => (
        <Score
          key={letter}
          letter={letter}
          value={leaf[letter]}
          onChange={(score) => onChange({ ...leaf, [letter]: score })}
        />
      ))
    case 'one_time_buyer':
    case 'interaction_silent':
      return null
    case 'age':
      return <Comparison value={leaf.compare} onChange={(compare) => onChange({ ...leaf, compare })} />
    case 'joined':
      return <Comparison value={leaf.daysAgo} onChange={(daysAgo) => onChange({ ...leaf, daysAgo })} />
    case 'birthday':
      return (
        <InputNumber
          min={0}
          max={180}
          value={leaf.withinDays}
          suffix={t('within')}
          onChange={(withinDays) => onChange({ ...leaf, withinDays: withinDays ?? 0 })}
        />
      )
    case 'orders':
      return <Orders leaf={leaf} onChange={onChange} />
    case 'attribute':
      return <Attribute leaf={leaf} onChange={onChange} />
    case 'tag':
      return <Tags leaf={leaf} onChange={onChange} />
    case 's_tag':
      return <STag leaf={leaf} onChange={onChange} />
    case 'segment':
      return <SegmentChoice leaf={leaf} onChange={onChange} />
    case 'sample':
      return (
        <>
          <InputNumber
            min={0}
            max={100}
            step={0.01}
            value={leaf.per10000 / 100}
            suffix={t('share')}
            onChange={(share) => onChange({ ...leaf, per10000: Math.round((share ?? 0) * 100) })}
          />
          <Input
            style={{ width: 120 }}
            value={leaf.salt}
            aria-label={t('draw')}
            onChange={(event) => onChange({ ...leaf, salt: event.target.value || 'a' })}
          />
        </>
      )
    default:
      return null
  }
}

function Many<T extends string>({
  value,
  options,
  onChange,
  label,
}: {
  value: readonly T[]
  options: (readonly [T, string])[]
  onChange: (value: T[]) => void
  label?: string
}) {
  return (
    <Select
      mode="multiple"
      aria-label={label}
      placeholder={label}
      style={{ minWidth: 180, maxWidth: 480 }}
      value={[...value]}
      onChange={(next) => (next.length > 0 || label ? onChange(next) : undefined)}
      options={options.map(([key, name]) => ({ value: key, label: name }))}
      showSearch={{ optionFilterProp: 'label' }}
    />
  )
}

function Score({
  letter,
  value,
  onChange,
}: {
  letter: string
  value: [number, number] | undefined
  onChange: (value: [number, number] | undefined) => void
}) {
  const options = [1, 2, 3, 4, 5].flatMap((from) =>
    [1, 2, 3, 4, 5]
      .filter((to) => to >= from)
      .map((to) => ({
        value: `${from}-${to}`,
        label: from === to ? `${letter.toUpperCase()} ${from}` : `${letter.toUpperCase()} ${from}–${to}`,
      })),
  )
  return (
    <Select
      allowClear
      style={{ width: 96 }}
      placeholder={letter.toUpperCase()}
      value={value ? `${value[0]}-${value[1]}` : null}
      options={options}
      onChange={(text: string | null) =>
        onChange(text ? (text.split('-').map(Number) as [number, number]) : undefined)
      }
    />
  )
}

function Comparison({
  value,
  onChange,
  scale = 1,
}: {
  value: Compare
  onChange: (value: Compare) => void
  scale?: number
}) {
  const t = useWords(words)
  const ops = ['ge', 'gt', 'le', 'lt', 'eq', 'ne', 'between'] as const
  const first = value.op === 'between' ? value.from : value.value
  return (
    <>
      <Select
        style={{ width: 86 }}
        value={value.op}
        options={ops.map((op) => ({ value: op, label: t(op) }))}
        onChange={(op) => onChange(op === 'between' ? { op, from: first, to: first } : { op, value: first })}
      />
      {value.op === 'between' ? (
        <>
          <InputNumber
            value={value.from / scale}
            onChange={(from) => onChange({ ...value, from: (from ?? 0) * scale })}
          />
          <InputNumber
            value={value.to / scale}
            onChange={(to) => onChange({ ...value, to: (to ?? 0) * scale })}
          />
        </>
      ) : (
        <InputNumber
          value={value.value / scale}
          onChange={(number) => onChange({ ...value, value: (number ?? 0) * scale })}
        />
      )}
    </>
  )
}

type OrdersLeaf = Extract<Leaf, { kind: 'orders' }>

function Orders({ leaf, onChange }: { leaf: OrdersLeaf; onChange: (leaf: Leaf) => void }) {
  const t = useWords(words)
  const stores = useQuery(api.stores.list.queryOptions({ input: { limit: 200 } }))
  const measures = [
    'count',
    'sum',
    'avg',
    'min',
    'max',
    'first',
    'last',
    'days_since_first',
    'days_since_last',
  ] as const
  const { measure, window } = leaf
  const inMoney = 'field' in measure && measure.field !== 'quantity'
  const plain = (of: string): of is 'count' | 'days_since_first' | 'days_since_last' =>
    of === 'count' || of.startsWith('days_')
  const setMeasure = (of: (typeof measures)[number]): void =>
    onChange({
      ...leaf,
      measure: plain(of) ? { of } : ({ of, field: 'field' in measure ? measure.field : 'amount' } as Measure),
    })
  return (
    <>
      <WindowFields window={window} onChange={(next) => onChange({ ...leaf, window: next })} />
      <Select
        style={{ width: 140 }}
        value={measure.of}
        options={measures.map((of) => ({ value: of, label: t(of as Word) }))}
        onChange={setMeasure}
      />
      {'field' in measure ? (
        <Select
          style={{ width: 120 }}
          value={measure.field}
          options={(['amount', 'quantity', 'discount'] as const).map((field) => ({
            value: field,
            label: t(field),
          }))}
          onChange={(field) => onChange({ ...leaf, measure: { ...measure, field } })}
        />
      ) : null}
      <Comparison
        value={leaf.compare}
        scale={inMoney ? 100 : 1}
        onChange={(compare) => onChange({ ...leaf, compare })}
      />
      <Select
        allowClear
        style={{ width: 120 }}
        placeholder={t('side')}
        value={leaf.filter.sides?.[0] ?? null}
        options={(['online', 'offline'] as const).map((side) => ({ value: side, label: t(side) }))}
        onChange={(side) =>
          onChange({ ...leaf, filter: { ...leaf.filter, sides: side ? [side] : undefined } })
        }
      />
      <Many
        label={t('stores')}
        value={leaf.filter.stores ?? []}
        options={(stores.data?.items ?? []).map((store) => [store.id as string, store.name])}
        onChange={(chosen) =>
          onChange({ ...leaf, filter: { ...leaf.filter, stores: chosen.length > 0 ? chosen : undefined } })
        }
      />
      <Select
        mode="tags"
        style={{ minWidth: 120 }}
        placeholder={t('categories')}
        value={leaf.filter.categories ?? []}
        onChange={(categories: string[]) =>
          onChange({
            ...leaf,
            filter: { ...leaf.filter, categories: categories.length > 0 ? categories : undefined },
          })
        }
      />
    </>
  )
}

function WindowFields({ window, onChange }: { window: Window; onChange: (window: Window) => void }) {
  const t = useWords(words)
  const kinds = ['ever', 'rolling', 'calendar', 'absolute'] as const
  const today = dayjs().format('YYYY-MM-DD')
  const fresh: Record<(typeof kinds)[number], Window> = {
    ever: { kind: 'ever' },
    rolling: { kind: 'rolling', days: 90 },
    calendar: { kind: 'calendar', unit: 'month', back: 0, count: 1 },
    absolute: { kind: 'absolute', from: today, to: today },
  }
  return (
    <>
      <Select
        style={{ width: 116 }}
        value={window.kind}
        options={kinds.map((kind) => ({ value: kind, label: t(kind) }))}
        onChange={(kind) => onChange(fresh[kind])}
      />
      {window.kind === 'rolling' ? (
        <InputNumber
          min={1}
          max={3660}
          value={window.days}
          onChange={(days) => onChange({ kind: 'rolling', days: days ?? 1 })}
        />
      ) : null}
      {window.kind === 'calendar' ? (
        <>
          <Select
            style={{ width: 76 }}
            value={window.back}
            options={[
              { value: 0, label: t('this') },
              { value: 1, label: t('before') },
            ]}
            onChange={(back) => onChange({ ...window, back })}
          />
          <Select
            style={{ width: 86 }}
            value={window.unit}
            options={(['day', 'week', 'month', 'quarter', 'year'] as const).map((unit) => ({
              value: unit,
              label: t(unit),
            }))}
            onChange={(unit) => onChange({ ...window, unit })}
          />
        </>
      ) : null}
      {window.kind === 'absolute' ? (
        <DatePicker.RangePicker
          value={[dayjs(window.from), dayjs(window.to)]}
          onChange={(range) =>
            range?.[0] &&
            range[1] &&
            onChange({
              kind: 'absolute',
              from: range[0].format('YYYY-MM-DD'),
              to: range[1].format('YYYY-MM-DD'),
            })
          }
        />
      ) : null}
    </>
  )
}

type AttributeLeaf = Extract<Leaf, { kind: 'attribute' }>

function Attribute({ leaf, onChange }: { leaf: AttributeLeaf; onChange: (leaf: Leaf) => void }) {
  const t = useWords(words)
  const lang = useLang()
  const stores = useQuery(api.stores.list.queryOptions({ input: { limit: 200 } }))
  const names = ['gender', 'source', 'kind', 'register_channel', 'home_store'] as const
  const choices: Record<string, (readonly [string, string])[]> = {
    gender: [
      ['female', t('female')],
      ['male', t('male')],
    ],
    source: memberSources.map((source) => [source, sourceName(source, lang)]),
    kind: (['member', 'customer', 'contact', 'visitor'] as const).map((kind) => [kind, t(kind)]),
    register_channel: [
      ['online', t('online')],
      ['offline', t('offline')],
    ],
    home_store: (stores.data?.items ?? []).map((store) => [store.id as string, store.name]),
  }
  const values = 'values' in leaf ? leaf.values : []
  return (
    <>
      <Select
        style={{ width: 130 }}
        value={leaf.attribute}
        options={names.map((name) => ({ value: name as string, label: t(name) }))}
        onChange={(attribute: string) =>
          onChange({ kind: 'attribute', attribute, op: 'in', values: [choices[attribute]?.[0]?.[0] ?? '-'] })
        }
      />
      <Many
        value={values}
        options={choices[leaf.attribute] ?? []}
        onChange={(next) =>
          onChange({ kind: 'attribute', attribute: leaf.attribute, op: 'in', values: next })
        }
      />
    </>
  )
}

function Tags({ leaf, onChange }: { leaf: Extract<Leaf, { kind: 'tag' }>; onChange: (leaf: Leaf) => void }) {
  const t = useWords(words)
  const tags = useQuery(api.audience.tags.queryOptions({ input: {} }))
  return (
    <>
      <Select
        style={{ width: 90 }}
        value={leaf.match}
        options={[
          { value: 'any', label: t('any') },
          { value: 'all', label: t('all') },
        ]}
        onChange={(match) => onChange({ ...leaf, match })}
      />
      <Select
        mode="multiple"
        style={{ minWidth: 200 }}
        value={[...leaf.tags]}
        showSearch={{ optionFilterProp: 'label' }}
        options={(tags.data?.items ?? [])
          .filter((tag) => tag.level === 'business')
          .map((tag) => ({ value: tag.id as number, label: `${tag.group} · ${tag.name}` }))}
        onChange={(chosen: number[]) => onChange({ ...leaf, tags: chosen })}
      />
    </>
  )
}

function STag({
  leaf,
  onChange,
}: {
  leaf: Extract<Leaf, { kind: 's_tag' }>
  onChange: (leaf: Leaf) => void
}) {
  const t = useWords(words)
  const groups = useQuery(api.audience.tagGroups.queryOptions())
  const tags = useQuery(api.audience.tags.queryOptions({ input: {} }))
  const inGroup = (tags.data?.items ?? []).filter((tag) => (tag.groupId as number) === leaf.group)
  return (
    <>
      <Select
        style={{ width: 140 }}
        value={leaf.group}
        options={(groups.data?.items ?? [])
          .filter((group) => group.level === 'S')
          .map((group) => ({ value: group.id as number, label: group.name }))}
        onChange={(group) => onChange({ ...leaf, group, values: [null] })}
      />
      <Select
        mode="multiple"
        style={{ minWidth: 200 }}
        value={leaf.values.map((value) => value ?? 0)}
        options={[
          { value: 0, label: t('unknown') },
          ...inGroup.map((tag) => ({ value: tag.id as number, label: tag.name })),
        ]}
        onChange={(chosen: number[]) =>
          chosen.length > 0 &&
          onChange({ ...leaf, values: chosen.map((value) => (value === 0 ? null : value)) })
        }
      />
    </>
  )
}

function SegmentChoice({
  leaf,
  onChange,
}: {
  leaf: Extract<Leaf, { kind: 'segment' }>
  onChange: (leaf: Leaf) => void
}) {
  const segments = useQuery(api.audience.segments.queryOptions())
  return (
    <Select
      style={{ minWidth: 220 }}
      value={leaf.segment === 0 ? null : leaf.segment}
      showSearch={{ optionFilterProp: 'label' }}
      options={(segments.data?.items ?? []).map((segment) => ({
        value: segment.id as number,
        label: segment.name,
      }))}
      onChange={(segment) => onChange({ ...leaf, segment })}
    />
  )
}
