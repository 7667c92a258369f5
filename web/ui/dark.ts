import { createContext, useContext } from 'react'

const STORED = 'liuliang.dark'

export const DarkContext = createContext<{ dark: boolean; setDark: (dark: boolean) => void }>({
  dark: false,
  setDark: () => undefined,
})

export function useDark(): { dark: boolean; setDark: (dark: boolean) => void } {
  return useContext(DarkContext)
}

export function prefersDark(): boolean {
  const stored = localStorage.getItem(STORED)
  return stored === null ? window.matchMedia('(prefers-color-scheme: dark)').matches : stored === 'yes'
}

export function storeDark(dark: boolean): void {
  localStorage.setItem(STORED, dark ? 'yes' : 'no')
}
