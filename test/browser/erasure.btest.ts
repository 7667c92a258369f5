import { expect, test } from 'vitest'
import { sql } from '../../server/platform/postgres/sql.ts'
import { keepPicture } from '../support/browser.ts'
import { makeMembers, makeStaff } from '../support/reach.ts'
import { emptyBrand } from './demo-brand.ts'
import { button, confirm, pageOf, visit } from './pages.ts'

test('the owner erases a member after a reason and a confirmation; an operator sees no button; and lifts it again', async () => {
  const app = await emptyBrand()
  const staffIds = await makeStaff(app.db, 1)
  const [personId = 0] = await makeMembers(app.db, app.parts.stores.keyring, { count: 1, staffIds })
  const { id } = await app.db.row<{ id: string }>(
    sql`select public_id as id from person where id = ${personId}`,
  )
  const operator = await pageOf(app, (await app.as('operator')).staffId)
  await visit(operator, app, `/members/${id}`)
  await operator.getByText('身份标识', { exact: true }).waitFor()
  expect(await button(operator, '按本人要求删除资料').count()).toBe(0)

  const page = await pageOf(app, (await app.as('owner')).staffId)
  await visit(page, app, `/members/${id}`)
  await button(page, '按本人要求删除资料').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('永久删除，无法恢复').waitFor()
  expect(await button(dialog, '永久删除').isDisabled()).toBe(true)
  await dialog.getByRole('checkbox').check()
  await button(dialog, '永久删除').click()
  // Without a reason nothing happens.
  await dialog.locator('.ant-form-item-explain-error').waitFor()
  expect(await app.db.rows(sql`select from profile where person_id = ${personId}`)).toHaveLength(1)
  await dialog.getByRole('textbox').fill('本人来电要求删除')
  await keepPicture(page, 'erase-member')
  await button(dialog, '永久删除').click()
  await page.waitForURL(/\/members$/)
  expect(await app.db.row(sql`select state, name from person where id = ${personId}`)).toEqual({
    state: 'erased',
    name: null,
  })
  expect(await app.db.rows(sql`select reason from audit_trail where action = 'member.erased'`)).toEqual([
    { reason: '本人来电要求删除' },
  ])

  // They want to come back: the owner lifts it by a number they had, and by no other.
  const marks = async (): Promise<number> => (await app.db.rows(sql`select from erased_mark`)).length
  expect(await marks()).toBeGreaterThan(0)
  await visit(operator, app, '/settings')
  expect(await operator.getByRole('tab', { name: '资料删除' }).count()).toBe(0)
  await visit(page, app, '/settings?tab=erasure')
  await button(page, '解除').click()
  await page.locator('.ant-form-item-explain-error').first().waitFor()
  await page.getByLabel('号码', { exact: true }).fill('13900000099')
  await page.getByLabel(/^原因/).fill('本人到店重新入会')
  await button(page, '解除').click()
  await confirm(page)
  await page.getByText('没有人用这个号码被删除过').waitFor()
  expect(await marks()).toBeGreaterThan(0)
  await page.getByLabel('号码', { exact: true }).fill('138 0000 0001')
  await keepPicture(page, 'lift-erasure')
  await button(page, '解除').click()
  await confirm(page)
  await page.getByText('已解除，可以重新入会').waitFor()
  expect(await marks()).toBe(0)
  expect(
    await app.db.rows(sql`select reason from audit_trail where action = 'member.erasure_lifted'`),
  ).toEqual([{ reason: '本人到店重新入会' }])
})
