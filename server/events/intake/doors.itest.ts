import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import type { EventSource } from '../../../contract/intake.ts'
import { type Caller, type TestApp, testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

let db: Database
let app: TestApp
let owner: Caller
let made = 0

beforeAll(async () => {
  db = await testDatabase()
  app = await testApp(db)
  owner = await app.as('owner')
})

async function source(more: Record<string, unknown> = {}): Promise<EventSource> {
  made += 1
  const { status, body } = await owner('POST', '/api/event-sources', {
    code: `web-${made}`,
    name: `网站${made}`,
    ...more,
  })
  expect(status).toBe(200)
  return body as EventSource
}

const basic = (key: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
})

type Row = {
  type: string
  personId: number
  profileId: number
  source: string
  data: Record<string, unknown>
}
const logged = (code: string): Promise<Row[]> =>
  db.rows<Row>(sql`
    select type, person_id as "personId", profile_id as "profileId", source, data from event_log
    where source = ${`sdk:${code}`} and type in ('tracked', 'page_viewed') order by xid, seq`)
const track = (id: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'track',
  messageId: id,
  userId: 'M100',
  event: 'Added',
  properties: { sku: 'A', price: 3 },
  ...more,
})

test('a batch is durable when it is answered, counts once, and again not', async () => {
  const { code, writeKey } = await source()
  const batch = { batch: [track('1'), track('2'), track('1')] }
  expect(await app.anonymous('POST', '/v1/batch', batch, basic(writeKey))).toMatchObject({
    status: 200,
    body: { success: true },
  })
  expect((await logged(code)).map(({ type, data }) => [type, data])).toEqual([
    ['tracked', { name: 'Added', properties: { sku: 'A', price: 3 } }],
    ['tracked', { name: 'Added', properties: { sku: 'A', price: 3 } }],
  ])
  expect((await app.anonymous('POST', '/v1/batch', batch, basic(writeKey))).status).toBe(200)
  expect(await logged(code)).toHaveLength(2)
})

test('packed bodies, keys in the body and short paths are taken', async () => {
  const { code, writeKey } = await source()
  const body = gzipSync(JSON.stringify({ ...track('1'), writeKey }))
  const packed = await fetch(`${app.address}/v1/t`, {
    method: 'POST',
    body,
    headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' },
  })
  expect(packed.status).toBe(200)
  expect(await logged(code)).toHaveLength(1)
})

test('bad input is answered with what is wrong, and nothing is written', async () => {
  const { code, writeKey } = await source({ origins: ['https://shop.example.com'] })
  const ask = async (
    path: string,
    body: unknown,
    headers: Record<string, string> = basic(writeKey),
  ): Promise<unknown> => {
    const reply = await app.anonymous('POST', path, body, headers)
    return [reply.status, (reply.body as { code: string }).code]
  }
  expect(await ask('/v1/track', track('1'), {})).toEqual([401, 'not_signed_in'])
  expect(await ask('/v1/track', '{"a":')).toEqual([400, 'bad_input'])
  expect(await ask('/v1/shout', track('1'))).toEqual([404, 'not_found'])
  expect(await ask('/v1/batch', { batch: 3 })).toEqual([400, 'bad_input'])
  expect(await ask('/v1/track', track('1', { event: '' }))).toEqual([400, 'bad_input'])
  expect(await ask('/v1/track', track('1', { properties: { text: 'x'.repeat(600_000) } }))).toEqual([
    413,
    'too_large',
  ])
  expect(
    await ask('/v1/track', track('1'), { ...basic(writeKey), origin: 'https://evil.example.com' }),
  ).toEqual([403, 'not_allowed'])
  expect(await ask('/v1/track', track('1'), { ...basic(writeKey), 'content-encoding': 'gzip' })).toEqual([
    400,
    'bad_input',
  ])
  expect(await logged(code)).toEqual([])
  const mixed = await app.anonymous(
    'POST',
    '/v1/batch',
    { batch: [track('1'), track('2', { userId: undefined })] },
    basic(writeKey),
  )
  expect(mixed.body).toEqual({ success: true, refused: [{ index: 1, reason: 'nobody', name: 'Added' }] })
  expect(await logged(code)).toHaveLength(1)
})

