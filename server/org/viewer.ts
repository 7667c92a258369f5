import type { Right, Role, RouteMeta, Scope } from '../../contract/base.ts'
import type { BaseCall } from '../platform/http/call.ts'
import { Problem } from '../platform/problem.ts'

/** Who asks, and what they may see. */
export type Viewer = {
  /** A member of staff; for an API key, who made it; `NOBODY_ID` without either. */
  staffId: string
  /** Null for people. */
  keyId: string | null
  roles: readonly Role[]
  rights: readonly Right[]
  scopes: readonly Scope[]
  /** The own stores; for a regional manager every store of the own regions. Empty where `all`. */
  storeIds: readonly string[]
  regionIds: readonly string[]
  /** Sees the whole brand: headquarters and API keys. */
  all: boolean
  /** May see names and phone numbers; else they are masked. */
  maySeePersonal: boolean
  mustChangePassword: boolean
  via: 'session' | 'api_key' | 'nobody'
}

/** The context of every handler. */
export type Call = BaseCall & {
  viewer: Viewer
  /** Digest of the session that asked; undefined otherwise. */
  session: Buffer | undefined
  /** The request carried the token of its session. */
  csrfGiven: boolean
  /** Allowance of the API key. */
  perMinute: number | undefined
}

/** Who did something and in which request, for the audit trail. */
export type Actor = {
  viewer: Viewer
  now: Date
  requestId?: string | undefined
  address?: string | undefined
}

export const NOBODY_ID = '00000000-0000-0000-0000-000000000000'

export const NOBODY: Viewer = {
  staffId: NOBODY_ID,
  keyId: null,
  roles: [],
  rights: [],
  scopes: [],
  storeIds: [],
  regionIds: [],
  all: false,
  maySeePersonal: false,
  mustChangePassword: false,
  via: 'nobody',
}

/** The program itself: commands and work loops. */
export function systemActor(now: Date): Actor {
  return { viewer: { ...NOBODY, all: true }, now }
}

const HEADQUARTERS: readonly Role[] = ['owner', 'operator', 'customer_service', 'analyst', 'engineer']
const SEES_PERSONAL: readonly Role[] = [
  'owner',
  'operator',
  'regional_manager',
  'store_manager',
  'guide',
  'customer_service',
]

export function seesAll(held: readonly Role[]): boolean {
  return held.some((role) => HEADQUARTERS.includes(role))
}

export function seesPersonal(held: readonly Role[], rights: readonly Right[]): boolean {
  return rights.includes('see_personal') || held.some((role) => SEES_PERSONAL.includes(role))
}

/**
 * Whether the caller may use a route. People need one of its roles and its right; a key needs its scope and never
 * passes where a right is asked for.
 * Errors: `not_signed_in`, `csrf`, `must_change_password`, `not_allowed`.
 */
export function authorise(call: Pick<Call, 'viewer' | 'csrfGiven'>, method: string, meta: RouteMeta): void {
  if (meta.who === 'public') return
  const { viewer } = call
  if (viewer.via === 'nobody') throw new Problem('not_signed_in', 'Sign in first.')
  if (viewer.via === 'api_key') {
    if (meta.scope === undefined) throw new Problem('not_allowed', 'This route is not for API keys.')
    if (!viewer.scopes.includes(meta.scope))
      throw new Problem('not_allowed', `This API key lacks the scope ${meta.scope}.`)
  } else {
    if (method !== 'GET' && method !== 'HEAD' && !call.csrfGiven) {
      throw new Problem('csrf', 'The request does not carry the token of its session.')
    }
    if (viewer.mustChangePassword && meta.beforePasswordChange !== true) {
      throw new Problem('must_change_password', 'Change the one-time password first.')
    }
    if (!hasRole(viewer, meta)) throw new Problem('not_allowed', 'Your role may not do this.')
  }
  if (meta.right !== undefined && !viewer.rights.includes(meta.right)) {
    throw new Problem('not_allowed', `This needs the right ${meta.right}.`)
  }
}

function hasRole({ roles }: Viewer, { who }: RouteMeta): boolean {
  if (who === 'signed_in') return true
  if (typeof who === 'string') return false
  return who.some((role) => roles.includes(role))
}
