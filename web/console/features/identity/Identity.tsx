import { SearchOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { App, Button, Empty, Segmented, Space, Tabs } from 'antd'
import { api, client } from '../../../client.ts'
import { whole } from '../../../ui/format.ts'
import { useWords } from '../../../ui/language.ts'
import { Answer } from '../../parts/Answer.tsx'
import { Loaded } from '../../parts/Loaded.tsx'
import { More } from '../../parts/More.tsx'
import { useAct } from '../../parts/use-act.ts'
import { useAddress } from '../../parts/use-address.ts'
import { Merges } from './Merges.tsx'
import { ReviewCard } from './ReviewCard.tsx'

const words = {
  title: { zh: '身份合并', en: 'Identity' },
  answer: {
    zh: '强标识一致的档案自动合并；互相矛盾或只是相似的，由您决定。每次合并都可以撤销，撤销后如同从未合并。',
    en: 'Profiles that share a strong identifier join by themselves; those that contradict each other or are merely alike wait for you. Every join can be undone as if it had never been.',
  },
  look: { zh: '查找疑似重复', en: 'Look for duplicates' },
  found: { zh: '找到 {n} 对疑似重复', en: '{n} likely pairs found' },
  running: {
    zh: '还在查找，找到的会陆续出现在下面',
    en: 'Still looking: what is found appears below as it comes',
  },
  noneFound: { zh: '没有找到新的疑似重复', en: 'No new likely pairs' },
  reviews: { zh: '待核对', en: 'To review' },
  merges: { zh: '合并记录', en: 'Merges' },
  open: { zh: '待处理', en: 'Open' },
  joined: { zh: '已合并', en: 'Joined' },
  apart: { zh: '已确认不同', en: 'Kept apart' },
  all: { zh: '全部', en: 'All' },
  conflict: { zh: '标识矛盾', en: 'Conflicts' },
  fuzzy: { zh: '疑似重复', en: 'Look-alikes' },
  none: {
    zh: '没有需要核对的身份。导入新数据后，可以再查找一次疑似重复。',
    en: 'Nothing to review. After the next import, look for duplicates again.',
  },
  noneThere: { zh: '这里还没有记录', en: 'Nothing here yet' },
}
const STATES = ['open', 'joined', 'apart'] as const
const KINDS = ['all', 'conflict', 'fuzzy'] as const

/** Who may be whom: what to decide, what was decided, and the way back. */
export function Identity() {
  const t = useWords(words)
  const { message } = App.useApp()
  const address = useAddress()
  const { act, busy } = useAct()
  async function look(): Promise<void> {
    const found = await act(() => client.members.findDuplicates(), { refresh: [api.members.reviews.key()] })
    if (found?.running) void message.info(t('running'))
    else if (found)
      void message.success(found.proposed > 0 ? t('found', { n: whole(found.proposed) }) : t('noneFound'))
  }
  return (
    <>
      <Answer
        title={t('title')}
        actions={
          <Button type="primary" icon={<SearchOutlined />} loading={busy} onClick={() => void look()}>
            {t('look')}
          </Button>
        }
      >
        {t('answer')}
      </Answer>
      <Tabs
        activeKey={address.get('tab') ?? 'reviews'}
        onChange={(tab) => address.set({ tab: tab === 'reviews' ? undefined : tab })}
        items={[
          { key: 'reviews', label: t('reviews'), children: <Reviews /> },
          { key: 'merges', label: t('merges'), children: <Merges /> },
        ]}
      />
    </>
  )
}

function Reviews() {
  const t = useWords(words)
  const address = useAddress()
  const state = STATES.find((each) => each === address.get('state')) ?? 'open'
  const kind = KINDS.find((each) => each === address.get('kind')) ?? 'all'
  const query = useInfiniteQuery(
    api.members.reviews.infiniteOptions({
      input: (cursor: string | undefined) => ({
        state,
        ...(kind === 'all' ? {} : { kind }),
        cursor,
        limit: 20,
      }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (page) => page.next ?? undefined,
    }),
  )
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <Space wrap style={{ marginBottom: 12 }}>
        <Segmented
          value={state}
          onChange={(next) => address.set({ state: next })}
          options={STATES.map((each) => ({ value: each, label: t(each) }))}
        />
        <Segmented
          value={kind}
          onChange={(next) => address.set({ kind: next === 'all' ? undefined : next })}
          options={KINDS.map((each) => ({ value: each, label: t(each) }))}
        />
      </Space>
      <Loaded query={query as never} rows={8}>
        {() => (
          <>
            {items.length === 0 ? <Empty description={t(state === 'open' ? 'none' : 'noneThere')} /> : null}
            {items.map((review) => (
              <ReviewCard key={review.id} review={review} />
            ))}
            <More query={query} shown={items.length} />
          </>
        )}
      </Loaded>
    </>
  )
}
