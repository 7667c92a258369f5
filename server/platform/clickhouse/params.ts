/** Bound parameters on their way to ClickHouse: in the URL, or as a form where a URL would be too long. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

/**
 * A value for `{name: Type}`. A Date needs a DateTime64 or DateTime type that names 'UTC', so that it means the same
 * on a server in another zone.
 */
export type Param = string | number | bigint | boolean | null | Date | readonly Param[]
export type Params = Readonly<Record<string, Param>>

/** Of all values together, in characters; a server takes 1 MB, and escaping can triple a text. */
const MOST_IN_URL = 64 * 1024

export type Sent =
  | { query_params: Record<string, unknown> }
  | { values: Readable; headers: { 'Content-Type': string } }

/** How to send `params` with the client's `exec`. Throws a TypeError for a Date without a zone in its type. */
export function sent(query: string, params: Params): Sent {
  const values = bound(query, params)
  const texts = Object.entries(values).map(([name, value]) => [name, text(value)] as const)
  if (texts.reduce((sum, [, value]) => sum + value.length, 0) <= MOST_IN_URL) return { query_params: values }
  const boundary = `liuliang-${randomBytes(16).toString('hex')}`
  const parts = texts.map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="param_${name}"\r\n\r\n${value}\r\n`,
  )
  return {
    values: Readable.from([Buffer.from(`${parts.join('')}--${boundary}--\r\n`)], { objectMode: false }),
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  }
}

/** Dates become texts in UTC; everything else the client formats. */
export function bound(query: string, params: Params): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, boundValue(query, name, value)]),
  )
}

function boundValue(query: string, name: string, value: Param): unknown {
  if (value instanceof Date) {
    const type = new RegExp(`\\{\\s*${name}\\s*:([^}]*)\\}`).exec(query)?.[1] ?? ''
    if (!/DateTime.*'UTC'/.test(type)) {
      throw new TypeError(`{${name}:${type}} takes a Date: its type must be a DateTime with 'UTC'`)
    }
    const moment = utcText(value)
    return /DateTime64/.test(type) ? moment : moment.slice(0, -'.000'.length)
  }
  return Array.isArray(value) ? value.map((each: Param) => boundValue(query, name, each)) : value
}

/** 'YYYY-MM-DD hh:mm:ss.mmm' in UTC: how moments are inserted and bound. */
export function utcText(moment: Date): string {
  const text = moment.toISOString()
  return `${text.slice(0, -14)} ${text.slice(-13, -1)}`
}

/** ClickHouse's escaped text form, as the official client writes it; within a list texts are quoted. */
function text(value: unknown, listed = false): string {
  if (value === null) return listed ? 'NULL' : '\\N'
  if (typeof value === 'string') return listed ? `'${escaped(value)}'` : escaped(value)
  if (typeof value === 'boolean') return listed ? String(value).toUpperCase() : String(Number(value))
  if (Array.isArray(value)) return `[${value.map((each) => text(each, true)).join(',')}]`
  return String(value)
}

function escaped(value: string): string {
  return value.replace(/[\\'\t\n\r\0]/g, (char) => ESCAPES[char] ?? char)
}

const ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
}
