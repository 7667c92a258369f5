/**
 * What a request asks for, as ClickHouse's HTTP interface reads it.
 * Always true: every name in the URL is either understood here, handed to the engine as a setting (which refuses
 * what it does not know), or refused; none is ignored.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { refusal } from './exception.ts'
import { type Lane, lanes } from './sessions.ts'

export type Asked = {
  queryId: string
  lane: Lane | undefined
  /** The statement, or its beginning where the body carries the rest. */
  query: string
  database: string | undefined
  format: string
  compress: boolean
  waitForEnd: boolean
  readOnly: boolean
  settings: ReadonlyMap<string, string>
  /** In ClickHouse's escaped text form, as sent. */
  parameters: ReadonlyMap<string, string>
}

export const LANE_HEADER = 'x-liuliang-lane'

const MAX_QUERY_ID = 200
/** chDB holds the result of a statement that it cannot stream: more than this is an error (396). */
const MAX_WHOLE_BYTES = 256 * 1024 * 1024
const IDENTIFIER = /^[A-Za-z_]\w*$/

/** Names that mean something to ClickHouse's HTTP interface and that this one cannot do. */
const unsupported = new Set([
  'session_id',
  'session_timeout',
  'session_check',
  'close_session',
  'role',
  'quota_key',
  'compress',
  'decompress',
  'buffer_size',
  'http_response_buffer_size',
  'stacktrace',
  'send_progress_in_http_headers',
  'http_write_exception_in_output_format',
  'add_http_cors_header',
  'http_response_headers',
  'http_zlib_compression_level',
  'log_comment',
  'async_insert',
])
const consumed = new Set([
  'query',
  'user',
  'password',
  'database',
  'default_format',
  'query_id',
  'enable_http_compression',
  'wait_end_of_query',
  'http_wait_end_of_query',
  'client_protocol_version',
])

/** Reads URL and headers; `fields` are those of a multipart body. Refuses with a ClickHouseException. */
export function asked(request: IncomingMessage, url: URL, fields: ReadonlyMap<string, string>): Asked {
  const settings = new Map<string, string>()
  const parameters = new Map<string, string>()
  const last = new Map<string, string>()
  for (const [name, value] of [...url.searchParams, ...fields]) {
    if (name.startsWith('param_')) parameters.set(checkedName(name.slice('param_'.length)), value)
    else if (consumed.has(name)) last.set(name, value)
    else if (unsupported.has(name)) refuseUnlessOff(name, value)
    else settings.set(checkedName(name), value)
  }
  const header = (name: string) => request.headers[name]?.toString()
  return {
    queryId: checkedQueryId(last.get('query_id')),
    lane: checkedLane(header(LANE_HEADER)),
    query: last.get('query') ?? '',
    database: last.get('database') ?? header('x-clickhouse-database'),
    format: last.get('default_format') ?? header('x-clickhouse-format') ?? 'TabSeparated',
    compress: isOn(last.get('enable_http_compression')),
    waitForEnd: isOn(last.get('wait_end_of_query')) || isOn(last.get('http_wait_end_of_query')),
    readOnly: request.method !== 'POST',
    settings,
    parameters,
  }
}

/**
 * The statements that bring a fresh session to the asked state. Parameters go in through `set param_…`, which takes
 * the escaped text as the HTTP interface does and belongs to the session alone; chDB's own binding is kept in one
 * place for the whole process and would need a lock.
 */
export function preparation(from: Asked, whole: boolean): string {
  const assignments = [...from.settings].map(([name, value]) => `${name} = ${literal(value)}`)
  for (const [name, value] of from.parameters) assignments.push(`param_${name} = ${literal(value)}`)
  assignments.push(`log_comment = ${literal(from.queryId)}`)
  if (whole && !from.settings.has('max_result_bytes'))
    assignments.push(`max_result_bytes = ${MAX_WHOLE_BYTES}`)
  if (from.readOnly && !from.settings.has('readonly')) assignments.push('readonly = 2')
  const use = from.database === undefined ? '' : `use ${quotedName(from.database)}; `
  return `${use}set ${assignments.join(', ')}`
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`
}

function quotedName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value?.toLowerCase() === 'true'
}

function refuseUnlessOff(name: string, value: string): void {
  if (value === '' || value === '0' || value.toLowerCase() === 'false') return
  throw refusal(
    48,
    'NOT_IMPLEMENTED',
    `The built-in ClickHouse does not know '${name}'. Leave it out, or set CLICKHOUSE_URL.`,
  )
}

function checkedName(name: string): string {
  if (IDENTIFIER.test(name)) return name
  throw refusal(115, 'UNKNOWN_SETTING', `'${name.slice(0, 80)}' is no name of a setting or parameter.`)
}

function checkedQueryId(given: string | undefined): string {
  if (given === undefined || given === '') return randomUUID()
  if (given.length <= MAX_QUERY_ID) return given
  throw refusal(36, 'BAD_ARGUMENTS', `A query id has at most ${MAX_QUERY_ID} characters.`)
}

function checkedLane(given: string | undefined): Lane | undefined {
  if (given === undefined) return undefined
  const lane = lanes.find((each) => each === given)
  if (lane !== undefined) return lane
  throw refusal(36, 'BAD_ARGUMENTS', `There is no lane '${given.slice(0, 40)}'.`)
}
