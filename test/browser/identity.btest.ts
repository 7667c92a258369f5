import type { Locator, Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { membersDeps } from '../../server/joined.ts'
import { resolve } from '../../server/members/resolve.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { emptyBrand } from './demo-brand.ts'
import { button, confirm, pageOf, soon, visit } from './pages.ts'

let app: TestApp
let page: Page

/** Two in each family share a phone, and each has a card of their own. */
beforeAll(async () => {
  app = await emptyBrand()
  const deps = membersDeps(app.parts.stores.keyring)
  const rows = ['张', '李'].flatMap((family, index) =>
    ['大', '小'].map((given) => ({
      externalId: `${family}${given}`,
      attributes: { name: `${family}${given}` },
      identifiers: [
        { kind: 'phone' as const, value: `1391234567${index}` },
        { kind: 'card' as const, scope: 'erp', value: `card-${index}-${given}` },
      ],
    })),
  )
  for (const row of rows)
    await app.db.transaction((tx) =>
      resolve(deps, tx, [row], { lane: 'bulk', source: 'erp', at: app.clock.now() }),
    )
  const operator = await app.as('operator', { rights: ['see_personal'] })
  page = await pageOf(app, operator.staffId)
})

const living = async (): Promise<string[]> =>
  (
    await app.db.rows<{ name: string }>(
      sql`select name from person where state = 'live' order by name collate "C"`,
    )
  ).map(({ name }) => name)
const review = (family: string): Locator => page.locator('.ant-card').filter({ hasText: `${family}大` })

test('two who share a phone and contradict each other wait for a person, side by side', async () => {
  expect(await living()).toHaveLength(4)
  await visit(page, app, '/identity')
  await review('张').getByText('标识矛盾').waitFor()
  await review('李').getByText('标识矛盾').waitFor()
  await keepPicture(page, 'identity-conflicts')
})

test('joined, they are one; undone, they are two as before', async () => {
  await review('张').getByRole('radio').first().check()
  await button(review('张'), '是同一个人，合并').click()
  await review('张').waitFor({ state: 'detached' })
  await soon(living).toHaveLength(3)
  const merge = await app.db.row(sql`select cause, undone_at from merge where cause = 'hand'`)
  expect(merge).toEqual({ cause: 'hand', undone_at: null })
  await page.getByRole('tab', { name: '合并记录' }).click()
  await button(page, '撤销').click()
  await confirm(page)
  await page.getByText('已撤销').first().waitFor()
  await soon(living).toEqual(['张大', '张小', '李大', '李小'])
})

test('kept apart, they are remembered as two and never asked about again', async () => {
  await visit(page, app, '/identity')
  await button(review('李'), '不是同一个人').click()
  await page.getByRole('textbox').last().fill('一家人共用手机号')
  await button(page.getByRole('dialog'), '不是同一个人').click()
  await soon(() => app.db.rows(sql`select state from review where state = 'apart'`)).toEqual([
    { state: 'apart' },
  ])
  expect(await app.db.rows(sql`select reason from audit_trail where action = 'member.kept_apart'`)).toEqual([
    { reason: '一家人共用手机号' },
  ])
  await page.getByText('已确认不同', { exact: true }).click()
  await review('李').waitFor()
})

test('somebody who was typed anew is found, and the question says what is alike and how much', async () => {
  const deps = membersDeps(app.parts.stores.keyring)
  for (const [source, name, number] of [
    ['erp', '赵晓明', '13812340001'],
    ['shop', '赵小明', '13812340010'],
  ] as const) {
    const row = {
      externalId: name,
      attributes: { name, birthday: '1990-05-06' },
      identifiers: [{ kind: 'phone' as const, value: number }],
    }
    await app.db.transaction((tx) => resolve(deps, tx, [row], { lane: 'bulk', source, at: app.clock.now() }))
  }
  await visit(page, app, '/identity')
  await button(page, '查找疑似重复').click()
  await page.getByText('找到 1 对疑似重复').waitFor()
  const question = page.locator('.ant-card').filter({ hasText: '赵小明' })
  for (const says of ['姓名读音相同', '生日相同', '手机号相近（90%）'])
    await question.getByText(says).waitFor()
  await keepPicture(page, 'identity-look-alikes')
  await button(question, '是同一个人，合并').click()
  await question.waitFor({ state: 'detached' })
  await soon(async () => (await living()).filter((name) => name.startsWith('赵'))).toHaveLength(1)
})
