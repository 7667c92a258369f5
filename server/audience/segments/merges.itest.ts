import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import { addOrders, audienceWorld, settleAll } from '../../../test/support/audience-world.ts'
import { mergePersons, resolve, undoMerge } from '../../members/members.ts'
import { openKeyring } from '../../platform/crypto/master-key.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import {
  audienceFollower,
  createSegment,
  explainMembership,
  recompute,
  setTags,
  tagsOf,
} from '../audience.ts'
import { selectMembership, selectStates } from './store.ts'

const ZONE = 'Asia/Shanghai'
const start = new Date('2026-03-01T04:00:00Z')
const later = (days: number) => new Date(start.getTime() + days * 86_400_000)
const FEMALE = 7
const MALE = 8
const world = await audienceWorld()
const deps = { keys: openKeyring(randomBytes(32)), followers: [audienceFollower] }
const transaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => world.db.transaction(work)
const by = (at: Date) => ({ actor: null, at })

const twice: Rule = {
  kind: 'orders',
  measure: { of: 'count' },
  filter: {},
  window: { kind: 'ever' },
  compare: { op: 'ge', value: 2 },
}

async function join(card: string, at: Date): Promise<number> {
  const [resolved] = await transaction((tx) =>
    resolve(
      deps,
      tx,
      [
        {
          externalId: card,
          identifiers: [{ kind: 'card', value: card, scope: 'erp' }],
          attributes: { joinedAt: at, source: 'organic' },
        },
      ],
      { lane: 'live', source: 'erp', at },
    ),
  )
  return resolved?.personId ?? 0
}

const buys = (personId: number, at: Date) =>
  addOrders(world, [{ personId, purchase: { ...blank, at: at.getTime(), amount: 100 } }], at)

/** What stands about both, but for the readings. */
async function standing(ids: readonly number[]): Promise<unknown> {
  const rows = await selectMembership(world.db, ids)
  const states = await selectStates(world.db, ids)
  return Promise.all(
    ids.map(async (id) => ({
      segments: rows.find((row) => row.personId === id)?.segments,
      nextAt: rows.find((row) => row.personId === id)?.nextAt,
      state: states.get(id),
      ...(await tagsOf(world.db, id)),
    })),
  )
}

test('a merge adds up what both did, and its undo leaves each as if it had never been, what came after included', async () => {
  const { id: segment } = await transaction((tx) =>
    createSegment(tx, { name: '两次', description: '', rule: twice }, { by: null, at: start }),
  )
  const [wang, twin] = [await join('100001', start), await join('100002', start)]
  const [control, other] = [await join('100003', start), await join('100004', start)]
  for (const [one, two] of [[wang, twin] as const, [control, other] as const]) {
    await buys(one, later(1))
    await buys(two, later(2))
    await transaction((tx) =>
      setTags(tx, [{ personId: one, tagId: MALE }], { producer: 'system', origin: 'synced', at: later(1) }),
    )
    await transaction((tx) =>
      setTags(tx, [{ personId: two, tagId: FEMALE }], {
        producer: 'guide',
        origin: 'manual',
        at: later(1),
        reason: '当面',
      }),
    )
  }
  await settleAll(world, later(3))
  const membership = async (id: number) => (await selectMembership(world.db, [id]))[0]?.segments

  const mergeId = await transaction((tx) => mergePersons(deps, tx, [wang, twin], by(later(4))))
  await settleAll(world, later(4))
  expect(await membership(wang)).toEqual([segment])
  expect(await membership(twin)).toBeUndefined()
  expect((await tagsOf(world.db, wang)).values.find(({ groupId }) => groupId === 2)?.value).toBe('女')
  const { cause } = await world.db.row<{ cause: string }>(sql`
    select data->>'cause' as cause from event_log where type = 'segment_entered' and person_id = ${wang}`)
  expect(cause).toBe('merge')
  const why = await explainMembership(
    world.db,
    world.clickhouse,
    { personId: wang, segmentId: segment },
    { now: later(4), zone: ZONE },
  )
  expect(why).toMatchObject({ member: true, verdict: true })

  // What comes after the merge is said of the profile it is known to belong to.
  await buys(wang, later(5))
  await buys(control, later(5))
  await settleAll(world, later(5))
  await transaction((tx) => undoMerge(deps, tx, mergeId, by(later(6))))
  await settleAll(world, later(6))
  expect(await standing([wang, twin])).toEqual(
    ((await standing([control, other])) as { state: { personId: number } }[]).map((each, place) => ({
      ...each,
      state: { ...each.state, personId: [wang, twin][place] },
    })),
  )
  const how = { token: world.evaluate, now: () => later(6), zone: ZONE, always: true }
  expect(await recompute(world.db, world.clickhouse, how)).toMatchObject({ changed: 0 })
})

const blank = {
  id: '',
  discount: 0,
  quantity: 0,
  store: '',
  seller: '',
  channel: '',
  side: '',
  campaign: '',
  coupon: false,
  lines: [],
}
