/** The published SDKs, unchanged, against the program as it is served. */
import { Analytics } from '@segment/analytics-node'
import SensorsAnalytics from 'sa-sdk-node'
import { beforeAll, expect, test } from 'vitest'
import type { EventSource } from '../../../contract/intake.ts'
import { type TestApp, testApp } from '../../../test/support/app.ts'
import { testDatabase } from '../../../test/support/database.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { sql } from '../../platform/postgres/sql.ts'

let db: Database
let app: TestApp
let source: EventSource

beforeAll(async () => {
  db = await testDatabase()
  // The SDKs stamp events by the clock of this machine.
  app = await testApp(db, { at: new Date().toISOString() })
  const owner = await app.as('owner')
  source = (await owner('POST', '/api/event-sources', { code: 'server', name: '后端', userIdKind: 'card' }))
    .body as EventSource
})

type Row = {
  type: string
  data: { name?: string; page?: string; properties: Record<string, unknown> }
  card: boolean
}
const logged = (): Promise<Row[]> =>
  db.rows<Row>(sql`
    select type, data, exists (
      select from identifier i join profile p on p.id = i.profile_id where p.person_id = event_log.person_id and i.kind = 'card'
    ) as card
    from event_log where type in ('tracked', 'page_viewed') and source = 'sdk:server' order by at, seq`)

test('@segment/analytics-node: every call arrives once, known by its user id', async () => {
  const analytics = new Analytics({
    writeKey: source.writeKey,
    host: app.address,
    path: '/v1/batch',
    flushAt: 15,
  })
  const failed: unknown[] = []
  analytics.on('error', (error) => failed.push(error))
  analytics.identify({ userId: 'M1', traits: { name: '赵六', plan: 'gold' } })
  for (let n = 0; n < 40; n += 1)
    analytics.track({ userId: 'M1', event: 'Viewed', properties: { n, price: 9.9 } })
  analytics.page({ anonymousId: 'a-1', name: '首页', properties: { path: '/' } })
  analytics.screen({ anonymousId: 'a-1', name: '商品' })
  analytics.group({ userId: 'M1', groupId: 'family' })
  analytics.alias({ userId: 'M1', previousId: 'a-1' })
  await analytics.closeAndFlush({ timeout: 30_000 })
  expect(failed).toEqual([])
  const rows = await logged()
  expect(
    rows
      .filter(({ data }) => data.name === 'Viewed')
      .map(({ data }) => Number(data.properties['n']))
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: 40 }, (_, n) => n))
  expect(
    rows
      .filter(({ type }) => type === 'page_viewed')
      .map(({ data }) => data.page)
      .sort(),
  ).toEqual(['商品', '首页'])
  const { kinds, plan } = await db.row<{ kinds: string[]; plan: string }>(
    sql`select identifiers as kinds, attributes ->> 'custom.plan' as plan from person where name = '赵六'`,
  )
  expect([kinds, plan]).toEqual([['card', 'device'], 'gold'])
})

test('sa-sdk-node: every kind of record arrives', async () => {
  const url = `${app.address}/sa?project=production&token=${source.writeKey}`
  const sa = new SensorsAnalytics()
  sa.submitTo({ url, gzip: true, mode: 'track', timeout: 10_000 })
  sa.track('d-9', 'ViewProduct', { sku: 'A', price: 12 })
  sa.trackSignup('M9', 'd-9', { channel: 'wechat' })
  sa.profileSet('M9', { level: 'vip' })
  sa.profileIncrement('M9', { games: 2 })
  sa.itemSet('product', 'A', { color: 'red' })
  sa.track('M9', 'Paid', { total: 99 })
  const names = async (): Promise<(string | undefined)[]> => (await logged()).map(({ data }) => data.name)
  await expect
    .poll(names, { timeout: 20_000 })
    .toEqual(expect.arrayContaining(['ViewProduct', '$SignUp', 'Paid']))
  await expect
    .poll(
      () =>
        db.maybe(
          sql`select 1 as there from person where attributes ->> 'custom.level' = 'vip' and (attributes -> 'custom.games')::int = 2`,
        ),
      { timeout: 20_000 },
    )
    .toBeDefined()
  await expect
    .poll(() => db.maybe(sql`select properties from tracked_item where id = 'A'`), { timeout: 20_000 })
    .toEqual({ properties: { color: 'red' } })
  // What was seen before signing up belongs to the member.
  const viewed = (await logged()).find(({ data }) => data.name === 'ViewProduct')
  expect(viewed?.data.properties).toMatchObject({ sku: 'A', price: 12 })
  const { persons } = await db.row<{ persons: number }>(sql`
    select count(distinct p.person_id)::int as persons from profile p join event_log e on e.profile_id = p.id
    where e.data ->> 'name' in ('ViewProduct', 'Paid')`)
  expect(persons).toBe(1)
})
