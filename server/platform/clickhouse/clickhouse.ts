/**
 * Owns the connection to ClickHouse: the built-in engine or a server of one's own, by the same client and SQL.
 * Promises: values travel as bound parameters only, every call has a time limit and can be aborted, `rows` is
 * bounded and `stream` holds one batch at a time. Never does: know a table, or keep a session between two calls.
 */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { rowBatches } from './row-stream.ts'

/**
 * In the built-in engine: 'page' has two sessions for short questions of people, 'heavy' one with a queue for
 * whatever scans, 'write' one for inserts and DDL. A real ClickHouse does not know the header and ignores it.
 */
export type Lane = 'page' | 'heavy' | 'write'

/**
 * A value for `{name: Type}`. A Date needs a DateTime64 or DateTime type that names 'UTC', so that it means the same
 * on a server in another zone.
 */
export type Param = string | number | bigint | boolean | null | Date | readonly Param[]
export type Params = Readonly<Record<string, Param>>

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
}

export type ClickHouse = {
  readonly database: string
  /** All rows as objects (at most MAX_ROWS). Lane 'page' unless told. */
  rows<Row>(query: string, params?: Params, options?: CallOptions): Promise<Row[]>
  /** Rows as arrays in the order of the select list, batch by batch, in flat memory. Lane 'heavy' unless told. */
  stream<Row extends readonly unknown[]>(
    query: string,
    params?: Params,
    options?: CallOptions,
  ): AsyncIterable<Row[]>
  /** Rows as objects, or NDJSON bytes as they are; all of it or nothing up to about a million rows (≤ 256 MB). */
  insert(table: string, rows: readonly object[] | Uint8Array, options?: InsertOptions): Promise<void>
  /** DDL, `insert … select`, `delete`, BACKUP: waits for the end. Lane 'write' unless told. */
  command(query: string, params?: Params, options?: CallOptions): Promise<void>
  /** True where it answers within two seconds. */
  ping(): Promise<boolean>
  close(): Promise<void>
}

export type ClickHouseOptions = { url: string; user: string; password: string; database: string }

/** `rows` refuses more than this (error 396): use `stream`. */
export const MAX_ROWS = 100_000

const TIMEOUT_MS: Record<Lane, number> = { page: 20_000, heavy: 30 * 60_000, write: 10 * 60_000 }
/** How much longer than the server the client waits, so that the server's own sentence arrives. */
const PATIENCE_MS = 2_000

/** A server takes a URL of 1 MB, of which escaping may need a third of the room. */
const MAX_URL_PARAMS = 256 * 1024

/** Opens a client. Nothing is contacted before the first call. */
export function openClickHouse(options: ClickHouseOptions): ClickHouse {
  const client = connect(options)
  return {
    database: options.database,
    rows: <Row>(query: string, params: Params = {}, call: CallOptions = {}) =>
      rows<Row>(client, query, params, limited(call, 'page')),
    stream: <Row extends readonly unknown[]>(query: string, params: Params = {}, call: CallOptions = {}) =>
      batches<Row>(client, query, params, limited(call, 'heavy')),
    insert: (table, given, call = {}) => insert(client, table, given, call),
    command: async (query, params = {}, call = {}) => {
      const { request, settings } = limited(call, 'write')
      await client.command({
        ...request,
        query,
        query_params: bound(query, params),
        clickhouse_settings: { ...settings, wait_end_of_query: 1 },
      })
    },
    ping: async () => {
      const { request } = limited({ timeoutMs: 0 }, 'page')
      const answer = await client.ping({ ...request, select: true }).catch(() => undefined)
      return answer?.success === true
    },
    close: () => client.close(),
  }
}

/** Makes the database if it is missing, by a connection of its own. */
export async function createClickHouseDatabase(options: ClickHouseOptions): Promise<void> {
  await onServer(options, 'create database if not exists {name: Identifier}')
}

/** Drops the database with everything in it. */
export async function dropClickHouseDatabase(options: ClickHouseOptions): Promise<void> {
  await onServer(options, 'drop database if exists {name: Identifier} sync')
}

