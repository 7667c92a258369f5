/** The HTTP server: request ids, security headers, health, metrics, the API and its page, the web applications. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newId } from '../ids.ts'
import type { Log } from '../logging/log.ts'
import { Problem } from '../problem.ts'
import { StartRefused } from '../start-refused.ts'
import type { Clock } from '../time/clock.ts'
import type { Api } from './api.ts'
import { serveApiPage } from './api-page.ts'
import type { BaseCall } from './call.ts'
import type { Doors } from './doors.ts'
import { problemOf } from './failure.ts'
import { setSecurityHeaders } from './headers.ts'
import type { Metrics } from './metrics.ts'
import { sendJson, sendProblem, sendText } from './reply.ts'
import { serveStatic } from './static-files.ts'

export type ServerParts = {
  host: string
  /** 0 takes any free one. */
  port: number
  api: Api
  /** What is open to programs and pages outside, beside the API. */
  doors: Doors
  /** Builds /openapi.json; called once, when it is first asked for. */
  describe: () => Promise<unknown>
  metrics: Metrics
  /** May this request read /metrics? Asked for everything that does not come straight from this machine. */
  mayReadMetrics(request: IncomingMessage, call: BaseCall): Promise<boolean>
  /** Undefined where everything that the program needs answers; else one sentence. */
  notReady(): Promise<string | undefined>
  webFolder: string
  log: Log
  clock: Clock
  /** Believe X-Forwarded-For and X-Forwarded-Proto. */
  trustProxy: boolean
}

export type HttpServer = {
  /** http://127.0.0.1:7300 */
  address: string
  port: number
  /** Takes no more requests, lets the open ones end (at most 10 s), closes. */
  stop(): Promise<void>
}

const LET_END_MS = 10_000
const HEADERS_MS = 20_000
/** An upload of a large file on a slow line. */
const REQUEST_MS = 30 * 60_000
const OWN = new Set(['/healthz', '/readyz', '/metrics', '/openapi.json'])
const REQUEST_ID = /^[\w-]{8,64}$/

/** Errors: `StartRefused` where the port is taken or may not be used. */
export async function openServer(parts: ServerParts): Promise<HttpServer> {
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS },
    (request, response) => {
      void answer(parts, request, response)
    },
  )
  await listen(server, parts)
  const { port } = server.address() as AddressInfo
  const shown = parts.host.includes(':') ? `[${parts.host}]` : parts.host
  return {
    port,
    address: `http://${shown}:${port}`,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const force = setTimeout(() => server.closeAllConnections(), LET_END_MS)
      await closed
      clearTimeout(force)
      await parts.doors.close()
    },
  }
}

function listen(server: Server, { host, port }: ServerParts): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refusal(error, host, port)))
    server.listen(port, host, () => resolve())
  })
}

function refusal(error: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartRefused(
        `Port ${port} is taken by another program. Set PORT to a free one, or stop that program.`,
      )
    case 'EACCES':
      return new StartRefused(`This account may not open port ${port}. Set PORT to one above 1023.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartRefused(
        `This machine has no address ${host}. Set HOST to one of its own, or leave it empty.`,
      )
    default:
      return error
  }
}

async function answer(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const started = performance.now()
  const call = baseCall(parts, request, response)
  setSecurityHeaders(response, isSecure(parts, request))
  response.setHeader('x-request-id', call.requestId)
  const seen = { route: 'static' }
  response.once('close', () => {
    const seconds = (performance.now() - started) / 1000
    const told = { method: request.method ?? 'GET', route: seen.route, status: response.statusCode }
    parts.metrics.request({ ...told, seconds })
    if (seen.route !== 'static') {
      const level = response.statusCode >= 500 ? 'warn' : 'debug'
      parts.log[level]({
        event: 'http.request',
        ...told,
        ms: Math.round(seconds * 1000),
        requestId: call.requestId,
      })
    }
  })
  try {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    if (path === '/api' || path.startsWith('/api/')) {
      response.setHeader('cache-control', 'no-store')
      await parts.api.handle(request, response, call, seen)
      return
    }
    if (parts.doors.opens(path)) {
      seen.route = 'doors'
      await parts.doors.handle(request, response, call, seen)
      return
    }
    if (OWN.has(path)) seen.route = path
    else if (path.startsWith('/docs/api')) seen.route = '/docs/api'
    await answerOwn(parts, path, { request, response, call })
  } catch (error) {
    sendProblem(response, problemOf(error, parts.log, call.requestId))
  }
}

type Asked = { request: IncomingMessage; response: ServerResponse; call: BaseCall }

async function answerOwn(
  parts: ServerParts,
  path: string,
  { request, response, call }: Asked,
): Promise<void> {
  switch (path) {
    case '/healthz':
      sendJson(response, 200, { alive: true })
      return
    case '/readyz': {
      const reason = await parts.notReady()
      sendJson(
        response,
        reason === undefined ? 200 : 503,
        reason === undefined ? { ready: true } : { ready: false, reason },
      )
      return
    }
    case '/metrics': {
      if (!isDirect(request) && !(await parts.mayReadMetrics(request, call))) {
        throw new Problem(
          'not_allowed',
          'Metrics are for this machine, or for an API key with the scope metrics:read.',
        )
      }
      const { registry } = parts.metrics
      sendText(response, 200, registry.contentType, await registry.metrics())
      return
    }
    case '/openapi.json':
      sendJson(response, 200, await parts.describe())
      return
    default:
      if (path === '/docs/api' || path.startsWith('/docs/api/')) {
        await serveApiPage(path, response)
        return
      }
      await serveStatic(parts.webFolder, request, response)
  }
}

function baseCall(parts: ServerParts, request: IncomingMessage, response: ServerResponse): BaseCall {
  const now = parts.clock.now()
  const given = request.headers['x-request-id']
  return {
    requestId: typeof given === 'string' && REQUEST_ID.test(given) ? given : newId(now),
    address: addressOf(parts, request),
    secure: isSecure(parts, request),
    now,
    idempotencyKey: undefined,
    setCookie: (cookie) => response.appendHeader('set-cookie', cookie),
  }
}

function addressOf({ trustProxy }: ServerParts, request: IncomingMessage): string {
  const forwarded = request.headers['x-forwarded-for']
  // The proxy that we trust appends the address it saw; what stands before it was written by the client.
  if (trustProxy && typeof forwarded === 'string') return forwarded.split(',').at(-1)?.trim() ?? 'unknown'
  return request.socket.remoteAddress ?? 'unknown'
}

function isSecure({ trustProxy }: ServerParts, request: IncomingMessage): boolean {
  return trustProxy && request.headers['x-forwarded-proto'] === 'https'
}

/** From this machine, and not through a proxy on it. */
function isDirect(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? ''
  const loopback = address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1'
  return (
    loopback && request.headers['x-forwarded-for'] === undefined && request.headers['forwarded'] === undefined
  )
}
