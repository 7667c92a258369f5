import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { Rule } from '../../../contract/rule.ts'
import {
  addPersons,
  audienceWorld,
  happened,
  projectAll,
  settleAll,
  tell,
  type World,
} from '../../../test/support/audience-world.ts'
import { hasCaughtUp } from '../../events/events.ts'
import { newId } from '../../platform/ids.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { createSegment, evaluateOnce, explainMembership, previewRule, recompute } from '../audience.ts'
import { countDue } from './due.ts'
import { selectMembership } from './store.ts'

const ZONE = 'Asia/Shanghai'
const HOUR = 3_600_000
const DAY = 24 * HOUR
const start = new Date('2026-03-01T12:00:00+08:00')
const after = (ms: number): Date => new Date(start.getTime() + ms)
let world: World
let person = 0
let segments = 0

beforeAll(async () => {
  world = await audienceWorld()
  await settleAll(world, start)
})

async function segmentOf(rule: unknown, at = start): Promise<number> {
  segments += 1
  const name = `segment ${segments}`
  const fields = { name, description: '', rule: Rule.parse(rule) }
  return (await world.db.transaction((tx) => createSegment(tx, fields, { by: null, at }))).id
}

async function someone(at = start): Promise<number> {
  person += 1
  await addPersons(world, [{ personId: person, joinedAt: at.getTime() }], at)
  return person
}

const tells = (
  type: Parameters<typeof happened>[0],
  personId: number,
  at: Date,
  data: object,
  now = at,
): Promise<void> => world.db.transaction((tx) => tell(tx, [happened(type, personId, at, data)], now))

const tracks = (personId: number, at: Date, properties: object = {}, name = 'add_to_cart') =>
  tells('tracked', personId, at, { name, properties })

async function isIn(personId: number, segment: number): Promise<boolean> {
  const [row] = await selectMembership(world.db, [personId])
  return row?.segments.includes(segment) ?? false
}

async function nextOf(personId: number): Promise<Date | null | undefined> {
  return (await selectMembership(world.db, [personId]))[0]?.nextAt
}

const counted = (more: object = {}) => ({
  kind: 'events',
  filter: { event: 'tracked', names: ['add_to_cart'] },
  compare: { op: 'ge', value: 1 },
  ...more,
})

test('an event that no rule asks for touches nobody; one that a rule asks for moves the segment', async () => {
  const li = await someone()
  await settleAll(world, start)
  await tracks(li, after(HOUR), {}, 'nobody asks')
  await projectAll(world, after(HOUR))
  const how = { token: world.evaluate, now: after(HOUR), zone: ZONE }
  expect((await evaluateOnce(world.db, world.clickhouse, how)).persons).toBe(0)

  const heavy = await segmentOf({
    ...counted({ measure: { of: 'sum', property: 'price' }, compare: { op: 'gt', value: 100 } }),
    filter: {
      event: 'tracked',
      names: ['add_to_cart'],
      properties: [{ property: 'size', op: 'in', values: ['𠮷 <b>'] }],
    },
  })
  await settleAll(world, after(HOUR))
  await tracks(li, after(2 * HOUR), { price: 60.5, size: '𠮷 <b>' })
  await tracks(li, after(2 * HOUR), { price: 1000, size: 'M' })
  await settleAll(world, after(2 * HOUR))
  expect(await isIn(li, heavy)).toBe(false)
  await tracks(li, after(3 * HOUR), { price: 39.6, size: '𠮷 <b>' })
  await settleAll(world, after(3 * HOUR))
  expect(await isIn(li, heavy)).toBe(true)
  const explained = await explainMembership(
    world.db,
    world.clickhouse,
    { personId: li, segmentId: heavy },
    { now: after(3 * HOUR), zone: ZONE },
  )
  expect(explained).toMatchObject({ member: true, verdict: true, leaves: [{ value: 100.1 }] })
})

test('what was told before a rule asked for it is not missed, though it can be read only later', async () => {
  const at = after(4 * HOUR)
  const wang = await someone(at)
  await settleAll(world, at)
  await tells('task_late', wang, at, { taskId: newId(at), kind: 'invite', staffId: null })
  const how = { token: world.evaluate, now: at, zone: ZONE }
  // Other test files share the server and may hold the log's horizon back.
  while (!(await hasCaughtUp(world.db, 'evaluate'))) {
    await evaluateOnce(world.db, world.clickhouse, how)
    await sleep(20)
  }
  const late = await segmentOf({
    kind: 'events',
    filter: { event: 'task_late' },
    compare: { op: 'ge', value: 1 },
  })
  const recomputed = recompute(world.db, world.clickhouse, { ...how, now: () => at })
  const first = await Promise.race([recomputed.then(() => 'computed'), sleep(500).then(() => 'waits')])
  expect(first).toBe('waits')
  await projectAll(world, at)
  expect((await recomputed)?.finished).toBe(true)
  expect(await isIn(wang, late)).toBe(true)
})

