import { beforeAll, expect, test } from 'vitest'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { emptyBrand } from './demo-brand.ts'
import { barriers, overflow } from './look-over.ts'
import { button, pageOf, settled, visit } from './pages.ts'

let app: TestApp
let owner = ''

beforeAll(async () => {
  app = await emptyBrand()
  owner = (await app.as('owner')).staffId
})

const send = async (key: string, messages: readonly Record<string, unknown>[]): Promise<void> => {
  const headers = { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }
  expect((await app.anonymous('POST', '/v1/batch', { batch: messages }, headers)).status).toBe(200)
}

test('a source is made, its key copied into a shop, and the plan grows from what comes', async () => {
  const page = await pageOf(app, owner)
  await visit(page, app, '/tracking')
  await page.getByText('还没有来源').waitFor()
  await keepPicture(page, 'tracking-empty')
  await button(page, '新建来源').click()
  const form = page.locator('.ant-modal:visible')
  await button(form, '保存').click()
  await form.getByText('请填写').waitFor()
  await form.getByLabel('名称').fill('官网')
  await form.getByLabel('代号').fill('web')
  await keepPicture(page, 'tracking-source-form')
  await button(form, '保存').click()
  await page.getByRole('cell', { name: /官网/ }).waitFor()
  const { key } = await app.db.row<{ key: string }>(
    sql`select write_key as key from event_source where code = 'web'`,
  )
  await page.getByText(key, { exact: true }).first().waitFor()
  await page.getByText('怎样接入').click()
  await page.getByText('@segment/analytics-next').waitFor()
  expect(await barriers(page)).toEqual([])
  await keepPicture(page, 'tracking-sources')

  const track = (messageId: string, properties: object) => ({
    type: 'track',
    messageId,
    userId: 'M1',
    event: 'Product Viewed',
    properties,
  })
  await send(key, [
    track('1', { sku: 'A1', price: 99.5, phone: '13712341234' }),
    track('2', { sku: 'A2', price: 12 }),
  ])
  await send(key, [
    { type: 'track', messageId: '3', userId: 'M1', event: 'Old', timestamp: '2001-01-01T00:00:00Z' },
    track('4', { sku: 'A1', price: '12' }),
  ])
  await app.app.doors.close()
  await visit(page, app, '/tracking?tab=plan')
  const row = page.getByRole('row', { name: /Product Viewed/ })
  await row.getByText('不在方案中').waitFor()
  await button(row, '纳入方案').click()
  const plan = page.locator('.ant-modal:visible')
  await plan.getByLabel('什么时候发生、谁负责').fill('打开商品页')
  await keepPicture(page, 'tracking-plan-form')
  await button(plan, '保存').click()
  await row.getByText('已纳入').waitFor()
  await row.getByText('1 个属性要看').waitFor()
  await row.getByRole('button', { name: /展开/ }).click()
  await page.getByText('类型不符').waitFor()
  await keepPicture(page, 'tracking-plan')
  expect(
    await app.db.row(sql`select description, properties -> 'price' ->> 'type' as price from planned_event`),
  ).toEqual({ description: '打开商品页', price: 'number' })
  expect(await page.content()).not.toContain('13712341234')
  await visit(page, app, '/tracking?tab=refused')
  await page.getByText('超过五年前').waitFor()
  await page.context().close()
})

test('on a phone the pages fit', async () => {
  const page = await pageOf(app, owner, { screen: 'phone' })
  for (const tab of ['', '?tab=plan', '?tab=refused']) {
    await visit(page, app, `/tracking${tab}`)
    await settled(page)
    await keepPicture(page, `tracking-phone${tab.replace('?tab=', '-')}`)
    expect(await overflow(page)).toBeLessThanOrEqual(0)
  }
  await page.context().close()
})
