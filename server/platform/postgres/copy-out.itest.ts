import { expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { copyRow, int4s, written } from './copy-out.ts'
import { sql } from './sql.ts'

/** PostgreSQL holds no NUL in a text. */
const text = fc.string({ unit: 'binary-ascii' }).map((value) => value.replaceAll('\0', ''))
const sign = fc.constantFrom("'", '"', '\\', '{', '}', ',', '$1', '𠮷', ' ', 'null', '')
const nasty = fc.array(fc.oneof(text, sign), { maxLength: 6 }).map((parts) => parts.join(''))

test('a statement with its values written into it means what it means with parameters', async () => {
  const db = await testDatabase()
  await fc.assert(
    fc.asyncProperty(
      nasty,
      fc.array(fc.option(nasty), { maxLength: 4 }),
      fc.integer({ min: -99, max: 99 }),
      async (one, many, number) => {
        const query = sql`select ${one}::text, to_json(${many}::text[])::text, int4send(${number}::int), ${null}::text,
        case when ${number > 0} then ${new Date('2026-03-01T02:00:00.123Z')}::timestamptz::text end`
        const fields = await copyRow(db, written(query))
        expect(fields[0]?.toString()).toBe(one)
        expect(JSON.parse(fields[1]?.toString() ?? '')).toEqual(many)
        expect([...int4s(fields[2])]).toEqual([number])
        expect(fields[3]).toBeUndefined()
        expect(fields[4]?.toString()).toBe(number > 0 ? '2026-03-01 02:00:00.123+00' : undefined)
      },
    ),
  )
})

test('what has no text of its own is refused', () => {
  expect(() => written(sql`select ${{ a: 1 }}`)).toThrow(TypeError)
  expect(() => written(sql`select ${undefined}`)).toThrow(TypeError)
})
