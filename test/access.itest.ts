/** Every route of the program × every role: what the contract declares is what the server does. */
import { traverseContractProcedures } from '@orpc/server'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Role, type RouteMeta, rights, roles, scopes } from '../contract/base.ts'
import { type Caller, type TestApp, testApp } from './support/app.ts'
import { testDatabase } from './support/database.ts'

type Walked = { name: string; method: string; path: string; meta: RouteMeta; stream: boolean }

let here: TestApp
let routes: Walked[]
/** Made anew where a route may end the session. */
let callers: Map<Role, Caller>

const NOWHERE = '00000000-0000-7000-8000-000000000000'

beforeAll(async () => {
  here = await testApp(await testDatabase())
  routes = walkRoutes()
  callers = new Map(
    await Promise.all(roles.map(async (role) => [role, await here.as(role, { rights })] as const)),
  )
})

function walkRoutes(): Walked[] {
  const found: Walked[] = []
  traverseContractProcedures({ router: here.app.router, path: [] }, ({ contract, path }) => {
    const { meta, route } = contract['~orpc'] as unknown as {
      meta: RouteMeta
      route: { method: string; path: string }
    }
    found.push({ name: path.join('.'), method: route.method, path: route.path, meta, stream: false })
  })
  for (const { route } of here.app.streams) {
    found.push({
      name: `stream ${route.path}`,
      method: route.method,
      path: route.path,
      meta: route,
      stream: true,
    })
  }
  return found
}

function ask(caller: Caller, { method, path }: Walked) {
  const filled = `/api${path.replace(/\{[^}]+\}/g, NOWHERE)}`
  return caller(method, filled, method === 'GET' ? undefined : {})
}

function admits({ meta }: Walked, role: Role): boolean {
  if (meta.who === 'public' || meta.who === 'signed_in') return true
  return Array.isArray(meta.who) && meta.who.includes(role)
}

/** It ends or replaces the session of its caller. */
function endsSession({ path, method }: Walked): boolean {
  return path === '/session' && method !== 'GET'
}

test('there are routes to walk, and each says who may call it', () => {
  expect(routes.length).toBeGreaterThan(25)
  for (const route of routes) expect(['undeclared', undefined], route.name).not.toContain(route.meta.who)
})

test('without a session nothing but the public routes answers', async () => {
  for (const route of routes) {
    const { status, body } = await ask(here.anonymous, route)
    if (route.meta.who === 'public') expect([401, 403], route.name).not.toContain(status)
    else expect({ status, body }, route.name).toMatchObject({ status: 401, body: { code: 'not_signed_in' } })
  }
})

describe.each(roles)('%s', (role) => {
  test('is refused where the contract does not name the role, and let in where it does', async () => {
    for (const route of routes) {
      const caller = endsSession(route) ? await here.as(role, { rights }) : callers.get(role)
      if (!caller) throw new Error('no caller')
      const { status, body } = await ask(caller, route)
      const told = `${role} ${route.method} ${route.path}`
      if (!admits(route, role))
        expect({ status, body }, told).toMatchObject({ status: 403, body: { code: 'not_allowed' } })
      else if (!route.stream && route.method === 'GET' && !route.path.includes('{') && isOwnStore(route))
        expect(status, told).toBe(200)
      else expect(codeOf(body), told).not.toMatch(/^(not_signed_in|not_allowed|csrf|must_change_password)$/)
    }
  })
})

test('a right of its own is not implied by any role', async () => {
  const guarded = routes.filter(({ meta }) => meta.right !== undefined)
  const owner = await here.as([...roles], { rights: [] })
  for (const route of guarded) {
    expect(await ask(owner, route), route.name).toMatchObject({ status: 403, body: { code: 'not_allowed' } })
  }
})

test('an API key opens what its scope names and nothing else', async () => {
  const all = await here.withKey(scopes)
  for (const route of routes) {
    if (route.meta.who === 'public') continue
    const { status, body } = await ask(all, route)
    const { scope, right } = route.meta
    if (scope === undefined || right !== undefined)
      expect({ status, body }, route.name).toMatchObject({ status: 403 })
    else expect(codeOf(body), route.name).not.toMatch(/^(not_signed_in|not_allowed|csrf)$/)
  }
  for (const scope of scopes) {
    const one = await here.withKey([scope])
    const foreign = routes.filter(({ meta }) => meta.who !== 'public' && meta.scope !== scope)
    for (const route of sample(foreign, scope.length))
      expect((await ask(one, route)).status, `${scope} ${route.name}`).toBe(403)
  }
})

test('a session without its CSRF token changes nothing', async () => {
  const owner = callers.get('owner')
  if (!owner) throw new Error('no caller')
  for (const route of routes.filter(({ method, meta }) => method !== 'GET' && meta.who !== 'public')) {
    const filled = `/api${route.path.replace(/\{[^}]+\}/g, NOWHERE)}`
    const reply = await owner(route.method, filled, {}, { 'x-csrf-token': 'guess' })
    expect(reply, route.name).toMatchObject({ status: 403, body: { code: 'csrf' } })
  }
})

test('before the one-time password is changed only signing out and changing it is open', async () => {
  const caller = await here.as('owner', { rights, mustChangePassword: true })
  for (const route of routes) {
    if (route.meta.who === 'public' || route.meta.beforePasswordChange === true) continue
    expect(await ask(caller, route), route.name).toMatchObject({
      status: 403,
      body: { code: 'must_change_password' },
    })
  }
})

/** Routes whose answer needs ClickHouse answer 503 here; that is no matter of access. */
function isOwnStore({ name }: Walked): boolean {
  return name.startsWith('org.')
}

/** A few of them, always the same. */
function sample<T>(items: readonly T[], from: number): T[] {
  return items.filter((_, index) => index % 9 === from % 9)
}

function codeOf(body: unknown): string {
  return (body as { code?: string } | undefined)?.code ?? ''
}
