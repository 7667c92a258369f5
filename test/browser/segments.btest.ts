import { readFile } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { demoBrand } from './demo-brand.ts'
import { button, choose, pageOf, soon, visit } from './pages.ts'
import { letItWork } from './running.ts'

let app: TestApp
let owner: Awaited<ReturnType<TestApp['as']>>
let page: Page

beforeAll(async () => {
  app = await demoBrand({ members: 200, hours: 3 })
  owner = await app.as('owner', { rights: ['see_personal', 'export'] })
  letItWork(app)
  page = await pageOf(app, owner.staffId)
}, 240_000)

const segmentNamed = (name: string) =>
  app.db.row<{ id: number; kind: string; take: number }>(
    sql`select id, kind, take from segment where name = ${name} and state = 'live'`,
  )

async function make(
  name: string,
  kind: '实时' | '快照' | '按需',
  states: readonly string[],
): Promise<number> {
  const rule = { kind: 'all', rules: [{ kind: 'lifecycle', states }] }
  await visit(page, app, `/segments/new?rule=${encodeURIComponent(JSON.stringify(rule))}`)
  await page.getByLabel('名称', { exact: true }).fill(name)
  await page.getByText(kind, { exact: true }).click()
  await button(page, '保存').click()
  await page.waitForURL(/\/segments\/\d+$/)
  return (await segmentNamed(name)).id
}

const membersOf = (id: number) =>
  app.db.row<{ persons: number }>(
    sql`select count(*)::int as persons from person_segment where segments @> array[${id}::int]`,
  )
const meant = (states: readonly string[]) =>
  app.db.row<{ persons: number }>(sql`
    select count(*)::int as persons from person_state s join person p on p.id = s.person_id and p.state = 'live'
    where s.lifecycle = any(${[...states]}::text[])`)

test('a snapshot is made, taken, and taken anew', async () => {
  const id = await make('沉默快照', '快照', ['silent'])
  await soon(() => segmentNamed('沉默快照')).toEqual({ id, kind: 'snapshot', take: 1 })
  const wanted = await meant(['silent'])
  await soon(() => membersOf(id)).toEqual(wanted)
  await page
    .getByTestId('take')
    .getByText(new RegExp(`拍摄时的 ${wanted.persons} 人`))
    .waitFor()
  await button(page, '重新拍摄').click()
  await soon(() => segmentNamed('沉默快照')).toEqual({ id, kind: 'snapshot', take: 2 })
  await keepPicture(page, 'segment-snapshot')
})

test('on demand is computed when asked, says why no SOP can use it, and stands so in the list', async () => {
  const id = await make('按需活跃', '按需', ['active'])
  await soon(() => segmentNamed('按需活跃')).toEqual({ id, kind: 'on_demand', take: 1 })
  const wanted = await meant(['active'])
  await page
    .getByTestId('take')
    .getByText(new RegExp(`计算：${wanted.persons} 人`))
    .waitFor()
  await page.getByText('按需人群没有进出记录，不能触发 SOP').waitFor()
  expect(await membersOf(id)).toEqual({ persons: 0 })
  await button(page, '立即计算').click()
  await soon(() => segmentNamed('按需活跃')).toEqual({ id, kind: 'on_demand', take: 2 })
  await visit(page, app, '/segments')
  await page
    .getByRole('row', { name: /按需活跃/ })
    .getByText('按需', { exact: true })
    .waitFor()
  await keepPicture(page, 'segments-kinds')
  await page
    .getByRole('row', { name: /按需活跃/ })
    .getByRole('link', { name: String(wanted.persons), exact: true })
    .click()
  await page.waitForURL(/\/members\?segmentId=/)
  await soon(() => page.locator('.ant-table-row').count()).toBe(Math.min(50, wanted.persons))
})

test('the growth of a segment is that of the database, as a picture and as a table', async () => {
  const { id } = await app.db.row<{ id: number }>(sql`
    select s.id from segment s join segment_day d on d.segment_id = s.id
    where not s.hidden and s.state = 'live' and s.kind = 'live' group by s.id order by sum(d.entered) desc, s.id limit 1`)
  await app.db.run(sql`update segment set created_at = created_at - interval '6 days' where id = ${id}`)
  await visit(page, app, `/segments/${id}`)
  await page.getByRole('img', { name: '人数变化' }).waitFor()
  await keepPicture(page, 'segment-growth')
  await page.getByText('表', { exact: true }).click()
  const { persons } = await membersOf(id)
  const today = page.locator('.ant-card').filter({ hasText: '人数变化' }).locator('.ant-table-row').first()
  await today.getByText(String(persons), { exact: true }).first().waitFor()
})

