import { useRef } from 'react'

/**
 * What was read before somebody began to change it: a later reading does not wipe what is being typed, and the write
 * names the version that was seen.
 */
export function useHeld<T>(fresh: T, held: boolean): T {
  const kept = useRef(fresh)
  if (!held) kept.current = fresh
  return kept.current
}
