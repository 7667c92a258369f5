import type { Locator, Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { uses } from '../../server/audience/audience.ts'
import { receiptKey } from '../../server/connectors/sms/routes.ts'
import { resolve } from '../../server/members/resolve.ts'
import { newId } from '../../server/platform/ids.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { makeContent } from '../support/reach.ts'
import { emptyBrand } from './demo-brand.ts'
import { button, choose, confirm, pageOf, soon, visit } from './pages.ts'

let app: TestApp
let owner: Awaited<ReturnType<TestApp['as']>>
let page: Page

beforeAll(async () => {
  app = await emptyBrand()
  owner = await app.as('owner', { rights: ['approve', 'see_personal'] })
  page = await pageOf(app, owner.staffId)
})

const card = (title: string): Locator => page.locator('.ant-card').filter({ hasText: title }).last()
const settingOf = async (name: string): Promise<unknown> =>
  (await app.db.maybe<{ value: unknown }>(sql`select value from setting where name = ${name}`))?.value
const saved = (): Promise<void> => page.getByText('已保存').last().waitFor()
const trail = async (action: string): Promise<number> =>
  (
    await app.db.row<{ rows: number }>(
      sql`select count(*)::int as rows from audit_trail where action = ${action}`,
    )
  ).rows

test('caps are changed by keyboard, and somebody who was faster is shown before anything is lost', async () => {
  await visit(page, app, '/settings?tab=reach')
  const caps = card('频率上限')
  await caps.getByLabel('每人最多营销消息').fill('3')
  await caps.getByLabel('每人最多营销消息').press('Enter')
  await saved()
  expect(await settingOf('caps')).toMatchObject({ marketingTouches: 3, withinDays: 7 })

  await caps.getByLabel('每人最多营销消息').fill('4')
  const faster = await owner('PUT', '/api/settings/caps', {
    version: 1,
    value: { marketingTouches: 1, withinDays: 7, momentsPerStaffAndDay: 3, slotMinutes: 15 },
  })
  expect(faster.status).toBe(200)
  await button(caps, '保存').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('其他人刚刚改过').waitFor()
  await keepPicture(page, 'stale')
  expect(await settingOf('caps')).toMatchObject({ marketingTouches: 1 })
  await button(dialog, '用我的覆盖').click()
  await soon(() => settingOf('caps')).toMatchObject({ marketingTouches: 4 })
})

test('quiet hours end when the brand says so', async () => {
  const quiet = card('免打扰时段')
  const until = quiet.getByLabel('结束')
  await until.click()
  await until.fill('10:30')
  await until.press('Enter')
  await soon(() => settingOf('quiet_hours')).toEqual({ from: '21:00', to: '10:30' })
})

test('bands must grow: the page says so and nothing is written; then they are, and everybody is evaluated', async () => {
  await visit(page, app, '/settings?tab=lifecycle')
  const bands = card('生命周期分段')
  const silent = bands.getByLabel('沉默会员从第几天开始').first()
  await silent.fill('500')
  await button(bands, '保存').click()
  await bands.getByRole('alert').waitFor()
  expect(await settingOf('lifecycle_bands')).toBeUndefined()
  await silent.fill('60')
  await button(bands, '保存').click()
  await soon(() => settingOf('lifecycle_bands')).toMatchObject({
    brand: { silent: 60, nearSleep: 180, hibernating: 365, lost: 730 },
  })
})

test('a channel is connected, takes a list in test, goes live only by its name typed again, comes back, is switched off', async () => {
  await visit(page, app, '/settings')
  const sms = card('短信')
  await button(sms, '接入服务商…').click()
  await page.getByLabel('AccessKey ID').fill('LTAI-of-a-test')
  await page.getByLabel('AccessKey Secret').fill('a-secret-of-a-test')
  await button(page.getByRole('dialog'), '接入').click()
  await sms.getByText('只发给下面名单里的人').waitFor()
  const receipts = `${app.address}/api/callbacks/sms/${receiptKey(app.parts.stores.keyring.index)}`
  await sms.getByTestId('receipt-address').getByRole('button').click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(receipts)
  await keepPicture(page, 'channel-connected')
  const kept = await app.db.row<{ mode: string; secret: Buffer }>(
    sql`select mode, secret from channel where name = 'sms'`,
  )
  expect(kept.mode).toBe('test')
  expect(kept.secret.includes('a-secret-of-a-test')).toBe(false)
  await sms.getByLabel(/^测试名单/).fill('13900000001')
  await sms.getByLabel(/^测试名单/).press('Enter')
  await button(sms, '保存名单').click()
  await soon(() => app.db.rows(sql`select shown from channel_allowed where channel = 'sms'`)).toHaveLength(1)
  await button(sms, '正式上线…').click()
  const dialog = page.getByRole('dialog')
  await button(dialog, '我明白，继续').click()
  const go = button(dialog, '正式上线')
  await dialog.getByRole('textbox').fill('wecom')
  expect(await go.isDisabled()).toBe(true)
  await dialog.getByRole('textbox').fill('sms')
  await go.click()
  await soon(() =>
    app.db.row(sql`select mode, live_confirmed_by::text as by from channel where name = 'sms'`),
  ).toEqual({ mode: 'live', by: owner.staffId })
  await button(sms, '立即退回测试，停止对外发送').click()
  await soon(() => app.db.row(sql`select mode from channel where name = 'sms'`)).toEqual({ mode: 'test' })
  expect(await trail('channel.to_live')).toBe(1)
  await button(sms, '关闭渠道').click()
  await confirm(page)
  await soon(() => app.db.row(sql`select mode, secret from channel where name = 'sms'`)).toEqual({
    mode: 'off',
    secret: null,
  })
})

test('an SMS is given its approved template with what fills it, and loses it again', async () => {
  const id = await makeContent(app.db, { channel: 'sms', name: '唤醒 · 短信', body: '新一季已到店，回T退订' })
  const journey = { kind: 'journey', id: newId(app.clock.now()), label: '唤醒' }
  await app.db.transaction((tx) => uses(tx, { kind: 'content', id }, journey))
  const kept = () =>
    app.db.row(
      sql`select sms_sign as sign, sms_template as template, sms_params as params from content where id = ${id}`,
    )
  await visit(page, app, '/settings')
  await page.getByRole('link', { name: /^短信模板/ }).click()
  await page.getByText('1 条短信还没有模板').waitFor()
  await button(page, '填写模板').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('短信签名').fill('留量')
  await dialog.getByLabel('模板 CODE').fill('SMS 1')
  await button(dialog, '添加变量').click()
  await dialog.getByLabel('变量名').fill('name')
  await dialog.getByLabel('填入').fill('{{ member.phone }}')
  await button(dialog, '保存').click()
  await dialog.getByText('只含字母、数字、- 和 _').waitFor()
  await dialog.getByLabel('模板 CODE').fill('SMS_154950909')
  await button(dialog, '保存').click()
  await dialog.getByText('只能用列表里的内容').waitFor()
  expect(await kept()).toEqual({ sign: null, template: null, params: {} })
  await dialog.getByLabel('填入').fill('')
  await choose(page, dialog.getByLabel('填入'), '会员姓名')
  await keepPicture(page, 'sms-approval')
  await button(dialog, '保存').click()
  const params = { name: '{{ member.name | default: "会员" }}' }
  await soon(kept).toEqual({ sign: '留量', template: 'SMS_154950909', params })
  await page.getByText('每条短信都有模板').waitFor()
  await keepPicture(page, 'sms-texts-rows')
  await button(page, '清除').click()
  await confirm(page)
  await soon(kept).toEqual({ sign: null, template: null, params: {} })
  expect(await trail('content.approval_changed')).toBe(2)
})

test('of a member with two numbers the eye shows the one it stands beside, and money is the brand’s', async () => {
  const at = app.clock.now()
  const numbers = ['13800007001', '13800007002']
  const identifiers = numbers.map((value) => ({ kind: 'phone' as const, value }))
  const row = { externalId: 'two', identifiers, attributes: { name: '双号' } }
  const deps = { keys: app.parts.stores.keyring, followers: [] }
  await app.db.transaction((tx) => resolve(deps, tx, [row], { lane: 'bulk', source: 'erp', at }))
  const { id } = await app.db.row<{ id: string }>(sql`select public_id as id from person where name = '双号'`)
  await visit(page, app, '/members?q=7002')
  await page.getByText('¥0.00').waitFor()
  await visit(page, app, `/members/${id}`)
  for (const number of numbers) {
    const masked = `${number.slice(0, 3)}****${number.slice(-4)}`
    await page
      .locator('div', { hasText: masked })
      .last()
      .getByRole('button', { name: /查看完整号码/ })
      .click()
    await page.getByText(`+86${number}`).waitFor()
  }
  await visit(page, app, '/settings?tab=brand')
  await choose(page, page.getByLabel('货币'), 'EUR')
  await button(card('品牌名称'), '保存').click()
  await soon(() => app.db.row(sql`select currency from brand`)).toEqual({ currency: 'EUR' })
  await visit(page, app, '/members?q=7002')
  await page.getByText('€0.00').waitFor()
  await visit(page, app, '/settings?tab=reach')
  await card('触达成本').getByText('€').first().waitFor()
})

test('every store can be chosen, however many there are', async () => {
  await app.db.run(sql`
    insert into store (id, code, name, created_at)
    select gen_random_uuid(), 'N' || n, '门店' || lpad(n::text, 3, '0'), ${app.clock.now()} from generate_series(1, 230) n`)
  await visit(page, app, '/members')
  for (const name of ['门店001', '门店230']) {
    await choose(page, page.getByLabel('门店', { exact: true }), name)
    const { id } = await app.db.row<{ id: string }>(sql`select id from store where name = ${name}`)
    await page.waitForURL(`**/members?storeId=${id}`)
  }
})

test('the brand moves to another zone and every clock with it', async () => {
  await visit(page, app, '/settings?tab=brand')
  await choose(page, page.getByLabel('时区'), 'America/New_York')
  await button(card('品牌名称'), '保存').click()
  await soon(() => app.db.row(sql`select zone from brand`)).toEqual({ zone: 'America/New_York' })
  const { at } = await app.db.row<{ at: Date }>(
    sql`select at from audit_trail where action = 'brand.changed' order by at desc limit 1`,
  )
  await visit(page, app, '/audit-trail')
  const shown = at.toLocaleString('sv-SE', {
    timeZone: 'America/New_York',
    dateStyle: 'short',
    timeStyle: 'short',
  })
  await page.getByText(shown).first().waitFor()
})

test('somebody is added, gets a password once, and signs in with it', async () => {
  await visit(page, app, '/staff')
  await button(page, '添加员工').click()
  const drawer = page.getByRole('dialog')
  await drawer.getByLabel(/^账号/).fill('xiaoli')
  await drawer.getByLabel('姓名', { exact: true }).fill('小李')
  await button(drawer, '保存').click()
  const password = await page.getByTestId('secret').textContent()
  await button(page, '我已保存').click()
  expect(
    await app.db.row(sql`
      select s.name, s.must_change_password as first, array_agg(r.role) as roles
      from staff s join staff_role r on r.staff_id = s.id where s.login = 'xiaoli' group by 1, 2`),
  ).toEqual({ name: '小李', first: true, roles: ['guide'] })
  expect((await app.anonymous('POST', '/api/session', { login: 'xiaoli', password })).status).toBe(200)
})

test('a key is made with its scopes, shown once, works, and is revoked', async () => {
  await visit(page, app, '/staff?tab=keys')
  await button(page, '新建密钥').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/^名称/).fill('收银系统')
  await dialog.getByRole('checkbox', { name: /^读组织/ }).check()
  await button(dialog, '保存').click()
  const secret = await page.getByTestId('secret').textContent()
  await button(page, '我已保存').click()
  const read = () => fetch(`${app.address}/api/stores`, { headers: { authorization: `Bearer ${secret}` } })
  expect((await read()).status).toBe(200)
  expect(await app.db.row(sql`select name, scopes, revoked_at from api_key`)).toEqual({
    name: '收银系统',
    scopes: ['org:read'],
    revoked_at: null,
  })
  await keepPicture(page, 'api-keys')
  await button(page, '吊销').click()
  await keepPicture(page, 'revoke')
  await confirm(page)
  await page.getByText('已吊销').first().waitFor()
  expect((await read()).status).toBe(401)
})

