/** From a request's query and body to the statement that a session runs. */
import { isUtf8 } from 'node:buffer'
import { refusal } from './exception.ts'
import { repeatedLines } from './formats.ts'
import { rawFormats, type Statement } from './job.ts'
import { scan } from './scan.ts'
import type { Lane } from './sessions.ts'

const MiB = 1024 * 1024
const MAX_STATEMENT_BYTES = 64 * MiB
const HEAD_BYTES = 256 * 1024

/** Formats without raw bytes in chDB's own parser, which are inserted as text. */
const textFormats =
  /^(values|json\w*|tskv|customseparated\w*|lineasstring|rawblob|tabseparated\w*|tsv\w*|csv\w*)$/i

/** `lane`: 'page' reads and may also go to 'heavy'; what is 'write' or 'control' must not hold up the front. */
export type Understood = { statement: Statement; format: string; lane: Lane }

/** `query` comes from the URL or form, `body` follows it. `format` is what the request prefers for the answer. */
export function understand(query: string, body: Buffer, format: string): Understood {
  const head = query === '' ? body.subarray(0, HEAD_BYTES).toString('utf8') : query
  const seen = scan(head)
  if (seen.first === 'insert' && seen.dataAt !== undefined && seen.format !== undefined) {
    const rest = query === '' ? body.subarray(Buffer.byteLength(head.slice(0, seen.dataAt))) : body
    const inline = query === '' ? '' : head.slice(seen.dataAt)
    const data = inline.trim() === '' ? rest : Buffer.concat([Buffer.from(`${inline}\n`), rest])
    return {
      statement: insertion(head.slice(0, seen.dataAt), seen.format, data),
      format,
      lane: 'write',
    }
  }
  return reading(wholeText(query, body), format)
}

function wholeText(query: string, body: Buffer): string {
  if (body.length > MAX_STATEMENT_BYTES) {
    throw refusal(62, 'SYNTAX_ERROR', `A statement has at most ${MAX_STATEMENT_BYTES} bytes.`)
  }
  if (query === '') return body.toString('utf8')
  return body.length === 0 ? query : `${query}\n${body.toString('utf8')}`
}

function reading(sql: string, preferred: string): Understood {
  const seen = scan(sql)
  if (seen.first === '') throw refusal(62, 'SYNTAX_ERROR', 'Empty query.')
  if (seen.several) throw refusal(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed).')
  if (seen.intoOutfile) throw refusal(48, 'NOT_IMPLEMENTED', 'INTO OUTFILE is not allowed.')
  const format = seen.format ?? preferred
  const lane = laneOf(seen.first)
  const header = repeatedLines(format)
  const text = seen.first === 'kill' ? byOurIds(sql) : sql
  const streamed = lane === 'page' && header !== undefined
  const statement: Statement = streamed
    ? { kind: 'stream', sql: text, format, header }
    : { kind: 'whole', sql: text, format }
  return { statement, format, lane }
}

const READING = new Set(['select', 'with', 'show', 'describe', 'desc', 'explain', 'exists', 'check'])

function laneOf(first: string): Lane {
  if (first === 'kill') return 'control'
  return READING.has(first) ? 'page' : 'write'
}

/** chDB gives its own query ids; the ids that requests carry stand in log_comment. */
function byOurIds(kill: string): string {
  return kill.replace(/\bquery_id\b(?=\s*(=|in\b))/gi, "Settings['log_comment']")
}

const NAME = '(?:[A-Za-z_]\\w*|`[A-Za-z_]\\w*`|"[A-Za-z_]\\w*")'
const PLAIN_INSERT = new RegExp(
  `^\\s*insert\\s+into\\s+(?:table\\s+)?(${NAME}(?:\\.${NAME})?)\\s*(?:\\(\\s*(${NAME}(?:\\s*,\\s*${NAME})*)\\s*\\))?\\s*format\\s+\\w+\\s*;?\\s*$`,
  'i',
)

function insertion(prefix: string, format: string, data: Buffer): Statement {
  const raw = rawFormats.find((each) => each.toLowerCase() === format.toLowerCase())
  const plain = PLAIN_INSERT.exec(prefix)
  if (raw !== undefined && plain !== null && plain[1] !== undefined) {
    return { kind: 'insert', table: bare(plain[1]), columns: columnsOf(plain[2]), format: raw, body: data }
  }
  return inserted(prefix, format, data)
}

/** As one text: for statements with settings, functions or expressions that chDB's raw insert does not take. */
function inserted(prefix: string, format: string, data: Buffer): Statement {
  if (!textFormats.test(format)) {
    throw refusal(
      73,
      'UNKNOWN_FORMAT',
      `The built-in ClickHouse does not insert format ${format}. Use ${rawFormats.join(', ')}.`,
    )
  }
  if (data.length > MAX_STATEMENT_BYTES || !isUtf8(data)) {
    throw refusal(
      62,
      'SYNTAX_ERROR',
      `Inserted this way, data is UTF-8 of at most ${MAX_STATEMENT_BYTES} bytes.`,
    )
  }
  const text = data.toString('utf8')
  if (format === 'Values' && scan(`values ${text}`).several) {
    throw refusal(62, 'SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed).')
  }
  return { kind: 'whole', sql: `${prefix}${/\s$/.test(prefix) ? '' : '\n'}${text}`, format: 'TabSeparated' }
}

function bare(name: string): string {
  return name.replaceAll(/[`"]/g, '')
}

function columnsOf(list: string | undefined): string[] | undefined {
  return list?.split(',').map((name) => bare(name.trim()))
}
