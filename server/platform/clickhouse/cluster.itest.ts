import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { testClickHouse } from '../../../test/support/clickhouse.ts'
import { spreadTables } from '../../../test/support/spread-tables.ts'
import { openClickHouse } from './clickhouse.ts'
import { CLUSTER_SETTINGS, deleteStatement, schemaStatements, truncateStatement } from './cluster.ts'
import { ClickHouseMigrationRefused, migrateClickHouse, SCHEMA_MIGRATION, statementsOf } from './migrate.ts'

const SCHEMA = new URL('../../../database/clickhouse-cluster.sql', import.meta.url)
const liuliang = { name: 'liuliang', database: 'liuliang' }
const clickhouse = await testClickHouse()

test('ClickHouse understands every statement of the cluster', async () => {
  const statements = [
    ...schemaStatements(SCHEMA_MIGRATION, liuliang),
    ...statementsOf(await readFile(SCHEMA, 'utf8')),
    deleteStatement('events', 'person_id in {ids: Array(Int32)}', liuliang),
    truncateStatement('events', liuliang),
  ]
  expect(statements.length).toBeGreaterThan(14)
  for (const statement of statements)
    expect((await clickhouse.rows(`explain ast ${statement}`, { ids: [1] })).length).toBeGreaterThan(1)
  await expect(
    clickhouse.rows("explain ast create table a on cluster 'x' engin = Distributed()"),
  ).rejects.toThrow(/Syntax error/)
})

test('and takes every setting, which is needed: what it does by itself would be wrong', async () => {
  expect(await clickhouse.rows('select 1 as one', {}, { settings: CLUSTER_SETTINGS })).toEqual([{ one: 1 }])
  const names = Object.keys(CLUSTER_SETTINGS)
  const usual = await clickhouse.rows<{ name: string; value: string }>(
    'select name, value from system.settings where name in {names: Array(String)}',
    { names },
  )
  expect(Object.fromEntries(usual.map(({ name, value }) => [name, value]))).toMatchObject({
    distributed_foreground_insert: '0',
    parallel_distributed_insert_select: '2',
    distributed_product_mode: 'deny',
    load_balancing: 'random',
  })
})

test('whoever opens a cluster asks so with every statement, and changes rows on every server', async () => {
  // A delete looks for the local table where it is asked.
  await spreadTables(clickhouse)
  const client = openClickHouse({ ...clickhouse.options, cluster: 'liuliang' })
  const asked = `select toString(getSetting('distributed_product_mode')) as product,
    toString(getSetting('parallel_distributed_insert_select')) as moved, toString(getSetting('max_threads')) as threads`
  try {
    expect(await client.rows(asked, {}, { settings: { max_threads: 1 } })).toEqual([
      { product: 'local', moved: '0', threads: '1' },
    ])
    for (const change of [() => client.remove('events', '1'), () => client.truncate('events')])
      await expect(change()).rejects.toThrow(/Replicated DDL queries are disabled/)
  } finally {
    await client.close()
  }
})

test('a cluster that the server does not know is refused in one sentence, before anything is made', async () => {
  const asked = migrateClickHouse({ ...clickhouse.options, database: 'never_made', cluster: 'nowhere' })
  await expect(asked).rejects.toBeInstanceOf(ClickHouseMigrationRefused)
  await expect(asked).rejects.toThrow(
    /^This ClickHouse does not know the cluster nowhere that CLICKHOUSE_CLUSTER names; it knows none\./,
  )
  expect(await clickhouse.rows("select name from system.databases where name = 'never_made'")).toEqual([])
})

test('a distributed table can neither delete nor be emptied, its local one can', async () => {
  const spread = await spreadTables(clickhouse)
  const row = { person_id: 1, at: '2026-03-01 00:00:00.000', id: '00000000-0000-7000-8000-000000000001' }
  const count = async () =>
    (await spread.rows<{ rows: number }>('select count() as rows from events'))[0]?.rows
  await spread.insert('events', [row], { token: 'a' })
  await spread.insert('events', [row], { token: 'a' })
  expect(await count()).toBe(1)
  await expect(clickhouse.command('delete from events where person_id = 1')).rejects.toThrow(/not supported/)
  await clickhouse.command('truncate table events')
  expect(await count()).toBe(1)
  await spread.remove('events', 'person_id = {person: Int32}', { person: 1 })
  expect(await count()).toBe(0)
  await spread.insert('events', [row], { token: 'b' })
  await spread.truncate('events')
  expect(await count()).toBe(0)
})
