/**
 * Business time never goes back: it is the later of the clock and the latest time that was ever used, which stands
 * in the database for all processes. A clock that was wrong for an hour must not let an SOP run twice.
 *
 * Nor does it leap: where the clock of this machine goes ahead of the time for which the machine has run, business time
 * goes on from where it was, and nothing steps or sends, until the clock is set right or an operator says that it is.
 * A machine that was off is told apart by its boot: only a gap of a month is asked about then.
 */
import type { Db } from '../platform/postgres/database.ts'
import { type Clock, instant } from '../platform/time/clock.ts'
import type { Machine } from '../platform/time/machine.ts'
import { advanceReached, type Reached, selectReached, setReached } from './store.ts'

const HOUR_MS = 3_600_000
const MOST_BEHIND_MS = HOUR_MS
/** How much further than the machine has run its clock may go between two looks. */
const MOST_AHEAD_MS = HOUR_MS
/** How long nothing may have run before the clock is asked about, where the machine was booted since. */
const LONGEST_REST_MS = 31 * 24 * HOUR_MS
const REFRESH_MS = 1000

export type BusinessClock = Clock & {
  /** Why nothing may step or send now; undefined while the clock of this machine is good. */
  trouble(): string | undefined
  /** Exchanges times with the other processes; repeated by itself every second. */
  refresh(): Promise<void>
  stop(): void
}

/**
 * Reads the latest business time and keeps it up to date, in this process and in the database. Without a `machine`
 * (a clock that is moved by hand) leaps are not looked for.
 */
export async function openBusinessClock(db: Db, clock: Clock, machine?: Machine): Promise<BusinessClock> {
  const before = await selectReached(db)
  const pace = new Pace(clock, machine, before)
  let reached = Number.NEGATIVE_INFINITY
  let heard = before?.at.getTime() ?? Number.NEGATIVE_INFINITY
  let turn: Promise<void> = Promise.resolve()
  let waiting = 0
  /** One after the other: an older answer that came after a newer one would look like time that was taken back. */
  function refresh(): Promise<void> {
    waiting += 1
    const mine = turn.then(exchange).finally(() => {
      waiting -= 1
    })
    turn = mine.catch(() => undefined)
    return mine
  }
  async function exchange(): Promise<void> {
    pace.look()
    // A leap stays with the process that has seen it.
    const known = pace.ahead() > 0 ? await selectReached(db) : await advanced()
    if (known === undefined) return
    const stored = known.at.getTime()
    // Only an operator takes business time back.
    const takenBack = stored < heard
    heard = stored
    if (takenBack || (pace.ahead() > 0 && agrees(stored))) pace.accept()
    reached = takenBack ? stored : Math.max(reached, stored)
  }
  function agrees(stored: number): boolean {
    return Math.abs(clock.now().getTime() - stored) <= MOST_AHEAD_MS
  }
  function advanced(): Promise<Reached> {
    return advanceReached(db, clock.now(), machine && { boot: machine.boot ?? null, runMs: machine.runMs() })
  }
  await refresh()
  // While the database is away nothing acts either; the next round asks again.
  const timer = setInterval(() => {
    if (waiting === 0) void refresh().catch(() => undefined)
  }, REFRESH_MS)
  timer.unref()
  return {
    now() {
      reached = Math.max(reached, pace.look())
      return instant(reached)
    },
    trouble() {
      const present = pace.look()
      if (pace.ahead() > 0) return aheadOf(pace.ahead())
      return behindOf(reached - present)
    },
    refresh,
    stop: () => clearInterval(timer),
  }
}

/** The operator says that the clock is right now: business time goes on from here, in every process within a second. */
export async function acceptClock(db: Db, clock: Clock, machine?: Machine): Promise<void> {
  await setReached(db, clock.now(), machine && { boot: machine.boot ?? null, runMs: machine.runMs() })
}

/** The clock of this machine, held back while it is ahead of what can have passed. All times in milliseconds. */
class Pace {
  readonly #clock: Clock
  readonly #machine: Machine | undefined
  /** The time that could be trusted at the last look, and for how long the machine had run then. */
  #trusted: number
  #run: number
  #ahead = 0

  constructor(clock: Clock, machine: Machine | undefined, known: Reached | undefined) {
    this.#clock = clock
    this.#machine = machine
    this.#run = machine?.runMs() ?? 0
    this.#trusted = clock.now().getTime()
    if (machine !== undefined && known !== undefined) this.#begin(machine, known)
  }

  #begin(machine: Machine, { at, boot, runMs }: Reached): void {
    const sameRun = boot !== null && boot === machine.boot && runMs !== null
    const expected = at.getTime() + (sameRun ? Math.max(0, this.#run - runMs) : 0)
    this.#judge(this.#trusted, expected, sameRun ? MOST_AHEAD_MS : LONGEST_REST_MS)
  }

  /** The time that can be trusted now. */
  look(): number {
    const wall = this.#clock.now().getTime()
    if (this.#machine === undefined) return wall
    const run = this.#machine.runMs()
    const expected = this.#trusted + Math.max(0, run - this.#run)
    this.#run = run
    return this.#judge(wall, expected, MOST_AHEAD_MS)
  }

  #judge(wall: number, expected: number, mostAhead: number): number {
    const ahead = wall - expected
    this.#ahead = ahead > mostAhead ? ahead : 0
    const follows = this.#ahead === 0 && ahead >= -MOST_BEHIND_MS
    this.#trusted = follows ? wall : expected
    return this.#ahead > 0 ? expected : wall
  }

  /** How far the clock is ahead of the time that can be trusted; 0 while it is not. */
  ahead(): number {
    return this.#ahead
  }

  /** An operator, or another machine that agrees with this one, says that the clock is right. */
  accept(): void {
    this.#trusted = this.#clock.now().getTime()
    this.#ahead = 0
  }
}

const WHAT_TO_DO = 'Set the clock right; or, if it is right, run: liuliang doctor --accept-clock'

function behindOf(behindMs: number): string | undefined {
  if (behindMs <= MOST_BEHIND_MS) return undefined
  return `The clock of this machine is ${span(behindMs)} behind the latest business time, so journeys and sending stand still. ${WHAT_TO_DO}`
}

function aheadOf(aheadMs: number): string {
  return `The clock of this machine leapt ${span(aheadMs)} ahead, so journeys and sending stand still and nobody falls asleep by it. ${WHAT_TO_DO}`
}

function span(ms: number): string {
  const hours = ms / HOUR_MS
  return hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} days`
}
