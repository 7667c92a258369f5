/** Those who were in the segment before their SOP went live, taken in by a process that is killed in the middle. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { addOrders, addPersons } from '../../test/support/audience-world.ts'
import type { Order } from '../../test/support/journey-worker.ts'
import { holdNobodyOut } from '../../test/support/reach.ts'
import { sopWorld } from '../../test/support/sop-world.ts'
import { setEpoch } from '../../test/support/test-time.ts'
import { sql } from '../platform/postgres/sql.ts'
import { createJourney, goLive } from './journeys.ts'

const WORKER = fileURLToPath(new URL('../../test/support/journey-worker.ts', import.meta.url))
const now = new Date('2026-03-02T02:00:00Z')
const DAY_MS = 86_400_000
const SLEEPERS = 12

const world = await sopWorld(now)
const running: ChildProcess[] = []
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

async function enrolled(): Promise<number[]> {
  const rows = await world.db.rows<{ person: number }>(
    sql`select person_id as person from enrolment order by person_id`,
  )
  return rows.map(({ person }) => person)
}

test('whoever is present enters once, though the process that lets them in dies before it has noted how far it was', async () => {
  await holdNobodyOut(world.db)
  const persons = Array.from({ length: SLEEPERS }, (_, index) => index + 1)
  await addPersons(
    world,
    persons.map((personId) => ({ personId, joinedAt: now.getTime() - 400 * DAY_MS })),
    now,
    'bulk',
  )
  const purchase = {
    id: '',
    at: now.getTime() - 130 * DAY_MS,
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
  await world.settle()
  const id = await world.db.transaction((tx) =>
    createJourney(
      tx,
      { template: 'wake_sleeping', name: '唤醒', enterPresent: true, texts: {}, by: null },
      now,
    ),
  )
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
