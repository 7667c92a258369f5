/**
 * Business time never goes back: it is the later of the clock and the latest time that was ever used, which stands
 * in the database for all processes. A clock that was wrong for an hour must not let an SOP run twice.
 */
import type { Db } from '../platform/postgres/database.ts'
import type { Clock } from '../platform/time/clock.ts'
import { advanceReached, setReached } from './store.ts'

const MOST_BEHIND_MS = 3_600_000

export type BusinessTime = { now: Date; behindMs: number }

/** The time to give to everything that acts, and how far the clock lies behind it. */
export async function businessTime(db: Db, clock: Clock): Promise<BusinessTime> {
  const read = clock.now()
  const now = await advanceReached(db, read)
  return { now, behindMs: now.getTime() - read.getTime() }
}

/** Why nothing may step or send now; undefined while the clock is good. */
export function clockTrouble({ behindMs }: BusinessTime): string | undefined {
  if (behindMs <= MOST_BEHIND_MS) return undefined
  const hours = (behindMs / 3_600_000).toFixed(1)
  return `The clock of this machine is ${hours} h behind the latest business time, so journeys and sending are stopped. Set the clock; if it is right now, run: liuliang doctor --accept-clock`
}

/** The operator says that the clock is right now: business time begins again here. */
export async function acceptClock(db: Db, clock: Clock): Promise<void> {
  await setReached(db, clock.now())
}
