import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import { addOrders, audienceWorld, settleAll } from '../../../test/support/audience-world.ts'
import { segmentMoves } from '../../../test/support/segment-moves.ts'
import { mergePersons, resolve, undoImport, undoMerge } from '../../members/members.ts'
import { openKeyring } from '../../platform/crypto/master-key.ts'
import { newId } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import {
  audienceFollower,
  createSegment,
  createTag,
  createTagGroup,
  explainMembership,
  recompute,
  segmentMembers,
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
    select cause from ${segmentMoves} where type = 'segment_entered' and person_id = ${wang}`)
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

test('a merge leaves one value in a group that rules fill: that of the rule about both', async () => {
  const group = await transaction((tx) =>
    createTagGroup(
      tx,
      { name: '次数', level: 'S', scope: 'brand', openToStores: false },
      { by: null, at: start },
    ),
  )
  const valueFor = (name: string, rule: Rule) =>
    transaction((tx) => createTag(tx, { ...ruled, groupId: group, name, rule }, { by: null, at: start }))
  await valueFor('买过', { ...twice, compare: { op: 'ge', value: 1 } })
  await valueFor('没买过', { ...twice, compare: { op: 'eq', value: 0 } })
  const [buyer, another] = [await join('200001', start), await join('200003', start)]
  await buys(buyer, later(1))
  await buys(another, later(1))
  await settleAll(world, later(1))
  // Later than what the rule said of the other.
  const newcomer = await join('200002', later(2))
  await settleAll(world, later(2))
  const value = async (id: number) =>
    (await tagsOf(world.db, id)).values.find(({ groupId }) => groupId === group)?.value
  expect([await value(buyer), await value(newcomer)]).toEqual(['买过', '没买过'])

  const mergeId = await transaction((tx) => mergePersons(deps, tx, [buyer, newcomer], by(later(3))))
  await settleAll(world, later(3))
  expect(await value(buyer)).toBe('买过')
  const how = { token: world.evaluate, now: () => later(3), zone: ZONE, always: true }
  expect(await recompute(world.db, world.clickhouse, how)).toMatchObject({ changed: 0 })
  const claims = sql`select from s_tag_claim where person_id = ${buyer} and group_id = ${group}`
  expect(await world.db.rows(claims)).toHaveLength(1)
  await transaction((tx) => mergePersons(deps, tx, [buyer, another], by(later(3))))
  await settleAll(world, later(3))
  expect(await world.db.rows(claims)).toHaveLength(1)

  await transaction((tx) => undoMerge(deps, tx, mergeId, by(later(4))))
  await settleAll(world, later(4))
  expect([await value(buyer), await value(newcomer)]).toEqual(['买过', '没买过'])
})

test('whoever goes with an import that is undone leaves the segments', async () => {
  const never: Rule = { ...twice, compare: { op: 'eq', value: 0 } }
  const { id: segment } = await transaction((tx) =>
    createSegment(tx, { name: '未购', description: '', rule: never }, { by: null, at: start }),
  )
  const importId = newId(start)
  const [row] = await transaction((tx) =>
    resolve(
      deps,
      tx,
      [{ externalId: '300001', identifiers: [{ kind: 'card', value: '300001', scope: 'erp' }] }],
      { lane: 'bulk', source: 'file', at: start, importId },
    ),
  )
  const person = row?.personId ?? 0
  await settleAll(world, later(5))
  const membership = async () => (await selectMembership(world.db, [person]))[0]?.segments
  expect(await membership()).toEqual([segment])
  await transaction((tx) => undoImport(deps, tx, importId, later(5)))
  await settleAll(world, later(5))
  expect(await membership()).toBeUndefined()
  expect(await segmentMembers(world.db, segment, { limit: 200 })).not.toContain(person)
  const left = await world.db.rows(sql`
    select cause from ${segmentMoves} where type = 'segment_left' and person_id = ${person}`)
  expect(left).toEqual([{ cause: 'bulk' }])
})

const ruled = {
  parentId: null,
  volatility: 'dynamic',
  subjectivity: 'objective',
  derivation: 'fact',
  composition: 'single',
  producer: 'system',
  origin: 'auto',
  use: '分层',
  plan: '按月复盘',
} as const

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
