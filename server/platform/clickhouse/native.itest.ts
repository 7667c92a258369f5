import { expect, test } from 'vitest'
import { testClickHouse } from '../../../test/support/clickhouse.ts'
import { fc } from '../../../test/support/fast-check.ts'
import { type Column, uuidText } from './native.ts'

const clickhouse = await testClickHouse()
await clickhouse.command(`
  create table kinds (n UInt32, whole Int64, small Int32, flag UInt8, money Decimal(18, 2), milli Decimal(9, 3),
    part Float64, name String, kind LowCardinality(String), id UUID, cost Nullable(Decimal(18, 2)), note Nullable(String))
  engine = MergeTree order by n`)

const safe = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
const hundredths = (most: number) =>
  fc.integer({ min: -most, max: most }).map((cents) => (cents / 100).toFixed(2))
const aText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom('', '𠮷', '<script>', "'", '\n', '\0', 'pos'),
)
const aRow = fc.record({
  whole: safe,
  small: fc.integer(),
  flag: fc.nat(255),
  money: hundredths(1e12),
  milli: fc.integer({ min: -99_999_999, max: 99_999_999 }).map((units) => (units / 1000).toFixed(3)),
  part: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  name: aText,
  kind: aText,
  id: fc.uuid(),
  cost: fc.option(hundredths(1e9)),
  note: fc.option(aText),
})

function valueAt(column: Column | undefined, row: number): unknown {
  if (column === undefined) throw new Error('no column')
  if ('absent' in column) return column.absent[row] === 1 ? null : valueAt(column.values, row)
  if ('codes' in column) return column.keys[column.codes[row] ?? 0]
  return 'words' in column ? uuidText(column.words, row) : column[row]
}

async function whole<T>(answer: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of answer) found.push(one)
  return found
}

test('columns say what rows say: of every type, over many blocks, with nulls, signs and any text', async () => {
  const rows = fc.sample(aRow, { numRuns: 5000, seed: 7 }).map((row, n) => ({ n, ...row }))
  for (let from = 0; from < rows.length; from += 1000)
    await clickhouse.insert('kinds', rows.slice(from, from + 1000))
  const query =
    'select n, whole, small, flag, money, milli, part, name, kind, id, cost, note from kinds order by n'
  const expected: unknown[][] = []
  for await (const some of clickhouse.stream<unknown[]>(query)) expected.push(...some)
  const seen: unknown[][] = []
  for await (const { rows: count, columns } of clickhouse.blocks(
    query,
    {},
    { settings: { max_block_size: 700 } },
  )) {
    for (let row = 0; row < count; row += 1) seen.push(columns.map((column) => valueAt(column, row)))
  }
  expect(seen.length).toBe(rows.length)
  expect(seen).toEqual(expected)
})

test('an error in the middle of an answer is the error of the server', async () => {
  const reading = whole(
    clickhouse.blocks(
      "select number, throwIf(number = 900000, 'enough') from numbers(1000000)",
      {},
      { settings: { max_block_size: 1000 } },
    ),
  )
  await expect(reading).rejects.toThrow(/enough/)
})
