/**
 * Everything below /api: contract routes and stream routes behind one guard, in this order: who asks, how often,
 * which route, may they, has it been done before (Idempotency-Key), is the input right, then the handler.
 * Always true: no handler runs for a route that does not say who may call it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { SmartCoercionPlugin } from '@orpc/json-schema'
import { OpenAPIHandler } from '@orpc/openapi/node'
import { type AnyRouter, type Router, traverseContractProcedures } from '@orpc/server'
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4'
import { IDEMPOTENCY_HEADER, type RouteMeta, type StreamRoute } from '../../../contract/base.ts'
import type { BlindIndex } from '../crypto/blind-index.ts'
import { type Disk, refuseWithoutRoom } from '../disk.ts'
import type { Log } from '../logging/log.ts'
import type { Db } from '../postgres/database.ts'
import { Problem } from '../problem.ts'
import { readJson, streamBody } from './body.ts'
import type { BaseCall, Guard, StreamRequest } from './call.ts'
import { bodyOf, orpcErrorOf, problemOf } from './failure.ts'
import { runOnce } from './idempotency.ts'
import { compilePath } from './paths.ts'
import { RateLimit } from './rate-limit.ts'
import { sendJson, sendProblem, setRetryAfter } from './reply.ts'
import { SharedLimit } from './shared-limit.ts'

/** A stream route with its handler. */
export type Streamed<C extends BaseCall> = {
  route: StreamRoute
  handle(request: StreamRequest<C>): Promise<unknown>
}

export type ApiParts<C extends BaseCall> = {
  /** The routers of all capabilities, by name. */
  router: AnyRouter
  streams: readonly Streamed<C>[]
  guard: Guard<C>
  db: Db
  /** For the digests of what was asked with an Idempotency-Key. */
  index: BlindIndex
  log: Log
  disk: Disk
}

export type Api = {
  /** Answers a request whose path starts with /api; tells `seen` the pattern of the route, for metrics and logs. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    call: BaseCall,
    seen: { route: string },
  ): Promise<void>
}

const PREFIX = '/api'
const UNKNOWN = 'unknown'

/** Errors: a route without `who` is a bug and is refused here, before anything is served. */
export function buildApi<C extends BaseCall>(parts: ApiParts<C>): Api {
  refuseUndeclared(parts.router)
  const limit = new RateLimit()
  const shared = new SharedLimit(parts.db)
  const handler = contractHandler(parts)
  const streams = parts.streams.map((stream) => ({
    ...stream,
    pattern: compilePath(stream.route.method, `${PREFIX}${stream.route.path}`),
  }))

  return {
    async handle(request, response, base, seen) {
      seen.route = UNKNOWN
      try {
        const call = await parts.guard.identify(request, withKey(request, base))
        const counted = parts.guard.count(call)
        if (counted.shared === true) await shared.take(counted.subject, counted.perMinute)
        else limit.take(counted.subject, counted.perMinute, base.now.getTime())
        const url = new URL(request.url ?? '/', 'http://localhost')
        for (const { pattern, route: stream, handle } of streams) {
          const params = pattern.match(request.method ?? 'GET', url.pathname)
          if (!params) continue
          seen.route = stream.path
          parts.guard.authorise(call, stream.method, stream)
          if (stream.intake === true) refuseWithoutRoom(parts.disk)
          const body = streamBody(request, stream.maxBytes)
          const work = () => handle({ request, response, params, query: url.searchParams, body, call })
          const input = { path: url.pathname, query: url.search, length: request.headers['content-length'] }
          const reply = await once(parts, call, {
            name: `${stream.method} ${stream.path}`,
            meta: stream,
            input,
            work,
          })
          if (!response.headersSent) sendJson(response, 200, reply ?? { done: true })
          return
        }
        const matched = await handler(request, response, { ...call, seen: { of: seen, response } })
        if (!matched) throw new Problem('not_found', 'There is no such route.')
      } catch (error) {
        sendProblem(response, problemOf(error, parts.log, base.requestId))
      }
    },
  }
}

type Seen = { of: { route: string }; response: ServerResponse }

function contractHandler<C extends BaseCall>(parts: ApiParts<C>) {
  type Context = C & { seen: Seen }
  const handler = new OpenAPIHandler<Context>(parts.router as Router<never, Context>, {
    plugins: [new SmartCoercionPlugin({ schemaConverters: [new ZodToJsonSchemaConverter()] })],
    customErrorResponseBodyEncoder: bodyOf,
    interceptors: [
      async (options) => {
        try {
          return await options.next()
        } catch (error) {
          const problem = problemOf(error, parts.log, options.context.requestId)
          setRetryAfter(options.context.seen.response, problem)
          throw orpcErrorOf(problem)
        }
      },
    ],
    clientInterceptors: [
      async (options) => {
        const { meta, route } = declared(options.procedure)
        const { context } = options
        context.seen.of.route = route.path ?? UNKNOWN
        parts.guard.authorise(context, route.method ?? 'POST', meta)
        if (meta.intake === true) refuseWithoutRoom(parts.disk)
        const name = `${route.method} ${route.path}`
        return once(parts, context, { name, meta, input: options.input, work: () => options.next() })
      },
    ],
  })
  return async (request: IncomingMessage, response: ServerResponse, context: Context): Promise<boolean> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const body = await readJson(request)
      Object.assign(request, { body: body ?? {} })
    }
    const { matched } = await handler.handle(request, response, { prefix: PREFIX, context })
    return matched
  }
}

type Once = { name: string; meta: RouteMeta; input: unknown; work: () => Promise<unknown> }

function once<C extends BaseCall>(
  parts: ApiParts<C>,
  call: C,
  { name, meta, input, work }: Once,
): Promise<unknown> {
  if (!name.startsWith('POST ') || call.idempotencyKey === undefined) return work()
  return runOnce(
    parts,
    {
      caller: parts.guard.count(call).subject,
      key: call.idempotencyKey,
      route: name,
      input,
      now: call.now,
      secret: meta.secretReply ?? false,
    },
    work,
  )
}

function withKey(request: IncomingMessage, base: BaseCall): BaseCall {
  const key = request.headers[IDEMPOTENCY_HEADER]
  return { ...base, idempotencyKey: typeof key === 'string' ? key : undefined }
}

function refuseUndeclared(router: AnyRouter): void {
  traverseContractProcedures({ router, path: [] }, ({ contract, path }) => {
    const { meta, route } = declared(contract)
    if (meta.who === 'undeclared' || meta.who === undefined)
      throw new Error(`${path.join('.')} does not say who may call it`)
    if (!route.path || !route.method) throw new Error(`${path.join('.')} has no path or method`)
  })
}

type Declared = { meta: RouteMeta; route: { method?: string; path?: string } }

function declared(procedure: { '~orpc': unknown }): Declared {
  return procedure['~orpc'] as Declared
}
