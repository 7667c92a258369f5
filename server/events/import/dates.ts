/**
 * Dates as files write them: '2024-03-05 14:30:05', '2024/3/5', '2024年3月5日 14:30', '下午2:30', '20240305',
 * '20240305143005', '05/03/2024', '5-Mar-2024', ISO with an offset, Excel serials, seconds and milliseconds of the
 * epoch. A time without an offset is the brand's wall clock. Nothing before 1970 is a time of an order; birthdays may be.
 */
import type { DateOrder } from '../../../contract/import.ts'
import { instant } from '../../platform/time/clock.ts'
import { numberOfDay, offsetMinutes, type Zone } from '../../platform/time/zone.ts'
import type { Cell } from './row.ts'
import { serialToWallClock } from './xlsx-styles.ts'

/** Wall-clock time in ms as if in UTC, or an instant where the text carried an offset; `timed` false: a bare date. */
export type Moment = { ms: number; absolute: boolean; timed: boolean }
export type DateFault = 'not_a_date' | 'date_order'

const DAY_MS = 86_400_000
const YEAR_FIRST = /^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?号?(?:[T\s,]*(.+))?$/u
const YEAR_LAST = /^(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4}|\d{2})(?:[T\s,]+(.+))?$/u
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:[T\s]?(\d{2})(\d{2})(\d{2})?)?$/u
const COMPACT_TIMED = /^(\d{4})(\d{2})(\d{2})[T\s]+(\d.*)$/u
const NAMED = /^(\d{1,2})[-\s]([A-Za-z]{3,9})\.?[-\s,]+(\d{4})(?:[T\s,]+(.+))?$/u
const NAMED_FIRST = /^([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:[T\s,]+(.+))?$/u
const TIME =
  /^(上午|下午|早上|凌晨|中午|晚上|AM|PM)?\s*(\d{1,2})\s*[:时点]\s*(?:(\d{1,2})\s*分?\s*(?::?\s*(\d{1,2})(?:[.,](\d{1,9}))?\s*秒?)?)?\s*(AM|PM)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/iu
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Understands one cell; `order` settles dates such as 05/03/2024. */
export function readMoment(cell: Cell, order: DateOrder): Moment | DateFault {
  if (cell instanceof Date)
    return { ms: cell.getTime(), absolute: false, timed: cell.getTime() % DAY_MS !== 0 }
  if (typeof cell === 'number') return fromNumber(cell)
  if (typeof cell !== 'string') return 'not_a_date'
  const text = cell.normalize('NFKC').trim()
  return fast(text) ?? readText(text, order)
}

/** Which of day and month stands first in `05/03/2024`, as far as this one text tells; undefined where it does not. */
export function dateOrderOf(cell: Cell): DateOrder | 'either' | undefined {
  if (typeof cell !== 'string') return undefined
  const parts = YEAR_LAST.exec(cell.normalize('NFKC').trim())
  if (!parts) return undefined
  const [first, second] = [Number(parts[1]), Number(parts[2])]
  if (first > 12 && second <= 12) return 'dmy'
  if (second > 12 && first <= 12) return 'mdy'
  return first <= 12 && second <= 12 ? 'either' : undefined
}

/** The instant in `zone`; a wall-clock time that summer time skips is moved on by the gap. */
export function toInstant(moment: Moment, zone: Zone): Date {
  if (moment.absolute) return instant(moment.ms)
  const early = offsetMinutes(zone, instant(moment.ms - DAY_MS / 2)) * 60_000
  const late = offsetMinutes(zone, instant(moment.ms - early)) * 60_000
  const at = moment.ms - late
  if (early !== late && offsetMinutes(zone, instant(at)) * 60_000 !== late) return instant(moment.ms - early)
  return instant(at)
}

/** 'YYYY-MM-DD' of the wall clock; for an absolute time, in `zone`. */
export function toDay(moment: Moment, zone: Zone): string {
  const ms = moment.absolute ? moment.ms + offsetMinutes(zone, instant(moment.ms)) * 60_000 : moment.ms
  return instant(Math.floor(ms / DAY_MS) * DAY_MS)
    .toISOString()
    .slice(0, 10)
}

/** The common 'YYYY-MM-DD[ hh:mm[:ss]]' without a regular expression; undefined: look closer. */
function fast(text: string): Moment | undefined {
  const { length } = text
  if (length !== 10 && length !== 16 && length !== 19) return undefined
  const joint = text.charCodeAt(4)
  if ((joint !== 45 && joint !== 47) || text.charCodeAt(7) !== joint) return undefined
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  if (year < 0 || month < 0 || day < 0) return undefined
  if (length === 10) return build(year, month, day, 0, false)
  const gap = text.charCodeAt(10)
  if ((gap !== 32 && gap !== 84) || text.charCodeAt(13) !== 58) return undefined
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = length === 19 && text.charCodeAt(16) === 58 ? digits(text, 17, 19) : 0
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 59) return undefined
  return build(year, month, day, ((hour * 60 + minute) * 60 + second) * 1000, true)
}

