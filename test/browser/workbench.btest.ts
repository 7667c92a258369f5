import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { createTag, createTagGroup } from '../../server/audience/audience.ts'
import { newId } from '../../server/platform/ids.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import { createTasks, markLate } from '../../server/tasks/tasks.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { makeContent, makeMembers } from '../support/reach.ts'
import { emptyBrand } from './demo-brand.ts'
import { barriers, chinese, overflow, rawCodes, writtenByPeople } from './look-over.ts'
import { pageOf, soon, visit } from './pages.ts'

type NewTask = Parameters<typeof createTasks>[1][number]

let app: TestApp
let guide = ''
let personId = 0
let page: Page

beforeAll(async () => {
  app = await emptyBrand()
  guide = (await app.as('guide')).staffId
  ;[personId = 0] = await makeMembers(app.db, app.parts.stores.keyring, { count: 1, staffIds: [guide] })
  page = await pageOf(app, guide, { screen: 'phone' })
})

beforeEach(() =>
  app.db.run(
    sql`update task set state = 'cancelled', ended_at = ${app.clock.now()} where state in ('open', 'late')`,
  ),
)

async function give(task: Partial<NewTask>): Promise<string> {
  const id = newId(app.clock.now())
  const whole: NewTask = {
    id,
    kind: 'invite',
    personId,
    staffId: guide,
    storeId: null,
    journeyId: null,
    journeyName: null,
    enrolmentId: null,
    nodeId: null,
    outboxId: null,
    members: 1,
    title: { zh: '邀约到店', en: 'Invite' },
    reason: { zh: '95 天没有购买', en: '95 days without a purchase' },
    script: '您好，新一季到店了，有空来试试吗？',
    tagGroupId: null,
    feedbackNeeded: false,
    dueAt: new Date(app.clock.now().getTime() + 3_600_000),
    demo: false,
    ...task,
  } as NewTask
  await app.db.transaction((tx) => createTasks(tx, [whole], app.clock.now()))
  return id
}

const taskOf = (id: string) =>
  app.db.row(sql`select state, outcome, feedback, done_by from task where id = ${id}`)

test('a guide copies the script and is done with two taps; it can be taken back', async () => {
  const id = await give({})
  await visit(page, app, '/workbench/')
  await page.getByText('95 天没有购买').waitFor()
  await keepPicture(page, 'workbench')
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  expect(await rawCodes(page)).toEqual([])
  expect(await barriers(page)).toEqual([])
  await page.getByRole('button', { name: '复制话术' }).click()
  await page.getByText('已复制').waitFor()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('您好，新一季到店了，有空来试试吗？')
  await page.getByText('已复制').waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: '完成' }).click()
  await page.getByRole('button', { name: '保存' }).click()
  await page.getByText('今天的任务都做完了').waitFor()
  expect(await taskOf(id)).toMatchObject({ state: 'done', outcome: 'sent', done_by: guide })
  await page.getByText('撤销').click()
  await soon(() => taskOf(id)).toMatchObject({ state: 'open', outcome: null })
  await page.getByText('95 天没有购买').waitFor()
})

test('where feedback is needed there is no end without it', async () => {
  const id = await give({ feedbackNeeded: true })
  await visit(page, app, '/workbench/')
  await page.getByRole('button', { name: '完成' }).click()
  const save = page.getByRole('button', { name: '保存' })
  expect(await save.isDisabled()).toBe(true)
  expect(await barriers(page)).toEqual([])
  await page.getByText('会到店').click()
  await page.getByLabel('这位会员请务必写反馈').fill('周六下午带妈妈来')
  await save.click()
  await soon(() => taskOf(id)).toMatchObject({
    state: 'done',
    outcome: 'will_come',
    feedback: '周六下午带妈妈来',
  })
})

