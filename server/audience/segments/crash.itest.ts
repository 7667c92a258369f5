/** Evaluation and recompute killed by SIGKILL between any two effects: what is stored is what a full recompute finds. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Rule } from '../../../contract/rule.ts'
import type { AudienceRound } from '../../../test/support/audience-round.ts'
import { addOrders, addPersons, projectAll, type World } from '../../../test/support/audience-world.ts'
import { testClickHouse } from '../../../test/support/clickhouse.ts'
import { testDatabase } from '../../../test/support/database.ts'
import { segmentMoves } from '../../../test/support/segment-moves.ts'
import { registerConsumers } from '../../events/events.ts'
import type { ClickHouseOptions } from '../../platform/clickhouse/clickhouse.ts'
import { type LeaseToken, takeLease } from '../../platform/jobs/lease.ts'
import { sql } from '../../platform/postgres/sql.ts'
import { Problem } from '../../platform/problem.ts'
import { createSegment, recompute, takeAnew } from '../audience.ts'
import { inSegment, type SegmentKind } from './segment.ts'

const script = fileURLToPath(new URL('../../../test/support/audience-round.ts', import.meta.url))
const ZONE = 'Asia/Shanghai'
const DAY = 86_400_000
const start = Date.parse('2026-03-01T12:00:00+08:00')
/** The second passing too: then a batch of the same round stands already. */
const points = {
  evaluate: [
    'evaluate.noted',
    'evaluate.answered',
    'evaluate.written',
    'evaluate.committed',
    'evaluate.answered:2',
    'evaluate.written:2',
    'evaluate.committed:2',
  ],
  recompute: ['recompute.range'],
  take: ['take.page', 'take.found', 'take.finished'],
} as const

let world: World
let options: ClickHouseOptions
let folder: string
let day = 0
let persons = 0