/** ClickHouse's error code as text ('60' unknown table, '159' time-out, '241' memory …), undefined for other errors. */
export function clickHouseCode(error: unknown): string | undefined {
  return error instanceof ClickHouseError ? error.code : undefined
}

/** True where the server could not be reached or went away in the middle: try again later. */
export function isClickHouseAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof ClickHouseError) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|UND_ERR_SOCKET)$/.test(
      code,
    ) || /socket hang up|aborted/.test(error.message)
  )
}

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
}: Omit<ClickHouseOptions, 'database'> & { database: string | undefined }): ClickHouseClient {
  return createClient({
    url,
    username: user,
    password,
    ...(database !== undefined && { database }),
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

async function rows<Row>(
  client: ClickHouseClient,
  query: string,
  params: Params,
  { request, settings }: Limited,
): Promise<Row[]> {
  const result = await client.query({
    ...request,
    query,
    format: 'JSONEachRow',
    query_params: bound(query, params),
    clickhouse_settings: { ...settings, max_result_rows: String(MAX_ROWS), result_overflow_mode: 'throw' },
  })
  // The client listens to the signal until the headers are there; the rest is ours to end.
  return whileWanted(
    request.abort_signal,
    () => result.close(),
    () => result.json<Row>(),
  )
}

async function* batches<Row>(
  client: ClickHouseClient,
  query: string,
  params: Params,
  { request, settings }: Limited,
): AsyncGenerator<Row[]> {
  const values = bound(query, params)
  if (JSON.stringify(values).length > MAX_URL_PARAMS) {
    throw new RangeError(`parameters of a stream have at most ${MAX_URL_PARAMS} characters`)
  }
  const answer = await client.exec({
    ...request,
    http_headers: { ...request.http_headers, 'X-ClickHouse-Format': 'JSONCompactEachRow' },
    query,
    query_params: values,
    clickhouse_settings: settings,
  })
  const tag = answer.response_headers['x-clickhouse-exception-tag']?.toString()
  const stop = () => answer.stream.destroy(abortReason(request.abort_signal))
  request.abort_signal.addEventListener('abort', stop, { once: true })
  try {
    yield* rowBatches<Row>(answer.stream, tag)
  } finally {
    request.abort_signal.removeEventListener('abort', stop)
    answer.stream.destroy()
  }
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
  const answer = await client.exec({
    ...request,
    query: `insert into ${checkedName(table)}${columns} format JSONEachRow`,
    values: Readable.from([bytes], { objectMode: false }),
    clickhouse_settings: {
      ...settings,
      async_insert: 0,
      wait_end_of_query: 1,
      input_format_skip_unknown_fields: 0,
      ...token,
    },
  })
  await whileWanted(
    request.abort_signal,
    () => answer.stream.destroy(),
    () => answer.stream.resume().toArray(),
  )
}

async function whileWanted<T>(signal: AbortSignal, stop: () => void, work: () => Promise<T>): Promise<T> {
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await work()
  } catch (error) {
    throw signal.aborted ? abortReason(signal) : error
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

function bound(query: string, params: Params): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, boundValue(query, name, value)]),
  )
}

function boundValue(query: string, name: string, value: Param): unknown {
  if (value instanceof Date) {
    const type = new RegExp(`\\{\\s*${name}\\s*:([^}]*)\\}`).exec(query)?.[1] ?? ''
    if (!/DateTime.*'UTC'/.test(type))
      throw new TypeError(`{${name}:${type}} takes a Date: its type must be a DateTime with 'UTC'`)
    const text = utcText(value)
    return /DateTime64/.test(type) ? text : text.slice(0, -'.000'.length)
  }
  if (Array.isArray(value)) return value.map((each) => boundValue(query, name, each as Param))
  return value
}

/** 'YYYY-MM-DD hh:mm:ss.mmm' in UTC: how moments are inserted and bound. */
export function utcText(moment: Date): string {
  return moment.toISOString().replace('T', ' ').replace('Z', '')
}
