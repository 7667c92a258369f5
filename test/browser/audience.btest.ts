import type { Locator, Page } from 'playwright-core'
import { beforeAll, expect, test, vi } from 'vitest'
import { setTags } from '../../server/audience/audience.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { makeMembers } from '../support/reach.ts'
import { emptyBrand } from './demo-brand.ts'
import { button, choose, confirm, pageOf, soon, visit } from './pages.ts'
import { letItWork } from './running.ts'

const [ONLINE, FEMALE, MALE] = [1, 7, 8]
let app: TestApp
let owner: Awaited<ReturnType<TestApp['as']>>
let page: Page
let persons: number[] = []

beforeAll(async () => {
  app = await emptyBrand()
  owner = await app.as('owner', { rights: ['see_personal'] })
  persons = await makeMembers(app.db, app.parts.stores.keyring, { count: 6 })
  letItWork(app)
  await vi.waitFor(async () => expect(await app.db.rows(sql`select from person_state`)).toHaveLength(6), {
    timeout: 60_000,
    interval: 200,
  })
  page = await pageOf(app, owner.staffId)
})

const drawer = (): Locator => page.getByRole('dialog')
const tagsOf = (group: string): Promise<unknown[]> =>
  app.db.rows(sql`
    select t.name, t.purpose, t.plan, t.state = 'retired' as retired from tag t join tag_group g on g.id = t.group_id
    where g.name = ${group} order by t.id`)

test('a group is made, and a tag only with its use and its plan', async () => {
  await visit(page, app, '/tags')
  await button(page, '新建标签组').click()
  await drawer().getByLabel('名称').fill('尺码')
  await drawer().getByLabel('名称').press('Enter')
  await page.getByRole('button', { name: '尺码', exact: true }).click()
  await page.getByRole('button', { name: '尺码', exact: true, pressed: true }).waitFor()
  for (const name of ['M 码', 'L 码']) {
    await button(page, '新建标签').click()
    await drawer().getByLabel('名称').fill(name)
    await button(drawer(), '保存').click()
    await drawer().getByText('没有它就不能建标签').first().waitFor()
    await drawer().getByLabel(/^用途/).fill('上新时只通知合适的尺码')
    await drawer()
      .getByLabel(/^后续计划/)
      .fill('每月上新 SOP 按它分支')
    await button(drawer(), '保存').click()
    await drawer().waitFor({ state: 'detached' })
  }
  const kept = { purpose: '上新时只通知合适的尺码', plan: '每月上新 SOP 按它分支', retired: false }
  expect(await tagsOf('尺码')).toEqual([
    { name: 'M 码', ...kept },
    { name: 'L 码', ...kept },
  ])
})

test('what nobody uses is retired together, and comes back', async () => {
  await page.getByText('没人用的', { exact: true }).click()
  await page.getByRole('row', { name: /M 码/ }).waitFor()
  await page.getByRole('columnheader').getByRole('checkbox').check()
  await button(page, '停用已选 2 个').click()
  await confirm(page)
  await page.getByText('已停用 2 个标签').waitFor()
  expect(await tagsOf('尺码')).toMatchObject([{ retired: true }, { retired: true }])
  await page.reload()
  await button(page, '全部恢复').click()
  await soon(() => tagsOf('尺码')).toMatchObject([{ retired: false }, { retired: false }])
})

test('a group of level S says how many are known, and lists what WeCom said in vain', async () => {
  const at = app.clock.now()
  await app.db.transaction(async (tx) => {
    const [li = 0, wang = 0] = persons
    const wecom = { producer: 'system', origin: 'synced', at } as const
    await setTags(
      tx,
      [li, wang].map((personId) => ({ personId, tagId: ONLINE })),
      wecom,
    )
    await setTags(tx, [{ personId: li, tagId: MALE }], wecom)
    await setTags(tx, [{ personId: li, tagId: FEMALE }], {
      producer: 'guide',
      origin: 'manual',
      at,
      reason: '当面确认',
    })
  })
  await visit(page, app, '/tags')
  await page.getByText('33.3 % 已知 · 4 人未知').waitFor()
  await keepPicture(page, 'tags-cover')
  await page.getByRole('tab', { name: '落选的同步值' }).click()
  const row = page.getByRole('tabpanel').getByRole('row', { name: /查看/ })
  await row.waitFor()
  expect(await row.locator('del').textContent()).toBe('男')
  expect(await row.locator('b').textContent()).toBe('女')
  const lost = await app.db.rows(
    sql`select lost_tag_id, won_tag_id from s_tag_loss where written_back_at is null`,
  )
  expect(lost).toEqual([{ lost_tag_id: MALE, won_tag_id: FEMALE }])
})

