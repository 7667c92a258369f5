import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RouteMeta } from '../../../contract/base.ts'

/** What the platform knows of every request; capabilities see it with the viewer added (org.Call). */
export type BaseCall = {
  requestId: string
  /** Where the request came from; personal data, so it is never logged. */
  address: string
  /** The browser speaks TLS to us or to the proxy that we trust. */
  secure: boolean
  /** Business time of the request. */
  now: Date
  idempotencyKey: string | undefined
  /** Adds a Set-Cookie header to the reply. */
  setCookie(cookie: string): void
}

/** How a caller is counted: `subject` names the bucket and owns the Idempotency-Keys; `shared` holds over all processes. */
export type Counted = { subject: string; perMinute: number; shared?: boolean }

/** What the composition root joins to the platform: who asks, and whether they may. */
export type Guard<C extends BaseCall> = {
  /** Adds who asks. Errors: `not_signed_in` for credentials that are wrong or over, `csrf`. */
  identify(request: IncomingMessage, call: BaseCall): Promise<C>
  /** Errors: `not_signed_in`, `not_allowed`, `must_change_password`. */
  authorise(call: C, method: string, meta: RouteMeta): void
  count(call: C): Counted
}

/** A request to a `streamRoute`. Return a value to answer it as JSON; return undefined after answering by `response`. */
export type StreamRequest<C extends BaseCall> = {
  request: IncomingMessage
  response: ServerResponse
  params: Record<string, string>
  query: URLSearchParams
  /** The body in chunks, limited to the route's `maxBytes`. */
  body: AsyncIterable<Buffer>
  call: C
}
