/**
 * Two languages, Chinese first. Texts stand beside the page that says them, as `{ zh, en }` pairs:
 * a missing translation does not compile.
 */
import { createContext, useContext } from 'react'
import type { Lang } from './format.ts'

export type Words = Readonly<Record<string, Readonly<Record<Lang, string>>>>

export const LanguageContext = createContext<{ lang: Lang; setLang: (lang: Lang) => void }>({
  lang: 'zh',
  setLang: () => undefined,
})

export function useLang(): Lang {
  return useContext(LanguageContext).lang
}

/** `const t = useWords(words); t('title')`, with `{name}` filled in from the second argument. */
export function useWords<W extends Words>(
  words: W,
): (key: keyof W, values?: Record<string, string | number>) => string {
  const lang = useLang()
  return (key, values) => fill(words[key]?.[lang] ?? String(key), values)
}

export function fill(text: string, values?: Record<string, string | number>): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text
}

const STORED = 'liuliang.language'

export function storedLanguage(): Lang {
  return localStorage.getItem(STORED) === 'en' ? 'en' : 'zh'
}

export function storeLanguage(lang: Lang): void {
  localStorage.setItem(STORED, lang)
}
