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
const [kept = 0, absorbed = 0, ...crowd] = await makeMembers(db, keys, { count: 10, staffIds })
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
  await db.transaction((tx) => reachFollower.split(tx, [{ mergeId, kept, restored: absorbed }]))
  expect(await rows()).toEqual(before)
})

test('merges that come together do what they do one by one, and undone together they leave what was there', async () => {
  const scopes = ['a', 'b'].map((name) => idOf('scope', name))
  const merges = [
    // A chain, a star, and two that have nothing to do with anybody.
    { kept: 2, absorbed: 3 },
    { kept: 1, absorbed: 2 },
    { kept: 1, absorbed: 4 },
    { kept: 5, absorbed: 6 },
    { kept: 7, absorbed: 8 },
  ].map(({ kept: to, absorbed: from }) => ({
    mergeId: idOf('together', to, from),
    kept: crowd[to - 1] ?? 0,
    absorbed: crowd[from - 1] ?? 0,
  }))
  await offerAll(
    db,
    crowd.flatMap((personId) => offers(personId, 2, 40)),
    TEN,
  )
  await db.run(sql`
    insert into holdout (person_id, scope, held, share_permille, decided_at)
    select p.id, s.id, (p.id + s.place) % 3 = 0, 100, ${TEN}
    from unnest(${crowd}::int[]) as p (id), unnest(${scopes}::uuid[]) with ordinality as s (id, place)
    where (p.id + s.place) % 2 = 0`)
  const before = await rows()
  const moved = async (): Promise<unknown> => [
    await rows(),
    await db.rows(sql`select merge_id, kind, id, from_person, held from reach_moved order by 1, 2, 3`),
  ]
  const splits = merges.map((one) => ({ ...one, restored: one.absorbed })).reverse()

  for (const merge of merges) await db.transaction((tx) => reachFollower.merged(tx, [merge]))
  const oneByOne = await moved()
  for (const split of splits) await db.transaction((tx) => reachFollower.split(tx, [split]))
  expect(await rows()).toEqual(before)
  await db.transaction((tx) => reachFollower.merged(tx, merges))
  expect(await moved()).toEqual(oneByOne)
  expect(oneByOne).not.toEqual([before, []])
  await db.transaction((tx) => reachFollower.split(tx, splits))
  expect(await rows()).toEqual(before)
})

test('whoever went with an import that was undone is not reached', async () => {
  await offerAll(db, offers(absorbed, 2, 20), TEN)
  await db.transaction((tx) => reachFollower.removed(tx, { persons: [absorbed], at: TEN }))
  expect(await statesOf(db)).toMatchObject({ 'dropped person_gone': 3 })
})
