/** A member asks to be forgotten: nothing that tells of them stays anywhere, and every total stays what it was. */

import { beforeAll, expect, test } from 'vitest'
import { recordOrders } from '../../server/events/events.ts'
import { importFile } from '../../server/events/import/import-file.ts'
import { importParts, membersDeps } from '../../server/joined.ts'
import { createJourney, goLive } from '../../server/journeys/journeys.ts'
import { type IncomingPerson, resolve } from '../../server/members/members.ts'
import { newId } from '../../server/platform/ids.ts'
import { sql, trusted } from '../../server/platform/postgres/sql.ts'
import { createTasks, finishTask, type NewTask } from '../../server/tasks/tasks.ts'
import { type Caller, type TestApp, testApp } from '../support/app.ts'
import { testClickHouse } from '../support/clickhouse.ts'
import { testDatabase } from '../support/database.ts'
import { untilQuiet } from '../support/demo.ts'
import { fileOf, importWorld } from '../support/imports.ts'
import { orderOf } from '../support/orders.ts'
import { makeStaff } from '../support/reach.ts'

const NOW = new Date('2026-03-02T02:00:00Z')
const db = await testDatabase()
const clickhouse = await testClickHouse()
const imports = await importWorld(db, { at: NOW.toISOString() })
const [GUIDE = ''] = await makeStaff(db, 1)

const PHONE = '13977776666'
const FAMILY_PHONE = '13977775555'
const marks = [
  PHONE,
  FAMILY_PHONE,
  '标记姓名',
  '标记昵称',
  '标记地址',
  '标记备注',
  'mark@example.com',
  'MARKCARD',
  '标记自定',
  'wo-mark',
  '标记反馈',
]
const marked: IncomingPerson = {
  externalId: 'M1',
  identifiers: [
    { kind: 'phone', value: PHONE },
    { kind: 'phone', value: FAMILY_PHONE },
    { kind: 'card', value: 'MARKCARD', scope: 'erp' },
  ],
  attributes: {
    name: '标记姓名',
    gender: 'female',
    birthday: '1987-05-06',
    address: '标记地址',
    joinedAt: NOW,
    custom: { note: '标记自定' },
  },
  relations: [{ staffId: GUIDE, externalUserid: 'wo-mark', remark: '标记备注', addedAt: NOW }],
}
const fromShop: IncomingPerson = {
  externalId: 'S1',
  identifiers: [
    { kind: 'phone', value: PHONE },
    { kind: 'email', value: 'mark@example.com' },
  ],
  attributes: { nickname: '标记昵称' },
}
const family: IncomingPerson = {
  externalId: 'M2',
  identifiers: [
    { kind: 'phone', value: FAMILY_PHONE },
    { kind: 'card', value: 'OTHERCARD', scope: 'erp' },
  ],
  attributes: { name: '家人', joinedAt: NOW },
}

let here: TestApp
let owner: Caller
let personId = 0
let publicId = ''
let secrets: string[] = []

beforeAll(async () => {
  here = await testApp(db, { clickhouse, at: NOW.toISOString() })
  owner = await here.as('owner')
  await db.transaction(async (tx) => {
    const wanted = {
      template: 'new_member_follow_up',
      name: '跟进',
      enterPresent: false,
      texts: {},
      by: null,
    } as const
    await goLive(tx, await createJourney(tx, wanted, NOW), 1, null, NOW)
  })
  const [first] = await bring([marked, family], 'erp')
  const [second] = await bring([fromShop], 'shop')
  personId = first?.personId ?? 0
  expect(second?.personId).toBe(personId)
  await order('o1', second?.profileId ?? 0, 12_300)
  await order('o2', first?.profileId ?? 0, 4500)
  const [done = '', open = ''] = [newId(NOW), newId(NOW)]
  await db.transaction(async (tx) => {
    await createTasks(tx, [taskAbout(done), taskAbout(open)], NOW)
    await finishTask(tx, done, { outcome: 'called', feedback: '标记反馈', by: GUIDE, at: NOW })
  })
  await untilQuiet(here)
  const person = await db.row<{ id: string }>(sql`select public_id as id from person where id = ${personId}`)
  publicId = person.id
  const sealed = await db.rows<{ key: string; secret: string }>(sql`
    select encode(data_key, 'hex') as key, encode(secret, 'hex') as secret from profile where person_id = ${personId}`)
  secrets = sealed.flatMap(({ key, secret }) => [key, secret])
})

