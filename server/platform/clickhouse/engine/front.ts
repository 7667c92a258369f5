/**
 * ClickHouse's HTTP interface over the lanes, for the official client.
 * Promises: results pass through in pieces with back-pressure; an error before the first piece has its own status
 * and headers, an error after it is put into the stream as ClickHouse does and the connection is cut, so that no
 * reader takes a part for the whole; a client that goes away has its statement killed.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createGzip, createZstdCompress } from 'node:zlib'
import { formFields, readBody } from './body.ts'
import { ClickHouseException, exceptionBlock, httpStatus, refusal } from './exception.ts'
import { contentType } from './formats.ts'
import type { Job, Summary } from './job.ts'
import type { Lanes } from './lanes.ts'
import { type Asked, asked, preparation } from './request.ts'
import type { Lane } from './sessions.ts'
import { understand } from './statement.ts'

export type Credentials = { user: string; password: string }

const MAX_CONNECTIONS = 128
const MAX_HEADER_BYTES = 1024 * 1024
const KEEP_ALIVE_MS = 30_000
const MAX_HELD_BYTES = 64 * 1024 * 1024

/** Answers until closed. The server is not listening yet. */
export function front(lanes: Lanes, credentials: Credentials): Server {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 300_000 },
    (request, response) => {
      void answer(lanes, credentials, request, response)
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  return server
}

async function answer(
  lanes: Lanes,
  credentials: Credentials,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const url = new URL(request.url ?? '/', 'http://engine')
  response.setHeader('X-ClickHouse-Server-Display-Name', 'liuliang')
  response.setHeader('X-ClickHouse-Timezone', 'UTC')
  // Reading goes on after a refusal, or the connection could not be used again.
  request.on('error', () => undefined)
  response.on('error', () => undefined)
  try {
    if (url.pathname === '/ping') return plain(response, 200, 'Ok.\n')
    if (url.pathname !== '/') return plain(response, 404, `There is no handle ${url.pathname}\n`)
    if (!knows(credentials, request, url)) throw unauthenticated(url)
    if (request.method === 'GET' && !url.searchParams.has('query')) return plain(response, 200, 'Ok.\n')
    await query(lanes, request, url, response)
  } catch (error) {
    fail(response, error, lanes.version)
  } finally {
    request.resume()
  }
}

async function query(
  lanes: Lanes,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const multipart = request.headers['content-type']?.startsWith('multipart/form-data') ?? false
  const body = await readBody(request)
  const fields = multipart
    ? formFields(request.headers['content-type'] ?? '', body)
    : new Map<string, string>()
  const wanted = asked(request, url, fields)
  const { statement, format, lane } = understand(
    wanted.query,
    multipart ? Buffer.alloc(0) : body,
    wanted.format,
  )
  const job: Job = {
    queryId: wanted.queryId,
    prepare: preparation(wanted, statement.kind === 'whole'),
    statement,
  }
  const gone = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  response.setHeader('X-ClickHouse-Query-Id', wanted.queryId)
  response.setHeader('X-ClickHouse-Format', format)
  response.setHeader('Content-Type', contentType(format))
  const out = outlet(request, response, wanted, gone.signal)
  const tag = randomBytes(8).toString('hex')
  response.setHeader('X-ClickHouse-Exception-Tag', tag)
  try {
    const hold = wanted.waitForEnd && lane === 'page'
    const held: Uint8Array[] = []
    let size = 0
    const sink = async (chunk: Uint8Array) => {
      size += chunk.length
      if (!hold) return out.write(chunk)
      if (size > MAX_HELD_BYTES)
        throw refusal(
          396,
          'TOO_MANY_ROWS_OR_BYTES',
          `With wait_end_of_query a result has at most ${MAX_HELD_BYTES} bytes.`,
        )
      held.push(chunk)
    }
    const summary = await lanes.run(chosenLane(lane, wanted.lane), job, sink, gone.signal)
    if (!response.headersSent) response.setHeader('X-ClickHouse-Summary', JSON.stringify(summaryOf(summary)))
    for (const chunk of held) await out.write(chunk)
    await out.end()
  } catch (error) {
    if (!response.headersSent) throw error
    await out.cut(exceptionBlock(messageOf(error, lanes.version), tag))
  }
}

/** A statement that reads never goes where sessions share the front's thread. */
function chosenLane(usual: Lane, wanted: Lane | undefined): Lane {
  if (wanted === undefined) return usual
  return usual === 'page' && wanted !== 'heavy' ? 'page' : wanted
}