test('whoever did not come after a message is found at the end of the days, and not a moment before', async () => {
  const silent = await segmentOf({
    kind: 'sequence',
    first: { of: 'event', filter: { event: 'touch_delivered', channels: ['sms'] } },
    second: { of: 'event', filter: { event: 'member_replied' } },
    withinDays: 3,
    happened: false,
  })
  const sent = after(2 * DAY)
  const [zhao, sun] = [await someone(), await someone()]
  await settleAll(world, sent)
  for (const id of [zhao, sun]) {
    await tells('touch_delivered', id, sent, {
      touchId: newId(sent),
      channel: 'sms',
      class: 'marketing',
      journeyId: null,
      senderId: null,
    })
  }
  await settleAll(world, sent)
  expect(await nextOf(zhao)).toEqual(after(5 * DAY))
  await tells('member_replied', sun, after(3 * DAY), { channel: 'wecom', staffId: null })
  await settleAll(world, after(5 * DAY - 1))
  expect([await isIn(zhao, silent), await isIn(sun, silent)]).toEqual([false, false])
  await settleAll(world, after(5 * DAY))
  expect([await isIn(zhao, silent), await isIn(sun, silent)]).toEqual([true, false])
  // A reply that is told late takes the answer back.
  await tells('member_replied', zhao, after(4 * DAY), { channel: 'wecom', staffId: null }, after(6 * DAY))
  await settleAll(world, after(6 * DAY))
  expect(await isIn(zhao, silent)).toBe(false)
})

test('a coupon counts until it runs out, and then as one that has', async () => {
  const soon = await segmentOf({
    kind: 'coupon',
    kinds: ['满100减10'],
    states: ['received'],
    expiresWithinDays: 3,
  })
  const gone = await segmentOf({ kind: 'coupon', states: ['expired'] })
  const at = after(10 * DAY)
  const li = await someone(at)
  await settleAll(world, at)
  const couponId = newId(at)
  await tells('coupon_changed', li, at, {
    couponId,
    kind: '满100减10',
    state: 'received',
    expiresAt: after(20 * DAY).toISOString(),
  })
  const seen: [number, boolean, boolean][] = []
  for (const day of [10, 16.999, 17, 19.999, 20]) {
    await settleAll(world, after(day * DAY))
    seen.push([day, await isIn(li, soon), await isIn(li, gone)])
  }
  expect(seen).toEqual([
    [10, false, false],
    [16.999, false, false],
    [17, true, false],
    [19.999, true, false],
    [20, false, true],
  ])
  await tells('coupon_changed', li, after(21 * DAY), {
    couponId,
    kind: '满100减10',
    state: 'used',
    expiresAt: null,
  })
  await settleAll(world, after(21 * DAY))
  expect(await isIn(li, gone)).toBe(false)
})

test('a recompute of everybody answers as evaluation did, properties and coupons included', async () => {
  const now = after(22 * DAY)
  await settleAll(world, now)
  const stored = await selectMembership(world.db, everybody())
  await world.db.run(sql`update person_segment set segments = '{}', next_at = null`)
  await recompute(world.db, world.clickhouse, {
    token: world.evaluate,
    now: () => now,
    zone: ZONE,
    always: true,
  })
  const again = await selectMembership(world.db, everybody())
  const told = (rows: typeof stored) =>
    rows.map(({ personId, segments: of, nextAt }) => ({ personId, of, nextAt })).sort(byPerson)
  expect(told(again)).toEqual(told(stored))
  expect(stored.filter((row) => row.segments.length > 0).length).toBeGreaterThan(1)
  expect(await countDue(world.db, now)).toEqual({ live: 0, bulk: 0, time: 0 })
})

test('a condition without SQL is previewed by the function, on everybody where the base is small', async () => {
  const now = after(23 * DAY)
  const how = { now, zone: ZONE }
  const since = (anchor: object) => Rule.parse(counted({ window: { kind: 'since', anchor } }))
  const joined = await previewRule(world.db, world.clickhouse, since({ at: 'joining' }), how)
  expect(joined).toMatchObject({ persons: 1, of: person, exact: true, sample: [1] })
  const viewed = { of: 'event', filter: { event: 'tracked', names: ['nobody asks'] } }
  const bySql = await previewRule(world.db, world.clickhouse, since({ at: 'last', what: viewed }), how)
  expect(bySql).toMatchObject({ persons: 1, exact: true, sample: [1] })
})

const everybody = (): number[] => Array.from({ length: person }, (_, place) => place + 1)
const byPerson = (left: { personId: number }, right: { personId: number }): number =>
  left.personId - right.personId
