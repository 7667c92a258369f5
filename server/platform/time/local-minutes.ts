/** Instants as people read them, for millions of rows: the offset of a zone is looked up once a day. */
import { offsetMinutes, type Zone } from './zone.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** The last instant that a Date holds. */
const MOST_MS = 8.64e15

/** Writes milliseconds since 1970 as 'YYYY-MM-DD HH:MM' of the zone; '' for what is no instant (infinity). */
export function minuteOf(zone: Zone): (ms: number) => string {
  const steady = new Map<number, number | undefined>()
  const dates = new Map<number, string>()
  return (ms) => {
    if (!(Math.abs(ms) < MOST_MS - DAY_MS)) return ''
    const local = ms + offsetAt(zone, ms, steady) * MINUTE_MS
    const day = Math.floor(local / DAY_MS)
    let date = dates.get(day)
    if (date === undefined) {
      date = dateOf(day)
      dates.set(day, date)
    }
    const minute = Math.floor((local - day * DAY_MS) / MINUTE_MS)
    return `${date} ${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`
  }
}

/** `steady` keeps the offsets of days (UTC) on which they do not change; undefined for the others. */
function offsetAt(zone: Zone, ms: number, steady: Map<number, number | undefined>): number {
  const day = Math.floor(ms / DAY_MS)
  if (!steady.has(day)) {
    const first = offsetMinutes(zone, new Date(day * DAY_MS))
    const last = offsetMinutes(zone, new Date((day + 1) * DAY_MS - 1))
    steady.set(day, first === last ? first : undefined)
  }
  return steady.get(day) ?? offsetMinutes(zone, new Date(ms))
}

/** Years beyond 9999 have five digits and no sign. */
function dateOf(day: number): string {
  const text = new Date(day * DAY_MS).toISOString()
  return text.slice(0, text.indexOf('T')).replace(/^\+0*/, '')
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}
