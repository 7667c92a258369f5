import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import {
  addPersons,
  audienceWorld,
  happened,
  settleAll,
  tell,
  type World,
} from '../../../test/support/audience-world.ts'
import { segmentMoves } from '../../../test/support/segment-moves.ts'
import { erasePerson, type MembersDeps, mergePersons, undoMerge } from '../../members/members.ts'
import { openKeyring } from '../../platform/crypto/master-key.ts'
import { type LeaseToken, takeLease } from '../../platform/jobs/lease.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { audienceFollower } from '../tags/follower.ts'
import { explainMembership } from './explain.ts'
import { segmentGrowth } from './growth.ts'
import { segmentOverlap } from './overlap.ts'
import {
  changeSegment,
  createSegment,
  findSegment,
  inSegment,
  listSegments,
  refuseUnfollowed,
  type SegmentKind,
} from './segment.ts'
import { takeAnew, takeOnce } from './take.ts'

const ZONE = 'Asia/Shanghai'
let world: World
let takes: LeaseToken
const by = { by: null }
const deps: MembersDeps = { keys: openKeyring(Buffer.alloc(32, 7)), followers: [audienceFollower] }
let next = 0
/** Persons of a test have numbers of their own. */
let first = 0
let city = ''

const at = (day: string, time = '12:00'): Date => new Date(`${day}T${time}:00+08:00`)

beforeAll(async () => {
  world = await audienceWorld()
  const token = await takeLease(world.db, 'takes', 3_600_000)
  if (!token) throw new Error('held')
  takes = token
})
beforeEach(() => {
  next += 1
  first = next * 100
  city = `城市${next}`
})

const inCity = (): Rule => ({ kind: 'attribute', attribute: 'city', op: 'in', values: [city] })
const numbers = (...places: number[]): number[] => places.map((place) => first + place)

async function live(places: readonly number[], when: Date): Promise<void> {
  const persons = numbers(...places).map((personId) => ({ personId, attributes: new Map([['city', city]]) }))
  await addPersons(world, persons, when)
  for (const { personId } of persons) await moves(personId, city)
  await settleAll(world, when, ZONE)
}

/** As the profile says it and as the person folds it: a merge folds again. */
async function moves(personId: number, to: string): Promise<void> {
  await world.db.run(sql`
    update profile set attributes = jsonb_build_object('city', jsonb_build_array(${to}::text, 0, 'test')) where id = ${personId}`)
  await world.db.run(sql`update person set city = ${to} where id = ${personId}`)
}

async function make(name: string, kind: SegmentKind, when: Date, rule: Rule = inCity()): Promise<number> {
  const { id } = await world.db.transaction((tx) =>
    createSegment(tx, { name: `${name} ${next}`, description: '', rule, kind }, { ...by, at: when }),
  )
  return id
}

async function become(id: number, kind: SegmentKind, when: Date, rule?: Rule): Promise<void> {
  const before = await findSegment(world.db, id)
  if (!before) throw new Error('gone')
  await world.db.transaction((tx) =>
    changeSegment(tx, { ...before, kind, rule: rule ?? before.rule }, { at: when }),
  )
}

/** Takes what is wanted and lets everything follow. */
async function settle(when: Date): Promise<void> {
  for (;;) {
    const done = await takeOnce(world.db, world.clickhouse, { token: takes, now: when, zone: ZONE })
    await settleAll(world, when, ZONE)
    if (done === 0) return
  }
}

async function members(id: number): Promise<number[]> {
  const { condition } = await inSegment(world.db, id)
  const rows = await world.db.rows<{ id: number }>(
    sql`select person.id from person where person.state = 'live' and ${condition} order by 1`,
  )
  return rows.map((row) => row.id - first)
}

async function leave(place: number, when: Date): Promise<void> {
  await moves(first + place, 'elsewhere')
  await world.db.transaction((tx) => touch(tx, first + place, when))
  await settleAll(world, when, ZONE)
}

async function touch(tx: Tx, personId: number, when: Date) {
  await tell(tx, [happened('attributes_changed', personId, when, { changed: {} })], when)
}

