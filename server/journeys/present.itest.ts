/** Those who were in the segment before their SOP went live, taken in by a process that is killed in the middle. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { settingDefaults } from '../../contract/settings.ts'
import { addOrders, addPersons } from '../../test/support/audience-world.ts'
import type { Order } from '../../test/support/journey-worker.ts'
import { holdNobodyOut } from '../../test/support/reach.ts'
import { segmentMoves } from '../../test/support/segment-moves.ts'
import { sopWorld } from '../../test/support/sop-world.ts'
import { setEpoch } from '../../test/support/test-time.ts'
import { sql } from '../platform/postgres/sql.ts'
import { journeyById } from './journey-store.ts'
import { createJourney, goLive, takeInPresent } from './journeys.ts'
import { goLiveCheck } from './read.ts'

const WORKER = fileURLToPath(new URL('../../test/support/journey-worker.ts', import.meta.url))
const now = new Date('2026-03-02T02:00:00Z')
const DAY_MS = 86_400_000
const SLEEPERS = 12

const world = await sopWorld(now)
const running: ChildProcess[] = []
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

async function enrolled(journeyId: string | null = null): Promise<number[]> {
  const rows = await world.db.rows<{ person: number }>(sql`
    select person_id as person from enrolment
    where ${journeyId}::uuid is null or journey_id = ${journeyId} order by person_id`)
  return rows.map(({ person }) => person)
}

/** Members of long ago who bought once, so many days ago. */
async function importSleepers(persons: readonly number[], days = 130): Promise<void> {
  await addPersons(
    world,
    persons.map((personId) => ({ personId, joinedAt: now.getTime() - 400 * DAY_MS })),
    now,
    'bulk',
  )
  const purchase = {
    id: '',
    at: now.getTime() - days * DAY_MS,
    amount: 9900,
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
    persons.map((personId) => ({ personId, purchase })),
    now,
    'bulk',
  )
}

const persons = Array.from({ length: SLEEPERS }, (_, index) => index + 1)

function makeWaking(name: string): Promise<string> {
  const wanted = { template: 'wake_sleeping' as const, name, enterPresent: true, texts: {}, by: null }
  return world.db.transaction((tx) => createJourney(tx, wanted, now))
}

test('whoever is present enters once, though the process that lets them in dies before it has noted how far it was', async () => {
  await holdNobodyOut(world.db)
  await importSleepers(persons)
  await world.settle()
  const id = await makeWaking('唤醒')
  await world.settle()
  await world.db.transaction((tx) => goLive(tx, id, 1, null, now))
  expect(await enrolled()).toEqual([])

  const order: Order = {
    databaseUrl: world.db.url,
    wecomUrl: world.wecom.baseUrl,
    smsUrl: world.sms.baseUrl,
    settleSeconds: 20,
    crashAt: 'journeys.present_entered',
  }
  await setEpoch(world.db, now)
  const child = spawn(process.execPath, [WORKER, JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  running.push(child)
  expect((await once(child, 'exit'))[1]).toBe('SIGKILL')
  expect(await enrolled()).toEqual([])

  await world.settle()
  expect(await enrolled()).toEqual(persons)
})

test('whoever is present is counted and taken in only when it is known who is in the segment', async () => {
  const id = await makeWaking('再次唤醒')
  const row = await journeyById(world.db, id)
  if (!row) throw new Error('no such SOP')
  const check = () => goLiveCheck(world.db, row, { zone: 'Asia/Shanghai', now })
  expect((await check()).problems.some((problem) => problem.blocks)).toBe(true)
  await world.db.transaction((tx) => goLive(tx, id, 1, null, now))
  expect(await takeInPresent(world.db, { token: world.token, now })).toBe(0)
  await world.settle()
  const counted = await check()
  expect([counted.entersNow, counted.problems.some((problem) => problem.blocks)]).toEqual([SLEEPERS, false])
  expect(await enrolled(id)).toEqual(persons)
})

test('whoever comes into the segment later by an import or by other bands does not enter', async () => {
  const before = await enrolled()
  await importSleepers([101, 102, 103])
  await importSleepers([201, 202], 50)
  await world.settle()
  const bands = { brand: { silent: 30, nearSleep: 180, hibernating: 365, lost: 730 }, byCategory: {} }
  await world.db.run(sql`
    insert into setting (name, version, value, changed_at)
    values ('lifecycle_bands', 1, ${JSON.stringify(bands)}::jsonb, ${now})`)
  await world.settle()
  const causes = await world.db.rows<{ cause: string }>(sql`
    select distinct cause from ${segmentMoves}
    where type = 'segment_entered' and person_id > 100 order by 1`)
  expect(causes.map(({ cause }) => cause)).toEqual(['bulk', 'definition'])
  expect(await enrolled()).toEqual(before)
})

test('what it costs at most counts every message that a member may get', async () => {
  const id = await makeWaking('两条短信')
  await world.settle()
  const row = await journeyById(world.db, id)
  if (!row) throw new Error('no such SOP')
  const nodes = row.definition.nodes.flatMap((node) =>
    node.id === 'sms' ? [node, { ...node, id: 'sms2' }] : [node],
  )
  const twice = { ...row, definition: { ...row.definition, nodes } }
  await world.db.run(sql`
    update person set phone = 'mobile', consents = '{"sms": "granted"}' where id = any(${persons}::int[])`)
  const { byChannel, costCents } = await goLiveCheck(world.db, twice, { zone: 'Asia/Shanghai', now })
  expect(byChannel.find(({ channel }) => channel === 'sms')?.reachable).toBe(SLEEPERS)
  expect(costCents).toBe(2 * SLEEPERS * settingDefaults.touch_costs.smsCents)
})
