/** Who asks: by session cookie or by API key; and the protection against requests that another site makes. */
import type { IncomingMessage } from 'node:http'
import { CSRF_COOKIE, CSRF_HEADER } from '../../contract/base.ts'
import type { BaseCall, Guard } from '../platform/http/call.ts'
import type { Database } from '../platform/postgres/database.ts'
import { Problem } from '../platform/problem.ts'
import { digestOf, sameDigest } from './secrets.ts'
import { IDLE_MS, LONGEST_MS, type OpenedSession, viewerOf } from './sessions.ts'
import { selectApiKey, selectSession, touchApiKey, touchSession } from './store-access.ts'
import { authorise, type Call, NOBODY } from './viewer.ts'

const SESSION_COOKIE = 'liuliang_session'
/** How often a use is noted. */
const NOTED_MS = 5 * 60_000
const PER_MINUTE = { session: 1200, nobody: 300 }

export type GuardOptions = {
  /** The address that browsers use, when a proxy stands before us. */
  publicUrl: string | undefined
}

export function openGuard(db: Database, options: GuardOptions): Guard<Call> {
  return {
    async identify(request, base) {
      const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
      if (bearer !== undefined) return byKey(db, base, bearer)
      refuseOtherSite(request, options)
      const token = cookieOf(request, SESSION_COOKIE)
      if (token === undefined) return anonymous(base)
      return bySession(db, base, { token, csrf: request.headers[CSRF_HEADER] })
    },
    authorise(call, method, meta) {
      authorise(call, method, meta)
    },
    count({ viewer, address, perMinute }) {
      switch (viewer.via) {
        case 'api_key':
          return { subject: `key:${viewer.keyId}`, perMinute: perMinute ?? 1, shared: true }
        case 'session':
          return { subject: `staff:${viewer.staffId}`, perMinute: PER_MINUTE.session }
        case 'nobody':
          return { subject: `address:${address}`, perMinute: PER_MINUTE.nobody }
      }
    },
  }
}

/** The two cookies of a new session: one that scripts cannot read, and its token that the page sends back. */
export function setSessionCookies(call: BaseCall, { token, csrf }: OpenedSession): void {
  const common = `Path=/; SameSite=Strict; Max-Age=${LONGEST_MS / 1000}${call.secure ? '; Secure' : ''}`
  call.setCookie(`${SESSION_COOKIE}=${token}; HttpOnly; ${common}`)
  call.setCookie(`${CSRF_COOKIE}=${csrf}; ${common}`)
}

export function clearSessionCookies(call: BaseCall): void {
  const ended = `Path=/; SameSite=Strict; Max-Age=0${call.secure ? '; Secure' : ''}`
  call.setCookie(`${SESSION_COOKIE}=; HttpOnly; ${ended}`)
  call.setCookie(`${CSRF_COOKIE}=; ${ended}`)
}

function anonymous(base: BaseCall): Call {
  return { ...base, viewer: NOBODY, session: undefined, csrfGiven: false, perMinute: undefined }
}

async function byKey(db: Database, base: BaseCall, secret: string): Promise<Call> {
  const key = await selectApiKey(db, { digest: digestOf(secret) })
  const over = !key || key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= base.now)
  if (over) throw new Problem('not_signed_in', 'This API key does not exist or has ended.')
  if (isDue(key.usedAt, base.now)) await touchApiKey(db, key.id, base.now)
  return {
    ...anonymous(base),
    perMinute: key.perMinute,
    viewer: {
      ...NOBODY,
      staffId: key.staffId,
      keyId: key.id,
      scopes: key.scopes,
      all: true,
      maySeePersonal: key.scopes.includes('personal:read'),
      via: 'api_key',
    },
  }
}

/** A cookie that is no longer good is nobody's: public routes stay open, the others answer `not_signed_in`. */
async function bySession(
  db: Database,
  base: BaseCall,
  given: { token: string; csrf: string | string[] | undefined },
): Promise<Call> {
  const digest = digestOf(given.token)
  const found = await selectSession(db, digest, base.now)
  if (!found) return anonymous(base)
  if (isDue(found.seenAt, base.now))
    await touchSession(db, digest, { now: base.now, idleMs: IDLE_MS, longestMs: LONGEST_MS })
  return {
    ...base,
    viewer: viewerOf(found),
    session: digest,
    csrfGiven: typeof given.csrf === 'string' && sameDigest(digestOf(given.csrf), found.csrfDigest),
    perMinute: undefined,
  }
}

function isDue(noted: Date | null, now: Date): boolean {
  return noted === null || now.getTime() - noted.getTime() > NOTED_MS
}

/** A form or script of another site: browsers say where a write comes from. Protects sign-in, which has no token yet. */
function refuseOtherSite(request: IncomingMessage, { publicUrl }: GuardOptions): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const { origin, host } = request.headers
  const foreign =
    origin !== undefined && hostOf(origin) !== host && hostOf(origin) !== hostOf(publicUrl ?? '')
  if (foreign || request.headers['sec-fetch-site'] === 'cross-site') {
    throw new Problem('csrf', 'Another site may not do this.')
  }
}

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.host
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name && value !== undefined && value !== '') return value
  }
  return undefined
}
