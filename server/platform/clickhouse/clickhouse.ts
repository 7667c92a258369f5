/**
 * Owns the connection to ClickHouse: the built-in engine or a server of one's own, by the same client and SQL.
 * Promises: values travel as bound parameters only, every call has a time limit and can be aborted, `rows` is
 * bounded and `stream` holds one batch at a time. Never does: know a table, or keep a session between two calls.
 */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import {
  CLUSTER_SETTINGS,
  type Cluster,
  databaseStatement,
  deleteStatement,
  truncateStatement,
} from './cluster.ts'
import { type Block, nativeBlocks } from './native.ts'
import { bound, type Param, type Params, sent, utcText } from './params.ts'
import { rowBatches, soundPieces } from './row-stream.ts'

export { type Block, type Param, type Params, utcText }

/**
 * In the built-in engine: 'page' has two sessions for short questions of people, 'heavy' one with a queue for
 * whatever scans, 'write' one for inserts and DDL. A real ClickHouse does not know the header and ignores it.
 */
export type Lane = 'page' | 'heavy' | 'write'

export type CallOptions = {
  lane?: Lane | undefined
  /** Milliseconds until the statement is given up and killed; by lane unless told. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
  /** ClickHouse settings of this statement. */
  settings?: Readonly<Record<string, string | number>> | undefined
}

export type InsertOptions = Omit<CallOptions, 'lane'> & {
  /**
   * `insert_deduplication_token`: the same token again inserts nothing, as long as the table remembers it
   * (`non_replicated_deduplication_window`). Name what the rows are, never the moment.
   */
  token?: string | undefined
  columns?: readonly string[] | undefined
  /** The bytes are rows as JSON arrays, values in the order of `columns`: half the bytes of objects. */
  arrays?: boolean | undefined
}

export type ClickHouse = {
  readonly database: string
  /** How it was opened, for a thread that opens its own. */
  readonly options: ClickHouseOptions
  /**
   * All rows as objects (at most MAX_ROWS). Lane 'page' unless told. Integers are exact up to 2^53 and decimals are
   * floats: select a hash as text and money as cents.
   */
  rows<Row>(query: string, params?: Params, options?: CallOptions): Promise<Row[]>
  /**
   * Rows as arrays in the order of the select list, batch by batch, in flat memory. Lane 'heavy' unless told. Holds
   * a session of its lane until it is read to the end or left: meanwhile ask nothing of 'heavy' from within.
   */
  stream<Row extends readonly unknown[]>(
    query: string,
    params?: Params,
    options?: CallOptions,
  ): AsyncIterable<Row[]>
  /**
   * The same as columns, block by block, for questions about everybody: no object for any row. Of types it takes
   * integers, Float64, Decimal, String, LowCardinality(String), UUID and Nullable of these.
   */
  blocks(query: string, params?: Params, options?: CallOptions): AsyncIterable<Block>
  /** Rows as objects, or NDJSON bytes as they are; all of it or nothing up to about a million rows (≤ 256 MB). */
  insert(table: string, rows: readonly object[] | Uint8Array, options?: InsertOptions): Promise<void>
  /** `insert … select`, BACKUP: waits for the end. Lane 'write' unless told. Of a cluster it reaches one server only. */
  command(query: string, params?: Params, options?: CallOptions): Promise<void>
  /** Deletes rows on every server and waits until no query sees them. `where` names columns without their table. */
  remove(table: string, where: string, params?: Params, options?: CallOptions): Promise<void>
  /** Empties a table on every server. */
  truncate(table: string): Promise<void>
  /** True where it answers within two seconds. */
  ping(): Promise<boolean>
  close(): Promise<void>
}

export type ClickHouseOptions = {
  url: string
  user: string
  password: string
  database: string
  /** The cluster over which tables are spread (docs/decisions/0015-cluster-mode.md); one server unless told. */
  cluster?: string | undefined
}

/** `rows` refuses more than this (error 396): use `stream`. */
export const MAX_ROWS = 100_000

const TIMEOUT_MS: Record<Lane, number> = { page: 20_000, heavy: 30 * 60_000, write: 10 * 60_000 }
/** How much longer than the server the client waits, so that the server's own sentence arrives. */
const PATIENCE_MS = 2_000

