import { beforeAll, expect, test } from 'vitest'
import { type Reply, type TestApp, testApp } from '../../test/support/app.ts'
import { testDatabase } from '../../test/support/database.ts'
import { sql } from '../platform/postgres/sql.ts'
import { createFirstOwner, resetOwner, setting, systemActor } from './org.ts'

let here: TestApp

beforeAll(async () => {
  here = await testApp(await testDatabase())
})

const password = 'Ein langes Wort 7'

/** A member of staff with a password of their own, and how they sign in. */
async function withPassword(): Promise<{
  login: string
  staffId: string
  signIn(given?: string): Promise<Reply>
}> {
  const owner = await here.as('owner')
  const login = `p-${Math.round(performance.now() * 1000)}`
  const made = await owner('POST', '/api/staff', {
    login,
    name: '导购',
    wecomUserId: null,
    roles: ['guide'],
    rights: [],
    storeIds: [],
    regionIds: [],
  })
  const { staff, oneTimePassword } = made.body as { staff: { id: string }; oneTimePassword: string }
  const first = await here.anonymous('POST', '/api/session', { login, password: oneTimePassword })
  await withCookies(first)('POST', '/api/session/password', {
    currentPassword: oneTimePassword,
    newPassword: password,
  })
  return {
    login,
    staffId: staff.id,
    signIn: (given = password) => here.anonymous('POST', '/api/session', { login, password: given }),
  }
}

/** A browser that keeps the cookies of a sign-in. */
function withCookies(signedIn: Reply) {
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const { csrf } = signedIn.body as { csrf: string }
  return (method: string, path: string, body?: unknown) =>
    here.anonymous(method, path, body, { cookie, 'x-csrf-token': csrf })
}

test('the first administrator gets a one-time password, must change it, and then gets in', async () => {
  const db = await testDatabase()
  const fresh = await testApp(db)
  const made = await createFirstOwner(db, fresh.clock.now())
  if (!made) throw new Error('no first owner')
  expect(await createFirstOwner(db, fresh.clock.now())).toBeUndefined()

  const signedIn = await fresh.anonymous('POST', '/api/session', {
    login: 'ADMIN',
    password: made.oneTimePassword,
  })
  expect(signedIn).toMatchObject({
    status: 200,
    body: { me: { mustChangePassword: true, roles: ['owner'], all: true } },
  })
  const cookies = signedIn.headers.getSetCookie()
  expect(cookies.find((line) => line.startsWith('liuliang_session='))).toMatch(
    /HttpOnly; Path=\/; SameSite=Strict/,
  )
  const cookie = cookies.map((line) => line.split(';')[0]).join('; ')
  const { csrf } = signedIn.body as { csrf: string }
  const headers = { cookie, 'x-csrf-token': csrf }
  expect(await fresh.anonymous('GET', '/api/stores', undefined, headers)).toMatchObject({
    status: 403,
    body: { code: 'must_change_password' },
  })
  const change = (newPassword: string) =>
    fresh.anonymous(
      'POST',
      '/api/session/password',
      { currentPassword: made.oneTimePassword, newPassword },
      headers,
    )
  expect(await change('admin12345')).toMatchObject({ status: 400, body: { field: 'newPassword' } })
  expect(await change(made.oneTimePassword)).toMatchObject({ status: 400 })
  expect((await change(password)).status).toBe(200)
  expect((await fresh.anonymous('GET', '/api/stores', undefined, headers)).status).toBe(200)
  const kept = await db.rows<{ row: string }>(
    sql`select staff::text as row from staff union all select session::text from session`,
  )
  expect(kept.map(({ row }) => row).join()).not.toContain(made.oneTimePassword)

  const reset = await resetOwner(db, fresh.clock.now())
  expect((await fresh.anonymous('GET', '/api/session', undefined, headers)).status).toBe(401)
  expect(
    (await fresh.anonymous('POST', '/api/session', { login: reset.login, password: reset.oneTimePassword }))
      .status,
  ).toBe(200)
})

