/**
 * What ClickHouse statements become where a cluster is named. Pure.
 *
 * Each table of `database/clickhouse/*.sql` is two: `<name>_local`, replicated, on every server, and `<name>`,
 * Distributed over them by the first column of its order, which is the person; so queries stay as they are and all of a
 * person stands on one shard. Statements that change rows name the local table and run on every shard.
 * Distribution and replication are ClickHouse's own (docs/decisions/0015-cluster-mode.md says what is known of them).
 */

/** `name`: of `remote_servers`; `database`: the same on every server. */
export type Cluster = { readonly name: string; readonly database: string }

/**
 * What every statement asks of a cluster, whatever the servers' profiles say.
 * - An insert is answered when each shard has it, not when it lies in a queue of the server that took it.
 * - Rows that are read and written under a new person go to that person's shard, not back to the one they came from.
 * - A join within a shard is enough: what is joined stands under the same person.
 * - A shard that is away is an error, never a smaller answer.
 * - Of each shard the first replica that lives is read and written, so that what was written is read.
 */
export const CLUSTER_SETTINGS = {
  distributed_foreground_insert: 1,
  parallel_distributed_insert_select: '0',
  distributed_product_mode: 'local',
  skip_unavailable_shards: 0,
  prefer_localhost_replica: 0,
  load_balancing: 'in_order',
  lightweight_deletes_sync: '2',
  distributed_ddl_output_mode: 'throw',
} as const

/** How long the servers remember tokens: a batch may be repeated after an outage of weeks. */
const REMEMBER_SECONDS = 30 * 86_400

/** Deletes rows, which every later query misses. `where` names columns without their table. */
export function deleteStatement(table: string, where: string, cluster?: Cluster): string {
  return cluster === undefined
    ? `delete from ${table} where ${where}`
    : `delete from ${local(table, cluster)} ${everywhere(cluster)} where ${where}`
}

/** Empties a table. */
export function truncateStatement(table: string, cluster?: Cluster): string {
  return cluster === undefined
    ? `truncate table ${table}`
    : `truncate table ${local(table, cluster)} ${everywhere(cluster)} sync`
}

/** The statements that make or drop the database; `name` is bound as `{name: Identifier}`. */
export function databaseStatement(verb: 'create' | 'drop', cluster?: Cluster): string {
  const on = cluster === undefined ? '' : ` ${everywhere(cluster)}`
  return verb === 'create'
    ? `create database if not exists {name: Identifier}${on}`
    : `drop database if exists {name: Identifier}${on} sync`
}

const CREATE =
  /^create\s+table\s+if\s+not\s+exists\s+(?<table>\w+)\s*\((?<columns>[\s\S]*)\)\s*engine\s*=\s*(?<engine>MergeTree|ReplacingMergeTree)(?:\s*\((?<args>[^)]*)\))?\s*order\s+by\s+(?<order>\([^)]*\)|\w+)\s*settings\s+(?<settings>[\s\S]+)$/i
const ALTER = /^alter\s+table\s+(?<table>\w+)\s+(?<change>add\s+column\s+if\s+not\s+exists\s+[\s\S]+)$/i
/** How a table keeps its rows: nothing of it is known to the Distributed one. */
const SETTING = /^alter\s+table\s+(?<table>\w+)\s+(?<change>modify\s+setting\s+[\s\S]+)$/i
const DROP = /^drop\s+table\s+if\s+exists\s+(?<table>\w+)$/i

/**
 * A statement of the schema as the statements of a cluster, in order; each may be repeated. Throws a TypeError for a
 * statement whose cluster form is not known: give it one here before the file lands.
 */
export function schemaStatements(statement: string, cluster: Cluster): string[] {
  const on = everywhere(cluster)
  const [create, alter, setting, drop] = [CREATE, ALTER, SETTING, DROP].map(
    (form) => form.exec(statement.trim())?.groups,
  )
  if (create) return createStatements(create, cluster)
  if (alter) {
    const { table = '', change = '' } = alter
    return [
      `alter table ${local(table, cluster)} ${on} ${change}`,
      `alter table ${whole(table, cluster)} ${on} ${change}`,
    ]
  }
  if (setting) return [`alter table ${local(setting['table'] ?? '', cluster)} ${on} ${setting['change']}`]
  if (drop) {
    const { table = '' } = drop
    return [
      `drop table if exists ${whole(table, cluster)} ${on} sync`,
      `drop table if exists ${local(table, cluster)} ${on} sync`,
    ]
  }
  throw new TypeError(`no cluster form is known of: ${statement.slice(0, 80)}`)
}

function createStatements(parts: Record<string, string>, cluster: Cluster): string[] {
  const { table = '', columns = '', engine = '', args, order = '', settings = '' } = parts
  const engineArgs = [
    "'/clickhouse/tables/{uuid}/{shard}'",
    "'{replica}'",
    ...(args === undefined ? [] : [args]),
  ]
  const key = order.replace(/^\(/, '').split(/[,)]/)[0]?.trim() ?? ''
  return [
    `create table if not exists ${local(table, cluster)} ${everywhere(cluster)} (${columns}) engine = Replicated${engine}(${engineArgs.join(', ')})
order by ${order}
settings ${replicated(settings)}`,
    `create table if not exists ${whole(table, cluster)} ${everywhere(cluster)} as ${local(table, cluster)}
engine = Distributed('${cluster.name}', '${cluster.database}', '${table}_local', cityHash64(${key}))`,
  ]
}

/** Tokens of replicated tables live in Keeper, and are forgotten by age too. */
function replicated(settings: string): string {
  return settings.replace(
    /\bnon_replicated_deduplication_window = (\d+)/,
    `replicated_deduplication_window = $1, replicated_deduplication_window_seconds = ${REMEMBER_SECONDS}`,
  )
}

const everywhere = ({ name }: Cluster): string => `on cluster '${name}'`
const whole = (table: string, { database }: Cluster): string => `\`${database}\`.${table}`
const local = (table: string, cluster: Cluster): string => `${whole(table, cluster)}_local`