test('another segment beside it: who is in one alone and in both', async () => {
  const first = await make('活跃人群', '实时', ['active'])
  const second = await make('活跃或沉默', '实时', ['active', 'silent'])
  const [inFirst, inSecond] = [await meant(['active']), await meant(['active', 'silent'])]
  await soon(() => membersOf(first)).toEqual(inFirst)
  await soon(() => membersOf(second)).toEqual(inSecond)
  await visit(page, app, `/segments/${first}`)
  await choose(page, page.getByLabel('选择另一个人群'), '活跃或沉默')
  await page.getByTestId('overlap-both').getByText(`${inFirst.persons} 人`).waitFor()
  await page.getByTestId('overlap-onlyFirst').getByText('0 人').waitFor()
  await page
    .getByTestId('overlap-onlySecond')
    .getByText(`${inSecond.persons - inFirst.persons} 人`)
    .waitFor()
  expect(page.url()).toContain(`with=${second}`)
  await keepPicture(page, 'segment-overlap')
})

test('a segment is exported with whole numbers, followed to its end, fetched, and stands in the audit trail', async () => {
  const { id } = await segmentNamed('活跃人群')
  const { persons } = await membersOf(id)
  await visit(page, app, `/segments/${id}`)
  await button(page, '导出').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByTitle('CSV').click()
  await dialog.getByRole('checkbox', { name: '城市' }).uncheck()
  await dialog.getByRole('checkbox', { name: /完整手机号/ }).check()
  await button(dialog, '开始导出').click()
  const run = dialog.getByTestId('export-run').first()
  await run.getByText('可下载', { exact: true }).waitFor()
  await keepPicture(page, 'export-dialog')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    run.getByRole('link', { name: /下\s?载/ }).click(),
  ])
  expect(download.suggestedFilename()).toBe('活跃人群.csv')
  const rows = parse(await readFile(await download.path()), { bom: true }) as string[][]
  expect(rows).toHaveLength(persons + 1)
  expect(rows[0]).toContain('手机号')
  expect(rows[0]).not.toContain('城市')
  const phone = rows[0]?.indexOf('手机号') ?? -1
  expect(rows.slice(1).filter((row) => /^1\d{10}$/.test(row[phone] ?? '')).length).toBeGreaterThan(0)
  const lines = await app.db.rows<{ action: string; rows: number | null; full: boolean }>(sql`
    select action, (after ->> 'rows')::int as rows, (after ->> 'fullPhones')::boolean as full from audit_trail
    where actor_id = ${owner.staffId} and object_kind = 'export' order by seq`)
  expect(lines).toEqual([
    { action: 'export.asked', rows: null, full: true },
    { action: 'export.finished', rows: persons, full: true },
    { action: 'export.downloaded', rows: persons, full: true },
  ])
  await page.keyboard.press('Escape')
})

test('on the page of a member another segment is searched, and it says what is missing and what time does', async () => {
  const { id } = await app.db.row<{ id: string }>(sql`
    select p.public_id as id from person p join person_state s on s.person_id = p.id
    where p.state = 'live' and s.lifecycle = 'silent' order by p.id limit 1`)
  await visit(page, app, `/members/${id}`)
  await choose(page, page.getByLabel('查另一个人群：为什么不在？'), '活跃人群')
  const dialog = page.getByRole('dialog')
  await dialog.getByText('不在“活跃人群”里，因为').waitFor()
  await dialog.getByText('还差：再下 1 单').waitFor()
  await dialog.getByText('时间不会改变它').waitFor()
  await keepPicture(page, 'why-not')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await choose(page, page.getByLabel('查另一个人群：为什么不在？'), '活跃或沉默')
  await page
    .getByTestId('why-time')
    .getByText(/最迟 20\d\d-\d\d-\d\d \d\d:\d\d 离开/)
    .waitFor()
  await keepPicture(page, 'why-time')
})

