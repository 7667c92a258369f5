import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Progress } from 'antd'
import { useEffect, useRef } from 'react'
import { type StillCounting as Counting, readers } from '../../../contract/insight.ts'
import { api } from '../../client.ts'
import { whole } from '../../ui/format.ts'
import { useWords } from '../../ui/language.ts'
import { useMay } from '../parts/use-brand.ts'

const words = {
  waiting: {
    zh: '正在计算 {persons} 位会员的最新数据，页面上的人数还会变化，算完会自动刷新。',
    en: 'New facts about {persons} people are still being counted. Figures change until then; pages refresh by themselves.',
  },
  more: {
    zh: '正在计算 {persons} 位以上会员的最新数据，页面上的人数还会变化，算完会自动刷新。',
    en: 'New facts about more than {persons} people are still being counted. Figures change until then; pages refresh by themselves.',
  },
  everybody: {
    zh: '规则有变化，正在重新计算所有会员，人数随时变化。',
    en: 'Rules have changed: everybody is counted anew, and figures change until then.',
  },
}
const OFTEN_MS = 3000
const SELDOM_MS = 20_000

/** Says on every page that figures are not final yet, and has them read again when they are. */
export function StillCounting() {
  const t = useWords(words)
  const may = useMay(readers)
  const queries = useQueryClient()
  const { data } = useQuery(
    api.insight.counting.queryOptions({
      enabled: may,
      retry: false,
      refetchInterval: ({ state }) => (isCounting(state.data) ? OFTEN_MS : SELDOM_MS),
    }),
  )
  const counting = isCounting(data)
  const before = useRef(false)
  useEffect(() => {
    if (before.current && !counting) void queries.invalidateQueries()
    before.current = counting
  }, [counting, queries])
  if (!data || !counting) return null
  const { persons, orMore, everybody } = data
  return (
    <Alert
      type="info"
      showIcon
      role="status"
      style={{ marginBottom: 12 }}
      data-testid="still-counting"
      title={
        <>
          {persons > 0 ? <div>{t(orMore ? 'more' : 'waiting', { persons: whole(persons) })}</div> : null}
          {everybody ? <div>{t('everybody')}</div> : null}
          {everybody?.of ? (
            <Progress
              percent={Math.floor((100 * everybody.done) / everybody.of)}
              size="small"
              style={{ maxWidth: 320, display: 'block' }}
              format={() => `${whole(everybody.done)} / ${whole(everybody.of ?? 0)}`}
            />
          ) : null}
        </>
      }
    />
  )
}

function isCounting(data: Counting | undefined): boolean {
  return data !== undefined && (data.persons > 0 || data.everybody !== null)
}
