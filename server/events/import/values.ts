/**
 * One cell to one value of a field: the only place that knows how a value kind is written in files.
 * A bad cell is a `Fault`, never an exception.
 */
import type { DateOrder, RejectReason } from '../../../contract/import.ts'
import type { MemberSource, SourceChannel } from '../../../contract/import-fields.ts'
import { normalisePhone } from '../../platform/phone.ts'
import { instant } from '../../platform/time/clock.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { EARLIEST_MS, readMoment, toDay, toInstant } from './dates.ts'
import { readAmount } from './money.ts'
import type { Cell } from './row.ts'
import {
  channelOf,
  findWord,
  type Gender,
  genders,
  memberSourceWords,
  type OrderStatus,
  orderStatuses,
  type Registration,
  registrations,
  type Side,
  sides,
  yesNo,
} from './words.ts'

export class Fault {
  readonly reason: RejectReason

  constructor(reason: RejectReason) {
    this.reason = reason
  }
}

const MAX_TEXT = 500
const MAX_CODE = 200
const BLANKS = new Set(['', '-', '--', '/', '\\N', 'null', 'NULL', 'N/A', 'n/a', '无', '空'])
const SPREADSHEET_ERROR = /^#(N\/A|REF!|VALUE!|DIV\/0!|NAME\?|NULL!|NUM!|#+)$/u
const SCIENTIFIC = /^[+-]?\d(\.\d+)?E[+-]?\d+$/iu

/** What of a cell is there at all: null for nothing, a Fault for '#N/A'. */
function present(cell: Cell | undefined): Exclude<Cell, null> | null | Fault {
  if (cell === null || cell === undefined) return null
  if (typeof cell !== 'string') return cell
  const text = cell.trim()
  if (BLANKS.has(text)) return null
  if (text.charCodeAt(0) === 35 && SPREADSHEET_ERROR.test(text)) return new Fault('spreadsheet_error')
  return text
}

export function readText(cell: Cell | undefined): string | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  const text = asText(value)
  if (text.length > MAX_TEXT) return new Fault('too_long')
  return clean(text)
}

/** Numbers of members, cards, orders, goods: text, also where a spreadsheet made a number of it. */
export function readCode(cell: Cell | undefined): string | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  if (typeof value === 'number' && !Number.isSafeInteger(value) && Math.abs(value) >= 2 ** 53)
    return new Fault('lost_digits')
  const text =
    typeof value === 'string' ? value.replace(/^'/u, '').replace(/^="(.*)"$/u, '$1') : asText(value)
  if (/^\d\.\d+E\+\d{2}$/iu.test(text)) return new Fault('scientific_notation')
  if (text.length > MAX_CODE) return new Fault('too_long')
  return clean(text)
}

/**
 * A phone as it was written, digits and + only; a number that cannot exist comes back as `{ invalid }` with its text, so
 * that a member with a wrong number still goes in and is counted as not reachable.
 */
export function readPhone(cell: Cell | undefined): string | null | Fault | { invalid: string } {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return new Fault('lost_digits')
    return phoneOf(String(value))
  }
  if (typeof value !== 'string') return new Fault('not_a_phone')
  if (SCIENTIFIC.test(value)) return new Fault('scientific_notation')
  return phoneOf(value)
}

function phoneOf(text: string): string | { invalid: string } {
  const bare = text
    .normalize('NFKC')
    .replace(/^'/u, '')
    .replace(/\.0$/u, '')
    .replace(/[\s\-()./·]/gu, '')
  if (/^(\+|00)?\d{5,15}$/u.test(bare) && normalisePhone(bare)?.valid === true) return bare
  return { invalid: text.slice(0, 40) }
}

/** Ten-thousandths of the currency unit (`money.ts`). */
export function readMoney(cell: Cell | undefined): number | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  if (typeof value !== 'string' && typeof value !== 'number') return new Fault('not_money')
  return readAmount(value) ?? new Fault('not_money')
}