test('an anonymous visitor becomes the member who signs in, history and all', async () => {
  const { code, writeKey } = await source()
  const send = (message: unknown) => app.anonymous('POST', '/v1/batch', { batch: [message] }, basic(writeKey))
  await send({ type: 'page', messageId: 'p', anonymousId: 'a-1', properties: { path: '/home' } })
  const [visit] = await logged(code)
  expect(visit?.personId).toBeGreaterThanOrEqual(2 ** 30)
  await send({
    type: 'identify',
    messageId: 'i',
    anonymousId: 'a-1',
    userId: 'M200',
    traits: { name: '李四', phone: '13912340987', plan: 'gold', age: 33 },
  })
  const person = await db.row<{
    id: number
    kind: string
    name: string
    attributes: Record<string, unknown>
    profiles: number[]
  }>(sql`
    select e.id, e.kind, e.name, e.attributes, array_agg(p.id order by p.id) as profiles
    from person e join profile p on p.person_id = e.id where e.name = '李四' group by e.id`)
  expect(person).toMatchObject({ kind: 'customer', attributes: { 'custom.plan': 'gold', 'custom.age': 33 } })
  expect(person.profiles).toContain(visit?.profileId)
  // Later events name either of them, and go to the same person.
  await send(track('t1', { anonymousId: 'a-1', userId: 'M200' }))
  await send(track('t2', { anonymousId: 'a-1', userId: undefined }))
  await send(track('t3', { userId: 'M200' }))
  expect((await logged(code)).slice(1).map(({ personId }) => personId)).toEqual([
    person.id,
    person.id,
    person.id,
  ])
})

test('an event that names a member who is known makes no record of its own', async () => {
  const { code, writeKey } = await source({ userIdKind: 'phone' })
  const before = await db.row<{ count: number }>(sql`select count(*)::int as count from profile`)
  await app.anonymous('POST', '/v1/track', track('1', { userId: '139 1234 0987' }), basic(writeKey))
  const [event] = await logged(code)
  const { name } = await db.row<{ name: string }>(
    sql`select name from person where id = ${event?.personId ?? 0}`,
  )
  expect(name).toBe('李四')
  expect(await db.row(sql`select count(*)::int as count from profile`)).toEqual(before)
})

test('a user id is the number of the member as it was imported: nobody is made twice, whichever comes first', async () => {
  const { code, writeKey } = await source()
  const key = await app.withKey(['members:write'])
  const imported = (externalId: string, name: string) =>
    key('POST', '/api/batch/members', { source: 'file', items: [{ externalId, name, identifiers: [] }] })
  const send = (id: string, userId: string, anonymousId?: string) =>
    app.anonymous('POST', '/v1/batch', { batch: [track(id, { userId, anonymousId })] }, basic(writeKey))
  expect((await imported('N1', '钱九')).status).toBe(200)
  const before = await db.row(sql`select count(*)::int as count from profile`)
  await send('n1', 'N1')
  await send('n2', 'N1', 'device-n')
  expect(await db.row(sql`select count(*)::int as count from profile`)).toEqual(before)
  await send('n3', 'N2')
  await imported('N2', '孙十')
  const names = await db.rows<{ name: string }>(sql`
    select e.name from event_log l join profile p on p.id = l.profile_id join person e on e.id = p.person_id
    where l.source = ${`sdk:${code}`} and l.type = 'tracked' order by l.xid, l.seq`)
  expect(names.map(({ name }) => name)).toEqual(['钱九', '钱九', '孙十'])
})