const shown = async (id: number, when: Date) => (await listSegments(world.db, { id, since: when }))[0]

test('a snapshot keeps who was in it, until it is taken anew', async () => {
  const day = at('2026-04-01')
  await live([1, 2, 3], day)
  const id = await make('快照', 'snapshot', day)
  expect(await shown(id, day)).toMatchObject({
    kind: 'snapshot',
    persons: 0,
    takenAt: null,
    state: 'computing',
  })
  await settle(day)
  expect(await members(id)).toEqual([1, 2, 3])
  expect(await shown(id, day)).toMatchObject({ kind: 'snapshot', persons: 3, takenAt: day, state: 'live' })

  await leave(1, at('2026-04-02'))
  await live([4], at('2026-04-02'))
  expect(await members(id)).toEqual([1, 2, 3])
  const why = await explainMembership(
    world.db,
    world.clickhouse,
    { personId: first + 1, segmentId: id },
    { now: at('2026-04-02'), zone: ZONE },
  )
  expect(why).toMatchObject({ member: true, verdict: false, kind: 'snapshot', takenAt: day })

  await world.db.transaction((tx) => takeAnew(tx, id, at('2026-04-03')))
  await expect(world.db.transaction((tx) => takeAnew(tx, id, at('2026-04-03')))).rejects.toMatchObject({
    code: 'already_running',
  })
  expect(await members(id)).toEqual([1, 2, 3])
  await settle(at('2026-04-03'))
  expect(await members(id)).toEqual([2, 3, 4])
  expect(await shown(id, day)).toMatchObject({ takenAt: at('2026-04-03'), persons: 3 })
  const { takes: kept } = await world.db.row<{ takes: number }>(
    sql`select count(distinct take)::int as takes from segment_member where segment_id = ${id}`,
  )
  expect(kept).toBe(1)
})

test('what enters and leaves by a take is told, and starts nothing', async () => {
  const day = at('2026-04-01')
  await live([1, 2], day)
  const id = await make('快照', 'snapshot', day)
  await settle(day)
  await leave(1, day)
  await live([3], day)
  await world.db.transaction((tx) => takeAnew(tx, id, day))
  await settle(day)
  const events = await world.db.rows<{ type: string; person: number; cause: string }>(sql`
    select type, person_id - ${first} as person, cause from ${segmentMoves} where segment = ${id} order by seq`)
  expect(events.map(({ type, person, cause }) => `${type} ${person} ${cause}`).sort()).toEqual([
    'segment_entered 1 definition',
    'segment_entered 2 definition',
    'segment_entered 3 definition',
    'segment_left 1 definition',
  ])
})

test('a live segment that becomes a snapshot loses nobody on the way, and follows again when it is live', async () => {
  const day = at('2026-04-01')
  await live([1, 2], day)
  const id = await make('人群', 'live', day)
  await settle(day)
  await become(id, 'snapshot', at('2026-04-02'))
  expect(await shown(id, day)).toMatchObject({ kind: 'snapshot', state: 'computing', persons: 2 })
  await settle(at('2026-04-02'))
  await leave(1, at('2026-04-03'))
  expect(await members(id)).toEqual([1, 2])
  const growth = await segmentGrowth(world.db, id, { days: 10, now: at('2026-04-03'), zone: ZONE })
  expect(growth.days.map(({ size, entered, left }) => [size, entered, left])).toEqual([
    [2, 2, 0],
    [2, 0, 0],
    [2, 0, 0],
  ])
  await become(id, 'live', at('2026-04-04'))
  await settle(at('2026-04-04'))
  expect(await members(id)).toEqual([2])
})