test('a segment is built by hand with its count at once, saved, and everybody is evaluated', async () => {
  await visit(page, app, '/segments/new')
  await button(page, '添加条件').click()
  await page.getByRole('menuitem', { name: 'S 级标签' }).click()
  await page.getByTestId('preview-count').getByText('4 人').waitFor()
  await page.getByText('占全部 66.7 %').waitFor()
  await button(page, '保存').click()
  await page.getByText('请填写名称').waitFor()
  await page.getByLabel('名称').fill('来客渠道未知')
  await page.getByLabel('名称').press('Enter')
  await page.waitForURL(/\/segments\/\d+$/)
  expect(await app.db.rows(sql`select name, rule from segment where not hidden`)).toEqual([
    { name: '来客渠道未知', rule: { kind: 'all', rules: [{ kind: 's_tag', group: 1, values: [null] }] } },
  ])
  await soon(() =>
    app.db.row(sql`
      select count(*)::int as members from person_segment
      where segments @> array[(select id from segment where name = '来客渠道未知')]`),
  ).toEqual({ members: 4 })
  await visit(page, app, '/segments')
  await page
    .getByRole('row', { name: /来客渠道未知/ })
    .getByRole('link', { name: '4', exact: true })
    .click()
  await soon(() => page.locator('tbody tr.ant-table-row').count()).toBe(4)
})

test('who saves over somebody faster sees both and decides', async () => {
  const { id, rule } = await app.db.row<{ id: number; rule: unknown }>(
    sql`select id, rule from segment where name = '来客渠道未知'`,
  )
  await visit(page, app, `/segments/${id}`)
  await page.getByLabel('名称').fill('我的名字')
  const faster = await owner('PUT', `/api/segments/${id}`, {
    version: 1,
    name: '别人的名字',
    description: '',
    rule,
  })
  expect(faster.status).toBe(200)
  await button(page, '保存').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('别人的名字').waitFor()
  await keepPicture(page, 'segment-stale')
  await button(dialog, '用我的覆盖').click()
  await soon(() => app.db.row(sql`select name, version from segment where id = ${id}`)).toEqual({
    name: '我的名字',
    version: 3,
  })
})

test('who deletes what somebody has just changed sees it first, and deletes it all the same', async () => {
  const made = await owner('POST', '/api/segments', {
    name: '要删除的人群',
    description: '',
    rule: { kind: 'lifecycle', states: ['lost'] },
  })
  const { id, rule } = made.body as { id: number; rule: unknown }
  await visit(page, app, `/segments/${id}`)
  const faster = await owner('PUT', `/api/segments/${id}`, {
    version: 1,
    name: '改过的人群',
    description: '',
    rule,
  })
  expect(faster.status).toBe(200)
  await button(page, '删除').click()
  await confirm(page)
  const dialog = page.getByRole('dialog')
  await dialog.getByText('改过的人群').waitFor()
  expect(await app.db.rows(sql`select name from segment where id = ${id}`)).toEqual([{ name: '改过的人群' }])
  await button(dialog, '仍然删除').click()
  await soon(() => app.db.rows(sql`select name, state from segment where id = ${id}`)).toEqual([
    { name: '改过的人群', state: 'archived' },
  ])
  await page.waitForURL(/\/segments$/)
})

test('a segment that another one uses cannot be deleted; the page says by whom; then it can', async () => {
  const { id } = await app.db.row<{ id: number }>(sql`select id from segment where name = '我的名字'`)
  const user = await owner('POST', '/api/segments', {
    name: '用到它的人群',
    description: '',
    rule: { kind: 'segment', segment: id },
  })
  await visit(page, app, `/segments/${id}`)
  await button(page, '删除').click()
  await confirm(page)
  await page.locator('.ant-message').getByText('用到它的人群').waitFor()
  expect(await app.db.rows(sql`select from segment where id = ${id} and state = 'live'`)).toHaveLength(1)
  await visit(page, app, `/segments/${(user.body as { id: number }).id}`)
  await button(page, '删除').click()
  await confirm(page)
  await page.waitForURL('**/segments')
  await visit(page, app, `/segments/${id}`)
  await button(page, '删除').click()
  await confirm(page)
  await soon(() => app.db.rows(sql`select name from segment where state = 'live' and not hidden`)).toEqual([])
})

test('a word of three conditions narrows step by step, and "not" turns one round', async () => {
  await visit(page, app, '/segments/new')
  await button(page, '添加条件').click()
  await page.getByRole('menuitem', { name: 'S 级标签' }).click()
  await page.getByTestId('preview-count').getByText('4 人').waitFor()
  await page.locator('.ant-segmented').getByText('不', { exact: true }).click()
  await page.getByTestId('preview-count').getByText('2 人').waitFor()
  await choose(page, page.getByLabel('标签组'), '性别')
  await page.getByTestId('preview-count').getByText('1 人').waitFor()
  await page.getByRole('button', { name: '删除这一条' }).click()
  await page.getByTestId('preview-count').getByText('6 人').waitFor()
})
