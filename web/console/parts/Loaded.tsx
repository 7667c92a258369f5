import type { UseQueryResult } from '@tanstack/react-query'
import { Alert, Button, Result, Skeleton } from 'antd'
import type { ReactNode } from 'react'
import { faultOf } from '../../client.ts'
import { useWords } from '../../ui/language.ts'
import { problemWords } from '../../ui/problem-words.ts'

const words = {
  retry: { zh: '重试', en: 'Try again' },
  failed: { zh: '没有加载出来', en: 'This could not be loaded' },
  stale: {
    zh: '没有刷新成功，下面是之前的内容',
    en: 'Could not be refreshed: this is from before',
  },
  code: { zh: '错误代码 {code}', en: 'Code {code}' },
}

/** Skeleton while loading, what happened and what to do on an error, else the content; old content says that it is old. */
export function Loaded<T>({
  query,
  children,
  rows = 6,
}: {
  query: UseQueryResult<T>
  children: (data: T) => ReactNode
  rows?: number
}) {
  const t = useWords(words)
  const say = useWords(problemWords)
  if (query.data !== undefined)
    return (
      <>
        {query.error && !isFurtherPage(query) ? (
          <Alert
            type="warning"
            showIcon
            style={{ marginBottom: 12 }}
            title={`${t('stale')} · ${say(faultOf(query.error).code)}`}
            action={
              <Button size="small" loading={query.isFetching} onClick={() => void query.refetch()}>
                {t('retry')}
              </Button>
            }
          />
        ) : null}
        {children(query.data)}
      </>
    )
  if (query.error) {
    const fault = faultOf(query.error)
    return (
      <Result
        status="warning"
        title={t('failed')}
        subTitle={`${say(fault.code)} · ${t('code', { code: fault.code })}`}
        extra={<Button onClick={() => void query.refetch()}>{t('retry')}</Button>}
      />
    )
  }
  return <Skeleton active paragraph={{ rows }} />
}

/** A further page that did not come: said at the foot of the list, by `More`. */
function isFurtherPage(query: object): boolean {
  return 'isFetchNextPageError' in query && query.isFetchNextPageError === true
}