test('the audit trail is narrowed to one kind of act, and the address keeps it', async () => {
  await visit(page, app, '/audit-trail')
  await choose(page, page.getByLabel('操作', { exact: true }), 'API 密钥 · 吊销')
  await page.waitForURL('**/audit-trail?action=api_key.revoked')
  await soon(() => page.locator('tbody tr.ant-table-row').count()).toBe(await trail('api_key.revoked'))
  await page.reload()
  await soon(() => page.locator('tbody tr.ant-table-row').count()).toBe(1)
  await button(page, '清除条件').click()
  await soon(() => page.locator('tbody tr.ant-table-row').count()).toBeGreaterThan(5)
})

test('dead letters are tried again, and given up only with a reason', async () => {
  const at = app.clock.now()
  const letters = [
    { id: newId(at), handler: 'journeys' },
    { id: newId(at), handler: 'gone' },
  ]
  for (const [index, { id, handler }] of letters.entries()) {
    const event = {
      id: newId(at),
      type: 'visited_store',
      profileId: null,
      personId: null,
      at,
      receivedAt: at,
    }
    await app.db.run(sql`
      insert into dead_letter (id, handler, lane, xid, seq, person_id, event, state, attempts, reason, first_failed_at, last_failed_at)
      values (${id}, ${handler}, 0, '1'::xid8, ${index + 1}, null,
        ${JSON.stringify({ ...event, xid: '1', seq: index + 1, lane: 'live', source: 'test', data: {} })}::jsonb,
        'dead', 5, 'Error: it broke', ${at}, ${at})`)
  }
  await visit(page, app, '/dead-letters')
  await page.getByText('2 个事件没能处理').waitFor()
  await keepPicture(page, 'dead-letters-rows')
  const row = (handler: string): Locator => page.locator('tbody tr').filter({ hasText: handler })
  await button(row('journeys'), '重试').click()
  await soon(() => app.db.rows(sql`select handler, attempts from dead_letter order by id`)).toEqual([
    { handler: 'gone', attempts: 5 },
  ])
  await button(row('gone'), '重试').click()
  await soon(() => app.db.rows(sql`select attempts from dead_letter`)).toEqual([{ attempts: 6 }])
  await button(row('gone'), '放弃').click()
  const dialog = page.getByRole('dialog')
  await button(dialog, '放弃').click()
  await dialog.getByText('请填写原因').waitFor()
  await dialog.getByRole('textbox').fill('系统已下线')
  // What was typed stays where the call did not get through.
  await page.route('**/discard', (route) => route.abort())
  await button(dialog, '放弃').click()
  await page.getByText('连接不上服务器').waitFor()
  expect(await dialog.getByRole('textbox').inputValue()).toBe('系统已下线')
  await page.unroute('**/discard')
  await button(dialog, '放弃').click()
  await soon(() => app.db.rows(sql`select state from dead_letter`)).toEqual([{ state: 'discarded' }])
  expect(
    await app.db.row(sql`select reason from audit_trail where action = 'dead_letter.discarded'`),
  ).toEqual({ reason: '系统已下线' })
})
