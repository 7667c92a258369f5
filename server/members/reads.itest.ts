import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { type Actor, systemActor, type Viewer } from '../org/org.ts'
import { openKeyring } from '../platform/crypto/master-key.ts'
import { sql } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import {
  auditBase,
  findDuplicates,
  type IncomingPerson,
  joinReview,
  type MembersDeps,
  memberCard,
  mergesPage,
  mobileNumbers,
  type Resolved,
  resolve,
  reveal,
  reviewsPage,
  searchMembers,
  tell,
} from './members.ts'

const db = await testDatabase()
const deps: MembersDeps = { keys: openKeyring(randomBytes(32)), followers: [] }
const now = instant('2026-03-01T02:00:00Z')
const headquarters: Viewer = systemActor(now).viewer
const everything: Viewer = { ...headquarters, maySeePersonal: true }
const uuid = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
const [STORE, OTHER_STORE, GUIDE, OTHER_GUIDE] = [1, 2, 3, 4].map(uuid) as [string, string, string, string]
const guide: Viewer = { ...headquarters, all: false, staffId: GUIDE, storeIds: [STORE], maySeePersonal: true }

async function bring(rows: IncomingPerson[], source = 'erp'): Promise<Resolved[]> {
  const answers = await db.transaction((tx) => resolve(deps, tx, rows, { lane: 'bulk', source, at: now }))
  return answers.flatMap((one) => one ?? [])
}

const phone = (value: string) => ({ kind: 'phone', value }) as const
const card = (value: string) => ({ kind: 'card', value, scope: 'erp' }) as const

beforeAll(async () => {
  await db.run(
    sql`insert into store (id, code, name, created_at) values (${STORE}, 'S1', '一店', ${now}), (${OTHER_STORE}, 'S2', '二店', ${now})`,
  )
  await db.run(
    sql`insert into staff (id, login, name, created_at) values (${GUIDE}, 'g1', '导购一', ${now}), (${OTHER_GUIDE}, 'g2', '导购二', ${now})`,
  )
  await bring([
    {
      externalId: '1',
      identifiers: [phone('13812345601'), card('VIP001')],
      attributes: {
        name: '张三丰',
        gender: 'male',
        birthday: '1990-05-06',
        joinedAt: instant('2025-01-01T00:00:00Z'),
        homeStoreId: STORE,
        city: '上海',
        address: '武当路一号',
      },
      consents: [{ channel: 'sms', state: 'granted' }],
    },
    {
      externalId: '2',
      identifiers: [phone('13812345602')],
      attributes: { name: '李四', joinedAt: instant('2025-02-01T00:00:00Z'), homeStoreId: OTHER_STORE },
    },
    {
      externalId: '3',
      identifiers: [phone('12345')],
      attributes: { name: '王五', joinedAt: instant('2025-03-01T00:00:00Z') },
    },
    { externalId: '4', identifiers: [phone('010-62345678')], attributes: { name: '安娜' } },
    { externalId: '5', identifiers: [card('VIP005')], attributes: { name: '100%折' } },
  ])
  await bring(
    [
      {
        externalId: 'wo1',
        identifiers: [{ kind: 'external_userid', value: 'wo1', scope: 'corp' }],
        attributes: { nickname: '小红' },
        relations: [{ staffId: GUIDE, externalUserid: 'wo1', remark: '老客 小红', addedAt: now }],
      },
      {
        externalId: 'wo2',
        identifiers: [{ kind: 'external_userid', value: 'wo2', scope: 'corp' }],
        relations: [
          {
            staffId: OTHER_GUIDE,
            externalUserid: 'wo2',
            addedAt: instant('2025-01-01T00:00:00Z'),
            lostAt: now,
            lostBy: 'member',
          },
        ],
      },
      {
        externalId: 'wo3',
        identifiers: [{ kind: 'external_userid', value: 'wo3', scope: 'corp' }, phone('13812345602')],
        relations: [{ staffId: OTHER_GUIDE, externalUserid: 'wo3', addedAt: now }],
      },
    ],
    'wecom',
  )
})

async function names(
  query: Parameters<typeof searchMembers>[2],
  viewer: Viewer = everything,
): Promise<(string | null)[]> {
  return (await searchMembers(deps, db, query, { viewer, limit: 50 })).items.map(({ name }) => name)
}

