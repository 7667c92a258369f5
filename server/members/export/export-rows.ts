/**
 * Rows of an export, from the columns of a page as the database sends them (store-export.ts) to cells: numbers opened and
 * masked where that is asked for, names masked, codes said in words. Pure but for the cipher.
 */
import type { FieldCipher } from '../../platform/crypto/field-cipher.ts'
import type { Cell } from '../../platform/table/csv.ts'
import { minuteOf } from '../../platform/time/local-minutes.ts'
import type { Zone } from '../../platform/time/zone.ts'
import { maskIdentifier, maskName } from '../mask.ts'
import { openSecretsOf, type Sealed } from '../secret-value.ts'

/**
 * How a column is written. `cents`: an integer, shown as an amount. `day`: text of the brand's zone. `minute`: seconds
 * since 1970, shown in the column's zone. `name`: a person's name. `phone`: the number that lists show.
 */
export type Shows = 'text' | 'number' | 'cents' | 'yes' | 'day' | 'minute' | 'name' | 'phone'

export type ExportColumn = {
  key: string
  heading: string
  shows: Shows
  /** What codes mean in the language of the file; others stay as they are. */
  words?: Readonly<Record<string, string>>
  /** Of minutes; UTC where it is not given. */
  zone?: Zone
}

/** Which personal data may be written in full. */
export type Open = { names: boolean; phones: boolean }

/** Between the fields of a column: a control character that the database takes out of what people wrote. */
export const FIELD_END = '\u001f'

/** A page of persons, their numbers ascending. */
export type ExportPage = {
  rows: number
  /** A column each: UTF-8, the fields of all rows with FIELD_END between them, empty for none. */
  fields: readonly Uint8Array[]
  /** Where numbers are wanted: as they stand in the database, or written already by `openNumbers`. */
  numbers: SealedNumbers | Uint8Array | undefined
}

/** The sealed numbers of those who have one. */
export type SealedNumbers = {
  /** Everybody on the page. */
  persons: Int32Array
  /** Who has a number, ascending, with the profile that it is sealed for. */
  owners: Int32Array
  profiles: Int32Array
  /** Bytes of the wrapped key, of the sealed values and of the digest, one after the other in `bytes`. */
  sizes: readonly [keys: Int32Array, secrets: Int32Array, digests: Int32Array]
  bytes: Uint8Array
}

type How = { cipher: FieldCipher; open: Open }

/** The cells of one page, a column each. Errors: `Unreadable` where the key is another one. */
export function cellsOfPage(page: ExportPage, columns: readonly ExportColumn[], how: How): Cell[][] {
  if (page.rows === 0) return columns.map(() => [])
  return columns.map((column, index) => {
    const bytes = column.shows === 'phone' ? writtenNumbers(page.numbers, how) : page.fields[index]
    if (bytes === undefined) return new Array<Cell>(page.rows).fill(null)
    const fields = bufferOf(bytes).toString('utf8').split(FIELD_END)
    const cellOf = readerOf(column, how.open)
    return fields.map((field) => (field === '' ? null : cellOf(field)))
  })
}

function writtenNumbers(numbers: ExportPage['numbers'], how: How): Uint8Array | undefined {
  return numbers === undefined || numbers instanceof Uint8Array ? numbers : openNumbers(numbers, how)
}

/** What comes from another thread is no Buffer any more. */
function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

function readerOf({ shows, words, zone }: ExportColumn, open: Open): (field: string) => Cell {
  switch (shows) {
    case 'number':
      return Number
    case 'cents':
      return (field) => Number(field) / 100
    case 'yes':
      return (field) => field === 'true'
    case 'minute': {
      const minute = minuteOf(zone ?? 'UTC')
      return (field) => minute(Number(field) * 1000)
    }
    case 'name':
      return open.names ? (field) => field : maskName
    default:
      return words ? (field) => words[field] ?? field : (field) => field
  }
}

/**
 * The numbers of everybody on the page, as a column of `ExportPage`; masked unless they may be written in full. Most of an
 * export's time is here. Errors: `Unreadable` where the key is another one.
 */
export function openNumbers(sealed: SealedNumbers, { cipher, open }: How): Uint8Array {
  const { persons } = sealed
  const fields = new Array<string>(persons.length).fill('')
  const numbers = numbersOf(sealed)
  const secrets = openSecretsOf(cipher, numbers)
  let row = 0
  // Both lists ascend.
  numbers.forEach(({ owner, digest }, place) => {
    while (row < persons.length && persons[row] !== owner) row += 1
    const value = secrets[place]?.[digest]
    if (value !== undefined) fields[row] = open.phones ? domestic(value) : maskIdentifier('phone', value)
  })
  return Buffer.from(fields.join(FIELD_END))
}

type Numbered = Sealed & { owner: number; digest: string }

function numbersOf({ owners, profiles, sizes, bytes }: SealedNumbers): Numbered[] {
  const all = bufferOf(bytes)
  const [keys, secrets, digests] = sizes
  const numbers: Numbered[] = []
  let from = 0
  for (let place = 0; place < owners.length; place += 1) {
    const secretFrom = from + (keys[place] ?? 0)
    const digestFrom = secretFrom + (secrets[place] ?? 0)
    const end = digestFrom + (digests[place] ?? 0)
    numbers.push({
      owner: owners[place] ?? 0,
      id: profiles[place] ?? 0,
      dataKey: all.subarray(from, secretFrom),
      secret: all.subarray(secretFrom, digestFrom),
      digest: all.toString('hex', digestFrom, end),
    })
    from = end
  }
  return numbers
}

/** A mainland number without its country code, as shops write it: a cell that begins with + would be defused. */
function domestic(phone: string): string {
  return phone.startsWith('+86') ? phone.slice(3) : phone
}
