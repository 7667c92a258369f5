/**
 * Business time never goes back: it is the later of the clock and the latest time that was ever used, which stands
 * in the database for all processes. A clock that was wrong for an hour must not let an SOP run twice.
 */
import type { Db } from '../platform/postgres/database.ts'
import { type Clock, instant } from '../platform/time/clock.ts'
import { advanceReached, setReached } from './store.ts'

const MOST_BEHIND_MS = 3_600_000
const REFRESH_MS = 1000

export type BusinessClock = Clock & {
  /** Why nothing may step or send now; undefined while the clock of this machine is good. */
  trouble(): string | undefined
  /** Exchanges times with the other processes; repeated by itself every second. */
  refresh(): Promise<void>
  stop(): void
}

/** Reads the latest business time and keeps it up to date, in this process and in the database. */
export async function openBusinessClock(db: Db, clock: Clock): Promise<BusinessClock> {
  let reached = Number.NEGATIVE_INFINITY
  async function refresh(): Promise<void> {
    const known = await advanceReached(db, clock.now())
    reached = Math.max(reached, known.getTime())
  }
  await refresh()
  // While the database is away nothing acts either; the next round asks again.
  const timer = setInterval(() => void refresh().catch(() => undefined), REFRESH_MS)
  timer.unref()
  return {
    now() {
      reached = Math.max(reached, clock.now().getTime())
      return instant(reached)
    },
    trouble: () => troubleOf(reached - clock.now().getTime()),
    refresh,
    stop: () => clearInterval(timer),
  }
}

/** The operator says that the clock is right now: business time begins again here. Processes that run keep theirs until they are started again. */
export async function acceptClock(db: Db, clock: Clock): Promise<void> {
  await setReached(db, clock.now())
}

function troubleOf(behindMs: number): string | undefined {
  if (behindMs <= MOST_BEHIND_MS) return undefined
  const hours = (behindMs / 3_600_000).toFixed(1)
  return `The clock of this machine is ${hours} h behind the latest business time, so journeys and sending stand still. Set the clock; or, if it is right, stop Liuliang, run "liuliang doctor --accept-clock" and start again.`
}
