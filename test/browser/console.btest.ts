import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { createFirstOwner, createStaff, systemActor } from '../../server/org/org.ts'
import { newId } from '../../server/platform/ids.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { createTasks } from '../../server/tasks/tasks.ts'
import { testApp } from '../support/app.ts'
import { keepPicture, testBrowser } from '../support/browser.ts'
import { testClickHouse } from '../support/clickhouse.ts'
import { testDatabase } from '../support/database.ts'
import { holdNobodyOut, makeMembers } from '../support/reach.ts'

const db = await testDatabase()
const app = await testApp(db, {
  clickhouse: await testClickHouse(),
  webFolder: fileURLToPath(new URL('../../web/dist', import.meta.url)),
})
const now = app.clock.now()
const owner = await createFirstOwner(db, now)
await holdNobodyOut(db)
const guide = await createStaff(db, systemActor(now), {
  login: 'guide1',
  name: '小王',
  wecomUserId: null,
  roles: ['guide'],
  rights: [],
  storeIds: [],
  regionIds: [],
})
const PASSWORD = 'a-password-of-one-s-own'

async function open(width: number, height: number): Promise<Page> {
  const browser = await testBrowser()
  const context = await browser.newContext({ viewport: { width, height }, locale: 'zh-CN' })
  return context.newPage()
}

/** The first sign-in: the one-time password, then one's own. */
async function signIn(page: Page, login: string, oneTime: string): Promise<void> {
  await page.goto(`${app.address}/sign-in`)
  await page.fill('#login', login)
  await page.fill('#password', oneTime)
  await page.click('button[type=submit]')
  await page.waitForURL('**/password')
  await page.fill('#currentPassword', oneTime)
  await page.fill('#newPassword', PASSWORD)
  await page.fill('#again', PASSWORD)
  await page.click('button[type=submit]')
  await page.waitForURL(`${app.address}/`)
}

test('an owner signs in for the first time, is told what to do next, and saves a segment', async () => {
  const page = await open(1440, 900)
  await signIn(page, owner?.login ?? '', owner?.oneTimePassword ?? '')
  await page.getByText('还没有会员').waitFor()
  await keepPicture(page, 'home-empty')
  await page.goto(
    `${app.address}/segments/new?rule=${encodeURIComponent('{"kind":"lifecycle","states":["silent"]}')}`,
  )
  await page.getByTestId('preview-count').waitFor()
  await page.locator('input[maxlength="60"]').fill('沉默会员')
  await page
    .getByRole('button', { name: '保 存' })
    .or(page.getByRole('button', { name: '保存' }))
    .click()
  await page.waitForURL(/\/segments\/\d+$/)
  await keepPicture(page, 'segment')
  const saved = await db.rows(sql`select name, rule from segment where not hidden`)
  expect(saved).toMatchObject([
    { name: '沉默会员', rule: { kind: 'all', rules: [{ kind: 'lifecycle', states: ['silent'] }] } },
  ])
  await page.context().close()
})

test('a guide on a phone sees the task of today and is done with two taps', async () => {
  const [personId = 0] = await makeMembers(db, app.parts.stores.keyring, {
    count: 1,
    staffIds: [guide.staff.id],
  })
  const id = newId(now)
  await db.transaction((tx) =>
    createTasks(
      tx,
      [
        {
          id,
          kind: 'invite',
          personId,
          staffId: guide.staff.id,
          storeId: null,
          journeyId: null,
          journeyName: null,
          enrolmentId: null,
          nodeId: null,
          outboxId: null,
          members: 1,
          title: { zh: '邀约到店', en: 'Invite' },
          reason: { zh: '95 天没有购买', en: '95 days without a purchase' },
          script: '您好,新一季到店了,有空来试试吗?',
          tagGroupId: null,
          feedbackNeeded: false,
          dueAt: new Date(now.getTime() + 3_600_000),
          demo: false,
        },
      ],
      now,
    ),
  )
  const page = await open(390, 844)
  await signIn(page, 'guide1', guide.oneTimePassword)
  await page.goto(`${app.address}/workbench/`)
  await page.getByText('95 天没有购买').waitFor()
  await keepPicture(page, 'workbench')
  await page.getByRole('button', { name: '完成' }).click()
  await page.getByRole('button', { name: '保存' }).click()
  await page.getByText('今天的任务都做完了').waitFor()
  const task = await db.row(sql`select state, outcome, done_by from task where id = ${id}`)
  expect(task).toEqual({ state: 'done', outcome: 'sent', done_by: guide.staff.id })
  await page.context().close()
})
