import type { Locator, Page } from 'playwright-core'
import { beforeAll, expect, test, vi } from 'vitest'
import { append } from '../../server/events/events.ts'
import { newId } from '../../server/platform/ids.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { makeMembers } from '../support/reach.ts'
import { emptyBrand } from './demo-brand.ts'
import { button, choose, pageOf, soon, visit } from './pages.ts'
import { letItWork } from './running.ts'

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

async function tracks(
  place: number,
  name: string,
  properties: Record<string, string | number>,
): Promise<void> {
  const at = app.clock.now()
  const [personId] = [persons[place] ?? 0]
  await app.db.transaction((tx) =>
    append(
      tx,
      [{ id: newId(at), type: 'tracked', profileId: personId, personId, at, data: { name, properties } }],
      {
        lane: 'live',
        source: 'test',
        receivedAt: at,
      },
    ),
  )
}

/** Writes a value of one's own into a field that takes several. */
async function write(field: Locator, value: string): Promise<void> {
  await field.fill(value)
  await field.press('Enter')
}

const count = (text: string): Promise<void> =>
  page.getByTestId('preview-count').getByText(text, { exact: true }).waitFor()

const membersOf = (name: string) =>
  soon(() =>
    app.db.row(sql`
      select count(*)::int as members from person_segment
      where segments @> array[(select id from segment where name = ${name})]`),
  )

test('a tracked event with its properties is made a segment, and the next event lets somebody in', async () => {
  await tracks(0, 'add_to_cart', { size: 'M', price: 60 })
  await tracks(1, 'add_to_cart', { size: 'L', price: 60 })
  await tracks(2, 'share', { size: 'M' })
  await visit(page, app, '/segments/new')
  await button(page, '添加条件').click()
  await page.getByRole('menuitem', { name: /^行为事件/ }).click()
  await count('0 人')
  await choose(page, page.getByLabel('发生了什么'), '自定义埋点事件')
  await count('3 人')
  await write(page.getByLabel('事件名称'), 'add_to_cart')
  await count('2 人')
  await page.keyboard.press('Escape')
  await button(page, '事件属性').click()
  await page.getByText('条件还没填完整').waitFor()
  await page.getByRole('combobox', { name: '事件属性' }).fill('size')
  await write(page.getByLabel('取值'), 'M')
  await count('1 人')
  await page.getByText('最近 30 天自定义埋点事件(「add_to_cart」,size是「M」)的次数 ≥ 1').waitFor()
  await keepPicture(page, 'rule-events')
  await page.getByLabel('名称', { exact: true }).fill('加购 M 码')
  await page.getByLabel('名称', { exact: true }).press('Enter')
  await page.waitForURL(/\/segments\/\d+$/)
  expect(await app.db.row(sql`select rule from segment where name = '加购 M 码'`)).toEqual({
    rule: {
      kind: 'all',
      rules: [
        {
          kind: 'events',
          filter: {
            event: 'tracked',
            names: ['add_to_cart'],
            properties: [{ property: 'size', op: 'in', values: ['M'] }],
          },
          measure: { of: 'count' },
          window: { kind: 'rolling', days: 30 },
          compare: { op: 'ge', value: 1 },
        },
      ],
    },
  })
  await membersOf('加购 M 码').toEqual({ members: 1 })
  await tracks(3, 'add_to_cart', { size: 'M' })
  await membersOf('加购 M 码').toEqual({ members: 2 })
})

test('who did something and not the other afterwards, and a condition that always holds is told before saving', async () => {
  await visit(page, app, '/segments/new')
  await button(page, '添加条件').click()
  await page.getByRole('menuitem', { name: /^先后行为/ }).click()
  await count('0 人')
  const [first, second] = [page.getByLabel('发生了什么').first(), page.getByLabel('发生了什么').last()]
  await choose(page, first, '自定义埋点事件')
  await choose(page, page.getByLabel('之后有没有'), '之后有')
  await page.getByText(/自定义埋点事件后 7 天内有购买/).waitFor()
  await choose(page, second, '浏览页面')
  await page.getByText(/自定义埋点事件后 7 天内有浏览页面/).waitFor()
  await button(page, '添加条件').click()
  await page.getByRole('menuitem', { name: '触达次数' }).click()
  await page.getByLabel('数值').fill('0')
  await page.getByText(/触达已发出的次数 ≥ 0」永远成立，可以删去/).waitFor()
  await keepPicture(page, 'rule-sequence')
})

test('each new condition has its form, and what it says can be saved at once or asks for what is missing', async () => {
  for (const [choice, sentence] of [
    ['优惠券', '有至少 1 张未使用的券,7 天内到期'],
    ['晚于自己的购买间隔', '距上次购买是自己常规间隔的倍数 ≥ 1.5(至少购买 3 次)'],
    [/^日期/, '入会日期距今天数 ≥ 365'],
    ['被留作对照组', '被留作对照组的次数 ≥ 1'],
    ['触达后是否回复', '最近 90 天最近一次触达已送达后 3 天内有回复消息'],
  ] as const) {
    await visit(page, app, '/segments/new')
    await button(page, '添加条件').click()
    await page.getByRole('menuitem', { name: choice, exact: true }).click()
    await page.getByText(sentence, { exact: true }).waitFor()
  }
})

test('what an SDK brings can be chosen by its name and its property, and counts at once', async () => {
  const made = await owner('POST', '/api/event-sources', { code: 'web', name: '官网' })
  const { writeKey } = made.body as { writeKey: string }
  const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`
  const track = (userId: string, price: number) =>
    app.anonymous(
      'POST',
      '/v1/track',
      { userId, event: 'Product Added', properties: { price, sku: 'A' } },
      { authorization },
    )
  expect((await track('M100', 30)).status).toBe(200)
  expect((await track('M200', 5)).status).toBe(200)
  await soon(async () => {
    const { body } = await owner('GET', '/api/tracking-plan')
    return (body as { events: { name: string }[] }).events.map(({ name }) => name)
  }).toContain('Product Added')

  await visit(page, app, '/segments/new')
  await button(page, '添加条件').click()
  await page.getByRole('menuitem', { name: /^行为事件/ }).click()
  await choose(page, page.getByLabel('发生了什么'), '自定义埋点事件')
  await choose(page, page.getByLabel('事件名称'), 'Product Added')
  await count('2 人')
  await page.keyboard.press('Escape')
  await button(page, '事件属性').click()
  await page.getByRole('combobox', { name: '事件属性' }).fill('pri')
  await page.locator('.ant-select-dropdown:visible .ant-select-item-option').getByText('price').click()
  await choose(page, page.getByLabel('怎样判断'), '数值')
  await page.getByLabel('数值').first().fill('10')
  await count('1 人')
  await keepPicture(page, 'rule-tracked')
})
