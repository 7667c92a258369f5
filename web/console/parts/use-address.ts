import { useSearchParams } from 'react-router'

/** What the address says after the question mark: filters, tabs, the thing that is open. */
export function useAddress(): {
  get: (name: string) => string | undefined
  /** Sets these, removes those that are undefined or empty, leaves the rest. */
  set: (changes: Readonly<Record<string, string | undefined>>) => void
  clear: () => void
  any: boolean
} {
  const [params, setParams] = useSearchParams()
  return {
    get: (name) => params.get(name) ?? undefined,
    set: (changes) =>
      setParams((before) => {
        const next = new URLSearchParams(before)
        for (const [name, value] of Object.entries(changes)) {
          if (value) next.set(name, value)
          else next.delete(name)
        }
        return next
      }),
    clear: () => setParams({}),
    any: params.size > 0,
  }
}
