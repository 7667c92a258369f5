/**
 * One thread, one chDB session, one statement at a time.
 *
 * Threads, because chDB starts a stream synchronously and computes scalar subqueries while it does: on the main
 * thread `with (select …) as x` would hold up every other request and its KILL for as long as it takes.
 *
 * Always true: a session serves exactly one statement and is then closed; a fresh one is opened before `ready` is
 * said (0.7 ms, no growth over 10,000 times). So no setting, parameter, `use` or temporary table of one request is
 * seen by the next, and neither are the rows of a failed query, which chDB 3.4.0 puts in front of the next result
 * on the same session.
 */
import { parentPort } from 'node:worker_threads'
import { Session } from 'chdb'
import type { FromSession, Job, SessionSettings, Statement, Summary, ToSession } from './job.ts'

/** Chunks under way to the front: one being sent, one being made. */
const MAX_UNDER_WAY = 2
const CANCELLED = 'Code: 394. DB::Exception: Query was cancelled. (QUERY_WAS_CANCELLED)'

const port = parentPort
if (port === null) throw new Error('session-worker.ts runs in a worker thread')

let settings: SessionSettings | undefined
let session: Session | undefined
let version: string | undefined
let cancelled = false
let underWay = 0
let wake: (() => void) | undefined

port.on('message', (message: ToSession) => {
  if ('open' in message) {
    settings = message.open
    reopen()
  } else if ('run' in message) {
    void perform(message.run)
  } else if ('taken' in message) {
    underWay -= 1
    wake?.()
  } else if ('cancel' in message) {
    cancelled = true
    wake?.()
  } else {
    session?.close()
    process.exit(0)
  }
})
say({ loaded: true })

function say(message: FromSession): void {
  port?.postMessage(message)
}

function reopen(): void {
  try {
    session?.close()
    if (settings === undefined) throw new Error('no settings')
    session = new Session(settings.path, { connectionArgs: settings.arguments })
    version ??= session.query('select version()', 'TSVRaw').trim()
    say({ ready: true, version })
  } catch (error) {
    say({ broken: messageOf(error) })
  }
}

async function perform(job: Job): Promise<void> {
  cancelled = false
  underWay = 0
  try {
    if (session === undefined) throw new Error('no session')
    if (job.prepare !== '') await session.queryAsync(job.prepare)
    refuseCancelled()
    const summary = await execute(session, job.statement)
    say({ done: summary })
  } catch (error) {
    say({ failed: messageOf(error) })
  }
  reopen()
}

async function execute(on: Session, statement: Statement): Promise<Summary> {
  switch (statement.kind) {
    case 'stream':
      return stream(on, statement)
    case 'whole':
      return whole(on, statement.sql, statement.format)
    case 'insert': {
      const { table, columns, format, body } = statement
      const written = await on.insert({ table, format, values: body, ...(columns && { columns }) })
      return {
        readRows: written.rowsSent ?? written.rowsWritten,
        readBytes: written.bytesSent,
        writtenRows: written.rowsWritten,
        writtenBytes: written.bytesWritten,
        seconds: written.elapsed,
      }
    }
  }
}

async function stream(
  on: Session,
  { sql, format, header }: Statement & { kind: 'stream' },
): Promise<Summary> {
  const rows = started(on, sql, format)
  if (rows === undefined) return whole(on, sql, format)
  let count = 0
  let bytes = 0
  let first = true
  for await (const chunk of rows) {
    refuseCancelled()
    const raw = chunk.raw()
    const body = first ? raw : raw.subarray(endOfLines(raw, header))
    first = false
    count += chunk.numRows
    bytes += body.length
    if (body.length === 0) continue
    await send(body)
  }
  return { readRows: count, readBytes: bytes, writtenRows: 0, writtenBytes: 0, seconds: 0 }
}

/** Undefined where chDB cannot stream the statement (nothing has been run then). */
function started(on: Session, sql: string, format: string): ReturnType<Session['queryStream']> | undefined {
  try {
    return on.queryStream(sql, { format })
  } catch (error) {
    if (messageOf(error).includes('Streaming query is not supported for query')) return undefined
    throw error
  }
}

async function whole(on: Session, sql: string, format: string): Promise<Summary> {
  const result = await on.queryAsync(sql, { format })
  const bytes = result.bytes()
  if (bytes.length > 0) await send(bytes)
  return {
    readRows: result.rowsRead,
    readBytes: result.bytesRead,
    writtenRows: 0,
    writtenBytes: 0,
    seconds: result.elapsed,
  }
}

/** Copies once (the memory is chDB's) and waits while the front has two chunks that it could not pass on. */
async function send(bytes: Uint8Array): Promise<void> {
  const own = new Uint8Array(bytes)
  underWay += 1
  port?.postMessage({ chunk: own } satisfies FromSession, [own.buffer])
  while (underWay >= MAX_UNDER_WAY && !cancelled) {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  refuseCancelled()
}

/** chDB repeats the names of a `…WithNames` format in every chunk: where the first `lines` lines end. */
function endOfLines(bytes: Uint8Array, lines: number): number {
  let end = 0
  for (let line = 0; line < lines; line += 1) {
    const next = bytes.indexOf(0x0a, end)
    if (next === -1) return bytes.length
    end = next + 1
  }
  return end
}

function refuseCancelled(): void {
  if (cancelled) throw new Error(CANCELLED)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
