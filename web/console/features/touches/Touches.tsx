import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, Card, Empty, Select, Space, Table, Tag, Tooltip } from 'antd'
import { Link, useSearchParams } from 'react-router'
import type { ChannelName } from '../../../../contract/reach.ts'
import { api } from '../../../client.ts'
import { minute, money, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { reasonName } from '../../../ui/reason-words.ts'
import { touchStateName, touchStates } from '../../../ui/touch-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'

const words = {
  title: { zh: '触达记录', en: 'Touches' },
  answer: {
    zh: '每一次发送、推迟、保留和未发送，都有一条原因。今天：',
    en: 'Every touch sent, deferred, held out or dropped has its reason. Today: ',
  },
  none: {
    zh: '还没有触达。SOP 上线后，每个决定都会记在这里。',
    en: 'None yet. Once a SOP is live every decision stands here.',
  },
  state: { zh: '状态', en: 'State' },
  channel: { zh: '渠道', en: 'Channel' },
  wecom: { zh: '企业微信', en: 'WeCom' },
  sms: { zh: '短信', en: 'SMS' },
  at: { zh: '时间', en: 'Time' },
  member: { zh: '会员', en: 'Member' },
  reason: { zh: '原因', en: 'Reason' },
  journey: { zh: 'SOP', en: 'SOP' },
  sender: { zh: '由谁发', en: 'Sender' },
  content: { zh: '内容', en: 'Content' },
  cost: { zh: '成本', en: 'Cost' },
  more: { zh: '加载更多', en: 'Load more' },
  clear: { zh: '清除条件', en: 'Clear the filters' },
}
const ZONE = 'Asia/Shanghai'

/** What was decided about every message, and why. */
export function Touches() {
  const t = useWords(words)
  const lang = useLang()
  const [params, setParams] = useSearchParams()
  const set = (name: string, value: string | null | undefined): void => {
    const next = new URLSearchParams(params)
    if (value) next.set(name, value)
    else next.delete(name)
    setParams(next)
  }
  const filter = {
    state: params.get('state') ?? undefined,
    reason: params.get('reason') ?? undefined,
    channel: (params.get('channel') ?? undefined) as ChannelName | undefined,
    journeyId: params.get('journeyId') ?? undefined,
    memberId: params.get('memberId') ?? undefined,
    day: params.get('day') ?? undefined,
    limit: 50,
  }
  const query = useInfiniteQuery(
    api.insight.touches.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filter, cursor }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
      refetchInterval: 15_000,
    }),
  )
  const today = useQuery(api.insight.today.queryOptions({ refetchInterval: 15_000 }))
  return (
    <>
      <Answer title={t('title')}>
        {t('answer')}
        {(today.data?.items ?? []).map((item) => (
          <Tooltip key={`${item.state} ${item.reason}`} title={reasonName(item.reason, lang)}>
            <Tag style={{ cursor: 'pointer' }} onClick={() => set('state', item.state)}>
              {touchStateName(item.state, lang)}
              {item.reason ? ` · ${reasonName(item.reason, lang)}` : ''} {whole(item.touches)}
            </Tag>
          </Tooltip>
        ))}
      </Answer>
      <Space wrap style={{ marginBottom: 12 }}>
        <Select
          allowClear
          placeholder={t('state')}
          aria-label={t('state')}
          style={{ width: 180 }}
          value={filter.state ?? null}
          onChange={(value) => set('state', value)}
          options={touchStates.map((state) => ({ value: state, label: touchStateName(state, lang) }))}
        />
        <Select
          allowClear
          placeholder={t('channel')}
          aria-label={t('channel')}
          style={{ width: 140 }}
          value={filter.channel ?? null}
          onChange={(value) => set('channel', value)}
          options={(['wecom', 'sms'] as const).map((channel) => ({ value: channel, label: t(channel) }))}
        />
        {[...params.keys()].length > 0 ? (
          <Button type="link" onClick={() => setParams({})}>
            {t('clear')}
          </Button>
        ) : null}
      </Space>
      <Loaded query={query as never} rows={10}>
        {() => (
          <Card styles={{ body: { padding: 0 } }}>
            <Table
              size="small"
              rowKey="id"
              pagination={false}
              scroll={{ x: 1000 }}
              dataSource={query.data?.pages.flatMap((page) => page.items) ?? []}
              locale={{ emptyText: <Empty description={t('none')} /> }}
              columns={[
                { title: t('at'), width: 150, render: (_, row) => minute(row.at, ZONE) },
                {
                  title: t('member'),
                  width: 120,
                  ellipsis: true,
                  render: (_, row) => <Link to={`/members/${row.memberId}`}>{row.member ?? '–'}</Link>,
                },
                {
                  title: t('channel'),
                  width: 100,
                  render: (_, row) =>
                    row.channel === 'wecom' || row.channel === 'sms' ? t(row.channel) : row.channel,
                },
                { title: t('state'), width: 130, render: (_, row) => touchStateName(row.state, lang) },
                { title: t('reason'), width: 190, render: (_, row) => reasonName(row.reason, lang) },
                {
                  title: t('journey'),
                  width: 150,
                  ellipsis: true,
                  dataIndex: 'journey',
                  render: (name: string | null) => name ?? '–',
                },
                {
                  title: t('sender'),
                  width: 100,
                  ellipsis: true,
                  dataIndex: 'sender',
                  render: (name: string | null) => name ?? '–',
                },
                { title: t('content'), ellipsis: true, dataIndex: 'content' },
                {
                  title: t('cost'),
                  width: 90,
                  align: 'right',
                  dataIndex: 'costCents',
                  render: (cents: number) => (cents === 0 ? '–' : money(cents)),
                },
              ]}
            />
            {query.hasNextPage ? (
              <Button
                style={{ margin: 12 }}
                loading={query.isFetchingNextPage}
                onClick={() => void query.fetchNextPage()}
              >
                {t('more')}
              </Button>
            ) : null}
          </Card>
        )}
      </Loaded>
    </>
  )
}
