/**
 * Who spoke lately: profiles and persons by what names them, so that most events ask nobody. Held in memory and
 * bounded; whether a profile is still there, and still that person's, is asked of the database every time.
 */
import type { EventSource } from './event-source.ts'
import type { Referred } from './ports.ts'
import type { Spoken } from './told.ts'

const MOST_SPEAKERS = 200_000

export type Speakers = ReturnType<typeof rememberSpeakers>

export function rememberSpeakers(most = MOST_SPEAKERS) {
  /** Two generations: a key that is asked for moves into the young one, what is not goes with the old one. */
  let young = new Map<string, Referred>()
  let old = new Map<string, Referred>()
  const pulses = new Map<string, number>()
  const learn = (key: string, whose: Referred): void => {
    if (young.size >= most / 2) {
      old = young
      young = new Map()
    }
    young.set(key, whose)
  }
  return {
    keyOf: ({ code, version }: EventSource, who: readonly Spoken[]): string => {
      let key = `${code}\n${version}`
      for (const { kind, value } of who) key += `\n${kind}\t${value}`
      return key
    },
    whose(key: string): Referred | undefined {
      const known = young.get(key)
      if (known !== undefined) return known
      const before = old.get(key)
      if (before !== undefined) learn(key, before)
      return before
    },
    learn,
    /** True once in `everyMs` for each source. */
    isPulseDue(source: string, at: Date, everyMs: number): boolean {
      if (at.getTime() - (pulses.get(source) ?? 0) < everyMs) return false
      pulses.set(source, at.getTime())
      return true
    },
    forget(): void {
      young.clear()
      old.clear()
    },
  }
}
