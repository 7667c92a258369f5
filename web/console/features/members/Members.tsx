import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, Empty, Input, Select, Space, Table, Tag, Tooltip } from 'antd'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { type LifecycleState, lifecycleName, lifecycleStates } from '../../../../contract/lifecycle.ts'
import { type MemberRow, type MemberSource, memberSources } from '../../../../contract/members.ts'
import { api } from '../../../client.ts'
import { downloadCsv } from '../../../ui/csv.ts'
import { date, money, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { sourceName } from '../../../ui/source-words.ts'
import { colourOf } from '../../../ui/tokens.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'

const words = {
  title: { zh: '会员', en: 'Members' },
  shown: { zh: '已显示 {n} 位{more}', en: '{n} shown{more}' },
  more: { zh: '，还有更多', en: ', there are more' },
  next: { zh: '加载更多', en: 'Load more' },
  find: { zh: '姓名、手机号（或后四位）、卡号', en: 'Name, phone (or its last four), card' },
  lifecycle: { zh: '生命周期', en: 'Life cycle' },
  source: { zh: '来源', en: 'Source' },
  store: { zh: '门店', en: 'Store' },
  kind: { zh: '身份', en: 'Kind' },
  member: { zh: '注册会员', en: 'Member' },
  customer: { zh: '买过未注册', en: 'Bought, not registered' },
  contact: { zh: '仅企微好友', en: 'WeCom contact only' },
  visitor: { zh: '访客', en: 'Visitor' },
  sort: { zh: '排序', en: 'Sort' },
  joined: { zh: '最近入会', en: 'Latest joined' },
  last_purchase: { zh: '最近购买', en: 'Latest purchase' },
  spent: { zh: '消费最多', en: 'Spent most' },
  name: { zh: '姓名', en: 'Name' },
  phone: { zh: '手机号', en: 'Phone' },
  last: { zh: '最近购买', en: 'Last purchase' },
  purchases: { zh: '购买次数', en: 'Purchases' },
  amount: { zh: '累计消费', en: 'Spent' },
  guide: { zh: '导购', en: 'Guide' },
  tags: { zh: '标签', en: 'Tags' },
  since: { zh: '入会', en: 'Joined' },
  none: { zh: '没有符合条件的会员', en: 'Nobody matches' },
  clear: { zh: '清除条件', en: 'Clear the filters' },
  export: { zh: '导出本页', en: 'Export what is shown' },
  segment: { zh: '存成人群', en: 'Save as a segment' },
  nameless: { zh: '（无姓名）', en: '(no name)' },
  demo: { zh: '演示', en: 'demo' },
}
const kinds = ['member', 'customer', 'contact', 'visitor'] as const
const sorts = ['joined', 'last_purchase', 'spent', 'name'] as const

/** Everybody, by filters that stand in the address. */
export function Members() {
  const t = useWords(words)
  const lang = useLang()
  const navigate = useNavigate()
  const [params, setParams] = useSearchParams()
  const text = (name: string): string | undefined => params.get(name) ?? undefined
  const set = (name: string, value: string | undefined): void => {
    const next = new URLSearchParams(params)
    if (value) next.set(name, value)
    else next.delete(name)
    setParams(next)
  }
  const filter = {
    q: text('q'),
    kind: text('kind') as (typeof kinds)[number] | undefined,
    lifecycle: text('lifecycle'),
    rfm: text('rfm'),
    source: text('source') as MemberSource | undefined,
    storeId: text('storeId') as never,
    guideId: text('guideId') as never,
    segmentId: (params.has('segmentId') ? Number(params.get('segmentId')) : undefined) as never,
    tagId: (params.has('tagId') ? Number(params.get('tagId')) : undefined) as never,
    sort: (text('sort') ?? 'joined') as (typeof sorts)[number],
    limit: 50,
  }
  const query = useInfiniteQuery(
    api.members.search.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filter, cursor }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const stores = useQuery(api.stores.list.queryOptions({ input: { limit: 200 } }))
  const rule = ruleOf(filter)
  return (
    <>
      <Answer
        title={t('title')}
        actions={
          rule ? (
            <Button
              type="primary"
              onClick={() => void navigate(`/segments/new?rule=${encodeURIComponent(JSON.stringify(rule))}`)}
            >
              {t('segment')}
            </Button>
          ) : null
        }
      />
      <Space wrap style={{ marginBottom: 12 }}>
        <Input.Search
          key={filter.q}
          allowClear
          defaultValue={filter.q ?? ''}
          placeholder={t('find')}
          aria-label={t('find')}
          style={{ width: 280 }}
          onSearch={(value) => set('q', value.trim())}
        />
        <Filter
          label={t('lifecycle')}
          value={filter.lifecycle}
          onChange={(value) => set('lifecycle', value)}
          options={lifecycleStates.map((state) => [state, lifecycleName(state, lang)])}
        />
        <Filter
          label={t('kind')}
          value={filter.kind}
          onChange={(value) => set('kind', value)}
          options={kinds.map((kind) => [kind, t(kind)])}
        />
        <Filter
          label={t('source')}
          value={filter.source}
          onChange={(value) => set('source', value)}
          options={memberSources.map((source) => [source, sourceName(source, lang)])}
        />
        <Filter
          label={t('store')}
          value={filter.storeId}
          onChange={(value) => set('storeId', value)}
          options={(stores.data?.items ?? []).map((store) => [store.id, store.name])}
        />
        <Filter
          label={t('sort')}
          value={filter.sort}
          onChange={(value) => set('sort', value)}
          options={sorts.map((sort) => [sort, t(sort)])}
        />
        {[...params.keys()].length > 0 ? (
          <Button type="link" onClick={() => setParams({})}>
            {t('clear')}
          </Button>
        ) : null}
      </Space>
      <Loaded query={query as never} rows={10}>
        {() => {
          const rows = query.data?.pages.flatMap((page) => page.items) ?? []
          return (
            <>
              <Table<MemberRow>
                size="middle"
                rowKey="id"
                sticky
                loading={query.isFetching && !query.isFetchingNextPage}
                dataSource={rows}
                pagination={false}
                scroll={{ x: 1100 }}
                locale={{ emptyText: <Empty description={t('none')} /> }}
                onRow={(row) => ({ onDoubleClick: () => void navigate(`/members/${row.id}`) })}
                columns={[
                  {
                    title: t('name'),
                    width: 160,
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
                  {
                    title: t('phone'),
                    dataIndex: 'phone',
                    width: 130,
                    render: (phone: string | null) => phone ?? '–',
                  },
                  {
                    title: t('lifecycle'),
                    dataIndex: 'lifecycle',
                    width: 150,
                    render: (state: string | null) => (state ? <State state={state} /> : '–'),
                  },
                  {
                    title: t('last'),
                    dataIndex: 'lastPurchaseAt',
                    width: 120,
                    render: (at: string | null) => date(at, 'Asia/Shanghai'),
                  },
                  {
                    title: t('purchases'),
                    dataIndex: 'purchases',
                    width: 90,
                    align: 'right',
                    render: (n: number) => whole(n),
                  },
                  {
                    title: t('amount'),
                    dataIndex: 'spentCents',
                    width: 130,
                    align: 'right',
                    render: (cents: number) => money(cents),
                  },
                  {
                    title: t('store'),
                    dataIndex: 'store',
                    ellipsis: true,
                    width: 140,
                    render: (store: string | null) => store ?? '–',
                  },
                  {
                    title: t('guide'),
                    dataIndex: 'guide',
                    ellipsis: true,
                    width: 100,
                    render: (guide: string | null) => guide ?? '–',
                  },
                  {
                    title: t('since'),
                    dataIndex: 'joinedAt',
                    width: 120,
                    render: (at: string | null) => date(at, 'Asia/Shanghai'),
                  },
                  {
                    title: t('tags'),
                    dataIndex: 'tags',
                    width: 180,
                    render: (tags: string[]) => (
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
              <Space style={{ marginTop: 12 }}>
                <span style={{ opacity: 0.65 }}>
                  {t('shown', { n: whole(rows.length), more: query.hasNextPage ? t('more') : '' })}
                </span>
                {query.hasNextPage ? (
                  <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                    {t('next')}
                  </Button>
                ) : null}
                {rows.length > 0 ? (
                  <Button type="text" onClick={() => exportRows(rows)}>
                    {t('export')}
                  </Button>
                ) : null}
              </Space>
            </>
          )
        }}
      </Loaded>
    </>
  )
}

function Filter({
  label,
  value,
  onChange,
  options,
}: {
  label: string
  value: string | undefined
  onChange: (value: string | undefined) => void
  options: (readonly [string, string])[]
}) {
  return (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      aria-label={label}
      placeholder={label}
      value={value ?? null}
      onChange={(chosen) => onChange(chosen ?? undefined)}
      style={{ minWidth: 140 }}
      options={options.map(([key, name]) => ({ value: key, label: name }))}
    />
  )
}

function State({ state }: { state: string }) {
  const lang = useLang()
  return (
    <span style={{ display: 'inline-flex', gap: 6, alignItems: 'center' }}>
      <span style={{ width: 9, height: 9, borderRadius: 3, background: colourOf(state) }} />
      {lifecycleName(state as LifecycleState, lang)}
    </span>
  )
}

/** The filters as a rule, where the rule language says the same. */
function ruleOf(filter: {
  lifecycle?: string | undefined
  source?: string | undefined
  rfm?: string | undefined
  kind?: string | undefined
}): unknown {
  const rules = [
    filter.lifecycle ? { kind: 'lifecycle', states: [filter.lifecycle] } : undefined,
    filter.source ? { kind: 'attribute', attribute: 'source', op: 'in', values: [filter.source] } : undefined,
    filter.kind ? { kind: 'attribute', attribute: 'kind', op: 'in', values: [filter.kind] } : undefined,
    filter.rfm ? { kind: 'rfm_group', groups: [filter.rfm] } : undefined,
  ].filter((rule) => rule !== undefined)
  if (rules.length === 0) return undefined
  return rules.length === 1 ? rules[0] : { kind: 'all', rules }
}

function exportRows(rows: readonly MemberRow[]): void {
  downloadCsv(
    'members.csv',
    ['name', 'phone', 'lifecycle', 'last_purchase', 'purchases', 'spent', 'store', 'guide', 'joined', 'tags'],
    rows.map((row) => [
      row.name,
      row.phone,
      row.lifecycle,
      row.lastPurchaseAt,
      row.purchases,
      row.spentCents / 100,
      row.store,
      row.guide,
      row.joinedAt,
      row.tags.join('|'),
    ]),
  )
}
