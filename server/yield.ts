/** How work that can wait lets the doors go first. */
import { setTimeout as sleep } from 'node:timers/promises'

/** While the doors are crowded a round is followed by a rest of so many times its own length, … */
const YIELD = 6
/** … at least this long, so that more is done at once, … */
const LEAST_YIELD_MS = 250
/** … and at most this long. It ends when the doors have been at ease for some looks in a row. */
const LONGEST_YIELD_MS = 3000
const LOOK_MS = 50
const LOOKS_AT_EASE = 3

/** Lets the doors go first after a round that took so many ms. */
export async function yieldTo(
  crowded: () => boolean,
  { took, signal }: { took: number; signal: AbortSignal },
): Promise<void> {
  const end = performance.now() + Math.min(LONGEST_YIELD_MS, Math.max(LEAST_YIELD_MS, YIELD * took))
  for (let atEase = 0; atEase < LOOKS_AT_EASE && performance.now() < end && !signal.aborted; ) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
    atEase = crowded() ? 0 : atEase + 1
  }
}
