/**
 * Rows of an export, from the text of a page as the database builds it (store-export.ts) to cells: numbers opened and
 * masked where that is asked for, names masked, codes said in words. Pure but for the cipher.
 */
import type { FieldCipher } from '../../platform/crypto/field-cipher.ts'
import type { Cell } from '../../platform/table/csv.ts'
import { maskIdentifier, maskName } from '../mask.ts'
import { openSecret } from '../secret-value.ts'

/**
 * How a column is written. `cents`: an integer, shown as an amount. `day` and `minute`: text of the brand's zone.
 * `name`: a person's name. `phone`: the number that lists show.
 */
export type Shows = 'text' | 'number' | 'cents' | 'yes' | 'day' | 'minute' | 'name' | 'phone'

export type ExportColumn = {
  key: string
  heading: string
  shows: Shows
  /** What codes mean in the language of the file; others stay as they are. */
  words?: Readonly<Record<string, string>>
}

/** Which personal data may be written in full. */
export type Open = { names: boolean; phones: boolean }

/** Between the fields of a row, and between rows: control characters that the database takes out of what people wrote. */
export const FIELD_END = '\u001f'
export const ROW_END = '\u001e'
/** Fields before the columns: profile, its wrapped key, its sealed values, the digest of the number; all empty for none. */
const SEALED_FIELDS = 4

/** The rows of one page, a row of cells each. Errors: `Unreadable` where the key is another one. */
export function rowsOfPage(
  text: string,
  columns: readonly ExportColumn[],
  how: { cipher: FieldCipher; open: Open },
): Cell[][] {
  if (text === '') return []
  const withPhone = columns.some(({ shows }) => shows === 'phone')
  return text.split(ROW_END).map((line) => {
    const fields = line.split(FIELD_END)
    const phone = withPhone ? phoneOf(fields, how) : null
    return columns.map((column, index) =>
      column.shows === 'phone' ? phone : cellOf(column, fields[SEALED_FIELDS + index] ?? '', how.open),
    )
  })
}

function cellOf({ shows, words }: ExportColumn, field: string, open: Open): Cell {
  if (field === '') return null
  switch (shows) {
    case 'number':
      return Number(field)
    case 'cents':
      return Number(field) / 100
    case 'yes':
      return field === 'true'
    case 'name':
      return open.names ? field : maskName(field)
    default:
      return words?.[field] ?? field
  }
}

function phoneOf(
  [profile = '', dataKey = '', secret = '', digest = '']: readonly string[],
  { cipher, open }: { cipher: FieldCipher; open: Open },
): string | null {
  if (profile === '') return null
  const value = openSecret(cipher, {
    id: Number(profile),
    dataKey: Buffer.from(dataKey, 'hex'),
    secret: Buffer.from(secret, 'hex'),
  })[digest]
  if (value === undefined) return null
  return open.phones ? domestic(value) : maskIdentifier('phone', value)
}

/** A mainland number without its country code, as shops write it: a cell that begins with + would be defused. */
function domestic(phone: string): string {
  return phone.replace(/^\+86/, '')
}
