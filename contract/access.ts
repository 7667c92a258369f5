/** API keys, and the trail of who did what. */
import { z } from 'zod'
import { Done, Instant, PageInput, pageOf, route, Scope, versioned, versionedWrite } from './base.ts'
import { access, Name } from './org-words.ts'

export const ApiKey = z.object({
  id: z.uuid(),
  name: Name,
  /** The first characters of the key, to recognise it. */
  prefix: z.string(),
  scopes: z.array(Scope),
  perMinute: z.int().min(1).max(1_000_000),
  createdAt: Instant,
  createdBy: z.string(),
  expiresAt: Instant.nullable(),
  usedAt: Instant.nullable(),
  revokedAt: Instant.nullable(),
})
export type ApiKey = z.infer<typeof ApiKey>

export const AuditEntry = z.object({
  id: z.uuid(),
  at: Instant,
  actorKind: z.enum(['staff', 'api_key', 'system']),
  actorId: z.uuid().nullable(),
  /** Name of the member of staff or of the key; null for the program and for who was removed. */
  actorName: z.string().nullable(),
  action: z.string(),
  objectKind: z.string(),
  objectId: z.string().nullable(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  address: z.string().nullable(),
})
export type AuditEntry = z.infer<typeof AuditEntry>

export const apiKeyRoutes = {
  list: route({
    ...access,
    method: 'GET',
    path: '/api-keys',
    summary: 'List the API keys',
    who: ['owner', 'engineer'],
  }).output(z.object({ items: z.array(versioned(ApiKey)) })),
  create: route({
    ...access,
    method: 'POST',
    path: '/api-keys',
    summary: 'Make an API key; it is shown once',
    who: ['owner', 'engineer'],
    secretReply: true,
  })
    .input(
      z.object({
        name: Name,
        scopes: z.array(Scope).min(1),
        perMinute: ApiKey.shape.perMinute.default(600),
        expiresAt: Instant.nullable().default(null),
      }),
    )
    .output(z.object({ apiKey: versioned(ApiKey), secret: z.string() })),
  change: route({
    ...access,
    method: 'PUT',
    path: '/api-keys/{id}',
    summary: 'Change name, scopes or limit of an API key',
    who: ['owner', 'engineer'],
  })
    .input(
      versionedWrite({
        id: z.uuid(),
        name: Name,
        scopes: z.array(Scope).min(1),
        perMinute: ApiKey.shape.perMinute,
      }),
    )
    .output(versioned(ApiKey)),
  revoke: route({
    ...access,
    method: 'DELETE',
    path: '/api-keys/{id}',
    summary: 'End an API key at once',
    who: ['owner', 'engineer'],
  })
    .input(z.object({ id: z.uuid() }))
    .output(Done),
}

export const auditTrailRoutes = {
  list: route({
    ...access,
    method: 'GET',
    path: '/audit-trail',
    summary: 'Read who did what, latest first',
    who: ['owner', 'operator', 'engineer'],
    scope: 'org:read',
  })
    .input(
      PageInput.extend({
        from: Instant.optional(),
        to: Instant.optional(),
        actorId: z.uuid().optional(),
        action: z.string().max(100).optional(),
        objectKind: z.string().max(100).optional(),
        objectId: z.string().max(200).optional(),
      }),
    )
    .output(pageOf(AuditEntry)),
  actions: route({
    ...access,
    method: 'GET',
    path: '/audit-trail/actions',
    summary: 'List the actions and kinds of objects that occur',
    who: ['owner', 'operator', 'engineer'],
    scope: 'org:read',
  }).output(z.object({ actions: z.array(z.string()), objectKinds: z.array(z.string()) })),
}
