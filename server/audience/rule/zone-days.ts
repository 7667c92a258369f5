/** Days of one zone with their first instants remembered: an evaluation asks for the same few thousand days again and again. */
import { instant } from '../../platform/time/clock.ts'
import { startOfDay, type Zone } from '../../platform/time/zone.ts'

const DAY_MS = 86_400_000
/** Days from 1929 to 2108 are remembered. */
const FIRST_KEPT = -15_000
const KEPT = 1 << 16

export class ZoneDays {
  readonly zone: Zone
  /** By day − FIRST_KEPT; not a number where it was never asked for. */
  readonly #starts = new Float64Array(KEPT).fill(Number.NaN)

  constructor(zone: Zone) {
    this.zone = zone
  }

  /** The first instant of a day that is counted from 1970-01-01. */
  start(day: number): number {
    const place = day - FIRST_KEPT
    const known = this.#starts[place] ?? Number.NaN
    if (!Number.isNaN(known)) return known
    const start = startOfDay(this.zone, day).getTime()
    if (place >= 0 && place < KEPT) this.#starts[place] = start
    return start
  }

  /** The day of the zone at an instant. */
  of(ms: number): number {
    let day = Math.floor(ms / DAY_MS)
    while (this.start(day) > ms) day -= 1
    while (this.start(day + 1) <= ms) day += 1
    return day
  }
}

export type CalendarDay = { year: number; month: number; day: number }

/** Year, month (1…12) and day of a day that is counted from 1970-01-01. */
export function calendarOf(day: number): CalendarDay {
  const date = instant(day * DAY_MS)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}

/** The count of a date; months beyond 1…12 and days beyond the month run over, as Date.UTC does. */
export function dayCount(year: number, month: number, day: number): number {
  return Math.floor(Date.UTC(year, month - 1, day) / DAY_MS)
}

export type Unit = 'day' | 'week' | 'month' | 'quarter' | 'year'

/** The first day of the period that lies `offset` periods after the one that holds `day`. Weeks start on Monday. */
export function periodStart(day: number, unit: Unit, offset: number): number {
  if (unit === 'day') return day + offset
  // 1970-01-01 was a Thursday.
  if (unit === 'week') return day - ((((day + 3) % 7) + 7) % 7) + 7 * offset
  const { year, month } = calendarOf(day)
  if (unit === 'month') return dayCount(year, month + offset, 1)
  if (unit === 'quarter') return dayCount(year, month - ((month - 1) % 3) + 3 * offset, 1)
  return dayCount(year + offset, 1, 1)
}