test('on demand it is computed when somebody asks, follows nothing, and nothing may follow it', async () => {
  const day = at('2026-04-01')
  await live([1, 2], day)
  const id = await make('按需', 'on_demand', day)
  await expect(inSegment(world.db, id)).rejects.toMatchObject({ code: 'not_ready' })
  await settle(day)
  expect(await members(id)).toEqual([1, 2])
  await live([3], day)
  expect(await members(id)).toEqual([1, 2])
  expect(await shown(id, day)).toMatchObject({ kind: 'on_demand', persons: 2, takenAt: day, enteredToday: 0 })
  const { told } = await world.db.row<{ told: number }>(sql`
    select count(*)::int as told from ${segmentMoves} where segment = ${id}`)
  expect(told).toBe(0)
  const { stored } = await world.db.row<{ stored: number }>(
    sql`select count(*)::int as stored from person_segment where segments @> array[${id}::int]`,
  )
  expect(stored).toBe(0)
  await expect(refuseUnfollowed(world.db, [id])).rejects.toMatchObject({
    code: 'not_ready',
    message: expect.stringContaining('computed only when somebody asks'),
  })
  await expect(make('引用', 'live', day, { kind: 'segment', segment: id })).rejects.toMatchObject({
    code: 'rule_invalid',
  })
  await world.db.transaction((tx) => takeAnew(tx, id, at('2026-04-02')))
  await settle(at('2026-04-02'))
  expect(await members(id)).toEqual([1, 2, 3])
  await expect(segmentGrowth(world.db, id, { days: 9, now: day, zone: ZONE })).resolves.toEqual({
    followed: false,
    days: [],
  })
})

test('rules use a snapshot as it was taken, by the function and by SQL', async () => {
  const day = at('2026-04-01')
  await live([1, 2, 3], day)
  const kept = await make('快照', 'snapshot', day)
  await settle(day)
  await leave(1, day)
  const both: Rule = {
    kind: 'all',
    rules: [
      { kind: 'segment', segment: kept },
      { kind: 'not', rule: inCity() },
    ],
  }
  const follows = await make('快照里离开的', 'live', day, both)
  const asked = await make('同样按需', 'on_demand', day, both)
  await settle(day)
  expect(await members(follows)).toEqual([1])
  expect(await members(asked)).toEqual([1])
  await expect(become(kept, 'on_demand', day)).rejects.toMatchObject({ code: 'in_use' })
})

test('another rule, and a snapshot is taken by it at once', async () => {
  const day = at('2026-04-01')
  await live([1, 2], day)
  const id = await make('快照', 'snapshot', day)
  await settle(day)
  const other = city
  city = `${city}别处`
  await live([5], day)
  await become(id, 'snapshot', day, inCity())
  expect(await members(id)).toEqual([1, 2])
  await settle(day)
  expect(await members(id)).toEqual([5])
  city = other
})

test('kinds without SQL are taken by the function, at one moment for everybody', async () => {
  const day = at('2026-04-01')
  await live([1, 2], day)
  // A window since joining has no SQL.
  const since = { kind: 'since', anchor: { at: 'joining' } } as const
  const bought = {
    kind: 'orders',
    measure: { of: 'count' },
    filter: {},
    compare: { op: 'ge', value: 1 },
  } as const
  const rule: Rule = { kind: 'all', rules: [inCity(), { kind: 'not', rule: { ...bought, window: since } }] }
  const id = await make('函数', 'snapshot', day, rule)
  await settle(day)
  const alive = await make('函数 live', 'live', day, rule)
  await settle(day)
  expect(await members(id)).toEqual([1, 2])
  expect(await members(alive)).toEqual([1, 2])
})

test('a take that was broken off is begun anew and leaves nothing behind', async () => {
  const day = at('2026-04-01')
  await live([1, 2], day)
  const id = await make('快照', 'snapshot', day)
  await world.db.run(sql`
    insert into segment_member (segment_id, take, profile_id) select ${id}::int, 1, id from profile where id < ${first}
    union select ${id}::int, 3, id from profile where id = ${first + 1}`)
  const stopped = new AbortController()
  stopped.abort(new Error('ended'))
  await expect(
    takeOnce(world.db, world.clickhouse, { token: takes, now: day, zone: ZONE, signal: stopped.signal }),
  ).rejects.toThrow('ended')
  expect(await shown(id, day)).toMatchObject({ takenAt: null, state: 'computing' })
  await settle(day)
  expect(await members(id)).toEqual([1, 2])
  const rows = await world.db.rows<{ take: number; profiles: number }>(
    sql`select take, count(*)::int as profiles from segment_member where segment_id = ${id} group by take`,
  )
  expect(rows).toEqual([{ take: 1, profiles: 2 }])
})

