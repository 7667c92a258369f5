/** Hours of a shop in China, whatever the machine's zone: China has had one offset and no summer time since 1991. */
import type { Chance } from './chance.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CHINA_MS = 8 * HOUR_MS
const OPENS = 10
const CLOSES = 22

/** Share of a day's visits by local hour: lunch, the hours after work. Sums to 1. */
const VISITS: readonly number[] = [
  0, 0, 0, 0, 0, 0, 0, 0, 0.01, 0.02, 0.06, 0.08, 0.08, 0.07, 0.07, 0.08, 0.08, 0.08, 0.09, 0.1, 0.1, 0.06,
  0.015, 0.005,
]
/** From Sunday to Saturday. */
const WEEKDAY: readonly number[] = [1.4, 0.85, 0.8, 0.85, 0.9, 1.0, 1.5]

/** How busy a moment is, where a whole average day has 24 hours of 1. */
export function busyness(at: number): number {
  const local = at + CHINA_MS
  const hour = Math.floor((local % DAY_MS) / HOUR_MS)
  return (VISITS[hour] ?? 0) * 24 * (WEEKDAY[(Math.floor(local / DAY_MS) + 4) % 7] ?? 1)
}

/** Another moment of the same day in opening hours, or of the weekend that follows it. */
export function inOpeningHours(chance: Chance, at: number): number {
  const local = at + CHINA_MS
  const day = Math.floor(local / DAY_MS)
  const weekday = (day + 4) % 7
  const shift = weekday > 0 && weekday < 5 && chance.hits(0.25) ? 6 - weekday : 0
  return (day + shift) * DAY_MS + Math.floor(chance.between(OPENS, CLOSES) * HOUR_MS) - CHINA_MS
}

/** The moment itself within working hours, else the next morning at the same pace: what comes at night waits. */
export function whenAwake(at: number, from = OPENS, to = 21): number {
  const local = at + CHINA_MS
  const day = Math.floor(local / DAY_MS)
  const hour = (local % DAY_MS) / HOUR_MS
  if (hour >= from && hour < to) return at
  const minutes = (hour * 60) % 60
  return (hour < from ? day : day + 1) * DAY_MS + from * HOUR_MS + minutes * 60_000 - CHINA_MS
}
