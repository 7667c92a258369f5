/** What is behind, what waits and what runs out, as an alarm reads it over HTTP. */
import { expect, test } from 'vitest'
import { testApp } from '../test/support/app.ts'
import { testDatabase } from '../test/support/database.ts'
import { candidate, makeContent, makeMembers, makeStaff, offerAll } from '../test/support/reach.ts'
import { testKeys } from '../test/support/reach-ports.ts'
import { append, heard, type NewEvent, registerConsumers } from './events/events.ts'
import { createJourney, goLive } from './journeys/journeys.ts'
import { GIB, watchDisk } from './platform/disk.ts'
import { newId } from './platform/ids.ts'
import { sql } from './platform/postgres/sql.ts'

const db = await testDatabase()
let free = 3 * GIB
const disk = await watchDisk(['/data'], { least: 2 * GIB, probe: async () => ({ free, share: 0.5 }) })
const here = await testApp(db, { disk })

/** The value of a gauge with these labels; undefined where it is not told. */
async function gauge(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  const { body } = await here.anonymous('GET', '/metrics')
  for (const line of String(body).split('\n')) {
    const [, found, of = '', value] = /^(\w+)(?:\{([^}]*)\})? (\S+)$/.exec(line) ?? []
    if (found !== name) continue
    const told = Object.fromEntries([...of.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]))
    if (JSON.stringify(told) === JSON.stringify(labels)) return Number(value)
  }
  return undefined
}

/** Gauges of one reading come from one question; the next question is half a second later. */
async function laterGauge(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  await new Promise((resolve) => setTimeout(resolve, 550))
  return gauge(name, labels)
}

test('how far each consumer is behind, in events and in seconds, by lane', async () => {
  await registerConsumers(db, ['react', 'project'])
  expect(await gauge('liuliang_consumer_behind_events', { consumer: 'react', lane: 'live' })).toBe(0)
  const at = here.clock.now()
  const events = Array.from(
    { length: 7 },
    (): NewEvent => ({
      id: newId(at),
      type: 'page_viewed',
      profileId: 1,
      personId: 1,
      at,
      data: { page: 'p' },
    }),
  )
  await db.transaction((tx) => append(tx, events, { lane: 'live', source: 'test', receivedAt: at }))
  here.clock.advance({ seconds: 90 })
  const labels = { consumer: 'react', lane: 'live' }
  expect(await laterGauge('liuliang_consumer_behind_events', labels)).toBe(7)
  expect(await gauge('liuliang_consumer_behind_seconds', labels)).toBe(90)
  await db.run(sql`update consumer set xid = pg_current_xact_id(), seq = 9000000 where name = 'react'`)
  expect(await laterGauge('liuliang_consumer_behind_events', labels)).toBe(0)
  expect(await gauge('liuliang_consumer_behind_events', { ...labels, consumer: 'project' })).toBe(7)
  expect(await gauge('liuliang_consumer_behind_seconds', { consumer: 'project', lane: 'bulk' })).toBe(0)
})

test('how many steps of SOPs are due, and for how long the oldest', async () => {
  const now = here.clock.now()
  const journeyId = await db.transaction((tx) =>
    createJourney(
      tx,
      { template: 'new_member_follow_up', name: '新会员', enterPresent: false, texts: {}, by: null },
      now,
    ),
  )
  const enter = (personId: number, minutes: number) =>
    db.run(sql`
      insert into enrolment (id, journey_id, number, person_id, node_id, due_at, anchor_at, entered_at)
      values (${newId(now)}, ${journeyId}, 1, ${personId}, 'start', ${now}::timestamptz - ${minutes}::int * interval '1 min', ${now}, ${now})`)
  await enter(1, 30)
  await enter(2, 5)
  await enter(3, -5)
  // A draft steps nobody.
  expect(await laterGauge('liuliang_journeys_due')).toBe(0)
  await db.transaction((tx) => goLive(tx, journeyId, 1, null, now))
  expect(await laterGauge('liuliang_journeys_due')).toBe(2)
  expect(await gauge('liuliang_journeys_due_seconds')).toBe(1800)
})

test('what waits to be sent, and since when', async () => {
  const keys = testKeys()
  const staffIds = await makeStaff(db, 1)
  const members = await makeMembers(db, keys, { count: 3, staffIds })
  const contentId = await makeContent(db, { channel: 'sms' })
  await offerAll(
    db,
    members.map((personId) => candidate({ personId, channel: 'sms', contentId })),
    here.clock.now(),
  )
  expect(await laterGauge('liuliang_reach_waiting', { stage: 'candidates', state: 'offered' })).toBe(3)
  expect(
    await gauge('liuliang_reach_waiting_seconds', { stage: 'candidates', state: 'offered' }),
  ).toBeDefined()
})

test('who holds the log back, and for how long', async () => {
  const client = await db.connect()
  try {
    await client.query('begin')
    await client.query('select pg_current_xact_id()')
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await laterGauge('liuliang_log_horizon_age_seconds')).toBeGreaterThan(0.5)
    await client.query('rollback')
  } finally {
    client.release()
  }
})

test('which source is silent for longer than it is used to, for the metrics and the home page', async () => {
  const now = here.clock.now()
  const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000)
  for (const days of [9, 8, 7, 6]) await heard(db, 'till', daysAgo(days))
  for (const days of [3, 2, 1, 0]) await heard(db, 'shop', daysAgo(days))
  expect(await laterGauge('liuliang_source_silent', { source: 'till' })).toBe(1)
  expect(await gauge('liuliang_source_silent', { source: 'shop' })).toBeUndefined()
  const { body } = await (await here.as('owner'))('GET', '/api/home')
  const { stopped } = body as { stopped: { what: string; text: { en: string }; since: string | null }[] }
  expect(stopped.filter(({ what }) => what.startsWith('source.'))).toEqual([
    {
      what: 'source.till',
      text: { zh: expect.any(String), en: expect.stringContaining('told nothing for 6 days') },
      since: daysAgo(6).toISOString(),
    },
  ])
})

test('how much disk is free, and whether that lets anything be sent', async () => {
  expect(await gauge('liuliang_disk_free_bytes')).toBe(3 * GIB)
  expect(await gauge('liuliang_may_act')).toBe(1)
  free = GIB
  expect(await laterGauge('liuliang_disk_free_bytes')).toBe(GIB)
  expect(await gauge('liuliang_may_act')).toBe(0)
})
