import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../server/platform/ids.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { endLoops, untilQuiet } from '../support/demo.ts'
import { demoBrand } from './demo-brand.ts'
import { button, choose, confirm, pageOf, settled, soon, visit } from './pages.ts'

let app: TestApp
let owner = ''
let page: Page

beforeAll(async () => {
  app = await demoBrand({ members: 120, hours: 3 })
  owner = (await app.as('owner', { rights: ['approve', 'see_personal'] })).staffId
  page = await pageOf(app, owner)
})

afterAll(() => endLoops(app))

const one = async <T = number>(query: ReturnType<typeof sql>): Promise<T> =>
  (await app.db.row<{ value: T }>(query)).value
const rows = (): Locator => page.locator('tbody tr.ant-table-row')
/** A figure of the page as a number, by what stands above it. */
const figure = async (label: string): Promise<number> =>
  Number(
    (
      await page.locator('.ant-card').filter({ hasText: label }).getByRole('link').first().textContent()
    )?.replaceAll(',', ''),
  )

test('home says how many there are and how many sleep, and each number leads to its members', async () => {
  await visit(page, app, '/')
  expect(await figure('总人数')).toBe(
    await one(sql`select count(*)::int as value from person where state = 'live'`),
  )
  expect(await figure('沉睡')).toBe(
    await one(sql`
      select count(*)::int as value from person_state
      where lifecycle in ('silent', 'near_sleep', 'hibernating', 'lost')`),
  )
  const silent = await one(sql`select count(*)::int as value from person_state where lifecycle = 'silent'`)
  await page.getByRole('link', { name: `沉默会员 ${silent}`, exact: true }).click()
  await page.waitForURL('**/members?lifecycle=silent')
  await soon(() => rows().count()).toBe(Math.min(silent, 50))
})

test('what home counts of today is what its links list', async () => {
  // Figures are kept for some seconds.
  app.clock.advance({ minutes: 1 })
  const at = app.clock.now()
  // Of another day: neither in the figure nor in the list.
  await app.db.run(sql`
    update task set state = 'done', ended_at = ${new Date(at.getTime() - 2 * 86_400_000)}, outcome = 'called', feedback = 'x'
    where id = (select id from task where state = 'open' and kind <> 'broadcast' order by id limit 1)`)
  await app.db.run(sql`
    update task set state = 'done_late', ended_at = ${at}, outcome = 'called', feedback = 'x'
    where id = (select id from task where state = 'open' and kind <> 'broadcast' order by id limit 1)`)
  await visit(page, app, '/')
  const day = at.toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' })
  const done = page.getByRole('link', { name: /^已完成/ })
  const figure = Number((await done.textContent())?.replace(/\D/g, ''))
  expect(figure).toBeGreaterThan(0)
  await done.click()
  await page.waitForURL(`**/tasks?doneOn=${day}`)
  await keepPicture(page, 'tasks-of-a-day')
  const listed = page.getByRole('table').first().locator('tbody tr.ant-table-row')
  await soon(() => listed.count()).toBe(Math.min(figure, 50))
  await visit(page, app, '/')
  const decided = page
    .locator('.ant-card')
    .filter({ hasText: '今日触达' })
    .last()
    .locator('a[href*="state="]')
  const text = (await decided.first().textContent()) ?? ''
  await decided.first().click()
  await page.waitForURL(`**/touches?day=${day}&state=*`)
  await soon(() => rows().count()).toBe(Math.min(Number(text.replace(/\D/g, '')), 50))
  await keepPicture(page, 'touches-of-a-day')
})

