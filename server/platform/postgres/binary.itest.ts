import { beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { type BinaryRows, intArray, uuidArray } from './binary.ts'
import { copyBinary } from './copy.ts'
import type { Database } from './database.ts'
import { sql } from './sql.ts'

type Row = {
  id: string
  text: string
  number: number | null
  small: number
  day: string
  at: Date
  json: string
}

const rows: Row[] = [
  [
    '0190a000-0000-7000-8000-00000000000f',
    '𠮷 <script>\t\\N\n',
    -5,
    0,
    '2026-03-01',
    '2026-03-01T02:00:00.123Z',
  ],
  ['FFFFFFFF-ABCD-8fff-bfff-ffffffffffff', '', null, -1, '1970-01-01', '1969-12-31T23:59:59.999Z'],
  [
    '00000000-0000-0000-0000-000000000000',
    '长'.repeat(90_000),
    2_147_483_647,
    1,
    '1999-12-31',
    '0001-01-01T00:00:00Z',
  ],
  [
    '12345678-9abc-def0-1234-56789abcdef0',
    'x',
    -2_147_483_648,
    32_767,
    '2400-02-29',
    '9999-12-31T23:59:59.999Z',
  ],
].map(([id, text, number, small, day, at]) => ({
  id: id as string,
  text: text as string,
  number: number as number | null,
  small: small as number,
  day: day as string,
  at: new Date(at as string),
  json: JSON.stringify({ text, number }),
}))

function write({ id, text, number, small, day, at, json }: Row, out: BinaryRows): void {
  out.count(7)
  out.uuid(id)
  out.text(text)
  out.int(number)
  out.smallint(small)
  out.day(day)
  out.instant(at)
  out.json(json)
}

let db: Database

beforeAll(async () => {
  db = await testDatabase()
  await db.run(sql`
    create table form (id uuid, text text, number int, small smallint, day date, at timestamptz, json jsonb)`)
})

test('what is copied in binary form is what the same text would be', async () => {
  const short = rows.filter(({ text }) => text.length < 100)
  const many = [...Array.from({ length: 2999 - short.length }, () => short).flat(), ...rows].slice(-3000)
  expect(
    await db.transaction((tx) => copyBinary(tx, 'copy form from stdin (format binary)', many, write)),
  ).toBe(3000)
  const stored = await db.rows<Row>(
    sql`select distinct id::text, text, number, small, day, at, json::text from form`,
  )
  const byId = (some: readonly Row[]) =>
    Object.fromEntries(
      some.map(({ id, json, ...row }) => [id.toLowerCase(), { ...row, json: JSON.parse(json) as unknown }]),
    )
  expect(byId(stored)).toEqual(byId(rows))
})

test('lists are parameters in binary form, also empty ones', async () => {
  const ids = rows.map(({ id }) => id)
  const numbers = [1, -2, 2_147_483_647]
  const asked = (some: readonly string[], of: readonly number[]) =>
    db.row<{ ids: string; numbers: number[] }>(
      sql`select ${uuidArray(some)}::uuid[]::text as ids, ${intArray(of)}::int[] as numbers`,
    )
  expect(await asked(ids, numbers)).toEqual({ ids: `{${ids.join(',').toLowerCase()}}`, numbers })
  expect(await asked([], [])).toEqual({ ids: '{}', numbers: [] })
})

test.each(['', 'x', '0190a000-0000-7000-8000-00000000000g', '0190a000-0000-7000-8000-00000000000长'])(
  'what is no UUID is refused: %j',
  (id) => {
    expect(() => uuidArray([id])).toThrow(RangeError)
  },
)
