/** Identifiers and names as people and tills write them, brought into one form. Pure. */
import { normalisePhone } from '../platform/phone.ts'
import type { IdentifierKind, PhoneForm } from './identifier.ts'

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

/** The name that a guide's remark most likely holds: its first two to four Chinese characters ('李晓明 L码' → '李晓明'). */
export function nameInRemark(remark: string): string | undefined {
  return /(?<![\u3400-\u9fff])[\u3400-\u9fff]{2,4}(?![\u3400-\u9fff])/.exec(remark.normalize('NFKC'))?.[0]
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
