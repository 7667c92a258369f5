import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { csv, csvCell, ndjson } from './csv.ts'

test('what a spreadsheet would run becomes text, and a negative amount stays a number', () => {
  for (const text of ['=1+1', '+86', '-2', '@SUM(A1)', '\t=1', '\r=1'])
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/)
  expect(csvCell(-250)).toBe('-250')
  expect(csvCell('张三')).toBe('张三')
  expect(csvCell(null)).toBe('')
})

test('every row comes back as it was, but for the quote before a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 5 }), (cells) => {
      const [read = []] = parse(csv.row([], cells), {
        relax_column_count: true,
        skip_empty_lines: false,
      }) as string[][]
      expect(read.map((cell, index) => (cell === `'${cells[index]}` ? cells[index] : cell))).toEqual(cells)
    }),
  )
})

test('NDJSON keeps the names of the columns', () => {
  expect(ndjson.row(['a', 'b'], [1, null])).toBe('{"a":1,"b":null}\n')
})
