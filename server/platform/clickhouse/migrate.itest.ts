import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testClickHouse } from '../../../test/support/clickhouse.ts'
import {
  type ClickHouse,
  type ClickHouseOptions,
  dropClickHouseDatabase,
  openClickHouse,
} from './clickhouse.ts'
import { ClickHouseMigrationRefused, migrateClickHouse } from './migrate.ts'

let options: ClickHouseOptions
let folder: string
let ch: ClickHouse
let shipped: ClickHouse
const url = () => pathToFileURL(`${folder}/`)
const write = (name: string, text: string) => writeFile(join(folder, name), text)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liuliang-migrate-'))
  const given = await testClickHouse()
  shipped = given
  options = { ...given.options, database: `${given.database}_migrate` }
  ch = openClickHouse(options)
})
afterAll(async () => {
  await ch.close()
  await dropClickHouseDatabase(options)
  await rm(folder, { recursive: true, force: true })
})

const first = `-- why
create table if not exists a (x UInt8 /* ; */) engine = MergeTree order by x;
-- more
create table if not exists b (y String default ';') engine = MergeTree order by y;
`

test('the files that ship apply and are applied once', async () => {
  const tables = await shipped.rows<{ name: string }>(
    'select name from system.tables where database = currentDatabase()',
  )
  expect(tables.map((table) => table.name)).toEqual(
    expect.arrayContaining(['events', 'orders', 'schema_migration']),
  )
})

test('files apply in order, each once', async () => {
  await write('0001-first.sql', first)
  expect(await migrateClickHouse(options, url())).toEqual({ applied: ['0001-first.sql'], total: 1 })
  await write('0002-second.sql', 'alter table a add column if not exists z String;\n')
  expect(await migrateClickHouse(options, url())).toEqual({ applied: ['0002-second.sql'], total: 2 })
  expect(await migrateClickHouse(options, url())).toEqual({ applied: [], total: 2 })
  expect(
    await ch.rows("select name from system.columns where database = currentDatabase() and table = 'a'"),
  ).toEqual([{ name: 'x' }, { name: 'z' }])
})

test('a file that was cut short by a crash is applied again from its beginning', async () => {
  await write(
    '0003-third.sql',
    'create table if not exists c (x UInt8) engine = MergeTree order by x;\nalter table nowhere add column q UInt8;\n',
  )
  await expect(migrateClickHouse(options, url())).rejects.toThrow(/^0003-third\.sql could not be applied: /)
  await write('0003-third.sql', 'create table if not exists c (x UInt8) engine = MergeTree order by x;\n')
  expect((await migrateClickHouse(options, url())).applied).toEqual(['0003-third.sql'])
})

test('a create that cannot be repeated is refused', async () => {
  await write('0004-fourth.sql', 'create table d (x UInt8) engine = MergeTree order by x;\n')
  await expect(migrateClickHouse(options, url())).rejects.toThrow(/every create says "if not exists"/)
  await rm(join(folder, '0004-fourth.sql'))
})

test('a changed file and a newer database are refused before anything runs', async () => {
  await write('0005-fifth.sql', 'create table if not exists e (x UInt8) engine = MergeTree order by x;\n')
  await write('0001-first.sql', `${first}-- changed\n`)
  await expect(migrateClickHouse(options, url())).rejects.toThrow(/^0001-first\.sql was changed after/)
  await rm(join(folder, '0001-first.sql'))
  await expect(migrateClickHouse(options, url())).rejects.toThrow(
    /newer than this program \(it has 0001-first\.sql\)/,
  )
  await expect(migrateClickHouse(options, url())).rejects.toBeInstanceOf(ClickHouseMigrationRefused)
  expect(
    await ch.rows("select name from system.tables where database = currentDatabase() and name = 'e'"),
  ).toEqual([])
})
