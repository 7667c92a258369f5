/**
 * How a route is declared, for server and browser alike.
 *
 * A capability states its routes in contract/<area>.ts:
 *
 *     export const memberContract = {
 *       search: route({ method: 'GET', path: '/members', tag: 'members', summary: 'Find members',
 *                       who: ['owner', 'operator', 'guide'], scope: 'members:read' })
 *         .input(PageInput.extend({ text: z.string().max(100).optional() }))
 *         .output(pageOf(MemberRow)),
 *       rename: route({ method: 'PUT', path: '/members/{id}/name', tag: 'members', summary: 'Correct a name',
 *                       who: ['owner', 'operator'], scope: 'members:write' })
 *         .input(versionedWrite({ id: PublicId, name: z.string().trim().min(1).max(60) }))
 *         .output(versioned(Member)),
 *     }
 *
 * and implements them in server/<capability>/routes.ts, which app.ts mounts below /api:
 *
 *     import { implement } from '@orpc/server'
 *     import { memberContract } from '../../contract/members.ts'
 *     import type { Call } from '../org/org.ts'
 *     import { searchMembers } from './members.ts'
 *
 *     export function memberRoutes({ db }: { db: Database }) {
 *       const api = implement(memberContract).$context<Call>()
 *       return api.router({
 *         search: api.search.handler(({ input, context }) => searchMembers(db, context.viewer, input)),
 *         rename: api.rename.handler(({ input, context }) => renameMember(db, context.viewer, input, context.now)),
 *       })
 *     }
 *
 * `context.viewer` is who asks (access was checked before the handler runs), `context.now` the business time of the
 * request. Parts of the path and of the query string are fields of the input. A refusal is `throw new Problem(…)`.
 * A GET must change nothing. Uploads and downloads that must not be held whole are `streamRoute`s.
 */
import { ORPCError, oc } from '@orpc/contract'
import { z } from 'zod'
import { type ProblemBody, type ProblemCode, problemStatus } from './problem.ts'

export const roles = [
  'owner',
  'operator',
  'regional_manager',
  'store_manager',
  'guide',
  'customer_service',
  'analyst',
  'engineer',
] as const
export const Role = z.enum(roles)
/** Whoever reads of members at all: all but engineers, each what the own scope holds. */
export const memberReaders = [
  'owner',
  'operator',
  'regional_manager',
  'store_manager',
  'guide',
  'customer_service',
  'analyst',
] as const satisfies readonly z.infer<typeof Role>[]
export type Role = z.infer<typeof Role>

/** Rights stand beside roles: approving is never implied by one. `see_personal` adds to what a role sees anyway. */
export const rights = ['approve', 'see_personal', 'export'] as const
export const Right = z.enum(rights)
export type Right = z.infer<typeof Right>

/** What an API key may be allowed. A route without a scope cannot be called by a key at all. */
export const scopes = [
  'org:read',
  'org:write',
  'events:write',
  'orders:write',
  'import:write',
  'members:read',
  'members:write',
  'personal:read',
  'audience:read',
  'audience:write',
  'reach:read',
  'reach:write',
  'tasks:read',
  'tasks:write',
  'journeys:read',
  'journeys:write',
  'insight:read',
  'metrics:read',
] as const
export const Scope = z.enum(scopes)
export type Scope = z.infer<typeof Scope>

/** `public`: anybody, also without a session. `signed_in`: every member of staff. Else one of the roles. */
export type Who = 'public' | 'signed_in' | readonly Role[]

export type RouteMeta = {
  /** `undeclared` is refused by the server when it starts. */
  who: Who | 'undeclared'
  /** Needed beside the role. */
  right?: Right | undefined
  scope?: Scope | undefined
  /** The reply holds a secret or personal data: it is not kept for a repeated Idempotency-Key. */
  secretReply?: boolean | undefined
  /** Brings much in or makes others do so: refused with 507 while the disk is nearly full. */
  intake?: boolean | undefined
  /** Open to someone who must first change the password. */
  beforePasswordChange?: boolean | undefined
}

/** What is at fault, beside code and message. */
export const ProblemData = z.object({
  field: z.string().optional(),
  row: z.int().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
})
export type ProblemData = z.infer<typeof ProblemData>

type ProblemErrors = { [Code in ProblemCode]: { status: number; data: typeof ProblemData } }
const problemErrors = Object.fromEntries(
  Object.entries(problemStatus).map(([code, status]) => [code, { status, data: ProblemData }]),
) as ProblemErrors

const base = oc.$meta<RouteMeta>({ who: 'undeclared' }).errors(problemErrors)

type Declared = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /api, with parameters in braces: '/stores/{id}'. */
  path: `/${string}`
  /** The chapter of the API page. */
  tag: string
  /** One line in the imperative. */
  summary: string
  description?: string
  who: Who
} & Omit<RouteMeta, 'who'>

/** Starts a route: follow it with `.input(schema)` and `.output(schema)`. */
export function route(declared: Declared) {
  const { method, path, tag, summary, description, ...meta } = declared
  return base
    .route({ method, path, tags: [tag], summary, ...(description ? { description } : {}) })
    .meta(meta)
}

/** A route whose body or reply is a stream: files and high-rate intake. It passes the same guard as every other. */
export type StreamRoute = Declared & {
  /** The largest body that is accepted. */
  maxBytes: number
}

export function streamRoute(declared: StreamRoute): StreamRoute {
  return declared
}

export const MAX_PAGE = 200

/** The cursor is opaque: what the previous page gave as `next`. */
export const PageInput = z.object({
  cursor: z.string().max(500).optional(),
  limit: z.int().min(1).max(MAX_PAGE).default(50),
})
export type PageInput = z.infer<typeof PageInput>

/** One page; `next` is null on the last one. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() })
}
export type Page<Item> = { items: Item[]; next: string | null }

/** 0 stands for what nobody has written yet: a default. */
const Version = z.int().nonnegative()

/** A shared object as it is read: with the version that a write must name. */
export function versioned<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) {
  return schema.extend({ version: Version })
}

/**
 * Input of a write to a shared object. A version that is no longer the present one is refused with 409
 * `stale_version`, whose details are `{ yours, theirs }`: what was sent and what stands now, with its version.
 */
export function versionedWrite<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape).extend({ version: Version })
}

/** An instant, in UTC on the wire: '2026-03-01T02:03:04.567Z'. */
export const Instant = z.iso.datetime({ offset: true })
/** A date in the brand's zone. */
export const Day = z.iso.date()
export const Done = z.object({ done: z.literal(true) })

export const CSRF_HEADER = 'x-csrf-token'
/** Readable by the page; what it holds goes into `CSRF_HEADER` on everything but GET. */
export const CSRF_COOKIE = 'liuliang_csrf'
export const IDEMPOTENCY_HEADER = 'idempotency-key'

/**
 * The error shape on the wire as an error of the typed client, for `customErrorResponseBodyDecoder` of its link.
 * Undefined where the body is no problem (a proxy's page, for instance).
 */
export function problemFromBody(body: unknown): ORPCError<ProblemCode, ProblemData> | undefined {
  if (typeof body !== 'object' || body === null || !('code' in body) || typeof body.code !== 'string')
    return undefined
  if (!Object.hasOwn(problemStatus, body.code)) return undefined
  const { code, message, field, row, details } = body as ProblemBody
  return new ORPCError(code, {
    status: problemStatus[code],
    message,
    defined: true,
    data: {
      ...(field === undefined ? {} : { field }),
      ...(row === undefined ? {} : { row }),
      ...(details === undefined ? {} : { details }),
    },
  })
}
