/** The SDKs that shops have in their pages, unchanged, in a page of another site. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EventSource } from '../../contract/intake.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { systemClock } from '../../server/platform/time/clock.ts'
import { type Caller, type TestApp, testApp } from '../support/app.ts'
import { testBrowser } from '../support/browser.ts'
import { testDatabase } from '../support/database.ts'

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const FILES: Record<string, string> = {
  '/umd/': `${MODULES}/@segment/analytics-next/dist/umd/`,
  '/sa/': `${MODULES}/sa-sdk-javascript/`,
}
const pages = new Map<string, string>()
const shop = createServer((request, response) => {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const html = pages.get(path)
  if (html !== undefined) {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(html)
    return
  }
  const folder = Object.keys(FILES).find((prefix) => path.startsWith(prefix))
  if (folder === undefined) {
    response.writeHead(404).end()
    return
  }
  readFile(`${FILES[folder]}${path.slice(folder.length)}`).then(
    (bytes) => response.setHeader('content-type', 'text/javascript').end(bytes),
    () => response.writeHead(404).end(),
  )
})

let app: TestApp
let owner: Caller
let origin = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
  app = await testApp(await testDatabase(), { at: systemClock.now().toISOString() })
  owner = await app.as('owner')
})

afterAll(() => {
  shop.close()
})

async function source(code: string, origins: string[]): Promise<EventSource> {
  return (await owner('POST', '/api/event-sources', { code, name: code, origins, userIdKind: 'card' }))
    .body as EventSource
}

/** Opens a page of the shop, lets `until` come true, and answers what the console complained about. */
async function open(path: string, html: string, until: () => Promise<boolean>): Promise<string[]> {
  pages.set(path, `<!doctype html><title>店</title>${html}`)
  const context = await (await testBrowser()).newContext()
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`${origin}${path}`)
  await expect.poll(until, { timeout: 20_000 }).toBe(true)
  await context.close()
  return complaints
}

type Row = {
  type: string
  name: string | null
  page: string | null
  card: boolean
  profile: number
  properties: Record<string, unknown>
}
const logged = (code: string): Promise<Row[]> =>
  app.db.rows<Row>(sql`
    select type, data ->> 'name' as name, data ->> 'page' as page, profile_id as profile, data -> 'properties' as properties,
      exists (select from identifier i join profile p on p.id = i.profile_id
        join profile own on own.person_id = p.person_id and own.id = event_log.profile_id where i.kind = 'card') as card
    from event_log where type in ('tracked', 'page_viewed') and source = ${`sdk:${code}`} order by xid, seq`)

test('@segment/analytics-next in a page of the shop: page, track, identify, across origins', async () => {
  const { code, writeKey } = await source('segment-web', [origin])
  const settings = JSON.stringify({
    writeKey,
    cdnSettings: {
      integrations: {
        'Segment.io': {
          apiKey: writeKey,
          apiHost: `${app.address.replace('http://', '')}/v1`,
          protocol: 'http',
        },
      },
    },
  })
  const complaints = await open(
    '/segment',
    `<script src="/umd/index.js"></script><script>
      const analytics = window.AnalyticsNext.AnalyticsBrowser.load(${settings})
      analytics.page('首页')
      analytics.track('Product Added', { sku: 'A', price: 9.9 }).then(() => analytics.identify('M77', { name: '孙七' })).then(() => analytics.track('Order Completed', { total: 99 }))
    </script>`,
    async () => (await logged(code)).some(({ name }) => name === 'Order Completed'),
  )
  expect(complaints).toEqual([])
  const rows = await logged(code)
  expect(rows.map(({ type, name, page }) => [type, name ?? page]).sort()).toEqual([
    ['page_viewed', '首页'],
    ['tracked', 'Order Completed'],
    ['tracked', 'Product Added'],
  ])
  // What was done before signing in belongs to the member as well.
  expect(rows.map(({ card }) => card)).toEqual([true, true, true])
  expect(rows.find(({ name }) => name === 'Product Added')?.properties).toMatchObject({
    sku: 'A',
    price: 9.9,
  })
})

test('a page of a site that is not on the list of the key sends nothing', async () => {
  const { code, writeKey } = await source('segment-elsewhere', ['https://shop.example.com'])
  let status = 0
  pages.set('/foreign', '<!doctype html><title>店</title>')
  const page = await (await (await testBrowser()).newContext()).newPage()
  await page.goto(`${origin}/foreign`)
  status = await page.evaluate(
    async ([address, key]) =>
      (
        await fetch(`${address}/v1/t`, {
          method: 'POST',
          body: JSON.stringify({ writeKey: key, event: 'x', anonymousId: 'a' }),
        })
      ).status,
    [app.address, writeKey] as const,
  )
  await page.context().close()
  expect([status, await logged(code)]).toEqual([403, []])
})

for (const how of ['image', 'ajax', 'beacon']) {
  test(`sa-sdk-javascript by ${how}: page views, events, and the visitor becomes the member who signs in`, async () => {
    const { code, writeKey } = await source(`sensors-${how}`, [origin])
    const options = JSON.stringify({
      server_url: `${app.address}/sa.gif?project=production&token=${writeKey}`,
      send_type: how,
      show_log: false,
      use_client_time: true,
      heatmap: null,
    })
    const complaints = await open(
      `/sensors-${how}`,
      `<script src="/sa/sensorsdata.min.js"></script><script>
        const sensors = window.sensorsDataAnalytic201505
        sensors.init(${options})
        sensors.quick('autoTrack')
        sensors.track('AddToCart', { sku: 'A', price: 9.9 })
        sensors.login('M-${how}')
        sensors.setProfile({ level: 'gold' })
        sensors.track('Paid', { total: 99 })
      </script>`,
      async () => {
        const rows = await logged(code)
        return (
          ['AddToCart', 'Paid', '$SignUp'].every((wanted) => rows.some(({ name }) => name === wanted)) &&
          rows.some(({ type }) => type === 'page_viewed')
        )
      },
    )
    expect(complaints).toEqual([])
    await expect
      .poll(async () => (await logged(code)).every(({ card }) => card), { timeout: 20_000 })
      .toBe(true)
  })
}