test('a task to tag puts the chosen tag on the member', async () => {
  const by = { by: null, at: app.clock.now() }
  const { groupId, tagId } = await app.db.transaction(async (tx) => {
    const group = await createTagGroup(
      tx,
      { name: '风格', level: 'business', scope: 'brand', openToStores: false },
      by,
    )
    const traits = {
      volatility: 'dynamic',
      subjectivity: 'subjective',
      derivation: 'fact',
      composition: 'single',
    } as const
    const tag = await createTag(
      tx,
      {
        groupId: group,
        parentId: null,
        name: '法式',
        ...traits,
        producer: 'guide',
        origin: 'manual',
        use: '推荐',
        plan: '上新',
        rule: null,
      },
      by,
    )
    return { groupId: group, tagId: tag }
  })
  const id = await give({
    kind: 'tag',
    tagGroupId: groupId,
    script: null,
    title: { zh: '补充风格', en: 'Tag the style' },
  })
  await visit(page, app, '/workbench/')
  await page.getByRole('button', { name: '完成' }).click()
  await page.getByText('法式').click()
  await page.getByRole('button', { name: '保存' }).click()
  await soon(() => taskOf(id)).toMatchObject({ state: 'done', outcome: 'tagged' })
  expect(await app.db.rows(sql`select tag_id, origin from person_tag where person_id = ${personId}`)).toEqual(
    [{ tag_id: tagId, origin: 'manual' }],
  )
})

test('what is late says so, and counts as done late; a mass message is confirmed elsewhere', async () => {
  const late = await give({ dueAt: new Date(app.clock.now().getTime() - 60_000) })
  const outboxId = newId(app.clock.now())
  await app.db.run(sql`
    insert into outbox (id, channel, class, content_id, content_version, body, attachments, marker, slot, size, made_at)
    values (${outboxId}, 'wecom', 'marketing', ${await makeContent(app.db, { channel: 'wecom' })}, 1, 'x', '[]', 'm', now(), 12, now())`)
  await give({
    kind: 'broadcast',
    personId: null,
    outboxId,
    members: 12,
    title: { zh: '确认群发', en: 'Confirm' },
  })
  await markLate(app.db, app.clock.now())
  await visit(page, app, '/workbench/')
  await page.getByText('已逾期').waitFor()
  await page.getByText('发给 12 位会员').waitFor()
  await keepPicture(page, 'workbench-late')
  // The mass message has no end of its own here.
  expect(await page.getByRole('button', { name: '完成' }).count()).toBe(1)
  await page.getByRole('button', { name: '完成' }).click()
  await page.getByText('已致电').click()
  await page.getByRole('button', { name: '保存' }).click()
  await soon(() => taskOf(late)).toMatchObject({ state: 'done_late', outcome: 'called' })
})

test('what a guide types outlives a refresh that failed, and trying again asks everything anew', async () => {
  const id = await give({ feedbackNeeded: true })
  const own = await pageOf(app, guide, { screen: 'phone' })
  await own.clock.install()
  await own.route('**/api/session*', (route) => route.abort())
  await own.goto(`${app.address}/workbench/`)
  const again = own.getByRole('button', { name: '重试' })
  await again.waitFor()
  await own.unroute('**/api/session*')
  await again.click()
  await own.getByRole('button', { name: '完成' }).click()
  const feedback = own.getByLabel('这位会员请务必写反馈')
  await feedback.fill('周六下午带妈妈来')
  await own.route('**/api/tasks/mine*', (route) => route.abort())
  // Past the next refresh and its second try.
  await own.clock.fastForward(31_000)
  await own.clock.fastForward(31_000)
  await own.getByText('没有刷新成功').waitFor()
  await keepPicture(own, 'workbench-stale')
  expect(await feedback.inputValue()).toBe('周六下午带妈妈来')
  await own.unroute('**/api/tasks/mine*')
  await own.getByRole('button', { name: '保存' }).click()
  await soon(() => taskOf(id)).toMatchObject({ state: 'done', feedback: '周六下午带妈妈来' })
  await own.getByText('没有刷新成功').waitFor({ state: 'hidden' })
  await own.getByText('今天的任务都做完了').waitFor()
  // An undo that is refused says so.
  await own.route('**/undo', (route) => route.abort())
  await own.getByText('撤销').click()
  await own.getByText('连接不上服务器').waitFor()
  await own.context().close()
})

test('the workbench speaks English by one tap', async () => {
  await give({})
  await visit(page, app, '/workbench/')
  await page.getByText('English').click()
  await page.getByText('95 days without a purchase').waitFor()
  expect(await chinese(page, await writtenByPeople(app.db))).toEqual([])
})