/** Quantities: at most three decimals, below a billion. */
export function readNumber(cell: Cell | undefined): number | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  if (typeof value !== 'string' && typeof value !== 'number') return new Fault('not_a_number')
  const amount = readAmount(value)
  if (amount === undefined || Math.abs(amount) > 1e13) return new Fault('not_a_number')
  return Math.round(amount / 10) / 1000
}

/** An instant from 1970 on and not later than `latest`. */
export function readInstant(
  cell: Cell | undefined,
  how: { zone: Zone; order: DateOrder; latest: Date },
): Date | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  const moment = readMoment(value, how.order)
  if (typeof moment === 'string') return new Fault(moment)
  if (moment.ms < EARLIEST_MS || moment.ms > how.latest.getTime() + 2 * 86_400_000)
    return new Fault('date_range')
  const at = toInstant(moment, how.zone)
  if (at.getTime() > how.latest.getTime()) {
    // Clocks of tills run ahead: up to a day is taken as now, more is a typing error.
    return at.getTime() > how.latest.getTime() + 86_400_000
      ? new Fault('date_range')
      : instant(how.latest.getTime())
  }
  return at
}

/** A birthday: 'YYYY-MM-DD' from 1900 on. */
export function readDay(
  cell: Cell | undefined,
  how: { zone: Zone; order: DateOrder; latest: Date },
): string | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  const moment = readMoment(value, how.order)
  if (typeof moment === 'string') return new Fault(moment)
  const day = toDay(moment, how.zone)
  return day < '1900-01-01' || moment.ms > how.latest.getTime() + 86_400_000 ? new Fault('date_range') : day
}

export function readYesNo(cell: Cell | undefined): boolean | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault || typeof value === 'boolean') return value
  return findWord(yesNo, asText(value)) ?? new Fault('not_yes_or_no')
}

export function readGender(cell: Cell | undefined): Gender | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  return findWord(genders, asText(value)) ?? new Fault('unknown_word')
}

/** One of the five sources, or a kind of place: files write either under 来源. */
export function readMemberSource(
  cell: Cell | undefined,
): MemberSource | { channel: SourceChannel; name: string } | null | Fault {
  const name = readText(cell)
  if (name === null || name instanceof Fault) return name
  const source = findWord(memberSourceWords, name)
  if (source !== undefined) return source
  const channel = channelOf(name)
  return channel === null ? new Fault('unknown_word') : { channel, name }
}

export function readSide(cell: Cell | undefined): Side | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  return findWord(sides, asText(value)) ?? new Fault('unknown_word')
}

export function readRegistration(cell: Cell | undefined): Registration | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  return findWord(registrations, asText(value)) ?? new Fault('unknown_word')
}

export function readStatus(cell: Cell | undefined): OrderStatus | null | Fault {
  const value = present(cell)
  if (value === null || value instanceof Fault) return value
  return findWord(orderStatuses, asText(value)) ?? new Fault('unknown_word')
}

/** '高价值,新客;常客' to its parts. */
export function readList(cell: Cell | undefined): string[] | null | Fault {
  const text = readText(cell)
  if (text === null || text instanceof Fault) return text
  const parts = text.normalize('NFKC').split(/[,、;|]/u)
  return [...new Set(parts.map((part) => part.trim()).filter((part) => part !== ''))]
}

/** How a cell is shown in a preview and in the file of rejected rows. */
export function showCell(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? '' : asText(cell)
}

function asText(value: Exclude<Cell, null>): string {
  if (typeof value === 'string') return value
  if (value instanceof Date)
    return value.toISOString().slice(0, 19).replace('T', ' ').replace(' 00:00:00', '')
  return String(value)
}

/** Without control characters and with single blanks: PostgreSQL takes no NUL, and nobody sees the others. */
function clean(text: string): string | null {
  if (!/[\p{Cc}\p{Cf}]|\s{2,}/u.test(text)) return text
  const cleaned = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return cleaned === '' ? null : cleaned
}
