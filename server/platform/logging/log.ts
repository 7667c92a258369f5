/**
 * Structured logs: one event name, plain fields, one JSON object a line.
 *
 * Always true: no personal data and no secrets. Three fences stand behind one another: fields whose names promise
 * personal data or secrets are replaced; of an error only kind, message, code and stack are written (PostgreSQL puts
 * values of rows into `detail`); and what looks like a phone number, an e-mail address or an identity number is
 * replaced in the finished line, wherever it stands.
 */
import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs'
import { dirname } from 'node:path'
import { type DestinationStream, type Logger, multistream, pino } from 'pino'

export type Log = Logger
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const HIDDEN = [
  'password',
  'newPassword',
  'currentPassword',
  'token',
  'secret',
  'key',
  'authorization',
  'cookie',
  'csrf',
  'phone',
  'phones',
  'mobile',
  'email',
  'address',
  'idNumber',
  'name',
  'remark',
  'value',
  'text',
  'search',
]
const MAX_FILE = 20_000_000

export type LogOptions = {
  level: LogLevel
  /** A file that is appended to, besides warnings as plain lines on stderr; without it JSON lines go to stderr. */
  file?: string | undefined
  /** For tests. */
  destination?: DestinationStream
}

/** Opens the log. */
export function openLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      formatters: { level: (level) => ({ level }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: HIDDEN.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
      serializers: { err: plainError, error: plainError },
      hooks: { streamWrite: scrub },
    },
    options.destination ?? destinationOf(options),
  )
}

/** Replaces what looks like a Chinese mobile number, an e-mail address or an identity number. */
export function scrub(line: string): string {
  return line
    .replace(/[\w.+-]{1,64}@[\w-]+(\.[\w-]+)+/g, '[email]')
    .replace(/(?<![\dA-Fa-f-])(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\dA-Fa-f-])/g, '[phone]')
    .replace(
      /(?<![\dA-Fa-f-])[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])\d{5}[\dXx](?![\dA-Fa-f-])/g,
      '[id number]',
    )
}

type Described = {
  type: string
  message: string
  code?: unknown
  constraint?: unknown
  stack?: string | undefined
}

function plainError(error: unknown): Described | { type: string } {
  if (!(error instanceof Error)) return { type: typeof error }
  const { code, constraint } = error as { code?: unknown; constraint?: unknown }
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    stack: error.stack,
  }
}

function destinationOf({ file, level }: LogOptions): DestinationStream {
  if (file === undefined) return pino.destination({ dest: 2, sync: true })
  if (level === 'silent') return { write: () => undefined }
  return multistream([
    { level, stream: openOnFirstLine(file) },
    { level: 'warn', stream: { write: plainLine } },
  ])
}

/** The folder belongs to a data directory that is made only after the log was opened. */
function openOnFirstLine(file: string): DestinationStream {
  let stream: WriteStream | undefined
  return {
    write(line) {
      if (!stream) {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        setAside(file)
        stream = createWriteStream(file, { flags: 'a', mode: 0o600 })
        // A full disk must not end the program through its log.
        stream.on('error', () => undefined)
      }
      stream.write(line)
    },
  }
}

function setAside(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > MAX_FILE) renameSync(file, `${file}.1`)
}

function plainLine(line: string): void {
  const { level, event, msg, err } = JSON.parse(line) as {
    level: string
    event?: string
    msg?: string
    err?: { message?: string }
  }
  const words = [event, msg, err?.message].filter((word) => word !== undefined && word !== '')
  process.stderr.write(`${level}: ${words.join(': ')}\n`)
}
