import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { App as AntApp, ConfigProvider, theme } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { useEffect, useMemo, useState } from 'react'
import { RouterProvider } from 'react-router/dom'
import { DarkContext, prefersDark, storeDark } from '../../ui/dark.ts'
import type { Lang } from '../../ui/format.ts'
import { LanguageContext, storedLanguage, storeLanguage } from '../../ui/language.ts'
import { antTokens, componentTokens } from '../../ui/tokens.ts'
import { queryDefaults } from './queries.ts'
import { router } from './routes.tsx'

const queries = new QueryClient(queryDefaults)

export function App() {
  const [lang, setLang] = useState<Lang>(storedLanguage)
  const [dark, setDark] = useState(prefersDark)
  const language = useMemo(() => ({ lang, setLang }), [lang])
  const shade = useMemo(() => ({ dark, setDark }), [dark])
  useEffect(() => {
    storeLanguage(lang)
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en'
  }, [lang])
  useEffect(() => storeDark(dark), [dark])
  return (
    <LanguageContext.Provider value={language}>
      <DarkContext.Provider value={shade}>
        <ConfigProvider
          locale={lang === 'zh' ? zhCN : enUS}
          theme={{
            algorithm: dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
            token: antTokens(dark),
            components: componentTokens(dark),
          }}
        >
          <AntApp style={{ height: '100%' }}>
            <QueryClientProvider client={queries}>
              <RouterProvider router={router} />
            </QueryClientProvider>
          </AntApp>
        </ConfigProvider>
      </DarkContext.Provider>
    </LanguageContext.Provider>
  )
}