describe('members are found', () => {
  test.each([
    ['by a name', '张三丰', ['张三丰']],
    ['by the end of a name', '三丰', ['张三丰']],
    ['by the whole phone, however written', '138 1234 5602', ['李四']],
    ['by the last four digits', '5601', ['张三丰']],
    ['by the card', 'vip005', ['100%折']],
    ['by signs that are no pattern', '%折', ['100%折']],
    ['nobody by a sign that would be one', '_折', []],
    ['nobody for an unknown phone', '13899999999', []],
  ])('%s', async (_, q, found) => expect(await names({ q })).toEqual(found))

  test('in the order of pinyin, page by page', async () => {
    const seen: (string | null)[] = []
    for (let cursor: string | undefined, go = true; go; ) {
      const page = await searchMembers(deps, db, { sort: 'name' }, { viewer: everything, limit: 2, cursor })
      seen.push(...page.items.map(({ name }) => name))
      cursor = page.next ?? undefined
      go = page.next !== null
    }
    expect(seen.filter((name) => name !== null)).toEqual(['100%折', '安娜', '李四', '王五', '小红', '张三丰'])
  })

  test('by when they joined, the latest first', async () => {
    expect((await names({ kind: 'member' })).slice(0, 3)).toEqual(['王五', '李四', '张三丰'])
  })

  test('by store and by guide', async () => {
    expect(await names({ storeId: STORE })).toEqual(['张三丰'])
    expect(await names({ guideId: GUIDE })).toEqual(['小红'])
  })
})

test('store staff see who is of their store or follows them, whatever they ask for', async () => {
  expect((await names({}, guide)).sort()).toEqual(['小红', '张三丰'])
  expect(await names({ q: '13812345602' }, guide)).toEqual([])
  const hidden = await db.row<{ id: string }>(sql`select public_id as id from person where name = '李四'`)
  await expect(memberCard(deps, db, hidden.id, guide)).rejects.toMatchObject({ code: 'not_found' })
})

test('names and numbers are masked for who may not see them, numbers for everybody', async () => {
  const page = await searchMembers(deps, db, { q: '5601' }, { viewer: headquarters, limit: 5 })
  expect(page.items[0]).toMatchObject({ name: '张**', phone: '138****5601' })
  expect(
    (await searchMembers(deps, db, { q: '5601' }, { viewer: everything, limit: 5 })).items[0],
  ).toMatchObject({ name: '张三丰', phone: '138****5601' })
})

test('a look at a full number needs the right, gives the number and leaves a trace', async () => {
  const { id } = await db.row<{ id: string }>(sql`select public_id as id from person where name = '张三丰'`)
  const actor: Actor = { viewer: everything, now }
  const look = (viewer: Viewer) =>
    db.transaction((tx) =>
      reveal(deps, tx, { publicId: id, kind: 'phone', reason: '回访' }, { ...actor, viewer }),
    )
  await expect(look(headquarters)).rejects.toMatchObject({ code: 'not_allowed' })
  expect(await db.rows(sql`select action from audit_trail`)).toEqual([])
  expect(await look(everything)).toBe('+8613812345601')
  expect(await db.rows(sql`select action, object_id, reason from audit_trail`)).toEqual([
    { action: 'member.phone_revealed', object_id: id, reason: '回访' },
  ])
})

test('a card shows how a person can be reached and why not', async () => {
  const reach = async (name: string): Promise<Record<string, string>> => {
    const { id } = await db.row<{ id: string }>(sql`select public_id as id from person where name = ${name}`)
    const { reachability } = await memberCard(deps, db, id, everything)
    return Object.fromEntries(
      reachability.map(({ channel, state, reason }) => [channel, `${state} ${reason}`]),
    )
  }
  expect(await reach('张三丰')).toMatchObject({
    sms: 'reachable consented',
    wecom: 'unreachable not_in_wecom',
  })
  expect(await reach('李四')).toMatchObject({ sms: 'unknown never_tried', wecom: 'reachable followed' })
  expect(await reach('王五')).toMatchObject({ sms: 'unreachable invalid_phone' })
  expect(await reach('安娜')).toMatchObject({ sms: 'unreachable not_a_mobile' })
})

test('what a channel tells and what a member withdraws change who can be reached, with events', async () => {
  const { id, publicId } = await db.row<{ id: number; publicId: string }>(
    sql`select id, public_id as "publicId" from person where name = '李四'`,
  )
  const how = (minute: number) =>
    ({ lane: 'live', source: 'console', at: instant(now.getTime() + minute * 60_000) }) as const
  const sms = async (): Promise<string | undefined> =>
    (await memberCard(deps, db, publicId, everything)).reachability.find(({ channel }) => channel === 'sms')
      ?.reason
  await db.transaction((tx) => tell(deps, tx, [{ personId: id, results: { sms: 'delivered' } }], how(1)))
  expect(await sms()).toBe('delivered')
  await db.transaction((tx) =>
    tell(deps, tx, [{ personId: id, consents: [{ channel: 'sms', state: 'withdrawn' }] }], how(2)),
  )
  expect(await sms()).toBe('withdrawn')
  const events = await db.rows(
    sql`select data from event_log where type = 'consent_changed' and profile_id = ${id}`,
  )
  expect(events).toEqual([{ data: { channel: 'sms', state: 'withdrawn' } }])
})

