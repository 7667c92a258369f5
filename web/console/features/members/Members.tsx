import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Empty, Input, Space } from 'antd'
import { Link, useNavigate } from 'react-router'
import { lifecycleName, lifecycleStates } from '../../../../contract/lifecycle.ts'
import { type MemberSource, memberSources } from '../../../../contract/members.ts'
import { type RfmGroup, rfmGroupName, rfmGroups } from '../../../../contract/rfm.ts'
import { api } from '../../../client.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { sourceName } from '../../../ui/source-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Choice } from '../../parts/Choice.tsx'
import { ExportButton } from '../../parts/export/ExportButton.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMay } from '../../parts/use-brand.ts'
import { useStores } from '../../parts/use-stores.ts'
import { ruleOf } from './filter-rule.ts'
import { kinds, kindWords } from './kind-words.ts'
import { ExportRows, MemberTable } from './MemberTable.tsx'

const words = {
  title: { zh: '会员', en: 'Members' },
  find: { zh: '姓名、手机号（或后四位）、卡号', en: 'Name, phone (or its last four), card' },
  lifecycle: { zh: '生命周期', en: 'Life cycle' },
  source: { zh: '来源', en: 'Source' },
  store: { zh: '门店', en: 'Store' },
  kind: { zh: '身份', en: 'Kind' },
  rfm: { zh: 'RFM 分群', en: 'RFM group' },
  sort: { zh: '排序', en: 'Sort' },
  joined: { zh: '最近入会', en: 'Latest joined' },
  last_purchase: { zh: '最近购买', en: 'Latest purchase' },
  spent: { zh: '消费最多', en: 'Spent most' },
  name: { zh: '按姓名', en: 'By name' },
  none: { zh: '没有符合条件的会员', en: 'Nobody matches' },
  nobody: {
    zh: '还没有会员。导入一份会员、订单或企业微信联系人文件，就会出现在这里。',
    en: 'No members yet. Import members, orders or WeCom contacts and they stand here.',
  },
  import: { zh: '导入数据', en: 'Import' },
  clear: { zh: '清除条件', en: 'Clear the filters' },
  segment: { zh: '存成人群', en: 'Save as a segment' },
}
const sorts = ['joined', 'last_purchase', 'spent', 'name'] as const

/** Everybody, by filters that stand in the address. */
export function Members() {
  const t = useWords(words)
  const navigate = useNavigate()
  const { get, any, clear } = useAddress()
  const mayImport = useMay(['owner', 'operator'])
  const number = (name: string) => (get(name) === undefined ? undefined : Number(get(name))) as never
  const filter = {
    q: get('q'),
    kind: kinds.find((kind) => kind === get('kind')),
    lifecycle: get('lifecycle'),
    rfm: get('rfm'),
    source: get('source') as MemberSource | undefined,
    storeId: get('storeId') as never,
    guideId: get('guideId') as never,
    segmentId: number('segmentId'),
    tagId: number('tagId'),
    sort: sorts.find((sort) => sort === get('sort')) ?? 'joined',
    limit: 50,
  }
  const query = useInfiniteQuery(
    api.members.search.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filter, cursor }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const rows = query.data?.pages.flatMap((page) => page.items) ?? []
  const rule = ruleOf(filter)
  const empty = any ? (
    <Empty description={t('none')}>
      <Button onClick={clear}>{t('clear')}</Button>
    </Empty>
  ) : (
    <Empty description={t('nobody')}>
      {mayImport ? (
        <Link to="/import">
          <Button type="primary">{t('import')}</Button>
        </Link>
      ) : null}
    </Empty>
  )
  return (
    <>
      <Answer
        title={t('title')}
        actions={
          <Space wrap>
            {any ? null : <ExportButton />}
            {rule ? (
              <Button
                type="primary"
                onClick={() =>
                  void navigate(`/segments/new?rule=${encodeURIComponent(JSON.stringify(rule))}`)
                }
              >
                {t('segment')}
              </Button>
            ) : null}
          </Space>
        }
      />
      <Filters />
      <Loaded query={query as never} rows={10}>
        {() => (
          <>
            <MemberTable rows={rows} loading={query.isFetching && !query.isFetchingNextPage} empty={empty} />
            <Space wrap>
              <More query={query} shown={rows.length} />
              <ExportRows rows={rows} />
            </Space>
          </>
        )}
      </Loaded>
    </>
  )
}

function Filters() {
  const t = useWords(words)
  const lang = useLang()
  const { get, set, clear, any } = useAddress()
  const stores = useStores()
  return (
    <Space wrap style={{ marginBottom: 12 }}>
      <Input.Search
        key={get('q')}
        allowClear
        defaultValue={get('q') ?? ''}
        placeholder={t('find')}
        aria-label={t('find')}
        style={{ width: 280 }}
        onSearch={(value) => set({ q: value.trim() })}
      />
      <Choice
        label={t('lifecycle')}
        value={get('lifecycle')}
        onChange={(lifecycle) => set({ lifecycle })}
        options={lifecycleStates.map((state) => [state, lifecycleName(state, lang)])}
      />
      <Choice
        label={t('rfm')}
        value={get('rfm')}
        onChange={(rfm) => set({ rfm })}
        options={rfmGroups.map((group: RfmGroup) => [group, rfmGroupName(group, lang)])}
      />
      <Choice
        label={t('kind')}
        value={get('kind')}
        onChange={(kind) => set({ kind })}
        options={kinds.map((kind) => [kind, kindWords[kind][lang]])}
      />
      <Choice
        label={t('source')}
        value={get('source')}
        onChange={(source) => set({ source })}
        options={memberSources.map((source) => [source, sourceName(source, lang)])}
      />
      <Choice
        label={t('store')}
        value={get('storeId')}
        onChange={(storeId) => set({ storeId })}
        options={stores.map((store) => [store.id, store.name])}
      />
      <Choice
        label={t('sort')}
        value={get('sort') ?? 'joined'}
        onChange={(sort) => set({ sort })}
        options={sorts.map((sort) => [sort, t(sort)])}
      />
      {any ? (
        <Button type="link" onClick={clear}>
          {t('clear')}
        </Button>
      ) : null}
    </Space>
  )
}
