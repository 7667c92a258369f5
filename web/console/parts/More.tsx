import { Button, Space, Typography } from 'antd'
import { whole } from '../../ui/format.ts'
import { useWords } from '../../ui/language.ts'

const words = {
  shown: { zh: '已显示 {n} 条', en: '{n} shown' },
  rest: { zh: '已显示 {n} 条，还有更多', en: '{n} shown, there are more' },
  failed: { zh: '没有加载出来，请再试一次', en: 'This could not be loaded: try again' },
  next: { zh: '加载更多', en: 'Load more' },
}

type Pages = {
  hasNextPage: boolean
  isFetchingNextPage: boolean
  isFetchNextPageError: boolean
  fetchNextPage: () => unknown
}

/** How often a list is read again by itself: every page of it is a request, so only while the first is all that is shown. */
export function whileOnePage(
  data: { pages: readonly unknown[] } | undefined,
  everyMs: number,
): number | false {
  return data !== undefined && data.pages.length > 1 ? false : everyMs
}

/** The foot of a list that comes page by page. */
export function More({ query, shown }: { query: Pages; shown: number }) {
  const t = useWords(words)
  if (shown === 0) return null
  return (
    <Space style={{ marginTop: 12 }}>
      <span style={{ opacity: 0.75 }}>{t(query.hasNextPage ? 'rest' : 'shown', { n: whole(shown) })}</span>
      {query.hasNextPage ? (
        <Button loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
          {t('next')}
        </Button>
      ) : null}
      {query.isFetchNextPageError ? <Typography.Text type="danger">{t('failed')}</Typography.Text> : null}
    </Space>
  )
}
