import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import {
  candidate,
  holdNobodyOut,
  makeContent,
  makeMembers,
  makeStaff,
  offerAll,
  openSimulated,
  statesOf,
} from '../../test/support/reach.ts'
import { peopleOf, TEN, testKeys } from '../../test/support/reach-ports.ts'
import { idOf } from '../platform/ids.ts'
import { type LeaseToken, takeLease } from '../platform/jobs/lease.ts'
import { sql } from '../platform/postgres/sql.ts'
import { arbitrateOnce } from './arbiter/arbitrate.ts'
import { WHOLE_BASE } from './candidate.ts'
import { reachFollower } from './follow-merges.ts'

const db = await testDatabase()
const keys = testKeys()
const staffIds = await makeStaff(db, 1)
const [kept = 0, absorbed = 0] = await makeMembers(db, keys, { count: 2, staffIds })
const contentId = await makeContent(db, { channel: 'wecom' })
await openSimulated(db, 'wecom', 'http://127.0.0.1:1')
await holdNobodyOut(db)
const token = (await takeLease(db, 'reach', 60_000)) as LeaseToken
const mergeId = idOf('merge')

function offers(personId: number, count: number, from = 0) {
  return Array.from({ length: count }, (_, at) =>
    candidate({ id: idOf('merge test', personId, from + at), personId, channel: 'wecom', contentId }),
  )
}

async function decide(hours: number): Promise<void> {
  const now = new Date(TEN.getTime() + hours * 3_600_000)
  while ((await arbitrateOnce(db, peopleOf(keys), { token, now, zone: 'Asia/Shanghai' })).persons > 0);
}

async function rows(): Promise<unknown[]> {
  return db.rows(sql`
    select 'touch' as of, id::text, person_id, state from touch
    union all select 'ledger', touch_id::text, person_id, '' from touch_ledger
    union all select 'holdout', scope::text, person_id, held::text from holdout order by 1, 2, 3`)
}

test('touches, caps and holdouts go along with a merge, and back with its undo', async () => {
  await offerAll(db, [...offers(kept, 1), ...offers(absorbed, 1)], TEN)
  await decide(0)
  await db.run(sql`
    insert into holdout (person_id, scope, held, share_permille, decided_at)
    values (${absorbed}, ${idOf('journey')}, true, 100, ${TEN}), (${kept}, ${idOf('journey')}, false, 100, ${TEN})`)
  const before = await rows()

  await db.transaction((tx) => reachFollower.merged(tx, [{ mergeId, kept, absorbed }]))
  const held = await db.rows(sql`select scope, held from holdout where person_id = ${kept} order by scope`)
  expect(held).toContainEqual({ scope: idOf('journey'), held: true })
  expect(held).toContainEqual({ scope: WHOLE_BASE, held: false })
  await offerAll(db, offers(kept, 1, 10), TEN)
  await decide(1)
  expect(await statesOf(db)).toEqual({ 'deferred cap_person_week': 1, planned: 2 })

  await db.run(sql`delete from touch where state = 'deferred'`)
  await db.transaction((tx) => reachFollower.split(tx, [{ mergeId }]))
  expect(await rows()).toEqual(before)
})

test('whoever went with an import that was undone is not reached', async () => {
  await offerAll(db, offers(absorbed, 2, 20), TEN)
  await db.transaction((tx) => reachFollower.removed(tx, { persons: [absorbed], at: TEN }))
  expect(await statesOf(db)).toMatchObject({ 'dropped person_gone': 3 })
})
