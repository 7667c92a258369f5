import type { UseQueryResult } from '@tanstack/react-query'
import { Button, Result, Skeleton } from 'antd'
import type { ReactNode } from 'react'
import { faultOf } from '../../client.ts'
import { useWords } from '../../ui/language.ts'
import { problemWords } from '../../ui/problem-words.ts'

const words = {
  retry: { zh: '重试', en: 'Try again' },
  failed: { zh: '没有加载出来', en: 'This could not be loaded' },
  code: { zh: '错误代码 {code}', en: 'Code {code}' },
}

/** Skeleton while loading, what happened and what to do on an error, else the content. */
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
  if (query.data !== undefined) return <>{children(query.data)}</>
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