/** Opens a client. Nothing is contacted before the first call. */
export function openClickHouse(options: ClickHouseOptions): ClickHouse {
  const client = connect(options)
  const cluster = clusterOf(options)
  const run = (query: string, params: Params = {}, call: CallOptions = {}) =>
    command(client, query, params, limited(call, 'write'))
  return {
    database: options.database,
    options,
    rows: <Row>(query: string, params: Params = {}, call: CallOptions = {}) =>
      rows<Row>(client, query, params, limited(call, 'page')),
    stream: <Row extends readonly unknown[]>(query: string, params: Params = {}, call: CallOptions = {}) =>
      streamed<Row[]>(
        { client, query, params, limit: limited(call, 'heavy'), format: 'JSONCompactEachRow' },
        ({ pieces, tag }) => rowBatches<Row>(pieces, tag),
      ),
    blocks: (query: string, params: Params = {}, call: CallOptions = {}) =>
      streamed<Block>(
        { client, query, params, limit: limited(call, 'heavy'), format: 'Native' },
        ({ pieces, tag }) => nativeBlocks(soundPieces(pieces, tag)),
      ),
    insert: (table, given, call = {}) => insert(client, table, given, call),
    command: run,
    remove: (table, where, params, call) =>
      run(deleteStatement(checkedName(table), where, cluster), params, call),
    truncate: (table) => run(truncateStatement(checkedName(table), cluster)),
    ping: async () => {
      const { request } = limited({ timeoutMs: 0 }, 'page')
      const answer = await client.ping({ ...request, select: true }).catch(() => undefined)
      return answer?.success === true
    },
    close: () => client.close(),
  }
}

/** The cluster that the options name. */
export function clusterOf({ cluster, database }: ClickHouseOptions): Cluster | undefined {
  return cluster === undefined ? undefined : { name: cluster, database }
}

/** Makes the database if it is missing, by a connection of its own. */
export async function createClickHouseDatabase(options: ClickHouseOptions): Promise<void> {
  await onServer(options, databaseStatement('create', clusterOf(options)))
}

/** Drops the database with everything in it. */
export async function dropClickHouseDatabase(options: ClickHouseOptions): Promise<void> {
  await onServer(options, databaseStatement('drop', clusterOf(options)))
}

/** ClickHouse's error code as text ('60' unknown table, '159' time-out, '241' memory …), undefined for other errors. */
export function clickHouseCode(error: unknown): string | undefined {
  return error instanceof ClickHouseError ? error.code : undefined
}

/** What our clients have thrown: the same codes of somebody else's connection say nothing of ours. */
const ofClickHouse = new WeakSet<Error>()

function noted(error: unknown): unknown {
  if (error instanceof Error) ofClickHouse.add(error)
  return error
}

/** True where the server could not be reached, went away in the middle or gave no answer in time: try again later. */
export function isClickHouseAway(error: unknown): boolean {
  if (!(error instanceof Error) || !ofClickHouse.has(error) || error instanceof ClickHouseError) return false
  if (error.name === 'TimeoutError') return true
  const code = 'code' in error ? String(error.code) : ''
  return AWAY.has(code) || error.message === 'socket hang up'
}

const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
])

async function onServer({ database, ...options }: ClickHouseOptions, query: string): Promise<void> {
  const client = connect({ ...options, database: undefined })
  try {
    await client.command({ query, query_params: { name: database } })
  } finally {
    await client.close()
  }
}

function connect({
  url,
  user,
  password,
  database,
  cluster,
}: Omit<ClickHouseOptions, 'database'> & { database: string | undefined }): ClickHouseClient {
  return createClient({
    url,
    username: user,
    password,
    ...(database !== undefined && { database }),
    ...(cluster !== undefined && { clickhouse_settings: CLUSTER_SETTINGS }),
    application: 'liuliang',
    max_open_connections: 16,
    // An idle socket's limit, not a statement's: those carry limits of their own.
    request_timeout: TIMEOUT_MS.heavy + PATIENCE_MS,
    use_multipart_params_auto: true,
    log: { level: ClickHouseLogLevel.OFF },
  })
}

type Limited = {
  request: { query_id: string; abort_signal: AbortSignal; http_headers: Record<string, string> }
  settings: Record<string, string | number>
}

function limited(call: CallOptions, usual: Lane): Limited {
  const lane = call.lane ?? usual
  const timeoutMs = call.timeoutMs ?? TIMEOUT_MS[lane]
  const late = AbortSignal.timeout(timeoutMs + PATIENCE_MS)
  const signal = call.signal === undefined ? late : AbortSignal.any([late, call.signal])
  signal.throwIfAborted()
  return {
    request: { query_id: randomUUID(), abort_signal: signal, http_headers: { 'X-Liuliang-Lane': lane } },
    settings: { max_execution_time: timeoutMs / 1000, ...call.settings },
  }
}

