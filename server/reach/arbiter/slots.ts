/** When marketing may go out: at steps of the clock (15 minutes) outside quiet hours, in the brand's zone. */
import { instant } from '../../platform/time/clock.ts'
import { addDays, atLocalTime, dayOf, minuteOfDay, type Zone } from '../../platform/time/zone.ts'
import type { ReachRules } from '../settings.ts'

type Times = Pick<ReachRules, 'quiet' | 'caps'>

/** The end of the quiet hours that `at` lies in, or undefined outside them. Equal times mean no quiet hours. */
export function quietUntil(zone: Zone, { quiet }: Pick<Times, 'quiet'>, at: Date): Date | undefined {
  const from = minutes(quiet.from)
  const to = minutes(quiet.to)
  const minute = minuteOfDay(zone, at)
  const overMidnight = from > to
  const within = overMidnight ? minute >= from || minute < to : minute >= from && minute < to
  if (!within) return undefined
  const today = dayOf(zone, at)
  const end = atLocalTime(zone, overMidnight && minute >= from ? addDays(today, 1) : today, quiet.to)
  // Where summer time ends within the quiet hours a local time comes twice: look again in a minute.
  return end > at ? end : instant(at.getTime() + 60_000)
}

/** The first slot at or after `at`. */
export function nextSlot(zone: Zone, times: Times, at: Date): Date {
  const slot = slotAtOrAfter(times.caps.slotMinutes, at)
  return quietUntil(zone, times, slot) ?? slot
}

/** The slot that `at` lies in: what is decided in it is one mass message. */
export function slotOf({ caps }: Pick<Times, 'caps'>, at: Date): Date {
  const step = caps.slotMinutes * 60_000
  return instant(Math.floor(at.getTime() / step) * step)
}

/** The first slot after the one that `at` lies in. */
export function followingSlot(zone: Zone, times: Times, at: Date): Date {
  return nextSlot(zone, times, instant(slotOf(times, at).getTime() + times.caps.slotMinutes * 60_000))
}

/** Without regard to quiet hours. */
export function slotAtOrAfter(slotMinutes: number, at: Date): Date {
  const step = slotMinutes * 60_000
  return instant(Math.ceil(at.getTime() / step) * step)
}

function minutes(time: string): number {
  const [hours = '0', rest = '0'] = time.split(':')
  return Number(hours) * 60 + Number(rest)
}
