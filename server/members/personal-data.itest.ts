import { expect, test } from 'vitest'
import { testApp } from '../../test/support/app.ts'
import { projectAll } from '../../test/support/audience-world.ts'
import { testClickHouse } from '../../test/support/clickhouse.ts'
import { testDatabase } from '../../test/support/database.ts'
import { registerConsumers } from '../events/events.ts'
import { takeLease } from '../platform/jobs/lease.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { type IncomingPerson, type MembersDeps, mergePersons, resolve, tell, undoMerge } from './members.ts'

const db = await testDatabase()
const clickhouse = await testClickHouse()
const app = await testApp(db, { clickhouse })
const deps: MembersDeps = { keys: app.parts.stores.keyring, followers: [] }
const now = instant('2026-03-01T02:00:00Z')
const GUIDE = '00000000-0000-7000-8000-000000000003'

const marks = [
  '13977776666',
  '标记姓名',
  '标记昵称',
  '标记地址',
  '标记备注',
  'mark@example.com',
  'MARKCARD',
  'MARKUNION',
  '标记自定',
  '1987',
]
/** Names, remarks and the brand's own attributes stand in clear in these tables and nowhere else. */
const inClear: Readonly<Record<string, readonly string[]>> = {
  person: ['标记姓名', '标记昵称', '标记自定', '13977776666', '1987'],
  profile: ['标记姓名', '标记昵称', '标记自定', '13977776666', '1987'],
  profile_layer: ['标记姓名', '标记昵称', '标记自定', '标记备注', '13977776666', '1987'],
  relation: ['标记备注', '13977776666'],
}

const marked: IncomingPerson = {
  externalId: '13977776666',
  identifiers: [
    { kind: 'phone', value: '13977776666' },
    { kind: 'card', value: 'MARKCARD', scope: 'erp' },
    { kind: 'email', value: 'mark@example.com' },
  ],
  attributes: {
    name: '标记姓名',
    nickname: '标记昵称',
    birthday: '1987-05-06',
    address: '标记地址',
    custom: { note: '标记自定 13977776666', size: 'M', points: 17 },
  },
  relations: [{ staffId: GUIDE, externalUserid: 'wo-mark', remark: '标记备注 13977776666', addedAt: now }],
}

test('no name, number, address, remark or year of birth is in the log or in ClickHouse, and numbers are in no table', async () => {
  await db.run(sql`insert into staff (id, login, name, created_at) values (${GUIDE}, 'g1', '导购一', ${now})`)
  const how = { lane: 'live', at: now } as const
  const [first] = await db.transaction((tx) => resolve(deps, tx, [marked], { ...how, source: 'erp' }))
  const [other] = await db.transaction((tx) =>
    resolve(
      deps,
      tx,
      [
        {
          externalId: null,
          identifiers: [{ kind: 'unionid', value: 'MARKUNION' }],
          attributes: { nickname: '标记昵称' },
        },
      ],
      {
        ...how,
        source: 'mini',
      },
    ),
  )
  const pair = [first?.personId ?? 0, other?.personId ?? 0] as const
  const by = { actor: null, at: now }
  const mergeId = await db.transaction((tx) => mergePersons(deps, tx, pair, by))
  await db.transaction((tx) =>
    tell(deps, tx, [{ personId: pair[0], attributes: { name: '标记姓名', address: '标记地址' } }], {
      ...how,
      source: 'console',
    }),
  )
  await db.transaction((tx) => undoMerge(deps, tx, mergeId, by))
  await revealed(pair[0])

  expect(await foundInTables()).toEqual([])
  const text = await clickHouseText()
  expect(text).toContain('custom.size')
  expect(marks.filter((mark) => text.includes(mark))).toEqual([])
})

/** Looks at the whole number, as the console does. */
async function revealed(personId: number): Promise<void> {
  const { id } = await db.row<{ id: string }>(sql`select public_id as id from person where id = ${personId}`)
  const owner = await app.as('owner', { rights: ['see_personal'] })
  const look = () =>
    owner('POST', `/api/members/${id}/reveal`, { kind: 'phone' }, { 'idempotency-key': 'look' })
  expect(await look()).toMatchObject({ status: 200, body: { value: '+8613977776666' } })
  expect(await look()).toMatchObject({ status: 409, body: { code: 'conflict' } })
}

async function foundInTables(): Promise<string[]> {
  const tables = await db.rows<{ name: string }>(sql`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' order by 1`)
  expect(tables.length).toBeGreaterThan(30)
  const found: string[] = []
  for (const { name } of tables) {
    const { text } = await db.row<{ text: string }>(
      sql`select coalesce(string_agg(t::text, chr(10)), '') as text from ${trusted(name)} t`,
    )
    for (const mark of marks) {
      if (text.includes(mark) && inClear[name]?.includes(mark) !== true) found.push(`${name}: ${mark}`)
    }
  }
  return found
}

async function clickHouseText(): Promise<string> {
  await registerConsumers(db, ['project'])
  const token = await takeLease(db, 'project', 600_000)
  if (!token) throw new Error('the lease is held')
  await projectAll({ db, clickhouse, project: token }, now)
  const parts: string[] = []
  for (const table of ['events', 'orders', 'order_lines']) {
    parts.push(JSON.stringify(await clickhouse.rows(`select * from ${table}`)))
  }
  return parts.join('\n')
}
