/** The API as a program of the brand uses it: with a key, by requests that are repeated until they are answered. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Kept } from './program.ts'

const PATIENCE_MS = 300_000

/** `Call`s an address that may change, and may be away, with the credentials of one key. */
export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<{ status: number; body: unknown }>

function callWith(address: () => Promise<unknown>, credentials: Record<string, string>): Call {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${await address()}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...credentials, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.json() }
  }
}

/** Signs in with what the first start printed, and makes a key that outlives the sessions. Calls go to `to`. */
export async function ownerKey(
  program: Kept,
  to: () => Promise<unknown> = () => program.tells('address', PATIENCE_MS),
): Promise<Call> {
  const { login, oneTimePassword } = (await program.tells('firstSignIn')) as {
    login: string
    oneTimePassword: string
  }
  const address = String(await to())
  const password = 'a long password of the owner'
  const signIn = async (given: string) => {
    const response = await fetch(`${address}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login, password: given }),
    })
    const cookie = response.headers
      .getSetCookie()
      .map((text) => text.split(';')[0])
      .join('; ')
    const { csrf } = (await response.json()) as { csrf: string }
    return callWith(to, { cookie, 'x-csrf-token': csrf })
  }
  const first = await signIn(oneTimePassword)
  const changed = await first('POST', '/api/session/password', {
    currentPassword: oneTimePassword,
    newPassword: password,
  })
  expect(changed.status, JSON.stringify(changed.body)).toBe(200)
  const owner = await signIn(password)
  const scopes = [
    'org:write',
    'members:read',
    'members:write',
    'personal:read',
    'audience:read',
    'audience:write',
    'insight:read',
  ]
  const made = await owner('POST', '/api/api-keys', { name: 'test', scopes, perMinute: 60_000 })
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  return callWith(to, { authorization: `Bearer ${(made.body as { secret: string }).secret}` })
}

/** Repeats the same request under one Idempotency-Key until it has an answer, as a client should. */
async function answered(call: Call, path: string, body: unknown): Promise<Awaited<ReturnType<Call>>> {
  const key = randomUUID()
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const answer = await call('POST', path, body, { 'idempotency-key': key }).catch((error: unknown) => ({
      status: 0,
      body: String(error),
    }))
    if (answer.status > 0 && answer.status < 500) return answer
    if (performance.now() > until) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    await sleep(50)
  }
}

async function acknowledged(call: Call, path: string, body: unknown): Promise<unknown> {
  const answer = await answered(call, path, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

/** A request whose process was killed has an unknown outcome: then one looks first, and asks again under another key. */
export async function putTag(call: Call, id: string, tagId: number): Promise<void> {
  for (;;) {
    const { status, body } = await answered(call, `/api/members/${id}/tags`, { tagId, reason: '到店' })
    if (status === 200) return
    expect(body).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/still running|interrupted/),
    })
    const card = await call('GET', `/api/members/${id}`).catch(() => undefined)
    const { tagList } = (card?.body ?? {}) as { tagList?: { tagId: number }[] }
    if (tagList?.some((tag) => tag.tagId === tagId)) return
    await sleep(100)
  }
}

export async function prepareTag(call: Call): Promise<{ tagId: number; segmentId: number }> {
  const group = (await acknowledged(call, '/api/tag-groups', { name: '到店', level: 'business' })) as {
    id: number
  }
  const tag = (await acknowledged(call, '/api/tags', {
    groupId: group.id,
    name: '来过',
    volatility: 'dynamic',
    subjectivity: 'objective',
    derivation: 'fact',
    composition: 'single',
    producer: 'guide',
    origin: 'manual',
    use: '识别到店的会员',
    plan: '每周回访一次',
  })) as { id: number }
  const rule = { kind: 'tag', tags: [tag.id], match: 'any' }
  const segment = (await acknowledged(call, '/api/segments', { name: '到过店', rule })) as { id: number }
  return { tagId: tag.id, segmentId: segment.id }
}

export type Member = {
  id: string
  phone: string | null
  purchases: number
  spentCents: number
  lastPurchaseAt: string | null
}

export async function everyMember(call: Call): Promise<Member[]> {
  const found: Member[] = []
  let cursor: string | null = null
  do {
    const page = `/api/members?limit=200&sort=joined${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const { body, status } = await call('GET', page)
    expect(status, JSON.stringify(body)).toBe(200)
    const { items, next } = body as { items: Member[]; next: string | null }
    found.push(...items)
    cursor = next
  } while (cursor !== null)
  return found
}