function taskAbout(id: string): NewTask {
  return {
    id,
    kind: 'invite',
    personId,
    staffId: GUIDE,
    storeId: null,
    journeyId: null,
    journeyName: null,
    enrolmentId: null,
    nodeId: null,
    outboxId: null,
    members: 1,
    title: { zh: '邀约标记姓名', en: '标记姓名' },
    reason: { zh: '标记姓名很久没来', en: '标记姓名' },
    script: '标记姓名您好',
    tagGroupId: null,
    feedbackNeeded: true,
    dueAt: new Date(NOW.getTime() + 3_600_000),
    demo: false,
  }
}

function bring(rows: IncomingPerson[], source: string) {
  const deps = membersDeps(here.parts.stores.keyring)
  return db.transaction((tx) => resolve(deps, tx, rows, { lane: 'live', source, at: NOW }))
}

async function order(externalId: string, profileId: number, totalCents: number): Promise<void> {
  const state = orderOf(externalId, NOW, totalCents, { lines: [] })
  await db.transaction((tx) =>
    recordOrders(tx, [{ profileId, personId, order: state }], {
      lane: 'live',
      source: 'till',
      receivedAt: NOW,
    }),
  )
}

async function tables(): Promise<Map<string, string>> {
  const names = await db.rows<{ name: string }>(sql`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' order by 1`)
  const texts = new Map<string, string>()
  for (const { name } of names) {
    const { text } = await db.row<{ text: string }>(
      sql`select coalesce(string_agg(t::text, chr(10)), '') as text from ${trusted(name)} t`,
    )
    texts.set(name, text)
  }
  return texts
}

async function found(wanted: readonly string[]): Promise<string[]> {
  const texts = [...(await tables())]
  return wanted.filter((mark) => texts.some(([, text]) => text.includes(mark)))
}

async function totals() {
  const [row] = await clickhouse.rows(
    'select count(), toString(sum(total)), uniqExact(person_id) from orders final',
  )
  const stored = await db.row(sql`
    select count(*)::int as orders, sum(total_cents)::bigint as cents, count(distinct person_id)::int as buyers
    from document where kind = 'order' and not deleted`)
  return { row, stored }
}

test('before, everything is there, and only the owner may erase, with a reason', async () => {
  // Numbers, addresses and e-mails are sealed; the rest stands in clear.
  expect(await found(marks)).toEqual(['标记姓名', '标记昵称', '标记备注', '标记自定', 'wo-mark', '标记反馈'])
  expect(await found(secrets)).toEqual(secrets)
  expect(
    await db.rows(sql`select from enrolment where person_id = ${personId} and state = 'active'`),
  ).toHaveLength(1)
  const given = { reason: '本人要求', understood: true }
  for (const role of ['operator', 'store_manager', 'engineer'] as const) {
    const answer = await (await here.as(role))('POST', `/api/members/${publicId}/erasure`, given)
    expect(answer.status, role).toBe(403)
  }
  for (const half of [{ reason: '本人要求' }, { understood: true }, { ...given, understood: false }]) {
    expect((await owner('POST', `/api/members/${publicId}/erasure`, half)).status).toBe(400)
  }
})

