import { expect, test } from 'vitest'
import { sql } from '../../server/platform/postgres/sql.ts'
import { testClickHouse } from './clickhouse.ts'
import { emptyDatabase, testDatabase } from './database.ts'

test('two databases of one file do not see each other', async () => {
  const [first, second] = [await testDatabase(), await testDatabase()]
  await first.run(sql`create table only_here (id int)`)
  const seen = await second.row<{ table: string | null }>(sql`select to_regclass('only_here')::text as table`)
  expect(seen.table).toBeNull()
})

test('an empty database has no table, a test database has those of every migration', async () => {
  const count = sql`select count(*)::int as tables from pg_tables where schemaname = 'public'`
  expect(await (await emptyDatabase()).row(count)).toEqual({ tables: 0 })
  const { tables } = await (await testDatabase()).row<{ tables: number }>(count)
  expect(tables).toBeGreaterThan(10)
})

test('a ClickHouse database has the tables of every migration and nobody else’s rows', async () => {
  const [first, second] = [await testClickHouse(), await testClickHouse()]
  await first.command('create table only_here (id Int32) engine = MergeTree order by id')
  const tables = (of: typeof first) =>
    of.rows<{ name: string }>('select name from system.tables where database = currentDatabase()')
  expect((await tables(first)).map(({ name }) => name)).toContain('only_here')
  const names = (await tables(second)).map(({ name }) => name)
  expect(names).not.toContain('only_here')
  expect(names).toContain('schema_migration')
})
