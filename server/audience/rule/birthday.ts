/**
 * Birthdays by the solar and by the lunar calendar.
 *
 * Who was born on 29 February celebrates on the 28th in ordinary years. A lunar birthday has month and day of the
 * lunar calendar, of its ordinary months; who was born on the 30th celebrates on the 29th where the month is short.
 */
import { LunarYear } from 'tyme4ts'
import { calendarOf, dayCount } from './zone-days.ts'

/** Month and day as they are celebrated. */
export type Birthday = { readonly month: number; readonly day: number; readonly lunar: boolean }

/** From 'YYYY-MM-DD'. */
export function birthdayOf(text: string, lunar: boolean): Birthday {
  return { month: Number(text.slice(5, 7)), day: Number(text.slice(8, 10)), lunar }
}

/** The first day on or after `today` on which the birthday is celebrated, both counted from 1970-01-01. */
export function nextBirthday(birthday: Birthday, today: number): number {
  const { year } = calendarOf(today)
  // A lunar year begins in January or February, so the one before may still be running.
  for (let candidate = birthday.lunar ? year - 1 : year; candidate <= year + 2; candidate += 1) {
    const day = birthday.lunar ? lunarDay(candidate, birthday) : solarDay(candidate, birthday)
    if (day >= today) return day
  }
  throw new RangeError(`no birthday after day ${today}`)
}

/** Every month and day ('MMDD') that is celebrated within `withinDays` of today, today included. */
export function birthdaysWithin(today: number, withinDays: number, lunar: boolean): string[] {
  const found: string[] = []
  for (let month = 1; month <= 12; month += 1) {
    for (let day = 1; day <= 31; day += 1) {
      if (nextBirthday({ month, day, lunar }, today) - today <= withinDays) {
        found.push(`${String(month).padStart(2, '0')}${String(day).padStart(2, '0')}`)
      }
    }
  }
  return found
}

/** Full years since the birth date on a day, by dates; 29 February comes on 1 March in ordinary years. */
export function ageOn(birthday: string, today: number): number {
  const { year, month, day } = calendarOf(today)
  const bornMonth = Number(birthday.slice(5, 7))
  const early = month < bornMonth || (month === bornMonth && day < Number(birthday.slice(8, 10)))
  return year - Number(birthday.slice(0, 4)) - (early ? 1 : 0)
}

/** The day on which somebody becomes `age`. */
export function dayOfAge(birthday: string, age: number): number {
  return dayCount(
    Number(birthday.slice(0, 4)) + age,
    Number(birthday.slice(5, 7)),
    Number(birthday.slice(8, 10)),
  )
}

function solarDay(year: number, { month, day }: Birthday): number {
  const lastOfMonth = dayCount(year, month + 1, 0)
  return Math.min(dayCount(year, month, day), lastOfMonth)
}

/** For each lunar year the first day and the length of its twelve ordinary months. */
const lunarYears = new Map<number, { start: number; length: number }[]>()

function lunarDay(year: number, { month, day }: Birthday): number {
  const found = lunarMonths(year)[month - 1]
  if (!found) throw new RangeError(`no lunar month ${month}`)
  return found.start + Math.min(day, found.length) - 1
}

function lunarMonths(year: number): { start: number; length: number }[] {
  let months = lunarYears.get(year)
  if (!months) {
    months = LunarYear.fromYear(year)
      .getMonths()
      .filter((month) => !month.isLeap())
      .map((month) => {
        const first = month.getFirstDay().getSolarDay()
        return {
          start: dayCount(first.getYear(), first.getMonth(), first.getDay()),
          length: month.getDayCount(),
        }
      })
    lunarYears.set(year, months)
  }
  return months
}
