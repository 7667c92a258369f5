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
 * Which times a window holds when it is `now`, `shift` periods from now for calendar windows. `anchor`: where a window
 * since something begins, null where that never was.
 */
export function boundsOf(
  window: Window,
  now: number,
  days: ZoneDays,
  { shift = 0, anchor = null }: { shift?: number; anchor?: number | null } = {},
): Bounds {
  switch (window.kind) {
    case 'ever':
      return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, inclusive: true }
    case 'rolling':
      return { from: now - rollingMs(window.days), to: Number.POSITIVE_INFINITY, inclusive: false }
    case 'absolute':
      return {
        from: days.start(numberOfDay(window.from)),
        to: days.start(numberOfDay(window.to) + 1),
        inclusive: true,
      }
    case 'since':
      if (anchor === null) return NOTHING
      return {
        from: anchor,
        to: window.days === undefined ? Number.POSITIVE_INFINITY : anchor + rollingMs(window.days),
        inclusive: window.anchor.at === 'joining',
      }
    default: {
      const today = days.of(now)
      const last = shift - window.back
      return {
        from: days.start(periodStart(today, window.unit, last - window.count + 1)),
        to: days.start(periodStart(today, window.unit, last + 1)),
        inclusive: true,
      }
    }
  }
}

/** The places [low, high) of a series that lie in the bounds. */
export function placesOf(series: Series, bounds: Bounds): { low: number; high: number } {
  const low = series.firstAfter(bounds.from, bounds.inclusive)
  const high = bounds.to === Number.POSITIVE_INFINITY ? series.length : series.firstAfter(bounds.to, true)
  return { low, high: Math.max(low, high) }
}