test('a merge gives the place to the survivor, its undo gives it back, and an erasure ends it', async () => {
  const day = at('2026-04-01')
  await live([1, 2, 3], day)
  await moves(first + 1, 'elsewhere')
  await world.db.transaction((tx) => touch(tx, first + 1, day))
  await settleAll(world, day, ZONE)
  const id = await make('快照', 'snapshot', day)
  await settle(day)
  expect(await members(id)).toEqual([2, 3])
  const merge = await world.db.transaction((tx) =>
    mergePersons(deps, tx, [first + 1, first + 2], { actor: null, at: day }),
  )
  await settle(day)
  expect(await members(id)).toEqual([1, 3])
  await world.db.transaction((tx) => undoMerge(deps, tx, merge, { actor: null, at: day }))
  await settle(day)
  expect(await members(id)).toEqual([2, 3])
  await world.db.transaction((tx) => erasePerson(deps, tx, first + 3, { actor: null, at: day }))
  await settle(day)
  expect(await members(id)).toEqual([2])
  const { left } = await world.db.row<{ left: number }>(
    sql`select count(*)::int as left from segment_member where profile_id = ${first + 3}`,
  )
  expect(left).toBe(0)
  await world.db.transaction((tx) => takeAnew(tx, id, day))
  await settle(day)
  expect(await members(id)).toEqual([2])
})

test('the curve of the size stays true through merges, their undo and erasures', async () => {
  await live([1, 2, 3, 4], at('2026-04-01'))
  const id = await make('人群', 'live', at('2026-04-01'))
  await settle(at('2026-04-01'))
  await live([5], at('2026-04-02'))
  const merge = await world.db.transaction((tx) =>
    mergePersons(deps, tx, [first + 1, first + 2], { actor: null, at: at('2026-04-03') }),
  )
  await settle(at('2026-04-03'))
  await world.db.transaction((tx) => erasePerson(deps, tx, first + 3, { actor: null, at: at('2026-04-04') }))
  await settle(at('2026-04-04'))
  await world.db.transaction((tx) => undoMerge(deps, tx, merge, { actor: null, at: at('2026-04-05') }))
  await settle(at('2026-04-05'))
  await leave(4, at('2026-04-06', '00:30'))
  const growth = await segmentGrowth(world.db, id, { days: 30, now: at('2026-04-07', '09:00'), zone: ZONE })
  expect(growth.days.map(({ day, size }) => `${day} ${size}`)).toEqual([
    '2026-04-01 4',
    '2026-04-02 5',
    '2026-04-03 4',
    '2026-04-04 3',
    '2026-04-05 4',
    '2026-04-06 3',
    '2026-04-07 3',
  ])
  expect(growth.days.find(({ day }) => day === '2026-04-06')).toMatchObject({ entered: 0, left: 1 })
})

test('the overlap counts who is in one alone and in both, of whatever kind they are', async () => {
  const day = at('2026-04-01')
  await live([1, 2, 3], day)
  const kept = await make('快照', 'snapshot', day)
  const asked = await make('按需', 'on_demand', day)
  await settle(day)
  await leave(1, day)
  await live([4, 5], day)
  const follows = await make('人群', 'live', day)
  await settle(day)
  const counts = async (
    pair: [number, number],
    visible = undefined as Parameters<typeof segmentOverlap>[2],
  ) => {
    const { onlyFirst, both, onlySecond } = await segmentOverlap(world.db, pair, visible)
    return [onlyFirst, both, onlySecond]
  }
  expect(await counts([follows, kept])).toEqual([2, 2, 1])
  expect(await counts([kept, follows])).toEqual([1, 2, 2])
  expect(await counts([follows, asked])).toEqual([2, 2, 1])
  expect(await counts([follows, follows])).toEqual([0, 4, 0])
  const visible = sql`person.state = 'live' and person.id <> ${first + 2}`
  expect(await counts([follows, kept], visible)).toEqual([2, 1, 1])
  await expect(counts([follows, 999_999])).rejects.toMatchObject({ code: 'not_found' })
})