test('members are narrowed, page by page, and what is shown is saved as a segment', async () => {
  await visit(page, app, '/members')
  await page.getByText('已显示 50 条，还有更多').waitFor()
  await button(page, '加载更多').click()
  await soon(() => rows().count()).toBe(100)
  await choose(page, page.getByLabel('生命周期', { exact: true }), '活跃会员')
  await page.waitForURL('**/members?lifecycle=active')
  await settled(page)
  await button(page, '存成人群').click()
  await page.waitForURL('**/segments/new?rule=*')
  const active = await one(sql`select count(*)::int as value from person_state where lifecycle = 'active'`)
  await page.getByTestId('preview-count').getByText(`${active} 人`, { exact: true }).waitFor()
})

test('a member is found by the last four digits, and a look at the whole number is written down', async () => {
  const person = await app.db.row<{ id: string; name: string }>(sql`
    select public_id as id, name from person where state = 'live' and phone = 'mobile' and name is not null order by id limit 1`)
  await visit(page, app, `/members/${person.id}`)
  const masked = page.getByText(/^1\d\d\*{4}\d{4}$/).first()
  const digits = ((await masked.textContent()) ?? '').slice(-4)
  await page.getByRole('button', { name: '查看完整号码（会记录） 手机' }).click()
  await page.getByText(/^(\+86)?1\d{10}$/).waitFor()
  expect(
    await app.db.rows(sql`
      select object_id, actor_id from audit_trail where action = 'member.phone_revealed'`),
  ).toEqual([{ object_id: person.id, actor_id: owner }])
  await page.getByRole('searchbox').first().fill(digits)
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/members?q=${digits}`)
  await page.getByRole('link', { name: person.name }).first().waitFor()
})

test('for a segment the page says why, and the reason is the stored answer', async () => {
  const found = await app.db.row<{ person: string; segment: string }>(sql`
    select p.public_id as person, s.name as segment from person_segment m
    join person p on p.id = m.person_id join segment s on s.id = m.segments[1]
    where not s.hidden and cardinality(m.segments) > 0 order by p.id limit 1`)
  await visit(page, app, `/members/${found.person}`)
  await page
    .getByText(/进入人群：/)
    .filter({ hasText: found.segment })
    .first()
    .waitFor()
  await page
    .locator('div')
    .filter({ has: page.getByRole('link', { name: found.segment, exact: true }) })
    .last()
    .getByRole('button', { name: '为什么？怎样会变？' })
    .click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(`在“${found.segment}”里，因为`).waitFor()
  expect(await dialog.getByLabel('符合', { exact: true }).count()).toBeGreaterThan(0)
  await keepPicture(page, 'why')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
})

test('orders of a member are those of the database', async () => {
  const person = await app.db.row<{ id: string; orders: number }>(sql`
    select p.public_id as id, count(*)::int as orders from document d join profile f on f.id = d.profile_id
    join person p on p.id = f.person_id where d.kind = 'order' and not d.deleted group by 1 order by 2 desc, 1 limit 1`)
  await visit(page, app, `/members/${person.id}?tab=orders`)
  await soon(() => rows().count()).toBe(person.orders)
})

test('the audit of the base counts as the database does', async () => {
  await visit(page, app, '/audit-base')
  const [persons, invalid] = [
    await one(sql`select count(*)::int as value from person where state = 'live'`),
    await one(sql`select count(*)::int as value from person where state = 'live' and phone = 'invalid'`),
  ]
  await page.getByText(new RegExp(`^${persons} 人里有`)).waitFor()
  await page.getByText(`${invalid} 个手机号是错的`).waitFor()
})

test('a cell of the RFM matrix leads to its members', async () => {
  await visit(page, app, '/lifecycle')
  const cell = await app.db.row<{ recency: number; frequency: number; persons: number }>(sql`
    select r as recency, f as frequency, count(*)::int as persons from person_state
    where r is not null group by 1, 2 order by 3 desc, 1, 2 limit 1`)
  const line = page
    .locator('table')
    .filter({ hasText: '消费频率' })
    .getByRole('row')
    .nth(5 - cell.recency)
  const field = line.getByRole('button').nth(cell.frequency - 1)
  expect(await field.textContent()).toBe(String(cell.persons))
  await field.click()
  await page.waitForURL('**/segments/new?rule=*')
  await page.getByTestId('preview-count').getByText(`${cell.persons} 人`, { exact: true }).waitFor()
})

test('a SOP is made from a template, shows what would happen, goes live, pauses and goes on', async () => {
  await visit(page, app, '/journeys')
  await button(page.locator('.ant-card').filter({ hasText: '生日祝福' }), '用这个模板').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('名称').fill('我的生日 SOP')
  await button(dialog, '建立草稿').click()
  await page.waitForURL(/\/journeys\/[0-9a-f-]{36}$/)
  const id = new URL(page.url()).pathname.split('/')[2]
  const state = (): Promise<string> => one(sql`select state as value from journey where id = ${id}`)
  expect(await state()).toBe('draft')
  await button(page, '上线…').click()
  await page.getByText(/^现在进入/).waitFor()
  await page
    .getByRole('dialog')
    .getByRole('row', { name: /^短信 .*模拟$/ })
    .waitFor()
  await keepPicture(page, 'go-live')
  await button(page.getByRole('dialog'), '确认上线').click()
  await soon(state).toBe('live')
  await button(page, '暂停').click()
  await confirm(page)
  await soon(state).toBe('paused')
  await button(page, '继续').click()
  await soon(state).toBe('live')
  await button(page, '暂停').waitFor()
  await button(page, '结束').click()
  await confirm(page)
  await soon(state).toBe('ended')
  expect(
    await app.db.rows(
      sql`select action from audit_trail where object_kind = 'journey' and object_id = ${id} order by seq`,
    ),
  ).toEqual(['created', 'live', 'paused', 'resumed', 'ended'].map((verb) => ({ action: `journey.${verb}` })))
})

test('the busiest SOP shows its canvas with counts, its funnel, why messages stayed, and who is in it', async () => {
  const journey = await app.db.row<{ id: string; stays: number; nodes: number }>(sql`
    select j.id, count(e.id)::int as stays,
      (select jsonb_array_length(v.definition->'nodes') from journey_version v where v.journey_id = j.id order by v.number desc limit 1) as nodes
    from journey j join enrolment e on e.journey_id = j.id group by j.id order by 2 desc limit 1`)
  await visit(page, app, `/journeys/${journey.id}`)
  await soon(() => page.locator('.react-flow__node:visible').count()).toBe(journey.nodes)
  await page.getByRole('tab', { name: '漏斗与效果' }).click()
  await page.getByRole('img', { name: '漏斗与效果' }).waitFor()
  await keepPicture(page, 'funnel')
  await page.getByRole('tab', { name: '谁在里面' }).click()
  await soon(() => page.getByRole('tabpanel').locator('tbody tr.ant-table-row').count()).toBe(
    Math.min(journey.stays, 50),
  )
  const reasons = await app.db.rows<{ touches: number }>(sql`
    select count(*)::int as touches from touch where journey_id = ${journey.id} group by state, reason`)
  await page.getByRole('tab', { name: '为什么没发出去' }).click()
  await soon(() => page.getByRole('tabpanel').locator('tbody tr.ant-table-row').count()).toBe(reasons.length)
})

test('touches and tasks are narrowed to a state, and the database has as many', async () => {
  await visit(page, app, '/touches')
  await choose(page, page.getByLabel('状态', { exact: true }), '对照组保留')
  await page.waitForURL('**/touches?state=held_out')
  const held = await one(sql`select count(*)::int as value from touch where state = 'held_out'`)
  await soon(() => rows().count()).toBe(Math.min(held, 50))
  await visit(page, app, '/tasks')
  await choose(page, page.getByLabel('状态', { exact: true }), '待完成')
  await page.waitForURL('**/tasks?state=open')
  const open = await one(sql`select count(*)::int as value from task where state = 'open'`)
  await soon(() => page.getByRole('table').first().locator('tbody tr.ant-table-row').count()).toBe(
    Math.min(open, 50),
  )
  await page.getByText('按门店').click()
  await page.waitForURL('**/tasks?state=open&by=store')
})

test('a list is read again by itself, but not every page of it', async () => {
  const own = await pageOf(app, owner)
  await own.clock.install()
  let asked = 0
  await own.route('**/api/touches?*', (route) =>
    route.continue({ url: route.request().url().replace('limit=50', 'limit=5') }),
  )
  own.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/touches') asked += 1
  })
  await visit(own, app, '/touches')
  await own.clock.fastForward(16_000)
  await soon(async () => asked).toBe(2)
  await button(own, '加载更多').click()
  await soon(() => own.locator('tbody tr.ant-table-row').count()).toBe(10)
  asked = 0
  // What is read every 15 seconds for the sentence above comes; the pages of the list do not.
  await Promise.all([own.waitForResponse('**/api/touches/today*'), own.clock.fastForward(16_000)])
  await settled(own)
  expect(asked).toBe(0)
  await own.context().close()
})

test('what could not be read again stays and says that it is old; a further page that did not come says so', async () => {
  const own = await pageOf(app, owner)
  await own.clock.install()
  const few = '**/api/touches?*'
  await own.route(few, (route) =>
    route.continue({ url: route.request().url().replace('limit=50', 'limit=5') }),
  )
  await visit(own, app, '/touches')
  const listed = own.locator('tbody tr.ant-table-row')
  await soon(() => listed.count()).toBe(5)
  await own.route(few, (route) => route.abort())
  // Past the next refresh and its second try.
  await own.clock.fastForward(16_000)
  await own.clock.fastForward(16_000)
  await own.getByText('没有刷新成功').waitFor()
  expect(await listed.count()).toBe(5)
  await button(own, '加载更多').click()
  await own.clock.fastForward(5_000)
  await own.getByText('没有加载出来，请再试一次').waitFor()
  expect(await listed.count()).toBe(5)
  await own.unroute(few)
  await button(own, '加载更多').click()
  await soon(() => listed.count()).toBeGreaterThan(5)
  await own.getByText('没有加载出来').waitFor({ state: 'hidden' })
  await own.context().close()
})

test('what may or may not have gone out is shown until a person tells', async () => {
  const at = app.clock.now()
  const id = newId(at)
  await app.db.run(sql`
    insert into outbox (id, channel, class, content_id, content_version, body, attachments, marker, slot, size, made_at)
    select ${id}, 'sms', 'marketing', id, 1, '新品到店', '[]', 'unknown-one', ${at}, 1, ${at} from content limit 1`)
  for (const state of ['sending', 'unknown'])
    await app.db.run(sql`update outbox set state = ${state}, token = 1, tried_at = ${at} where id = ${id}`)
  await visit(page, app, '/touches')
  await page.getByText(/^1 次交给渠道的发送没有结果/).waitFor()
  await keepPicture(page, 'unknown')
  await button(page, '没有发出').click()
  await confirm(page)
  await page.getByText(/^1 次交给渠道的发送没有结果/).waitFor({ state: 'hidden' })
  expect(await one<string>(sql`select state as value from outbox where id = ${id}`)).not.toBe('unknown')
})

test('the demo is taken out by its name typed again', async () => {
  await visit(page, app, '/settings?tab=brand')
  await button(page, '移除演示数据').click()
  const dialog = page.getByRole('dialog')
  const go = button(dialog, '移除演示数据')
  expect(await go.isDisabled()).toBe(true)
  await dialog.getByRole('textbox').fill('演示品牌')
  await go.click()
  await soon(() => one<string>(sql`select state as value from demo_brand`)).toBe('removing')
  await untilQuiet(app, ['demo'])
  expect(await one(sql`select count(*)::int as value from person where demo`)).toBe(0)
})
