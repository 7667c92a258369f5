/**
 * The tables of a cluster in the engine of the tests, as far as one server can have them: each is a local table and a
 * distributed one over it, made from the committed text of the cluster's schema, with the settings that every statement
 * has there. There is one shard and no replica: `on cluster` is left out, and engines are not replicated.
 */
import { readFile } from 'node:fs/promises'
import type { CallOptions, ClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { CLUSTER_SETTINGS } from '../../server/platform/clickhouse/cluster.ts'
import { statementsOf } from '../../server/platform/clickhouse/migrate.ts'

const SCHEMA = new URL('../../database/clickhouse-cluster.sql', import.meta.url)
/** The only shard is the server itself, which has no other way in than its own. */
const SETTINGS = { ...CLUSTER_SETTINGS, prefer_localhost_replica: 1 }

/** Makes the tables of a test database anew, empty, and answers a client for which they are those of a cluster. */
export async function spreadTables(clickhouse: ClickHouse): Promise<ClickHouse> {
  for (const table of ['events', 'orders', 'order_lines'])
    await clickhouse.command(`drop table if exists ${table} sync`)
  for (const statement of statementsOf(await readFile(SCHEMA, 'utf8')))
    await clickhouse.command(onOneServer(statement, clickhouse.database))
  const set = <Call extends CallOptions>(call?: Call) => ({
    ...call,
    settings: { ...SETTINGS, ...call?.settings },
  })
  return {
    ...clickhouse,
    rows: (query, params, call) => clickhouse.rows(query, params, set(call)),
    stream: (query, params, call) => clickhouse.stream(query, params, set(call)),
    blocks: (query, params, call) => clickhouse.blocks(query, params, set(call)),
    insert: (table, rows, call) => clickhouse.insert(table, rows, set(call)),
    command: (query, params, call) => clickhouse.command(query, params, set(call)),
    remove: (table, where, params, call) => clickhouse.remove(`${table}_local`, where, params, set(call)),
    truncate: (table) => clickhouse.truncate(`${table}_local`),
  }
}

function onOneServer(statement: string, database: string): string {
  return statement
    .replaceAll('`liuliang`.', '')
    .replaceAll(" on cluster 'liuliang'", '')
    .replace(/Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?/, '$1(')
    .replace(
      /replicated_deduplication_window = (\d+), replicated_\w+ = \d+/,
      'non_replicated_deduplication_window = $1',
    )
    .replace(
      /engine = Distributed\('liuliang', 'liuliang', '(\w+)', (.+)\)$/,
      (_, local: string, key: string) =>
        `remote('127.0.0.1', '${database}', '${local}', 'default', '', ${key})`,
    )
    .replace(/ as \w+_local\s+(?=remote)/, ' as ')
}
