/** Which instants a window holds, and the places of a series that lie in it. */
import type { Window } from '../../../contract/rule-parts.ts'
import { numberOfDay } from '../../platform/time/zone.ts'
import type { Series } from './series.ts'
import { periodStart, type ZoneDays } from './zone-days.ts'

/** Times t of a window: from < t or from ≤ t (see `inclusive`), and t < to. */
export type Bounds = { from: number; to: number; inclusive: boolean }

const DAY_MS = 86_400_000
export const rollingMs = (days: number): number => days * DAY_MS

const NOTHING: Bounds = {
  from: Number.POSITIVE_INFINITY,
  to: Number.NEGATIVE_INFINITY,
  inclusive: false,
}

/**
 * Which times a window holds when it is `now`. `anchor`: where a window since something begins, null where that never
 * was.
 */
export function boundsOf(window: Window, now: number, days: ZoneDays, anchor: number | null = null): Bounds {
  switch (window.kind) {
    case 'ever':
      return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, inclusive: true }
    case 'rolling':
      return { from: now - rollingMs(window.days), to: Number.POSITIVE_INFINITY, inclusive: false }
    case 'absolute':
      return absoluteBounds(window, days)
    case 'since':
      if (anchor === null) return NOTHING
      return {
        from: anchor,
        to: window.days === undefined ? Number.POSITIVE_INFINITY : anchor + rollingMs(window.days),
        inclusive: window.anchor.at === 'joining',
      }
    default:
      return periodsOf(window, days.of(now), days).bounds(0)
  }
}

type Absolute = Extract<Window, { kind: 'absolute' }>
type Calendar = Extract<Window, { kind: 'calendar' }>

/** What dates make of windows, kept: everybody is asked about on the same day. */
const absolutes = new WeakMap<Absolute, { days: ZoneDays; bounds: Bounds }>()
const calendars = new WeakMap<Calendar, Periods>()

function absoluteBounds(window: Absolute, days: ZoneDays): Bounds {
  const known = absolutes.get(window)
  if (known?.days === days) return known.bounds
  const from = days.start(numberOfDay(window.from))
  const bounds = { from, to: days.start(numberOfDay(window.to) + 1), inclusive: true }
  absolutes.set(window, { days, bounds })
  return bounds
}

/** The present and coming periods of a calendar window, as they lie from `today`. */
export function periodsOf(window: Calendar, today: number, days: ZoneDays): Periods {
  const known = calendars.get(window)
  if (known?.today === today && known.days === days) return known
  const periods = new Periods(window, today, days)
  calendars.set(window, periods)
  return periods
}

export class Periods {
  readonly today: number
  readonly days: ZoneDays
  readonly #window: Calendar
  readonly #starts = new Map<number, number>()
  /** From the present one on. */
  readonly #bounds: Bounds[] = []

  constructor(window: Calendar, today: number, days: ZoneDays) {
    this.#window = window
    this.today = today
    this.days = days
  }

  /** The first instant of the period that lies `offset` periods from the present one. */
  start(offset: number): number {
    let start = this.#starts.get(offset)
    if (start === undefined) {
      start = this.days.start(periodStart(this.today, this.#window.unit, offset))
      this.#starts.set(offset, start)
    }
    return start
  }

  /** What the window holds `shift` periods from now. */
  bounds(shift: number): Bounds {
    const known = this.#bounds[shift]
    if (known !== undefined) return known
    const { back, count } = this.#window
    const last = shift - back
    const bounds = { from: this.start(last - count + 1), to: this.start(last + 1), inclusive: true }
    if (shift === this.#bounds.length) this.#bounds.push(bounds)
    return bounds
  }
}

/** The places [low, high) of a series that lie in the bounds. */
export function placesOf(series: Series, bounds: Bounds): { low: number; high: number } {
  const low = series.firstAfter(bounds.from, bounds.inclusive)
  const high = bounds.to === Number.POSITIVE_INFINITY ? series.length : series.firstAfter(bounds.to, true)
  return { low, high: Math.max(low, high) }
}
