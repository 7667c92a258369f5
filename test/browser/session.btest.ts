import { beforeAll, expect, test } from 'vitest'
import { createFirstOwner } from '../../server/org/org.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { emptyBrand } from './demo-brand.ts'
import { barriers, overflow } from './look-over.ts'
import { button, openPage, pageOf, settled, soon, visit } from './pages.ts'

const PASSWORD = 'a-password-of-one-s-own'
let app: TestApp
let login = ''
let oneTime = ''

beforeAll(async () => {
  app = await emptyBrand()
  const owner = await createFirstOwner(app.db, app.clock.now())
  login = owner?.login ?? ''
  oneTime = owner?.oneTimePassword ?? ''
})

test('an owner signs in for the first time by keyboard, sets a password, and is told what to do next', async () => {
  const page = await openPage()
  await page.goto(`${app.address}/members?lifecycle=silent`)
  await page.waitForURL('**/sign-in?to=*')
  expect(await barriers(page)).toEqual([])
  await page.getByLabel('账号').fill(login)
  await page.getByLabel('密码').fill('not the password')
  await page.keyboard.press('Enter')
  await page.getByText('账号或密码不正确').waitFor()
  await keepPicture(page, 'sign-in-refused')
  expect(
    await app.db.rows(sql`select action from audit_trail where action = 'session.refused'`),
  ).toHaveLength(1)
  await page.getByLabel('密码').fill(oneTime)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/password')
  expect(await barriers(page)).toEqual([])
  await page.getByLabel(/^当前密码/).fill(oneTime)
  await page.getByLabel('新密码').fill(PASSWORD)
  await page.getByLabel('再输入一次').fill(`${PASSWORD}!`)
  await page.keyboard.press('Enter')
  await page.getByText('两次输入不一致').waitFor()
  await page.getByLabel('再输入一次').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${app.address}/`)
  await page.getByText('还没有会员').waitFor()
  await keepPicture(page, 'home-empty')
  expect(
    await app.db.row(sql`select must_change_password as first from staff where login = ${login}`),
  ).toEqual({
    first: false,
  })
  await page.getByRole('link', { name: '导入自己的数据' }).click()
  await page.waitForURL('**/import')
  await page.context().close()
})

test('signing in leads to where somebody wanted to go; signing out ends the session in the database', async () => {
  const page = await openPage()
  await page.goto(`${app.address}/segments`)
  await page.waitForURL('**/sign-in?to=*')
  await page.getByLabel('账号').fill(login)
  await page.getByLabel('密码').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForURL('**/segments')
  await page.getByText('还没有人群').waitFor()
  const open = (): Promise<unknown[]> => app.db.rows(sql`select from session`)
  const before = (await open()).length
  await page.getByRole('button', { name: /^账号/ }).click()
  await page.getByText('退出登录').click()
  await page.waitForURL('**/sign-in')
  await soon(async () => (await open()).length).toBe(before - 1)
  await page.context().close()
})

test('keys lead everywhere: / searches, g m opens the members, ? tells, Esc closes', async () => {
  const { staffId } = await app.as('owner')
  const page = await pageOf(app, staffId)
  await visit(page, app, '/')
  await page.keyboard.press('g')
  await page.keyboard.press('m')
  await page.waitForURL('**/members')
  await settled(page)
  await page.keyboard.press('?')
  await page.getByText('键盘快捷键').waitFor()
  await page.keyboard.press('Escape')
  await page.getByText('键盘快捷键').waitFor({ state: 'hidden' })
  await page.keyboard.press('/')
  await page.keyboard.type('张三')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/members?q=%E5%BC%A0%E4%B8%89')
  await page.getByText('没有符合条件的会员').waitFor()
  await button(page, '清除条件').first().click()
  await page.waitForURL('**/members')
  await page.context().close()
})

test('on a phone the menu opens, leads to a room and closes; the language is kept', async () => {
  const { staffId } = await app.as('owner')
  const page = await pageOf(app, staffId, { screen: 'phone' })
  await visit(page, app, '/')
  await page.getByRole('button', { name: '打开菜单' }).click()
  await page.getByRole('menuitem', { name: '人群' }).click()
  await page.waitForURL('**/segments')
  await page.getByRole('navigation').waitFor({ state: 'hidden' })
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByText('No segment yet').waitFor()
  await page.reload()
  await page.getByText('No segment yet').waitFor()
  await page.context().close()
})