/** The same on every server: 64-bit integers and decimals come as numbers. */
const READ_SETTINGS = {
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_decimals: 0,
} as const

async function rows<Row>(
  client: ClickHouseClient,
  query: string,
  params: Params,
  { request, settings }: Limited,
): Promise<Row[]> {
  return whileWanted(request.abort_signal, async (closing) => {
    const result = await client.query({
      ...request,
      query,
      format: 'JSONEachRow',
      query_params: bound(query, params),
      clickhouse_settings: {
        ...READ_SETTINGS,
        max_result_rows: String(MAX_ROWS),
        result_overflow_mode: 'throw',
        ...settings,
      },
    })
    closing(() => result.close())
    return result.json<Row>()
  })
}

/** The bytes of an answer in a format, and the tag by which it marks an exception among them. */
type Bytes = { pieces: AsyncIterable<Buffer>; tag: string | undefined }

async function* streamed<T>(
  asked: { client: ClickHouseClient; query: string; params: Params; limit: Limited; format: string },
  read: (bytes: Bytes) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const { client, query, params, format } = asked
  const { request, settings } = asked.limit
  const { headers, ...parameters } = { headers: {}, ...sent(query, params) }
  const http_headers = { ...request.http_headers, ...headers, 'X-ClickHouse-Format': format }
  const answer = await whileWanted(request.abort_signal, () =>
    client.exec({
      ...request,
      http_headers,
      query,
      ...parameters,
      clickhouse_settings: { ...READ_SETTINGS, ...settings },
    }),
  )
  const tag = answer.response_headers['x-clickhouse-exception-tag']?.toString()
  const stop = () => answer.stream.destroy(abortReason(request.abort_signal))
  request.abort_signal.addEventListener('abort', stop, { once: true })
  try {
    yield* read({ pieces: answer.stream, tag })
  } catch (error) {
    throw noted(error)
  } finally {
    request.abort_signal.removeEventListener('abort', stop)
    answer.stream.destroy()
  }
}

async function command(
  client: ClickHouseClient,
  query: string,
  params: Params,
  { request, settings }: Limited,
): Promise<void> {
  const { headers, ...parameters } = { headers: {}, ...sent(query, params) }
  await whileWanted(request.abort_signal, async (closing) => {
    const answer = await client.exec({
      ...request,
      http_headers: { ...request.http_headers, ...headers },
      query,
      ...parameters,
      clickhouse_settings: { ...settings, wait_end_of_query: 1 },
    })
    closing(() => answer.stream.destroy())
    await drained(answer.stream)
  })
}

async function insert(
  client: ClickHouseClient,
  table: string,
  given: readonly object[] | Uint8Array,
  call: InsertOptions,
): Promise<void> {
  if (given.length === 0) return
  const { request, settings } = limited(call, 'write')
  const bytes =
    given instanceof Uint8Array ? given : Buffer.from(given.map((row) => JSON.stringify(row)).join('\n'))
  const columns = call.columns === undefined ? '' : ` (${call.columns.map(checkedName).join(', ')})`
  const token = call.token === undefined ? {} : { insert_deduplication_token: call.token }
  await whileWanted(request.abort_signal, async (closing) => {
    const answer = await client.exec({
      ...request,
      query: `insert into ${checkedName(table)}${columns} format ${call.arrays === true ? 'JSONCompactEachRow' : 'JSONEachRow'}`,
      values: Readable.from([bytes], { objectMode: false }),
      clickhouse_settings: { ...settings, ...INSERT_SETTINGS, ...token },
    })
    closing(() => answer.stream.destroy())
    await drained(answer.stream)
  })
}

/** Answered when written; a column that is not there is an error. */
const INSERT_SETTINGS = {
  async_insert: 0,
  wait_end_of_query: 1,
  input_format_skip_unknown_fields: 0,
} as const

async function drained(stream: Readable): Promise<void> {
  for await (const _ of stream);
}

/**
 * The client listens to the signal until the answer's headers are there; what `closing` was given ends the rest. An
 * abort is thrown as the signal's reason, whatever the client made of it.
 */
async function whileWanted<T>(
  signal: AbortSignal,
  work: (closing: (close: () => void) => void) => Promise<T>,
): Promise<T> {
  let close: () => void = () => undefined
  const stop = () => close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await work((how) => {
      close = how
    })
  } catch (error) {
    throw noted(signal.aborted ? abortReason(signal) : error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted')
}

/** Names come from our own code; a slip must not become SQL. */
function checkedName(name: string): string {
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)?$/.test(name)) return name
  throw new TypeError(`not a name of a table or column: ${name}`)
}
