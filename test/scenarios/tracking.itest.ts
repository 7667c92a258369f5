/** What somebody does in a shop's page or app, sent by the published SDK, on the member's page and in a segment at once. */
import { Analytics } from '@segment/analytics-node'
import SensorsAnalytics from 'sa-sdk-node'
import { afterAll, expect, test } from 'vitest'
import type { EventSource } from '../../contract/intake.ts'
import { runLoops } from '../../server/loop.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { systemClock } from '../../server/platform/time/clock.ts'
import { testApp } from '../support/app.ts'
import { testClickHouse } from '../support/clickhouse.ts'
import { testDatabase } from '../support/database.ts'

const db = await testDatabase()
const app = await testApp(db, { clickhouse: await testClickHouse(), at: systemClock.now().toISOString() })
/** The SDKs stamp events by the clock of this machine, so the program goes by it too. */
const ticking = setInterval(() => app.clock.set(systemClock.now()), 50)
const stop = new AbortController()
const { clock, log, stores } = app.parts
const working = runLoops(
  { db, disk: stores.disk, clock, log, metrics: app.app.metrics },
  app.app.loops,
  stop.signal,
)
afterAll(async () => {
  stop.abort()
  clearInterval(ticking)
  await working
})

const owner = await app.as('owner', { rights: ['see_personal'] })
const source = (await owner('POST', '/api/event-sources', { code: 'shop', name: '商城' })).body as EventSource

async function segment(name: string): Promise<string> {
  const rule = {
    kind: 'events',
    filter: { event: 'tracked', names: [name] },
    measure: { of: 'count' },
    window: { kind: 'rolling', days: 7 },
    compare: { op: 'ge', value: 2 },
  }
  const made = await owner('POST', '/api/segments', { name: `${name} twice`, description: '', rule })
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  return String((made.body as { id: number }).id)
}

const personsIn = async (id: string): Promise<number> =>
  ((await owner('GET', `/api/segments/${id}`)).body as { persons: number }).persons

test('two events of the SDK of Segment stand on the page of the member and move a segment', async () => {
  const wished = await segment('Product Wished')
  const analytics = new Analytics({
    writeKey: source.writeKey,
    host: app.address,
    path: '/v1/batch',
    flushAt: 1,
  })
  analytics.identify({ userId: 'M501', traits: { name: '周八' } })
  analytics.track({ userId: 'M501', event: 'Product Wished', properties: { sku: 'A1', price: 199 } })
  analytics.track({ userId: 'M501', event: 'Product Wished', properties: { sku: 'A2', price: 99 } })
  await analytics.closeAndFlush({ timeout: 30_000 })
  await expect.poll(() => personsIn(wished), { timeout: 30_000 }).toBe(1)
  const { id } = await db.row<{ id: string }>(sql`select public_id as id from person where name = '周八'`)
  const { items } = (await owner('GET', `/api/members/${id}/timeline`)).body as {
    items: { title: { zh: string }; details: Record<string, unknown> }[]
  }
  const shown = items.filter(({ title }) => title.zh === '埋点事件：Product Wished')
  expect(shown.map(({ details }) => details['properties'])).toEqual(
    expect.arrayContaining([
      { sku: 'A1', price: 199 },
      { sku: 'A2', price: 99 },
    ]),
  )
  const card = (await owner('GET', `/api/members/${id}`)).body as { segments: { name: string }[] }
  expect(card.segments.map(({ name }) => name)).toContain('Product Wished twice')
})

test('two events of the SDK of 神策 do the same', async () => {
  const shared = await segment('ShareClicked')
  const sa = new SensorsAnalytics()
  sa.submitTo({
    url: `${app.address}/sa?project=production&token=${source.writeKey}`,
    gzip: true,
    mode: 'track',
    timeout: 10_000,
  })
  sa.track('d-77', 'ShareClicked', { channel: 'wechat' })
  sa.trackSignup('M502', 'd-77', {})
  sa.track('M502', 'ShareClicked', { channel: 'moments' })
  // What came before signing up counts for the member as well.
  await expect.poll(() => personsIn(shared), { timeout: 30_000 }).toBe(1)
})
