import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { openFieldCipher } from '../../platform/crypto/field-cipher.ts'
import type { ExportPage } from './export-rows.ts'
import { openingNumbers } from './opening-numbers.ts'

const cipher = openFieldCipher(randomBytes(32))
const MANY = 5000

/** Persons from `from`, every third without a number. */
function pageOf(from: number, rows: number): ExportPage {
  const persons = Array.from({ length: rows }, (_, row) => from + row)
  const owners = persons.filter((person) => person % 3 !== 0)
  const sealed = owners.map((person) => {
    const { key, wrapped } = cipher.newKey(`profile:${person}`)
    const digest = Buffer.alloc(32, person)
    const secret = JSON.stringify({ [digest.toString('hex')]: `+86138${String(person).padStart(8, '0')}` })
    return [wrapped, cipher.seal(key, secret, `profile:${person}`), digest] as const
  })
  const sizes = (part: 0 | 1 | 2): Int32Array => Int32Array.from(sealed.map((parts) => parts[part].length))
  return {
    rows,
    fields: [],
    numbers: {
      persons: Int32Array.from(persons),
      owners: Int32Array.from(owners),
      profiles: Int32Array.from(owners),
      sizes: [sizes(0), sizes(1), sizes(2)],
      bytes: Buffer.concat(sealed.flat()),
    },
  }
}

function written({ numbers }: ExportPage): string[] {
  if (!(numbers instanceof Uint8Array)) throw new Error('not opened')
  return Buffer.from(numbers).toString('utf8').split('\u001f')
}

test('pages that are opened side by side keep to their persons, in full or masked', async () => {
  for (const [phones, shown] of [
    [true, (person: number) => `138${String(person).padStart(8, '0')}`],
    [false, (person: number) => `138****${String(person).padStart(8, '0').slice(-4)}`],
  ] as const) {
    const opening = openingNumbers(MANY, { wrapping: cipher.wrapping, open: { names: true, phones } })
    const starts = [1, 1001, 2001, 3001]
    const pages = await Promise.all(starts.map((from) => opening.open(pageOf(from, 1000))))
    await opening.stop()
    for (const [index, page] of pages.entries()) {
      const expected = Array.from({ length: 1000 }, (_, row) => (starts[index] ?? 0) + row).map((person) =>
        person % 3 === 0 ? '' : shown(person),
      )
      expect(written(page)).toEqual(expected)
    }
  }
})

test('under another master key the export fails and says why, and what waits when it is stopped ends', async () => {
  const other = openFieldCipher(randomBytes(32))
  const opening = openingNumbers(MANY, { wrapping: other.wrapping, open: { names: true, phones: true } })
  await expect(opening.open(pageOf(1, 10))).rejects.toThrow('the key or the context does not fit')
  const waiting = opening.open(pageOf(1, 5000))
  await Promise.all([opening.stop(), expect(waiting).rejects.toThrow(/ended|does not fit/)])
  await expect(opening.open(pageOf(1, 10))).rejects.toThrow('ended')
})

test('few numbers, and pages without any, are left as they are', async () => {
  const order = { wrapping: cipher.wrapping, open: { names: true, phones: true } }
  const page = pageOf(1, 10)
  expect(await openingNumbers(MANY - 1, order).open(page)).toBe(page)
  const opening = openingNumbers(MANY, order)
  const without = { rows: 1, fields: [], numbers: undefined }
  expect(await opening.open(without)).toBe(without)
  await opening.stop()
})
