import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { deleteStatement, schemaStatements, truncateStatement } from './cluster.ts'
import { SCHEMA_MIGRATION, statementsOf } from './migrate.ts'

const FOLDER = new URL('../../../database/clickhouse/', import.meta.url)
const liuliang = { name: 'liuliang', database: 'liuliang' }

/** What a migration of an empty cluster runs. */
function clusterSchema(): string[] {
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const statements = files.flatMap((name) => statementsOf(readFileSync(new URL(name, FOLDER), 'utf8')))
  return statements.flatMap((statement) => schemaStatements(statement, liuliang))
}

test('the schema of a cluster is the one that was looked at', async () => {
  const heading =
    '-- What database/clickhouse/*.sql become on a cluster named liuliang; written by server/platform/clickhouse/cluster.test.ts.\n\n'
  const text = clusterSchema()
    .map((statement) => `${statement};\n`)
    .join('\n')
  await expect(heading + text).toMatchFileSnapshot('../../../database/clickhouse-cluster.sql')
})

test('no table is left that only one server would have', () => {
  for (const statement of [...clusterSchema(), ...schemaStatements(SCHEMA_MIGRATION, liuliang)]) {
    expect(statement).toContain("on cluster 'liuliang'")
    expect(statement).not.toMatch(/engine = (Replacing)?MergeTree|non_replicated/)
  }
})

test('rows go by their local tables, on every shard', () => {
  expect(deleteStatement('events', 'x = 1')).toBe('delete from events where x = 1')
  expect(deleteStatement('events', 'x = 1', liuliang)).toBe(
    "delete from `liuliang`.events_local on cluster 'liuliang' where x = 1",
  )
  expect(truncateStatement('events')).toBe('truncate table events')
  expect(truncateStatement('events', liuliang)).toBe(
    "truncate table `liuliang`.events_local on cluster 'liuliang' sync",
  )
})

test.each([
  'create table if not exists a (x UInt8) engine = SummingMergeTree order by x settings fsync_after_insert = 1',
  'create table if not exists a (x UInt8) engine = MergeTree partition by x order by x settings fsync_after_insert = 1',
  'alter table a drop column x',
  'create materialized view v to a as select 1',
])('a statement whose cluster form nobody thought of is refused: %s', (statement) => {
  expect(() => schemaStatements(statement, liuliang)).toThrow(/no cluster form is known/)
})

test('only this folder writes statements that would reach one server of a cluster', () => {
  const found = readdirSync('server', { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.ts$/.test(path) && !/\.(i?test)\.ts$/.test(path) && !path.startsWith('platform/'))
    .flatMap((path) => {
      const text = readFileSync(`server/${path}`, 'utf8')
      return /\.command\(\s*[`'"](?:delete|truncate|alter|drop|create|optimize)\b/i.test(text) ? [path] : []
    })
  expect(found).toEqual([])
})
