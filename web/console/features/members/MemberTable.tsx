import { Button, Table, Tag, Tooltip } from 'antd'
import type { ReactNode } from 'react'
import { Link, useNavigate } from 'react-router'
import { type LifecycleState, lifecycleName } from '../../../../contract/lifecycle.ts'
import type { MemberRow } from '../../../../contract/members.ts'
import { downloadCsv } from '../../../ui/csv.ts'
import { date, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { useMoney, useZone } from '../../parts/use-brand.ts'
import { StateMark } from './StateMark.tsx'

const words = {
  name: { zh: '姓名', en: 'Name' },
  phone: { zh: '手机号', en: 'Phone' },
  lifecycle: { zh: '生命周期', en: 'Life cycle' },
  last: { zh: '最近购买', en: 'Last purchase' },
  purchases: { zh: '购买次数', en: 'Purchases' },
  amount: { zh: '累计消费', en: 'Spent' },
  store: { zh: '门店', en: 'Store' },
  guide: { zh: '导购', en: 'Guide' },
  since: { zh: '入会', en: 'Joined' },
  tags: { zh: '标签', en: 'Tags' },
  nameless: { zh: '（无姓名）', en: '(no name)' },
  demo: { zh: '演示', en: 'demo' },
  export: { zh: '导出已显示的', en: 'Export what is shown' },
  file: { zh: '会员.csv', en: 'members.csv' },
}

type Props = { rows: readonly MemberRow[]; loading: boolean; empty: ReactNode }

/** Members a line each; a double click opens one. */
export function MemberTable({ rows, loading, empty }: Props) {
  const t = useWords(words)
  const { money } = useMoney()
  const navigate = useNavigate()
  const zone = useZone()
  return (
    <Table<MemberRow>
      size="middle"
      rowKey="id"
      sticky
      loading={loading}
      dataSource={[...rows]}
      pagination={false}
      scroll={{ x: 1180 }}
      locale={{ emptyText: empty }}
      onRow={(row) => ({ onDoubleClick: () => void navigate(`/members/${row.id}`) })}
      columns={[
        {
          title: t('name'),
          width: 145,
          fixed: 'left',
          ellipsis: true,
          render: (_, row) => (
            <>
              <Link to={`/members/${row.id}`} title={row.name ?? ''}>
                {row.name ?? t('nameless')}
              </Link>
              {row.demo ? <Tag style={{ marginInlineStart: 6 }}>{t('demo')}</Tag> : null}
            </>
          ),
        },
        { title: t('phone'), width: 125, render: (_, row) => row.phone ?? '–' },
        {
          title: t('lifecycle'),
          width: 140,
          render: (_, row) => (row.lifecycle ? <StateMark state={row.lifecycle} /> : '–'),
        },
        { title: t('last'), width: 112, render: (_, row) => date(row.lastPurchaseAt, zone) },
        { title: t('purchases'), width: 86, align: 'right', render: (_, row) => whole(row.purchases) },
        { title: t('amount'), width: 120, align: 'right', render: (_, row) => money(row.spentCents) },
        { title: t('store'), ellipsis: true, width: 130, render: (_, row) => row.store ?? '–' },
        { title: t('guide'), ellipsis: true, width: 80, render: (_, row) => row.guide ?? '–' },
        { title: t('since'), width: 112, render: (_, row) => date(row.joinedAt, zone) },
        {
          title: t('tags'),
          width: 130,
          render: (_, { tags }) => (
            <Tooltip title={tags.join('、')}>
              {tags.slice(0, 2).map((tag) => (
                <Tag key={tag}>{tag}</Tag>
              ))}
              {tags.length > 2 ? `+${tags.length - 2}` : ''}
            </Tooltip>
          ),
        },
      ]}
    />
  )
}

/** What the page shows as a CSV file; names and phones as they stand on it. */
export function ExportRows({ rows }: { rows: readonly MemberRow[] }) {
  const t = useWords(words)
  const lang = useLang()
  const zone = useZone()
  if (rows.length === 0) return null
  const columns = [
    'name',
    'phone',
    'lifecycle',
    'last',
    'purchases',
    'amount',
    'store',
    'guide',
    'since',
    'tags',
  ] as const
  const download = (): void =>
    downloadCsv(
      t('file'),
      columns.map((column) => t(column)),
      rows.map((row) => [
        row.name,
        row.phone,
        row.lifecycle === null ? null : lifecycleName(row.lifecycle as LifecycleState, lang),
        row.lastPurchaseAt === null ? null : date(row.lastPurchaseAt, zone),
        row.purchases,
        row.spentCents / 100,
        row.store,
        row.guide,
        row.joinedAt === null ? null : date(row.joinedAt, zone),
        row.tags.join('|'),
      ]),
    )
  return (
    <Button type="text" onClick={download}>
      {t('export')}
    </Button>
  )
}