test('whoever guesses is stopped per account, also when all guesses come at once', async () => {
  const guide = await withPassword()
  const guesses = await Promise.all(Array.from({ length: 20 }, (_, n) => guide.signIn(`guess ${n}`)))
  const outcomes = guesses.map(({ status }) => status).sort()
  expect(outcomes.filter((status) => status === 401).length).toBeLessThanOrEqual(8)
  expect(outcomes.filter((status) => status === 429).length).toBeGreaterThanOrEqual(12)
  const refused = await guide.signIn()
  expect(refused).toMatchObject({ status: 429, body: { code: 'too_many' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60)
  here.clock.advance({ minutes: 16 })
  expect((await guide.signIn()).status).toBe(200)
})

test('an unknown account is answered like a wrong password', async () => {
  const guide = await withPassword()
  const wrong = await guide.signIn('not it at all')
  const unknown = await here.anonymous('POST', '/api/session', { login: 'nobody-at-all', password })
  expect(unknown.status).toBe(401)
  expect(unknown.body).toEqual(wrong.body)
  here.clock.advance({ minutes: 16 })
})

test('another site can neither sign anybody in nor write', async () => {
  const guide = await withPassword()
  const from = (headers: Record<string, string>) =>
    here.anonymous('POST', '/api/session', { login: guide.login, password }, headers)
  expect(await from({ origin: 'https://evil.example' })).toMatchObject({
    status: 403,
    body: { code: 'csrf' },
  })
  expect(await from({ 'sec-fetch-site': 'cross-site' })).toMatchObject({
    status: 403,
    body: { code: 'csrf' },
  })
  expect((await from({ origin: here.address })).status).toBe(200)
})

test('changing the password ends the other sessions, being disabled ends all, time ends an idle one', async () => {
  const guide = await withPassword()
  const [desk, phone] = [withCookies(await guide.signIn()), withCookies(await guide.signIn())]
  await desk('POST', '/api/session/password', { currentPassword: password, newPassword: `${password}!` })
  expect((await desk('GET', '/api/session')).status).toBe(200)
  expect((await phone('GET', '/api/session')).status).toBe(401)

  here.clock.advance({ days: 6 })
  expect((await desk('GET', '/api/session')).status).toBe(200)
  here.clock.advance({ days: 6 })
  expect((await desk('GET', '/api/session')).status).toBe(200)
  here.clock.advance({ days: 8 })
  expect((await desk('GET', '/api/session')).status).toBe(401)

  const again = withCookies(await guide.signIn(`${password}!`))
  const owner = await here.as('owner')
  const { items } = (await owner('GET', `/api/staff?text=${guide.login}`)).body as {
    items: Record<string, unknown>[]
  }
  const [shown] = items
  expect(await owner('PUT', `/api/staff/${guide.staffId}`, { ...shown, state: 'disabled' })).toMatchObject({
    status: 200,
  })
  expect((await again('GET', '/api/session')).status).toBe(401)
  expect((await guide.signIn(`${password}!`)).status).toBe(401)
})

test('a role taken away is gone at the next request, and the last owner cannot be lost', async () => {
  const db = await testDatabase()
  const fresh = await testApp(db)
  const owner = await fresh.as('owner')
  const second = await fresh.as(['owner', 'operator'])
  const shownOf = async (id: string) => {
    const { items } = (await owner('GET', '/api/staff')).body as { items: { id: string; version: number }[] }
    return items.find((item) => item.id === id)
  }
  expect((await second('GET', '/api/api-keys')).status).toBe(200)
  expect(
    (
      await owner('PUT', `/api/staff/${second.staffId}`, {
        ...(await shownOf(second.staffId)),
        roles: ['operator'],
      })
    ).status,
  ).toBe(200)
  expect((await second('GET', '/api/api-keys')).status).toBe(403)

  const alone = await owner('PUT', `/api/staff/${owner.staffId}`, {
    ...(await shownOf(owner.staffId)),
    roles: ['guide'],
  })
  expect(alone).toMatchObject({ status: 422, body: { code: 'not_ready' } })
  expect((await owner('GET', '/api/api-keys')).status).toBe(200)
})

test('two who change one object see both states, and nothing is lost', async () => {
  const owner = await here.as('owner')
  const store = {
    code: 'S-001',
    name: '南京路店',
    regionId: null,
    city: '上海',
    side: 'offline',
    state: 'open',
  }
  const { id, version } = (await owner('POST', '/api/stores', store)).body as { id: string; version: number }
  expect((await owner('PUT', `/api/stores/${id}`, { ...store, name: '南京东路店', version })).status).toBe(
    200,
  )
  const late = await owner('PUT', `/api/stores/${id}`, { ...store, name: '南京西路店', version })
  expect(late).toMatchObject({
    status: 409,
    body: {
      code: 'stale_version',
      details: { yours: { name: '南京西路店' }, theirs: { name: '南京东路店', version: version + 1 } },
    },
  })
  expect(
    await owner('PUT', '/api/stores/00000000-0000-7000-8000-000000000000', { ...store, version: 1 }),
  ).toMatchObject({ status: 404 })
  expect(await owner('POST', '/api/stores', store)).toMatchObject({
    status: 409,
    body: { code: 'conflict', field: 'code' },
  })
})

test('a setting starts at its default, keeps its versions and refuses what makes no sense', async () => {
  const operator = await here.as('operator')
  const change = (version: number, lost: number) =>
    operator('PUT', '/api/settings/lifecycle_bands', {
      version,
      value: { brand: { silent: 60, nearSleep: 120, hibernating: 240, lost }, byCategory: {} },
    })
  expect(await setting(here.db, 'lifecycle_bands')).toMatchObject({ brand: { silent: 90, lost: 730 } })
  expect(await change(0, 200)).toMatchObject({
    status: 400,
    body: { code: 'bad_input', field: 'value.brand' },
  })
  expect(await change(0, 500)).toMatchObject({ status: 200, body: { version: 1 } })
  expect(await change(0, 600)).toMatchObject({ status: 409, body: { code: 'stale_version' } })
  expect(await change(1, 600)).toMatchObject({ status: 200, body: { version: 2 } })
  expect(await setting(here.db, 'lifecycle_bands')).toMatchObject({ brand: { lost: 600 } })
  const { body } = await operator('GET', '/api/settings/lifecycle_bands/history')
  expect((body as { items: { version: number }[] }).items.map((item) => item.version)).toEqual([2, 1, 0])
})

test('the audit trail tells who did what, page by page, and cannot be changed', async () => {
  const owner = await here.as('owner')
  for (let n = 0; n < 7; n += 1) await owner('POST', '/api/regions', { code: `audit-${n}`, name: `区${n}` })
  const seen: string[] = []
  let cursor = ''
  do {
    const { body } = await owner(
      'GET',
      `/api/audit-trail?action=region.created&actorId=${owner.staffId}&limit=3${cursor}`,
    )
    const page = body as { items: { after: { code: string }; actorName: string }[]; next: string | null }
    seen.push(...page.items.map((entry) => entry.after.code))
    cursor = page.next === null ? '' : `&cursor=${page.next}`
  } while (cursor !== '')
  expect(seen).toEqual(['audit-6', 'audit-5', 'audit-4', 'audit-3', 'audit-2', 'audit-1', 'audit-0'])
  const words = (await owner('GET', '/api/audit-trail/actions')).body as { actions: string[] }
  expect(words.actions).toContain('region.created')

  await expect(here.db.run(sql`update audit_trail set action = 'nothing'`)).rejects.toThrow('append-only')
  await expect(here.db.run(sql`delete from audit_trail`)).rejects.toThrow('append-only')
  await expect(here.db.run(sql`truncate audit_trail`)).rejects.toThrow('append-only')
})

test('a write that is refused leaves no entry', async () => {
  const owner = await here.as('owner')
  await owner('POST', '/api/regions', { code: 'audit-0', name: 'taken' })
  const { body } = await owner('GET', '/api/audit-trail?action=region.created&limit=1')
  expect((body as { items: { after: { name: string } }[] }).items[0]?.after.name).not.toBe('taken')
})

test('an API key is shown once, counts, ends, and reads no personal data for an engineer', async () => {
  const engineer = await here.as('engineer')
  const wanted = { name: 'ERP', scopes: ['org:read'], perMinute: 50, expiresAt: null }
  expect(await engineer('POST', '/api/api-keys', { ...wanted, scopes: ['personal:read'] })).toMatchObject({
    status: 403,
  })
  const { apiKey, secret } = (await engineer('POST', '/api/api-keys', wanted)).body as {
    apiKey: { id: string; prefix: string }
    secret: string
  }
  expect(secret.startsWith(apiKey.prefix)).toBe(true)
  const asKey = () => here.anonymous('GET', '/api/brand', undefined, { authorization: `Bearer ${secret}` })
  expect((await asKey()).status).toBe(200)
  expect(JSON.stringify((await engineer('GET', '/api/api-keys')).body)).not.toContain(secret)
  await engineer('DELETE', `/api/api-keys/${apiKey.id}`)
  expect(await asKey()).toMatchObject({ status: 401, body: { code: 'not_signed_in' } })
})

test('managers see the staff of their stores only', async () => {
  const owner = await here.as('owner')
  const actor = systemActor(here.clock.now())
  expect(actor.viewer.all).toBe(true)
  const makeStore = async (code: string, regionId: string | null) =>
    (
      (
        await owner('POST', '/api/stores', {
          code,
          name: code,
          regionId,
          city: null,
          side: 'offline',
          state: 'open',
        })
      ).body as { id: string }
    ).id
  const region = (
    (await owner('POST', '/api/regions', { code: 'scope', name: '范围' })).body as { id: string }
  ).id
  const [mine, other] = [await makeStore('scope-1', region), await makeStore('scope-2', null)]
  const [near, far] = [
    await here.as('guide', { storeIds: [mine] }),
    await here.as('guide', { storeIds: [other] }),
  ]
  for (const viewer of [
    await here.as('store_manager', { storeIds: [mine] }),
    await here.as('regional_manager', { regionIds: [region] }),
  ]) {
    const ids = ((await viewer('GET', '/api/staff?limit=200')).body as { items: { id: string }[] }).items.map(
      ({ id }) => id,
    )
    expect(ids).toContain(near.staffId)
    expect(ids).not.toContain(far.staffId)
  }
})