type Outlet = {
  write(chunk: Uint8Array): Promise<void>
  end(): Promise<void>
  cut(last: Buffer): Promise<void>
}

/** The way to the client: compressed if asked, waiting while the client does not read. */
function outlet(
  request: IncomingMessage,
  response: ServerResponse,
  wanted: Asked,
  gone: AbortSignal,
): Outlet {
  const encoding = wanted.compress
    ? chosenEncoding(request.headers['accept-encoding']?.toString() ?? '')
    : undefined
  if (encoding !== undefined) response.setHeader('Content-Encoding', encoding)
  const packer = encoding === undefined ? undefined : packers[encoding]()
  packer?.on('error', () => response.destroy())
  packer?.pipe(response)
  const target = packer ?? response
  const flowing = () =>
    new Promise<void>((resolve) => {
      const done = () => {
        target.off('drain', done)
        gone.removeEventListener('abort', done)
        resolve()
      }
      target.once('drain', done)
      gone.addEventListener('abort', done, { once: true })
      if (gone.aborted) done()
    })
  return {
    async write(chunk) {
      if (gone.aborted) throw refusal(394, 'QUERY_WAS_CANCELLED', 'The client went away.')
      if (!target.write(chunk)) await flowing()
    },
    end: () => new Promise((resolve) => target.end(resolve)),
    async cut(last) {
      if (gone.aborted) return
      await new Promise<void>((resolve) => target.write(last, () => resolve()))
      if (packer !== undefined) await new Promise<void>((resolve) => packer.flush(() => resolve()))
      // Without the closing chunk: whoever reads to the end gets an error, even without knowing the tag.
      response.socket?.end()
    },
  }
}

const packers = { gzip: () => createGzip({ level: 1 }), zstd: () => createZstdCompress() }

function chosenEncoding(accepted: string): keyof typeof packers | undefined {
  if (/\bgzip\b/i.test(accepted)) return 'gzip'
  return /\bzstd\b/i.test(accepted) ? 'zstd' : undefined
}

function fail(response: ServerResponse, error: unknown, version: string): void {
  if (response.destroyed || response.headersSent) return void response.destroy()
  const exception = error instanceof ClickHouseException ? error : new ClickHouseException(String(error))
  for (const name of ['Content-Encoding', 'X-ClickHouse-Format', 'X-ClickHouse-Exception-Tag'])
    response.removeHeader(name)
  response.setHeader('X-ClickHouse-Exception-Code', String(exception.code))
  plain(response, httpStatus(exception.code), `${messageOf(exception, version)}\n`)
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}

function messageOf(error: unknown, version: string): string {
  const exception = error instanceof ClickHouseException ? error : new ClickHouseException(String(error))
  return `${exception.message} (version ${version} (chDB))`
}

function summaryOf(summary: Summary): Record<string, string> {
  return {
    read_rows: String(summary.readRows),
    read_bytes: String(summary.readBytes),
    written_rows: String(summary.writtenRows),
    written_bytes: String(summary.writtenBytes),
    total_rows_to_read: '0',
    result_rows: String(summary.writtenRows > 0 ? summary.writtenRows : summary.readRows),
    result_bytes: String(summary.writtenRows > 0 ? summary.writtenBytes : summary.readBytes),
    elapsed_ns: String(Math.round(summary.seconds * 1e9)),
  }
}

/** Basic, the two headers, or user and password in the URL; both are always compared, in constant time. */
function knows(credentials: Credentials, request: IncomingMessage, url: URL): boolean {
  const given = givenCredentials(request, url)
  const user = same(given.user, credentials.user)
  const password = same(given.password, credentials.password)
  return user && password
}

function givenCredentials(request: IncomingMessage, url: URL): Credentials {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    return colon === -1
      ? { user: text, password: '' }
      : { user: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  const user = request.headers['x-clickhouse-user']?.toString() ?? url.searchParams.get('user') ?? 'default'
  const password = request.headers['x-clickhouse-key']?.toString() ?? url.searchParams.get('password') ?? ''
  return { user, password }
}

function same(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}

function unauthenticated(url: URL): ClickHouseException {
  const user = (url.searchParams.get('user') ?? 'default').slice(0, 40)
  return refusal(
    516,
    'AUTHENTICATION_FAILED',
    `${user}: Authentication failed: password is incorrect, or there is no user with such name.`,
  )
}