test('what 神策 says of a person adds up, keeps the first word, collects and takes away, once each', async () => {
  const { writeKey } = await source()
  const time = app.clock.now().getTime() - 1000
  const send = async (type: string, properties: Record<string, unknown>, at = time): Promise<number> => {
    const record = { type, time: at, distinct_id: 'M300', login_id: 'M300', properties }
    const data_list = Buffer.from(JSON.stringify([record])).toString('base64')
    const response = await fetch(`${app.address}/sa?project=production&token=${writeKey}`, {
      method: 'POST',
      body: new URLSearchParams({ data_list, gzip: '0' }),
    })
    return response.status
  }
  await send('profile_set', { level: 'gold', points: 5 })
  expect(await send('profile_increment', { points: 2, games: 1 })).toBe(200)
  expect(await send('profile_increment', { points: 2, games: 1 })).toBe(200)
  await send('profile_increment', { points: 2 }, time - 5000)
  await send('profile_set_once', { level: 'silver', first_page: '/a' })
  await send('profile_append', { movies: ['a', 'b'] })
  await send('profile_append', { movies: ['b', 'c'] }, time + 1)
  await send('profile_unset', { first_page: true }, time + 2)
  const { attributes } = await db.row<{ attributes: Record<string, unknown> }>(
    sql`select attributes from person where attributes ? 'custom.games'`,
  )
  expect(attributes).toEqual({
    'custom.level': 'gold',
    'custom.points': 9,
    'custom.games': 1,
    'custom.movies': '["a","b","c"]',
  })
})

test('a picture can carry an event, a damaged one is told apart, a dry run writes nothing', async () => {
  const { code, writeKey } = await source()
  const record = {
    type: 'track',
    event: 'Seen',
    time: app.clock.now().getTime(),
    distinct_id: 'x',
    properties: {},
  }
  const data = encodeURIComponent(Buffer.from(JSON.stringify(record)).toString('base64'))
  const get = (path: string): Promise<Response> => fetch(`${app.address}${path}`)
  const picture = await get(`/sa.gif?token=${writeKey}&data=${data}`)
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/gif'])
  expect((await get(`/sa.gif?token=${writeKey}&data=${data}&ext=crc%3D1`)).status).toBe(400)
  const post = (event: string, headers: Record<string, string>): Promise<Response> => {
    const data_list = Buffer.from(JSON.stringify([{ ...record, event }])).toString('base64')
    return fetch(`${app.address}/debug?token=${writeKey}`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ data_list }),
    })
  }
  expect((await post('Tried', { 'dry-run': 'true' })).status).toBe(200)
  expect((await post('Kept', {})).status).toBe(200)
  expect((await logged(code)).map(({ data: { name } }) => name)).toEqual(['Seen', 'Kept'])
})

test('whoever tries write keys is stopped, and whoever has one goes on', async () => {
  const { writeKey } = await source()
  const post = async (id: string, key: string): Promise<number> =>
    (await app.anonymous('POST', '/v1/track', track(id), basic(key))).status
  expect(await post('known-1', writeKey)).toBe(200)
  const statuses: number[] = []
  for (let tried = 0; tried < 200 && !statuses.includes(429); tried += 1)
    statuses.push(await post('x', `guess-${tried}`))
  expect([...new Set(statuses)]).toEqual([401, 429])
  expect(statuses.length).toBeGreaterThan(100)
  expect(await post('known-2', writeKey)).toBe(200)
})

test('no phone, name or address of an event stands in the log, the counts or what the program logs', async () => {
  const { writeKey } = await source()
  await app.anonymous(
    'POST',
    '/v1/batch',
    {
      batch: [
        track('1', {
          properties: { phone: '13700001234', note: '打13700001234', receiverName: '王小明' },
          context: { ip: '9.9.9.9', traits: { email: 'w@x.example' } },
        }),
        {
          type: 'identify',
          messageId: '2',
          userId: 'M400',
          traits: { name: '王小明', email: 'w@x.example', address: { street: '文三路', city: '杭州' } },
        },
      ],
    },
    basic(writeKey),
  )
  await app.app.doors.close()
  const { text } = await db.row<{ text: string }>(sql`
    select (select string_agg(data::text, ' ') from event_log) || (select string_agg(sample, ' ') from seen_property) as text`)
  for (const clear of ['13700001234', '王小明', '9.9.9.9', 'w@x.example', '文三路']) {
    expect(text).not.toContain(clear)
    expect(app.logged.join('\n')).not.toContain(clear)
  }
})
