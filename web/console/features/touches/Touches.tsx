import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Tag, Tooltip } from 'antd'
import { Link } from 'react-router'
import type { z } from 'zod'
import type { Touch as TouchSchema } from '../../../../contract/insight.ts'
import type { ChannelName } from '../../../../contract/reach.ts'
import { api } from '../../../client.ts'
import { channelName } from '../../../ui/channel-words.ts'
import { minute, whole } from '../../../ui/format.ts'
import { useLang, useWords } from '../../../ui/language.ts'
import { reasonName } from '../../../ui/reason-words.ts'
import { touchStateName, touchStates } from '../../../ui/touch-words.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Choice } from '../../parts/Choice.tsx'
import { DayChoice } from '../../parts/DayChoice.tsx'
import { FilterBar, ListTable } from '../../parts/ListPage.tsx'
import { whileOnePage } from '../../parts/More.tsx'
import { useAddress } from '../../parts/use-address.ts'
import { useMoney, useZone } from '../../parts/use-brand.ts'
import { Unknown } from './Unknown.tsx'

const words = {
  title: { zh: '触达记录', en: 'Touches' },
  answer: {
    zh: '每一次发送、推迟、保留和未发送，都有一条原因。今天：',
    en: 'Every touch sent, deferred, held out or dropped has its reason. Today: ',
  },
  nothing: { zh: '还没有决定', en: 'nothing decided yet' },
  none: {
    zh: '还没有触达。SOP 上线后，每个决定都会记在这里。',
    en: 'None yet. Once a SOP is live every decision stands here.',
  },
  nobody: { zh: '没有符合条件的触达', en: 'No touch matches' },
  state: { zh: '状态', en: 'State' },
  channel: { zh: '渠道', en: 'Channel' },
  day: { zh: '决定于哪天', en: 'Decided on' },
  at: { zh: '提出', en: 'Offered' },
  since: { zh: '{at} 起', en: 'since {at}' },
  member: { zh: '会员', en: 'Member' },
  reason: { zh: '原因', en: 'Reason' },
  journey: { zh: 'SOP', en: 'SOP' },
  sender: { zh: '由谁发', en: 'Sender' },
  content: { zh: '内容', en: 'Content' },
  cost: { zh: '成本', en: 'Cost' },
}
const REFRESH_MS = 15_000

/** What was decided about every message, and why. */
export function Touches() {
  const t = useWords(words)
  const lang = useLang()
  const { get, set } = useAddress()
  return (
    <>
      <Answer title={t('title')}>
        {t('answer')}
        <Today />
      </Answer>
      <Unknown />
      <FilterBar>
        <Choice
          label={t('state')}
          value={get('state')}
          onChange={(state) => set({ state })}
          options={touchStates.map((state) => [state, touchStateName(state, lang)])}
        />
        <Choice
          label={t('channel')}
          value={get('channel')}
          onChange={(channel) => set({ channel })}
          options={(['wecom', 'sms'] as const).map((channel) => [channel, channelName(channel, lang)])}
        />
        <DayChoice label={t('day')} value={get('day')} onChange={(day) => set({ day })} />
      </FilterBar>
      <List />
    </>
  )
}

/** Today's decisions by state and reason; each is a way to those touches. */
function Today() {
  const t = useWords(words)
  const lang = useLang()
  const today = useQuery(api.insight.today.queryOptions({ refetchInterval: REFRESH_MS }))
  if (today.data?.items.length === 0) return t('nothing')
  return (today.data?.items ?? []).map((item) => (
    <Tooltip key={`${item.state} ${item.reason}`} title={reasonName(item.reason, lang)}>
      <Link
        to={`/touches?day=${today.data?.day}&state=${item.state}${item.reason ? `&reason=${item.reason}` : ''}`}
      >
        <Tag style={{ cursor: 'pointer', marginBottom: 4 }}>
          {touchStateName(item.state, lang)}
          {item.reason ? ` · ${reasonName(item.reason, lang)}` : ''} {whole(item.touches)}
        </Tag>
      </Link>
    </Tooltip>
  ))
}

function List() {
  const t = useWords(words)
  const { money } = useMoney()
  const lang = useLang()
  const zone = useZone()
  const { get, any } = useAddress()
  const filter = {
    state: get('state'),
    reason: get('reason'),
    channel: get('channel') as ChannelName | undefined,
    journeyId: get('journeyId'),
    memberId: get('memberId'),
    day: get('day'),
    limit: 50,
  }
  const query = useInfiniteQuery(
    api.insight.touches.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filter, cursor }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
      refetchInterval: ({ state }) => whileOnePage(state.data, REFRESH_MS),
    }),
  )
  return (
    <ListTable<z.infer<typeof TouchSchema>>
      query={query}
      none={t(any ? 'nobody' : 'none')}
      width={1180}
      columns={[
        { title: t('at'), width: 140, render: (_, row) => minute(row.plannedAt, zone) },
        {
          title: t('member'),
          width: 110,
          ellipsis: true,
          render: (_, row) => <Link to={`/members/${row.memberId}`}>{row.member ?? '–'}</Link>,
        },
        { title: t('channel'), width: 100, render: (_, row) => channelName(row.channel, lang) },
        {
          title: t('state'),
          width: 130,
          render: (_, row) => (
            <Tooltip title={t('since', { at: minute(row.at, zone) })}>
              {touchStateName(row.state, lang)}
            </Tooltip>
          ),
        },
        { title: t('reason'), width: 190, render: (_, row) => reasonName(row.reason, lang) },
        { title: t('journey'), width: 150, ellipsis: true, render: (_, row) => row.journey ?? '–' },
        { title: t('sender'), width: 100, ellipsis: true, render: (_, row) => row.sender ?? '–' },
        {
          title: t('content'),
          ellipsis: true,
          render: (_, row) => <span translate="no">{row.content}</span>,
        },
        {
          title: t('cost'),
          width: 90,
          align: 'right',
          render: (_, row) => (row.costCents === 0 ? '–' : money(row.costCents)),
        },
      ]}
    />
  )
}
