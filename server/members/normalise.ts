/** Phones, e-mails and names as people and tills write them, brought into one form. Pure. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import type { IdentifierKind, PhoneForm } from './identifier.ts'

const HOME_COUNTRY = 'CN'
/** Longest identifier that is kept; a longer cell is no identifier. */
const LONGEST = 200
const LONGEST_NAME = 100

export type Normal = { readonly value: string; readonly valid: boolean; readonly form: PhoneForm | null }

/** The one form of an identifier, or undefined where the text holds none. An invalid one is kept, to be counted. */
export function normaliseIdentifier(kind: IdentifierKind, text: string): Normal | undefined {
  switch (kind) {
    case 'phone':
      return normalisePhone(text)
    case 'email':
      return normaliseEmail(text)
    case 'card':
      return plain(text.normalize('NFKC').toUpperCase())
    default:
      return plain(text)
  }
}

/**
 * A phone in E.164 ('+8613812345678'); numbers without a country are of China. Full-width digits, blanks, dashes,
 * brackets, '+86', '0086', a trailing '.0' of a spreadsheet and a leading apostrophe are understood. Numbers that cannot
 * exist, and the ones that tills type to get past the field (13800138000, eight equal zeros), are invalid: their
 * digits are kept as they stand.
 */
export function normalisePhone(text: string): Normal | undefined {
  const written = text
    .normalize('NFKC')
    .replace(/[\s\-–—‐‑.()[\]'`·•_/]/g, (sign) => (sign === '.' ? '.' : ''))
  const digits = written.replace(/\.0+$/, '').replaceAll('.', '').slice(0, LONGEST)
  if (digits === '') return undefined
  const home = digits.replace(/^(?:\+|00)?86(?=1\d{10}$)/, '')
  if (COMMON_MOBILE.test(home)) return { value: `+86${home}`, valid: !isPlaceholder(home), form: 'mobile' }
  const parsed = parsePhoneNumberFromString(digits.replace(/^00(?=[1-9])/, '+'), HOME_COUNTRY)
  if (!parsed?.isValid()) return { value: digits, valid: false, form: null }
  const type = parsed.getType()
  const mobile = type === 'MOBILE' || type === 'FIXED_LINE_OR_MOBILE'
  return {
    value: parsed.number,
    valid: !isPlaceholder(parsed.nationalNumber),
    form: mobile ? 'mobile' : 'landline',
  }
}

/** Mobile prefixes that the full table accepts whole (a test compares); it costs 30 µs a number, this 0.1. */
const COMMON_MOBILE = /^1(?:3\d|5[0-35-9]|8\d)\d{8}$/

function isPlaceholder(national: string): boolean {
  return national === '13800138000' || /^1\d\d(?:0{8}|12345678)$/.test(national)
}

/** An e-mail address in lower case. */
export function normaliseEmail(text: string): Normal | undefined {
  const value = text.normalize('NFKC').trim().toLowerCase().slice(0, LONGEST)
  if (value === '') return undefined
  return { value, valid: /^[^\s@,;<>]{1,64}@[^\s@,;<>.]+(?:\.[^\s@,;<>.]+)+$/.test(value), form: null }
}

/** A name without stray blanks and signs that cannot be seen; undefined where nothing is left. */
export function normaliseName(text: string): string | undefined {
  const name = text
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST_NAME)
  return name === '' || NO_NAME.has(name.toLowerCase()) ? undefined : name
}

const NO_NAME = new Set([
  '-',
  '--',
  '/',
  '无',
  '未知',
  '空',
  'null',
  'none',
  'n/a',
  'na',
  'undefined',
  '匿名',
])

function plain(text: string): Normal | undefined {
  const value = text.trim()
  return value === '' || value.length > LONGEST ? undefined : { value, valid: true, form: null }
}

/** Phones that a guide wrote into a remark: proposals, never identifiers. */
export function phonesInRemark(remark: string): string[] {
  const found =
    remark.normalize('NFKC').match(/(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)/g) ?? []
  return [
    ...new Set(
      found.flatMap((text) => {
        const phone = normalisePhone(text)
        return phone?.valid ? [phone.value] : []
      }),
    ),
  ]
}
