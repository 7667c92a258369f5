/**
 * How often a person may be reached. A reservation (a touch that is decided, but has not reached the person yet)
 * has no date: it counts in every window until it is dated or released. So no window of the past or the future holds
 * more than the cap, whenever the reservation is confirmed.
 */
import { instant } from '../../platform/time/clock.ts'
import { addDays, dayOf, startOfDay } from '../../platform/time/zone.ts'
import type { ChannelName, TouchClass } from '../candidate.ts'

export type LedgerRow = {
  personId: number
  channel: ChannelName
  class: TouchClass
  slot: Date
  /** Null while it is a reservation. */
  at: Date | null
}

/** `freeAt` null: nobody can say yet, reservations are in the way. Undefined: never. */
export type Room = { free: true } | { free: false; freeAt: Date | null | undefined }

/** LIM-08: one-to-one marketing over all staff and SOPs, in rolling days of 24 hours. */
export function personRoom(
  rows: readonly LedgerRow[],
  cap: { marketingTouches: number; withinDays: number },
  now: Date,
): Room {
  const most = cap.marketingTouches
  if (most === 0) return { free: false, freeAt: undefined }
  const windowMs = cap.withinDays * 86_400_000
  const since = now.getTime() - windowMs
  const counted = rows.filter((row) => row.class === 'marketing')
  const open = counted.filter((row) => row.at === null).length
  const dated = counted.flatMap((row) =>
    row.at !== null && row.at.getTime() > since ? [row.at.getTime()] : [],
  )
  const tooMany = open + dated.length - most + 1
  if (tooMany <= 0) return { free: true }
  const leaves = dated.sort((a, b) => a - b)[tooMany - 1]
  return { free: false, freeAt: leaves === undefined ? null : instant(leaves + windowMs) }
}

/** WeCom counts calendar months of China. */
const WECOM_ZONE = 'Asia/Shanghai'

/**
 * The quota of WeCom: each customer receives in a calendar month at most as many mass messages as it has days,
 * whatever their class.
 */
export function monthRoom(rows: readonly LedgerRow[], now: Date): Room {
  const first = `${dayOf(WECOM_ZONE, now).slice(0, 7)}-01`
  const next = `${addDays(first, 31).slice(0, 7)}-01`
  const start = startOfDay(WECOM_ZONE, first)
  const end = startOfDay(WECOM_ZONE, next)
  const days = Math.round((end.getTime() - start.getTime()) / 86_400_000)
  const used = rows.filter((row) => row.channel === 'wecom' && (row.at === null || row.at >= start)).length
  return used < days ? { free: true } : { free: false, freeAt: end }
}
