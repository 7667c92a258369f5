import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { openKeyring } from '../platform/crypto/master-key.ts'
import { releaseLease, takeLease } from '../platform/jobs/lease.ts'
import { sql, trusted } from '../platform/postgres/sql.ts'
import { instant } from '../platform/time/clock.ts'
import { findDuplicates } from './duplicates.ts'
import type { IncomingPerson } from './incoming.ts'
import { apartReview } from './merges.ts'
import { resolve } from './resolve.ts'

const db = await testDatabase()
const deps = { keys: openKeyring(randomBytes(32)), followers: [] }
const now = instant('2026-03-01T02:00:00Z')
const by = { actor: null, at: now }

beforeEach(async () => {
  for (const table of ['verdict', 'review', 'merge', 'profile', 'person', 'event_log'])
    await db.run(sql`delete from ${trusted(table)}`)
})

type Attributes = NonNullable<IncomingPerson['attributes']>

async function bring(source: string, name: string, phone: string, more: Attributes = {}, demo = false) {
  const row: IncomingPerson = {
    externalId: `${name}${phone}`,
    demo,
    identifiers: [{ kind: 'phone', value: phone }],
    attributes: { name, ...more },
  }
  const [found] = await db.transaction((tx) => resolve(deps, tx, [row], { lane: 'bulk', source, at: now }))
  if (!found) throw new Error('the row was refused')
  return found.personId
}

const proposals = () =>
  db.rows<{ id: string; profiles: number[]; score: number; evidence: { field: string }[] }>(
    sql`select id, profiles, score, evidence from review where kind = 'fuzzy' and state = 'open' order by profiles`,
  )

test('what is sealed is compared, and a question names fields, never values', async () => {
  const home = { address: '上海市徐汇区武当路12号301室' }
  const one = await bring('erp', '李晓明', '13912340001', home)
  const other = await bring('shop', '李小明', '13912340010', { address: '武当路12号301' })
  await bring('shop', '王芳', '13912340099', { address: '武当路14号101' })
  expect(await findDuplicates(deps, db, now)).toEqual({ proposed: 1 })
  const [found] = await proposals()
  expect(found?.profiles).toEqual([one, other])
  expect(found?.evidence.map(({ field }) => field).sort()).toEqual(['address', 'name', 'phone'])
  expect(JSON.stringify(found?.evidence)).not.toMatch(/李|武当|1391234|301/)
})

test('a name in a remark counts beside the one that WeCom shows', async () => {
  const staffId = '00000000-0000-7000-8000-0000000000c1'
  await db.run(
    sql`insert into staff (id, login, name, created_at) values (${staffId}, 'c1', '导购', ${now}) on conflict do nothing`,
  )
  const told = { birthday: '1990-05-06' }
  const one = await bring('erp', '李晓明', '13912340001', told)
  const relation = { staffId, externalUserid: 'wo1', remark: 'VIP李晓明 L码', addedAt: now }
  const row: IncomingPerson = {
    externalId: 'wo1',
    identifiers: [{ kind: 'external_userid', value: 'wo1', scope: 'corp' }],
    attributes: { nickname: '一朵小花', ...told },
    relations: [relation],
  }
  const [contact] = await db.transaction((tx) =>
    resolve(deps, tx, [row], { lane: 'live', source: 'wecom', at: now }),
  )
  expect(await findDuplicates(deps, db, now)).toEqual({ proposed: 1 })
  expect((await proposals())[0]?.profiles).toEqual([one, contact?.personId])
})

test('people of the demo meet no real ones, and a family at one phone is nobody twice', async () => {
  const told = { birthday: '1990-05-06', address: '武当路12号301室' }
  await bring('erp', '李晓明', '13912340001', told)
  await bring('demo', '李晓明', '13912340002', told, true)
  await bring('erp', '王芳', '139****0001', { address: told.address })
  expect(await findDuplicates(deps, db, now)).toEqual({ proposed: 0 })
})

test('whom somebody told apart is not proposed again, and two searches do not run at once', async () => {
  const told = { birthday: '1990-05-06' }
  await bring('erp', '李晓明', '13912340001', told)
  await bring('shop', '李晓明', '13812340002', told)
  const elsewhere = await takeLease(db, 'duplicates', 60_000)
  await expect(findDuplicates(deps, db, now)).rejects.toMatchObject({ code: 'already_running' })
  expect(await proposals()).toEqual([])
  if (elsewhere) await releaseLease(db, elsewhere)
  expect(await findDuplicates(deps, db, now)).toEqual({ proposed: 1 })
  const [found] = await proposals()
  await db.transaction((tx) => apartReview(deps, tx, found?.id ?? '', by))
  expect(await findDuplicates(deps, db, now)).toEqual({ proposed: 0 })
  expect(await proposals()).toEqual([])
})