test('the audit counts who is valid, reachable, incomplete and in one system only', async () => {
  const audit = await auditBase(db)
  expect(audit).toMatchObject({
    persons: 7,
    members: 3,
    customers: 2,
    contacts: 2,
    visitors: 0,
    phones: { valid: 3, invalid: 1, missing: 3 },
    onlyInWecom: 2,
    onlyInErp: 4,
    inBoth: 1,
  })
  const wecom = audit.channels.find(({ channel }) => channel === 'wecom')
  expect(wecom).toEqual({ channel: 'wecom', reachable: 2, unreachable: 5, unknown: 0 })
  for (const { reachable, unreachable, unknown } of audit.channels)
    expect(reachable + unreachable + unknown).toBe(audit.persons)
  expect(audit.sources.reduce((sum, { persons }) => sum + persons, 0)).toBe(audit.persons)
  expect((await auditBase(db, sql`person.home_store_id = ${STORE}::uuid`)).persons).toBe(1)
})

test('likely duplicates are proposed once, shown side by side, and joined by hand', async () => {
  await bring(
    [
      {
        externalId: '9',
        identifiers: [card('VIP009')],
        attributes: { name: '章三丰', birthday: '1990-05-06', address: '武当路1号' },
      },
    ],
    'shop',
  )
  expect(await findDuplicates(deps, db, now)).toEqual({ proposed: 1 })
  expect(await findDuplicates(deps, db, now)).toEqual({ proposed: 0 })
  const [review] = (await reviewsPage(deps, db, { state: 'open', kind: 'fuzzy', limit: 10 }, everything))
    .items
  expect(review?.sides.map(({ name }) => name)).toEqual(['张三丰', '章三丰'])
  expect(review?.evidence).toContainEqual({ field: 'birthday', says: 'same', alike: 1 })
  expect(review?.evidence).toContainEqual({ field: 'name', says: 'sounds_same', alike: 1 })
  const { id: keep } = await db.row<{ id: number }>(sql`select id from person where name = '张三丰'`)
  await db.transaction((tx) => joinReview(deps, tx, review?.id ?? '', { actor: null, at: now, keep }))
  expect((await mergesPage(db, { limit: 5 }, everything)).items[0]).toMatchObject({
    keptName: '张三丰',
    absorbedName: '章三丰',
    cause: 'hand',
  })
  expect(
    (await reviewsPage(deps, db, { state: 'open', kind: 'fuzzy', limit: 10 }, everything)).items,
  ).toEqual([])
})

test('a demo number is never handed out for a real channel', async () => {
  const [demo] = await bring(
    [{ externalId: 'd', demo: true, identifiers: [phone('13812345699')], attributes: { name: '演示' } }],
    'demo',
  )
  expect(demo?.personId).toBeGreaterThanOrEqual(2 ** 29)
  expect((await mobileNumbers(db, deps.keys, [demo?.personId ?? 0])).size).toBe(1)
  expect(await db.row(sql`select demo from person where id = ${demo?.personId}`)).toEqual({ demo: true })
  await expect(db.run(sql`update person set demo = false where id = ${demo?.personId}`)).rejects.toThrow(
    /check constraint/,
  )
})

test('of two numbers that look alike once they are masked, the one that is asked for is shown', async () => {
  const alike = ['13812345678', '13887655678']
  await bring([{ externalId: 'two-numbers', identifiers: alike.map(phone), attributes: { name: '双号' } }])
  const { id } = await db.row<{ id: string }>(sql`select public_id as id from person where name = '双号'`)
  const { identifiers } = await memberCard(deps, db, id, everything)
  expect(new Set(identifiers.map(({ masked }) => masked)).size).toBe(1)
  const shown = await Promise.all(
    identifiers.map((identifier) =>
      db.transaction((tx) =>
        reveal(
          deps,
          tx,
          { publicId: id, kind: 'phone', identifier: identifier.id },
          { viewer: everything, now },
        ),
      ),
    ),
  )
  expect(shown.sort()).toEqual(alike.map((number) => `+86${number}`))
  const of = { publicId: id, kind: 'email', identifier: identifiers[0]?.id }
  await expect(
    db.transaction((tx) => reveal(deps, tx, of, { viewer: everything, now })),
  ).rejects.toMatchObject({
    code: 'not_found',
  })
})
