/**
 * Days of a zone. A day is a date in the brand's zone, written 'YYYY-MM-DD' or counted as days since 1970-01-01.
 * Always true: `startOfDay(zone, dayOf(zone, at)) <= at`; the days are of 23, 24 or 25 hours where summer time changes.
 */
export type Zone = string
/** 'YYYY-MM-DD' in the brand's zone. */
export type Day = string

const DAY_MS = 86_400_000
const formats = new Map<Zone, Intl.DateTimeFormat>()
/** Zones whose offset never changes get arithmetic instead of Intl: China has one, and millions of rows ask. */
const FIXED_OFFSET_MINUTES: Readonly<Record<Zone, { minutes: number; since: number }>> = {
  'Asia/Shanghai': { minutes: 480, since: Date.UTC(1992, 0, 1) },
  UTC: { minutes: 0, since: Number.NEGATIVE_INFINITY },
}

/** Whether the platform knows the zone (IANA name). */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** The offset that a zone has had ever since an instant, in minutes east of UTC; undefined for zones that still change. */
export function steadyOffset(zone: Zone): { minutes: number; since: Date | undefined } | undefined {
  const fixed = FIXED_OFFSET_MINUTES[zone]
  if (!fixed) return undefined
  return { minutes: fixed.minutes, since: Number.isFinite(fixed.since) ? new Date(fixed.since) : undefined }
}

/** Minutes east of UTC that `zone` had at the instant. */
export function offsetMinutes(zone: Zone, at: Date): number {
  const fixed = FIXED_OFFSET_MINUTES[zone]
  if (fixed && at.getTime() >= fixed.since) return fixed.minutes
  const parts = formatOf(zone).formatToParts(at)
  const get = (type: string): number => Number(parts.find((part) => part.type === type)?.value)
  const local = Date.UTC(
    get('year'),
    get('month') - 1,
    get('day'),
    get('hour') % 24,
    get('minute'),
    get('second'),
  )
  return Math.round((local - Math.floor(at.getTime() / 1000) * 1000) / 60_000)
}

/** The date in the zone at that instant. */
export function dayOf(zone: Zone, at: Date): Day {
  return dayFromNumber(dayNumber(zone, at))
}

/** Days from 1970-01-01 to the zone's date at that instant. */
export function dayNumber(zone: Zone, at: Date): number {
  return Math.floor((at.getTime() + offsetMinutes(zone, at) * 60_000) / DAY_MS)
}

/** 'YYYY-MM-DD' of a day counted from 1970-01-01. */
export function dayFromNumber(day: number): Day {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** The count of a 'YYYY-MM-DD'. RangeError where it is no date. */
export function numberOfDay(day: Day): number {
  const ms = Date.parse(`${day}T00:00:00Z`)
  if (Number.isNaN(ms)) throw new RangeError(`not a date: ${day}`)
  return ms / DAY_MS
}

export function addDays(day: Day, days: number): Day {
  return dayFromNumber(numberOfDay(day) + days)
}

/** Whole days of the zone from `from` to `to`: the difference of their dates. */
export function daysBetween(zone: Zone, from: Date, to: Date): number {
  return dayNumber(zone, to) - dayNumber(zone, from)
}

/** The first instant of a day in the zone (00:00, or the first existing minute where a change skips midnight). */
export function startOfDay(zone: Zone, day: Day | number): Date {
  const wanted = typeof day === 'number' ? day : numberOfDay(day)
  const guess = wanted * DAY_MS
  let at = guess - offsetMinutes(zone, new Date(guess)) * 60_000
  at = guess - offsetMinutes(zone, new Date(at)) * 60_000
  if (dayNumber(zone, new Date(at)) < wanted) at = firstInstantFrom(zone, wanted, at)
  else if (dayNumber(zone, new Date(at - 1)) >= wanted)
    at = firstInstantFrom(zone, wanted, at - 3 * 3_600_000)
  return new Date(at)
}

/** The instant of a local time 'HH:MM' on a day; a skipped local time gives the first instant after the gap. */
export function atLocalTime(zone: Zone, day: Day, time: string): Date {
  const [hours = '0', minutes = '0'] = time.split(':')
  const local = numberOfDay(day) * DAY_MS + (Number(hours) * 60 + Number(minutes)) * 60_000
  const early = offsetMinutes(zone, new Date(local - DAY_MS / 2))
  const first = local - early * 60_000
  const second = local - offsetMinutes(zone, new Date(first)) * 60_000
  return new Date(
    Math.max(first, second) === first && offsetMinutes(zone, new Date(second)) !== early ? first : second,
  )
}

/** Local minutes since midnight at that instant (0…1439). */
export function minuteOfDay(zone: Zone, at: Date): number {
  const local = at.getTime() + offsetMinutes(zone, at) * 60_000
  return Math.floor((((local % DAY_MS) + DAY_MS) % DAY_MS) / 60_000)
}

function firstInstantFrom(zone: Zone, wanted: number, from: number): number {
  let at = Math.floor(from / 60_000) * 60_000
  while (dayNumber(zone, new Date(at)) < wanted) at += 60_000
  return at
}

function formatOf(zone: Zone): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(zone, format)
  }
  return format
}