beforeAll(async () => {
  const db = await testDatabase()
  const clickhouse = await testClickHouse()
  ;({ options } = clickhouse)
  await registerConsumers(db, ['project', 'evaluate'])
  const lease = async (name: string): Promise<LeaseToken> => {
    const token = await takeLease(db, name, 3_600_000)
    if (!token) throw new Error(`the lease ${name} is held`)
    return token
  }
  world = { db, clickhouse, project: await lease('project'), evaluate: await lease('test') }
  folder = await mkdtemp(join(tmpdir(), 'liuliang-crash-'))
  await segment('活跃', { kind: 'lifecycle', states: ['active'] })
  await segment('沉默', { kind: 'lifecycle', states: ['silent', 'near_sleep'] })
  await segment('两次', bought(2))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function bought(times: number): Rule {
  return {
    kind: 'orders',
    measure: { of: 'count' },
    filter: {},
    window: { kind: 'ever' },
    compare: { op: 'ge', value: times },
  }
}

async function segment(name: string, rule: Rule, kind: SegmentKind = 'live'): Promise<number> {
  const how = { by: null, at: new Date(start) }
  const { id } = await world.db.transaction((tx) =>
    createSegment(tx, { name, description: '', rule, kind }, how),
  )
  return id
}

/** 20 days pass: eight persons come, and those who came before buy in turn, live and by import. */
async function life(): Promise<Date> {
  day += 20
  const now = new Date(start + day * DAY)
  const newcomers = Array.from({ length: 8 }, () => {
    persons += 1
    return { personId: persons, joinedAt: now.getTime() }
  })
  await addPersons(world, newcomers, now, day % 40 === 0 ? 'bulk' : 'live')
  const buyers = Array.from({ length: persons }, (_, index) => index + 1).filter(
    (id) => (id + day / 20) % 3 === 0,
  )
  const purchase = {
    id: '',
    at: now.getTime(),
    amount: 10_000,
    quantity: 0,
    discount: 0,
    store: '',
    seller: '',
    channel: '',
    side: '',
    campaign: '',
    coupon: false,
    lines: [],
  }
  await addOrders(
    world,
    buyers.map((personId) => ({ personId, purchase })),
    now,
    day % 60 === 0 ? 'bulk' : 'live',
  )
  await projectAll(world, now)
  return now
}

function run(does: AudienceRound['does'], now: Date, crashAt: string): Promise<unknown[]> {
  const round: AudienceRound = {
    postgres: world.db.url,
    clickhouse: options,
    now: now.toISOString(),
    zone: ZONE,
    crashAt,
    does,
  }
  const child = spawn(process.execPath, [script, JSON.stringify(round)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { NODE_COMPILE_CACHE: join(folder, 'compiled') },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve([crashAt, signal ?? code, said]))
  })
}

type Stored = { person: number; segments: number[] }

async function stored(): Promise<Stored[]> {
  return world.db.rows(sql`
    select person_id as person, (select coalesce(array_agg(s order by s), '{}') from unnest(segments) s) as segments
    from person_segment order by person_id`)
}

/** What the log says: entered and left in turn for each person and segment, and who is in where they end. */
async function told(): Promise<Stored[]> {
  const rows = await world.db.rows<{ person: number; segment: number; type: string }>(sql`
    select person_id as person, segment, type from ${segmentMoves} order by at, xid, seq`)
  const inside = new Map<number, Set<number>>()
  for (const { person, segment: id, type } of rows) {
    const own = inside.get(person) ?? new Set<number>()
    expect(own.has(id), `${type} of person ${person} and segment ${id}`).toBe(type === 'segment_left')
    if (type === 'segment_left') own.delete(id)
    else own.add(id)
    inside.set(person, own)
  }
  return [...inside]
    .map(([person, own]) => ({ person, segments: [...own].sort((left, right) => left - right) }))
    .filter(({ segments }) => segments.length > 0)
    .sort((left, right) => left.person - right.person)
}

/** The stored answers are those of the log's events, and everybody computed anew differs in nothing. */
async function expectWhole(now: Date): Promise<void> {
  const before = await stored()
  expect(before.filter(({ segments }) => segments.length > 0)).toEqual(await told())
  const how = { token: world.evaluate, now: () => now, zone: ZONE }
  expect(await recompute(world.db, world.clickhouse, { ...how, always: true })).toMatchObject({
    persons,
    changed: 0,
    finished: true,
  })
  expect(await stored()).toEqual(before)
}

test('killed at each point of evaluation, the next round ends with the answers of a full recompute', async () => {
  let now = await life()
  expect(await run('recompute', now, '')).toEqual(['', 0, ''])
  for (const point of points.evaluate) {
    now = await life()
    expect(await run('evaluate', now, point)).toEqual([point, 'SIGKILL', ''])
    // Every other time somebody else goes on only after more has happened.
    if (points.evaluate.indexOf(point) % 2 === 0) continue
    expect(await run('evaluate', now, '')).toEqual(['', 0, ''])
    await expectWhole(now)
  }
  expect(await run('evaluate', now, '')).toEqual(['', 0, ''])
  await expectWhole(now)
  expect((await stored()).length).toBe(persons)
})

test('killed while everybody is computed anew, the next round goes on behind the range that was written', async () => {
  let now = await life()
  expect(await run('evaluate', now, '')).toEqual(['', 0, ''])
  await segment('三次', bought(3))
  for (const point of points.recompute) {
    expect(await run('recompute', now, point)).toEqual([point, 'SIGKILL', ''])
    now = await life()
    expect(await run('evaluate', now, '')).toEqual(['', 0, ''])
  }
  expect(await run('recompute', now, '')).toEqual(['', 0, ''])
  await expectWhole(now)
})

test('killed at each point of taking a segment, the next round takes it whole, and until then the one before counts', async () => {
  const taken = {
    snapshot: await segment('快照', bought(1), 'snapshot'),
    on_demand: await segment('按需', bought(1), 'on_demand'),
  }
  let now = await life()
  expect(await run('evaluate', now, '')).toEqual(['', 0, ''])
  expect(await run('recompute', now, '')).toEqual(['', 0, ''])
  for (const id of Object.values(taken)) {
    let before: number[] = []
    for (const point of points.take) {
      await world.db.transaction((tx) => takeAnew(tx, id, now)).catch(alreadyWanted)
      expect(await run('take', now, point)).toEqual([point, 'SIGKILL', ''])
      if (point !== 'take.finished' && before.length > 0) expect(await membersOf(id, now)).toEqual(before)
      expect(await run('take', now, '')).toEqual(['', 0, ''])
      before = await membersOf(id, now)
      expect(before).toEqual(await buyers())
      expect(before.length).toBeGreaterThan(0)
      now = await life()
      expect(await run('evaluate', now, '')).toEqual(['', 0, ''])
      expect(await buyers()).not.toEqual(before)
    }
  }
  await run('recompute', now, '')
  await expectWhole(now)
})

/** A segment that was only just made waits to be taken by itself. */
function alreadyWanted(error: unknown): void {
  if (!(error instanceof Problem && error.code === 'already_running')) throw error
}

async function membersOf(id: number, now: Date): Promise<number[]> {
  await run('recompute', now, '')
  const { condition } = await inSegment(world.db, id)
  const rows = await world.db.rows<{ id: number }>(
    sql`select person.id from person where ${condition} order by 1`,
  )
  return rows.map((row) => row.id)
}

async function buyers(): Promise<number[]> {
  const rows = await world.db.rows<{ id: number }>(
    sql`select distinct person_id as id from person_state where purchases >= 1 order by 1`,
  )
  return rows.map((row) => row.id)
}