test('after it nothing that tells of the member stands in PostgreSQL or ClickHouse, and totals are what they were', async () => {
  const before = await totals()
  const touches = await db.row(sql`select count(*)::int as n from touch where person_id = ${personId}`)
  const erased = await owner('POST', `/api/members/${publicId}/erasure`, {
    reason: '本人要求',
    understood: true,
  })
  expect(erased).toMatchObject({ status: 200, body: { records: 2 } })
  await untilQuiet(here)

  expect(await found(marks)).toEqual([])
  expect(await found(secrets)).toEqual([])
  const texts: string[] = []
  for (const table of ['events', 'orders', 'order_lines']) {
    texts.push(JSON.stringify(await clickhouse.rows(`select * from ${table}`)))
  }
  expect(texts.join('')).toContain('person_erased')
  expect(marks.filter((mark) => texts.join('').includes(mark))).toEqual([])
  expect(await totals()).toEqual(before)

  // The open task is cancelled, the one that was done still counts; SOPs are left; messages are counted and empty.
  const tasks = await db.rows(
    sql`select state, script, title->>'zh' as title from task where person_id = ${personId} order by 1`,
  )
  expect(new Set(tasks.map((task) => (task as { state: string }).state))).toEqual(
    new Set(['cancelled', 'done']),
  )
  expect(
    await db.rows(sql`select distinct state, reason from enrolment where person_id = ${personId}`),
  ).toEqual([{ state: 'left', reason: 'erased' }])
  expect(await db.row(sql`select count(*)::int as n from touch where person_id = ${personId}`)).toEqual(
    touches,
  )
  for (const table of [
    'person_segment',
    'person_state',
    's_tag',
    'person_tag',
    'evaluation_due',
    'profile',
  ]) {
    expect(await db.rows(sql`select from ${trusted(table)} where person_id = ${personId}`), table).toEqual([])
  }
  expect((await owner('GET', `/api/members/${publicId}`)).status).toBe(404)
  expect(
    (await owner('POST', `/api/members/${publicId}/erasure`, { reason: '再来一次', understood: true }))
      .status,
  ).toBe(404)
  const trail = await db.rows(sql`
    select reason, object_id as "objectId", after from audit_trail where action = 'member.erased'`)
  expect(trail).toEqual([{ reason: '本人要求', objectId: publicId, after: { records: 2 } }])
  // Whoever shared a number is untouched.
  expect(await db.rows(sql`select name, phone from person where state = 'live'`)).toEqual([
    { name: '家人', phone: 'mobile' },
  ])
})

test('later files and calls that name the member bring nothing back; orders count without a buyer', async () => {
  expect(await bring([marked], 'erp')).toEqual([null])
  expect(await bring([{ ...fromShop, externalId: 'S9' }], 'a third system')).toEqual([null])
  const file = await fileOf(
    imports,
    'members.csv',
    `会员编号,姓名,手机号\nM7,标记姓名,${PHONE}\nM8,新人,13911112222\n`,
  )
  const parts = importParts(here.parts.stores, here.clock)
  const { run } = await importFile(parts, { file, kind: 'members', now: NOW, source: 'csv' })
  expect(run.counts).toMatchObject({
    read: 2,
    accepted: 1,
    rejected: 1,
    reasons: { person_erased: 1 },
    peopleCreated: 1,
  })
  const orders = await fileOf(
    imports,
    'orders.csv',
    `订单号,手机号,下单时间,金额\nA1,${PHONE},2026-03-01,10\n`,
  )
  const { run: second } = await importFile(parts, { file: orders, kind: 'orders', now: NOW, source: 'csv' })
  expect(second.counts).toMatchObject({ created: 1, peopleCreated: 0, ordersWithoutBuyer: 1 })
  await untilQuiet(here)
  expect(await found(marks)).toEqual([])
  // A record that stands is another person's: it goes on, without the number.
  const [known] = await bring(
    [
      {
        ...family,
        identifiers: [...family.identifiers, { kind: 'phone', value: PHONE }],
        attributes: { city: '杭州' },
      },
    ],
    'erp',
  )
  expect(known?.changed).toContain('city')
  expect(await found([PHONE])).toEqual([])
  expect(
    await db.rows(sql`select count(*)::int as n from identifier i join erased_mark m on m.digest = i.digest`),
  ).toEqual([{ n: 0 }])
  // The family's number still means the family.
  const [other] = await bring(
    [{ externalId: null, identifiers: [{ kind: 'phone', value: FAMILY_PHONE }] }],
    'till',
  )
  expect(other).not.toBeNull()
})

test('somebody who comes back by their own will is let in again, as a new person', async () => {
  const wrong = { kind: 'phone', value: '13900000001', reason: '本人到店注册' }
  expect((await owner('POST', '/api/member-erasures/lift', wrong)).status).toBe(404)
  const lifted = await owner('POST', '/api/member-erasures/lift', { ...wrong, value: PHONE })
  expect(lifted).toMatchObject({ status: 200, body: { ok: true } })
  expect(await db.rows(sql`select from erased_mark`)).toEqual([])
  const [again] = await bring([marked], 'erp')
  expect(again?.personId).toBeGreaterThan(personId)
  const trail = await db.row(sql`
    select object_id as "objectId", reason from audit_trail where action = 'member.erasure_lifted'`)
  expect(trail).toEqual({ objectId: null, reason: '本人到店注册' })
})