test('a draft shows its spread, and says when it is an estimate', async () => {
  await visit(page, app, '/segments/new')
  const spread = page.getByTestId('preview-spread')
  await spread.getByText('会员来源').waitFor()
  const [store] = await app.db.rows<{ name: string; persons: number }>(sql`
    select s.name, count(*)::int as persons from person p join store s on s.id = p.home_store_id where p.state = 'live'
    group by s.name order by 2 desc, 1 limit 1`)
  await spread.getByText(store?.name ?? '', { exact: true }).waitFor()
  await spread.getByText(String(store?.persons), { exact: true }).first().waitFor()
  expect(await page.getByTestId('preview-sampled').count()).toBe(0)
  await keepPicture(page, 'preview-spread')
})

test.each([
  ['phone', 'zh'],
  ['phone', 'en'],
  ['desk', 'en'],
] as const)('the pages of segments on a %s in %s', async (screen, lang) => {
  const other = await pageOf(app, owner.staffId, { screen, lang })
  const { id } = await segmentNamed('活跃人群')
  const second = await segmentNamed('活跃或沉默')
  await visit(other, app, `/segments/${id}?with=${second.id}`)
  await keepPicture(other, `segment-${screen}-${lang}`)
  await expectNoSideways(other)
  await other.getByRole('button', { name: /导\s?出|Export/ }).click()
  await other.getByRole('dialog').getByRole('checkbox').first().waitFor()
  await keepPicture(other, `export-${screen}-${lang}`)
  await other.keyboard.press('Escape')
  for (const [name, rule] of builders) {
    await visit(
      other,
      app,
      `/segments/new?rule=${encodeURIComponent(JSON.stringify({ kind: 'all', rules: [rule] }))}`,
    )
    await other.getByTestId('preview-count').waitFor()
    await keepPicture(other, `rule-${name}-${screen}-${lang}`)
    await expectNoSideways(other)
  }
  const { member } = await app.db.row<{ member: string }>(sql`
    select p.public_id as member from person p join person_state s on s.person_id = p.id
    where p.state = 'live' and s.lifecycle = 'silent' order by p.id limit 1`)
  await visit(other, app, `/members/${member}`)
  await choose(other, other.getByLabel(/为什么不在|why not in it/), '活跃人群')
  await other.getByTestId('why-leaf').first().waitFor()
  await keepPicture(other, `why-${screen}-${lang}`)
  await other.close()
})

/** One of each form that has many fields. */
const builders = [
  [
    'sequence',
    {
      kind: 'sequence',
      first: { of: 'event', filter: { event: 'touch_delivered' } },
      second: { of: 'purchase', filter: {} },
      withinDays: 7,
      happened: false,
      which: 'last',
      window: { kind: 'rolling', days: 90 },
    },
  ],
  [
    'orders',
    {
      kind: 'orders',
      measure: { of: 'sum', field: 'amount' },
      filter: { sides: ['offline'] },
      window: { kind: 'since', anchor: { at: 'last', what: { of: 'purchase', filter: {} } }, days: 30 },
      compare: { op: 'between', from: 10_000, to: 90_000 },
    },
  ],
  [
    'events',
    {
      kind: 'events',
      filter: {
        event: 'tracked',
        names: ['add_to_cart'],
        properties: [{ property: 'size', op: 'in', values: ['M'] }],
      },
      measure: { of: 'distinct', property: 'sku' },
      window: { kind: 'calendar', unit: 'month', back: 1, count: 2 },
      compare: { op: 'ge', value: 2 },
    },
  ],
] as const

/** Nothing is wider than the screen. */
async function expectNoSideways(other: Page): Promise<void> {
  const beyond = await other.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(beyond).toBeLessThanOrEqual(1)
}

test('while many people wait to be counted every page says so, and no longer once they are', async () => {
  // Somewhere in the log that cannot be read yet, so that they go on waiting.
  await app.db.run(sql`
    insert into evaluation_due (person_id, lane, first_xid, first_seq, last_xid, last_seq, cause)
    select id, 1, '9000000000000'::xid8, 1, '9000000000000'::xid8, 1, 'bulk' from person where state = 'live' order by id limit 60`)
  await visit(page, app, '/segments')
  const said = page.getByTestId('still-counting')
  await said.getByText(/正在计算 \d+ 位会员的最新数据/).waitFor()
  await keepPicture(page, 'still counting')
  await visit(page, app, '/lifecycle')
  await said.waitFor()
  await app.db.run(sql`delete from evaluation_due where first_xid = '9000000000000'::xid8`)
  await said.waitFor({ state: 'detached' })
})
