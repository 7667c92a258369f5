import { expect, test } from 'vitest'
import { fc } from '../../../../test/support/fast-check.ts'
import { scan } from './scan.ts'

test.each([
  ['select 1', 'select', undefined],
  ['  -- hi\n/* x */ (select 1) union all (select 2) format CSV', 'select', 'CSV'],
  ['select 1 format JSON settings max_threads = 1', 'select', 'JSON'],
  ['select 1 format JSON;  -- end', 'select', 'JSON'],
  ['select format from t', 'select', undefined],
  ["select ' format JSON'", 'select', undefined],
  ['select a from (select 1 format TSV)', 'select', undefined],
  ["KILL QUERY where query_id = 'x'", 'kill', undefined],
  ['insert into t select 1', 'insert', undefined],
  ['', '', undefined],
  ['-- nothing', '', undefined],
])('%s', (sql, first, format) => {
  expect(scan(sql)).toMatchObject({ first, format, dataAt: undefined, several: false })
})

test.each([
  ['insert into t format JSONEachRow', 'JSONEachRow', ''],
  ['insert into t (a, format) format JSONEachRow\n{"a": 1};', 'JSONEachRow', '{"a": 1};'],
  ['INSERT INTO t FORMAT TSV 1\t2; drop table t', 'TSV', '1\t2; drop table t'],
  ["insert into values values (1, 'x;')", 'Values', " (1, 'x;')"],
  ['insert into t settings max_threads = 1 format CSV\n1', 'CSV', '1'],
])('the data of: %s', (sql, format, data) => {
  const seen = scan(sql)
  expect([seen.format, sql.slice(seen.dataAt)]).toEqual([format, data])
})

test.each([
  ['select 1; select 2', true],
  ['select 1;;', true],
  ['select 1; -- two', false],
  ['select \';\' as "a;b", `c;d` /* ; */ -- ; \n', false],
  ["select 'it\\'s; ', 'it''s; '", false],
  ["select $x$ ; ' $x$; select 2", true],
  ['insert into t values (1); drop table t', true],
])('several statements in: %s', (sql, several) => {
  expect(scan(sql).several).toBe(several)
})

test('whatever stands in a quoted text is text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom("'", '"', '`'), (text, quote) => {
      const quoted = quote + text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`) + quote
      expect(scan(`select ${quoted} format CSV`)).toMatchObject({
        first: 'select',
        format: 'CSV',
        several: false,
      })
    }),
  )
})

test('any text ends', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      scan(text)
    }),
  )
})
