import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { Button, ConfigProvider, ErrorBlock, NoticeBar, PullToRefresh, Skeleton } from 'antd-mobile'
import enUS from 'antd-mobile/es/locales/en-US'
import zhCN from 'antd-mobile/es/locales/zh-CN'
import { useCallback, useContext, useMemo, useState } from 'react'
import { api, faultOf } from '../client.ts'
import type { Lang } from '../ui/format.ts'
import { LanguageContext, storedLanguage, storeLanguage, useWords } from '../ui/language.ts'
import { problemWords } from '../ui/problem-words.ts'
import { TaskCard } from './TaskCard.tsx'

const words = {
  hello: { zh: '{name}，今天 {n} 个任务', en: '{name}, {n} tasks today' },
  free: { zh: '{name}，今天的任务都做完了', en: '{name}, all done for today' },
  done: { zh: '已完成 {n} 个', en: '{n} done' },
  score: { zh: '执行分 {score}', en: 'score {score}' },
  none: { zh: '没有任务', en: 'No tasks' },
  noneSays: { zh: '有新的会员需要联系时，会出现在这里。', en: 'When a member needs you it shows here.' },
  retry: { zh: '重试', en: 'Try again' },
  stale: { zh: '没有刷新成功，下面是之前的内容', en: 'Could not be refreshed: this is from before' },
  language: { zh: 'English', en: '中文' },
}
const UNTIL_KNOWN = 'Asia/Shanghai'
const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 10_000, retry: 1 } } })

export function Workbench() {
  const [lang, setLang] = useState<Lang>(storedLanguage)
  const keep = useCallback((next: Lang) => {
    storeLanguage(next)
    setLang(next)
  }, [])
  const language = useMemo(() => ({ lang, setLang: keep }), [lang, keep])
  return (
    <LanguageContext.Provider value={language}>
      <ConfigProvider locale={lang === 'zh' ? zhCN : enUS}>
        <QueryClientProvider client={queries}>
          <Today />
        </QueryClientProvider>
      </ConfigProvider>
    </LanguageContext.Provider>
  )
}

/** GOV-15: one list, one button a task, no configuration. */
function Today() {
  const t = useWords(words)
  const say = useWords(problemWords)
  const me = useQuery(api.session.me.queryOptions({ retry: false }))
  const tasks = useQuery(
    api.tasks.mine.queryOptions({
      enabled: me.data !== undefined && !me.data.mustChangePassword,
      refetchInterval: 30_000,
    }),
  )
  const brand = useQuery(api.brand.get.queryOptions({ enabled: me.data !== undefined, staleTime: 300_000 }))
  const { lang, setLang } = useContext(LanguageContext)
  const error = me.error ?? tasks.error
  if (error && faultOf(error).code === 'not_signed_in') {
    window.location.replace(`/sign-in?to=${encodeURIComponent('/workbench/')}`)
    return null
  }
  if (me.data?.mustChangePassword) {
    window.location.replace('/password')
    return null
  }
  const again = (): void => void Promise.all([me.refetch(), tasks.refetch()])
  if (error && !(me.data && tasks.data)) {
    return (
      <ErrorBlock
        status="disconnected"
        title={say(faultOf(error).code)}
        description={faultOf(error).code}
        fullPage
      >
        <Button color="primary" onClick={again}>
          {t('retry')}
        </Button>
      </ErrorBlock>
    )
  }
  if (!me.data || !tasks.data)
    return (
      <div className="page">
        <Skeleton.Title animated />
        <Skeleton.Paragraph lineCount={8} animated />
      </div>
    )
  const { items, doneToday, score } = tasks.data
  return (
    <PullToRefresh onRefresh={async () => void (await tasks.refetch())}>
      <main className="page">
        <header style={{ display: 'flex', alignItems: 'baseline', gap: 8 }}>
          <h2 style={{ margin: '8px 4px 2px', flex: 1 }}>
            {t(items.length === 0 ? 'free' : 'hello', { name: me.data.name, n: items.length })}
          </h2>
          <span translate="no">
            <Button fill="none" size="small" onClick={() => setLang(lang === 'zh' ? 'en' : 'zh')}>
              {t('language')}
            </Button>
          </span>
        </header>
        <p className="quiet" style={{ margin: '0 4px 12px' }}>
          {t('done', { n: doneToday })}
          {score === null ? '' : ` · ${t('score', { score })}`}
        </p>
        {error ? (
          <NoticeBar
            color="alert"
            wrap
            content={t('stale')}
            extra={
              <Button size="mini" fill="outline" onClick={again}>
                {t('retry')}
              </Button>
            }
            style={{ marginBottom: 12 }}
          />
        ) : null}
        {items.length === 0 ? (
          <ErrorBlock status="empty" title={t('none')} description={t('noneSays')} />
        ) : null}
        {items.map((task) => (
          <TaskCard
            key={task.id}
            task={task}
            zone={brand.data?.zone ?? UNTIL_KNOWN}
            currency={brand.data?.currency}
            onChanged={() => void tasks.refetch()}
          />
        ))}
      </main>
    </PullToRefresh>
  )
}
