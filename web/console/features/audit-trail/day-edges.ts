import dayjs from 'dayjs'
import timezone from 'dayjs/plugin/timezone'
import utc from 'dayjs/plugin/utc'

dayjs.extend(utc)
dayjs.extend(timezone)

/** The first instant of a day ('2026-11-22') of the brand's zone. */
export function startOfDay(day: string, zone: string): string {
  return dayjs.tz(`${day}T00:00:00`, zone).toISOString()
}

/** The first instant of the day after. */
export function endOfDay(day: string, zone: string): string {
  return startOfDay(dayjs.utc(day).add(1, 'day').format('YYYY-MM-DD'), zone)
}
