import { type QueryKey, useQueryClient } from '@tanstack/react-query'
import { App } from 'antd'
import { useState } from 'react'
import { type Fault, faultOf } from '../../client.ts'
import { useWords } from '../../ui/language.ts'
import { problemWords } from '../../ui/problem-words.ts'

export type Shared = Readonly<Record<string, unknown>>
type Then = {
  /** Said when it worked. */
  done?: string
  /** What must be read again, whether it worked or not. */
  refresh?: readonly QueryKey[]
  /** Somebody else wrote first: what stands now, with its version. */
  onStale?: (theirs: Shared) => void
  /** Answers true where the page says the fault itself. */
  onFault?: (fault: Fault) => boolean
}

/** Runs writes: says that one worked or what went wrong, reads again what it changed, knows which one is under way. */
export function useAct(): {
  act: <T>(work: () => Promise<T>, then?: Then) => Promise<T | undefined>
  busy: boolean
} {
  const { message } = App.useApp()
  const say = useWords(problemWords)
  const queries = useQueryClient()
  const [running, setRunning] = useState(0)
  async function act<T>(work: () => Promise<T>, then: Then = {}): Promise<T | undefined> {
    setRunning((count) => count + 1)
    try {
      const result = await work()
      if (then.done) void message.success(then.done)
      return result
    } catch (error) {
      const fault = faultOf(error)
      const theirs = fault.data?.details?.['theirs']
      if (fault.code === 'stale_version' && then.onStale && isShared(theirs)) then.onStale(theirs)
      else if (!then.onFault?.(fault)) void message.error(sentenceOf(fault, say(fault.code)), 6)
      return undefined
    } finally {
      setRunning((count) => count - 1)
      for (const queryKey of then.refresh ?? []) void queries.invalidateQueries({ queryKey })
    }
  }
  return { act, busy: running > 0 }
}

/** What happened in the language of the page, then the exact words of the program, which can be quoted. */
export function sentenceOf(fault: Fault, said: string): string {
  const users = fault.data?.details?.['users']
  if (Array.isArray(users)) return `${said}：${users.map(nameOf).join('、')}`
  return fault.code === 'network' ? said : `${said}（${fault.code}：${fault.message}）`
}

function nameOf(user: unknown): string {
  if (!isShared(user)) return String(user)
  return String(user['name'] ?? user['label'] ?? user['id'] ?? JSON.stringify(user))
}

function isShared(value: unknown): value is Shared {
  return typeof value === 'object' && value !== null
}