function readText(text: string, order: DateOrder): Moment | DateFault {
  const parts = YEAR_FIRST.exec(text)
  if (parts) return whole(Number(parts[1]), Number(parts[2]), Number(parts[3]), parts[4])
  const compact = COMPACT.exec(text)
  if (compact && plausibleYear(Number(compact[1]))) {
    const ms =
      ((Number(compact[4] ?? 0) * 60 + Number(compact[5] ?? 0)) * 60 + Number(compact[6] ?? 0)) * 1000
    return (
      build(Number(compact[1]), Number(compact[2]), Number(compact[3]), ms, compact[4] !== undefined) ??
      'not_a_date'
    )
  }
  const timed = COMPACT_TIMED.exec(text)
  if (timed) return whole(Number(timed[1]), Number(timed[2]), Number(timed[3]), timed[4])
  const last = YEAR_LAST.exec(text)
  if (last) return yearLast(last, order)
  const named = NAMED.exec(text)
  if (named) return whole(Number(named[3]), monthOf(named[2]), Number(named[1]), named[4])
  const namedFirst = NAMED_FIRST.exec(text)
  if (namedFirst)
    return whole(Number(namedFirst[3]), monthOf(namedFirst[1]), Number(namedFirst[2]), namedFirst[4])
  if (/^\d+(\.\d+)?$/u.test(text)) return fromNumber(Number(text))
  return 'not_a_date'
}

function yearLast(parts: RegExpExecArray, order: DateOrder): Moment | DateFault {
  const [first, second] = [Number(parts[1]), Number(parts[2])]
  const short = Number(parts[3])
  const year = short >= 100 ? short : short + (short >= 70 ? 1900 : 2000)
  const [month, day] = order === 'dmy' ? [second, first] : [first, second]
  if (month > 12 && day <= 12) return 'date_order'
  return whole(year, month, day, parts[4])
}

function whole(year: number, month: number, day: number, time: string | undefined): Moment | DateFault {
  if (time === undefined || time.trim() === '') return build(year, month, day, 0, false) ?? 'not_a_date'
  const clock = readTime(time.trim().replace(/^(星期|周)[一二三四五六日天]\s*/u, ''))
  if (!clock) return 'not_a_date'
  const moment = build(year, month, day, clock.ms, true)
  if (!moment) return 'not_a_date'
  if (clock.offset === undefined) return moment
  return { ms: moment.ms - clock.offset * 60_000, absolute: true, timed: true }
}

function readTime(text: string): { ms: number; offset: number | undefined } | undefined {
  const parts = TIME.exec(text)
  if (!parts) return undefined
  const half = (parts[1] ?? parts[6] ?? '').toUpperCase()
  let hour = Number(parts[2])
  const minute = Number(parts[3] ?? 0)
  const second = Number(parts[4] ?? 0)
  if (['下午', '晚上', 'PM'].includes(half) && hour < 12) hour += 12
  if (half === '中午' && hour < 11) hour += 12
  if (['上午', '凌晨', '早上', 'AM'].includes(half) && hour === 12) hour = 0
  if (hour > 24 || minute > 59 || second > 59 || (hour === 24 && (minute > 0 || second > 0))) return undefined
  const fraction = Math.floor(Number(`0.${parts[5] ?? '0'}`) * 1000)
  return { ms: ((hour * 60 + minute) * 60 + second) * 1000 + fraction, offset: offsetOf(parts[7]) }
}

function offsetOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const parts = /^([+-])(\d{2}):?(\d{2})$/u.exec(text)
  if (!parts) return 0
  return (parts[1] === '-' ? -1 : 1) * (Number(parts[2]) * 60 + Number(parts[3]))
}

/** 20240305, 20240305143005, an Excel serial, seconds or milliseconds since 1970. */
function fromNumber(value: number): Moment | DateFault {
  if (!Number.isFinite(value) || value <= 0) return 'not_a_date'
  if (value >= 1 && value < 80_000) {
    const ms = serialToWallClock(value, false)
    return { ms, absolute: false, timed: ms % DAY_MS !== 0 }
  }
  if (!Number.isInteger(value)) return 'not_a_date'
  const text = String(value)
  if ((text.length === 8 || text.length === 14) && plausibleYear(Number(text.slice(0, 4)))) {
    const found = readText(text, 'ymd')
    return found
  }
  if (text.length === 10) return { ms: value * 1000, absolute: true, timed: true }
  if (text.length === 13) return { ms: value, absolute: true, timed: true }
  return 'not_a_date'
}

function build(year: number, month: number, day: number, ms: number, timed: boolean): Moment | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined
  const at = Date.UTC(year, month - 1, day)
  if (day > 28 && instant(at).getUTCDate() !== day) return undefined
  return { ms: at + ms, absolute: false, timed }
}

function plausibleYear(year: number): boolean {
  return year >= 1900 && year <= 2200
}

function monthOf(name: string | undefined): number {
  return MONTHS.indexOf((name ?? '').slice(0, 3).toLowerCase()) + 1
}

function digits(text: string, from: number, end: number): number {
  let value = 0
  for (let at = from; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** 1970-01-01 in any zone; what is earlier is a typing error or an empty date. */
export const EARLIEST_MS = numberOfDay('1970-01-01') * DAY_MS - DAY_MS / 2
