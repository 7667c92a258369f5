import { expect, test } from 'vitest'
import type { Home } from '../../contract/insight.ts'
import type { BaseAudit } from '../../contract/members.ts'
import { testApp } from '../../test/support/app.ts'
import { testDatabase } from '../../test/support/database.ts'
import { orderOf } from '../../test/support/orders.ts'
import { recordOrders } from '../events/events.ts'
import { membersDeps } from '../joined.ts'
import { type IncomingPerson, mergePersons, resolve } from '../members/members.ts'
import { newId } from '../platform/ids.ts'
import type { Db } from '../platform/postgres/database.ts'
import { type Sql, sql } from '../platform/postgres/sql.ts'
import { dayCounts, withoutBuyer } from './store.ts'

const NOW = new Date('2026-03-02T02:00:00Z')
const db = await testDatabase()
const here = await testApp(db, { at: NOW.toISOString() })
const deps = membersDeps(here.parts.stores.keyring)

async function bring(...phones: string[]) {
  const rows = phones.map(
    (value): IncomingPerson => ({ externalId: value, identifiers: [{ kind: 'phone', value }] }),
  )
  return db.transaction((tx) => resolve(deps, tx, rows, { lane: 'live', source: 'erp', at: NOW }))
}

test('figures are counted once for whoever asks within ten seconds, what stands still is told at once', async () => {
  const owner = await here.as('owner')
  const analyst = await here.as('analyst')
  const home = async (caller: typeof owner) => (await caller('GET', '/api/home')).body as Home
  expect(await home(owner)).toMatchObject({ persons: 0 })
  await bring('13812345678')
  await db.run(sql`update channel set failing = 'http_500' where name = 'sms'`)
  here.clock.set(new Date(NOW.getTime() + 9_000))
  const soon = await home(analyst)
  expect(soon).toMatchObject({ persons: 0, asOf: NOW.toISOString() })
  expect(soon.stopped.map(({ what }) => what)).toContain('channel.sms')
  here.clock.set(new Date(NOW.getTime() + 10_000))
  expect(await home(analyst)).toMatchObject({ persons: 1 })
})

test('whom one can reach is the same number on the home page and in the audit, unknown ones in neither', async () => {
  const owner = await here.as('owner')
  const [follows, agreed, _untried, blocked] = await bring(
    '13812345681',
    '13812345682',
    '13812345683',
    '13812345684',
  )
  await db.run(sql`update person set wecom = 'followed' where id = ${follows?.personId}`)
  await db.run(
    sql`update person set consents = '{"sms": "granted"}' where id in (${agreed?.personId}, ${blocked?.personId})`,
  )
  await db.run(sql`update person set contact_results = '{"sms": "blocked"}' where id = ${blocked?.personId}`)
  here.clock.set(new Date(NOW.getTime() + 30_000))
  const home = (await owner('GET', '/api/home')).body as Home
  const audit = (await owner('GET', '/api/member-base/audit')).body as BaseAudit
  expect(home.reachable).toBe(2)
  expect(audit).toMatchObject({ persons: home.persons, members: home.members, reachableAny: 2 })
})

test('two records of one person who both bought on a day are one buyer', async () => {
  const [one, other] = await bring('13812345671', '13812345672')
  const pair = [one?.personId ?? 0, other?.personId ?? 0] as const
  await db.transaction((tx) => mergePersons(deps, tx, pair, { actor: null, at: NOW }))
  await db.transaction((tx) =>
    recordOrders(
      tx,
      [one, other].map((buyer, number) => ({
        profileId: buyer?.profileId ?? 0,
        personId: pair[0],
        order: orderOf(`o${number}`, NOW, 100, { lines: [] }),
      })),
      { lane: 'live', source: 'till', receivedAt: NOW },
    ),
  )
  const [day] = await dayCounts(db, 'Asia/Shanghai', new Date('2026-03-01T00:00:00Z'))
  expect(day).toMatchObject({ day: '2026-03-02', bought: 1 })
})

test('neither orders nor touches are read whole', async () => {
  const [buyer] = await bring('13812345673')
  const hours = sql`generate_series(1, 20000) as hour order by hour desc`
  const at = sql`${NOW}::timestamptz - hour * interval '1 hour'`
  await db.run(sql`
    insert into document (kind, source, external_id, version, digest, profile_id, at, body)
    select 'order', 'old', hour::text, 1, '', case when hour % 50 > 0 then ${buyer?.profileId}::int end, ${at}, '{}' from ${hours}`)
  await db.run(sql`
    insert into touch (id, person_id, channel, class, content_id, offered_at, not_before, expires_at, state, created_at)
    select gen_random_uuid(), ${buyer?.personId}, 'sms', 'marketing', gen_random_uuid(), ${at}, ${at}, ${at}, 'delivered', ${at} from ${hours}`)
  await db.run(sql`analyze document, touch`)
  const plans = await db.transaction(async (tx) => {
    const lines: string[] = []
    const explain = async (query: Sql) => {
      const rows = await tx.rows<{ 'QUERY PLAN': string }>({ ...query, text: `explain ${query.text}` })
      lines.push(...rows.map((row) => row['QUERY PLAN']))
      return rows as never
    }
    const explaining: Db = { ...tx, rows: explain, row: explain }
    await dayCounts(explaining, 'Asia/Shanghai', NOW)
    await withoutBuyer(explaining)
    return lines.join('\n')
  })
  expect(plans).toContain('document_bought')
  expect(plans).toContain('document_without_buyer')
  expect(plans).toContain('touch_created')
})

test('a regional manager reads the touches of members of the own region, and of nobody else', async () => {
  const [region, store] = [newId(NOW), newId(NOW)]
  await db.run(
    sql`insert into region (id, code, name, created_at) values (${region}, 'east', '华东', ${NOW})`,
  )
  await db.run(sql`
    insert into store (id, code, name, region_id, created_at) values (${store}, 's1', '西湖店', ${region}, ${NOW})`)
  const [near, far] = await bring('13812345674', '13812345675')
  await db.run(sql`update person set home_store_id = ${store}, name = '近' where id = ${near?.personId}`)
  await db.run(sql`update person set name = '远' where id = ${far?.personId}`)
  for (const personId of [near?.personId, far?.personId]) {
    await db.run(sql`
      insert into touch (id, person_id, channel, class, content_id, offered_at, not_before, expires_at, state, created_at)
      values (${newId(NOW)}, ${personId}, 'sms', 'marketing', ${newId(NOW)}, ${NOW}, ${NOW}, ${NOW}, 'delivered', ${NOW})`)
  }
  const people = await db.rows<{ name: string; id: string }>(
    sql`select name, public_id as id from person where name is not null order by id`,
  )
  const manager = await here.as('regional_manager', { regionIds: [region] })
  const names = async (query = '') => {
    const { body } = await manager('GET', `/api/touches${query}`)
    return (body as { items: { member: string }[] }).items.map(({ member }) => member)
  }
  expect(await names()).toEqual(['近'])
  const idOf = (name: string) => people.find((one) => one.name === name)?.id
  expect(await names(`?memberId=${idOf('近')}`)).toEqual(['近'])
  expect(await names(`?memberId=${idOf('远')}`)).toEqual([])
  expect(await names(`?memberId=${newId(NOW)}`)).toEqual([])
})
