import { OpenAPIGenerator } from '@orpc/openapi'
import type { AnyRouter } from '@orpc/server'
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4'
import { type RouteMeta, roles, type StreamRoute } from '../../../contract/base.ts'
import { problemStatus } from '../../../contract/problem.ts'

type Operation = Record<string, unknown>
type Document = { paths?: Record<string, Record<string, Operation>> } & Record<string, unknown>

/** The OpenAPI 3.1 document of all routes: each says who may call it, which scope a key needs, and the error shape. */
export async function describeApi(
  router: AnyRouter,
  streams: readonly StreamRoute[],
  version: string,
): Promise<Document> {
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] })
  const document = (await generator.generate(router, {
    info: {
      title: 'Liuliang 留量',
      version,
      description:
        'Members, audiences, journeys and reach. Sign in with a session cookie or send `Authorization: Bearer <API key>`. ' +
        'Every POST takes an Idempotency-Key. Lists are read page by page with `cursor`. Errors have one shape with a code.',
    },
    servers: [{ url: '/api' }],
    security: [{ session: [] }, { apiKey: [] }],
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'liuliang_session' },
        apiKey: { type: 'http', scheme: 'bearer' },
      },
      responses: {
        Problem: { description: 'A refusal', content: { 'application/json': { schema: PROBLEM as never } } },
      },
    },
    customErrorResponseBodySchema: () => PROBLEM as never,
  })) as unknown as Document
  addStreams(document, streams)
  explainAccess(document, router)
  return document
}

const PROBLEM = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { type: 'string', enum: Object.keys(problemStatus) },
    message: { type: 'string', description: 'For logs and developers; pages translate the code' },
    field: { type: 'string' },
    row: { type: 'integer' },
    details: { type: 'object', additionalProperties: true },
  },
}

function addStreams(document: Document, streams: readonly StreamRoute[]): void {
  document.paths ??= {}
  for (const stream of streams) {
    const operations = document.paths[stream.path] ?? {}
    document.paths[stream.path] = operations
    operations[stream.method.toLowerCase()] = {
      operationId: `${stream.tag}.${stream.method.toLowerCase()}${stream.path.replace(/\W+/g, '_')}`,
      summary: stream.summary,
      tags: [stream.tag],
      description:
        `${stream.description ?? ''}\n\nAt most ${stream.maxBytes} bytes.\n\n${accessText(stream)}`.trim(),
      parameters: [...stream.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...(stream.method === 'GET'
        ? {}
        : {
            requestBody: {
              content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
            },
          }),
      responses: { 200: { description: 'Done' }, default: { $ref: '#/components/responses/Problem' } },
    }
  }
}

/** The errors of the contract are the same everywhere: one reference in place of twenty copies a route. */
function explainAccess(document: Document, router: AnyRouter): void {
  const byName = new Map<string, RouteMeta>()
  collect(router, [], byName)
  for (const operations of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(operations)) {
      const meta = byName.get(String(operation['operationId']))
      if (!meta) continue
      operation['description'] = `${operation['description'] ?? ''}\n\n${accessText(meta)}`.trim()
      const replies = operation['responses'] as Record<string, unknown>
      for (const status of Object.keys(replies)) if (Number(status) >= 400) delete replies[status]
      replies['default'] = { $ref: '#/components/responses/Problem' }
      if (meta.who === 'public') operation['security'] = []
    }
  }
}

function accessText({ who, right, scope }: RouteMeta): string {
  const listed = Array.isArray(who) && who.length < roles.length ? who.join(', ') : 'everybody'
  const people = typeof who === 'string' ? who.replace('_', ' ') : listed
  return [
    `Who: ${people}.`,
    right ? `Right: ${right}.` : '',
    scope ? `API key scope: ${scope}.` : 'Not for API keys.',
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function collect(router: unknown, path: string[], found: Map<string, RouteMeta>): void {
  if (typeof router !== 'object' || router === null) return
  const declared = (router as { '~orpc'?: { meta?: RouteMeta } })['~orpc']
  if (declared?.meta) {
    found.set(path.join('.'), declared.meta)
    return
  }
  for (const [name, part] of Object.entries(router)) collect(part, [...path, name], found)
}
