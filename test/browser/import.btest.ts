import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture } from '../support/browser.ts'
import { emptyBrand } from './demo-brand.ts'
import { button, choose, confirm, pageOf, settled, soon, visit } from './pages.ts'
import { letItWork } from './running.ts'

const FILE = [
  '会员编号,姓名,手机,入会时间,性别,喜欢的颜色',
  'A1,陈一,13800000001,2025-01-05,女,红',
  'A2,林二,13800000002,2025/2/6,男,蓝',
  'A3,王三,13800000003,2025年3月7日,女,绿',
  'A4,赵四,13800000004,二月三十,男,白',
  'A5,孙五,138,2025-04-08,女,黑',
].join('\r\n')

let app: TestApp
let page: Page

beforeAll(async () => {
  app = await emptyBrand()
  letItWork(app)
  page = await pageOf(app, (await app.as('owner', { rights: ['see_personal'] })).staffId)
})

const people = async (): Promise<string[]> =>
  (
    await app.db.rows<{ name: string }>(
      sql`select name from person where state = 'live' order by name collate "C"`,
    )
  ).map(({ name }) => name)

test('a file is dropped, its columns are understood, a dry run writes nothing', async () => {
  await visit(page, app, '/import')
  await page.getByText('还没有导入过').waitFor()
  await page.setInputFiles('input[type=file]', {
    name: '老会员.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(FILE),
  })
  await page.waitForURL('**/import/*')
  await page.getByRole('row', { name: /^手机/ }).getByText('手机').first().waitFor()
  await keepPicture(page, 'import-columns')
  await choose(page, page.getByRole('combobox', { name: '对应到 喜欢的颜色' }), '会员自定义属性：喜欢的颜色')
  await button(page, '试运行').click()
  await button(page, '导入 4 行').waitFor()
  await keepPicture(page, 'import-dry-run')
  expect(await people()).toEqual([])
  const run = await app.db.row(sql`select state, mapping->'columns'->5->>'field' as field from import_run`)
  expect(run).toEqual({ state: 'checked', field: 'attribute:喜欢的颜色' })
})

test('what does not go in can be had as a file with row, column, value and reason', async () => {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: '下载全部被拒行' }).click(),
  ])
  const text = await readFile(await download.path(), 'utf8')
  const lines = text.trim().split(/\r?\n/)
  expect(lines).toHaveLength(2)
  expect(lines[1]).toContain('5,')
  expect(lines[1]).toContain('入会时间')
  expect(lines[1]).toContain('二月三十')
})

test('the import goes in under the eyes of who started it', async () => {
  await button(page, '导入 4 行').click()
  await button(page, '撤销这次导入').waitFor()
  await keepPicture(page, 'import-result')
  expect(await people()).toEqual(['孙五', '林二', '王三', '陈一'])
  const colours = await app.db.rows(
    sql`select (select value from jsonb_each_text(attributes) where key like '%喜欢的颜色') as colour from person where name = '林二'`,
  )
  expect(colours).toEqual([{ colour: '蓝' }])
  await page.getByRole('link', { name: '看会员', exact: true }).click()
  await page.getByRole('link', { name: '王三' }).waitFor()
  expect(await page.getByText('138****0003').count()).toBe(1)
})

test('the audit of the base says what came', async () => {
  await visit(page, app, '/audit-base')
  await page.getByText('4 人里有').waitFor()
  const { bad } = await app.db.row<{ bad: number }>(
    sql`select count(*)::int as bad from person where state = 'live' and phone = 'invalid'`,
  )
  expect(bad).toBe(1)
  await page.getByText('1 个手机号是错的').waitFor()
})

test('the same file again makes no doubles, and the first import can be taken back', async () => {
  await visit(page, app, '/import')
  await page.getByRole('link', { name: '老会员.csv' }).click()
  await button(page, '撤销这次导入').click()
  await confirm(page)
  await page.getByText('已撤销：').waitFor()
  await settled(page)
  await soon(people).toEqual([])
  expect(await app.db.rows(sql`select state from import_run`)).toEqual([{ state: 'undone' }])
})

test('a dry run that breaks off says that nothing went in, and offers no import', async () => {
  const rows = Array.from(
    { length: 40_000 },
    (_, row) => `B${row},会员${row},139${String(row * 2477).padStart(8, '0')}`,
  )
  const whole = gzipSync(['会员编号,姓名,手机', ...rows].join('\n'))
  await visit(page, app, '/import')
  await page.setInputFiles('input[type=file]', {
    name: '下载不全.csv.gz',
    mimeType: 'application/gzip',
    buffer: whole.subarray(0, whole.length - 1000),
  })
  await page.waitForURL('**/import/*')
  await button(page, '试运行').click()
  await page.getByText('试运行中断，没有写入任何数据').waitFor()
  await page.getByText('The gzip file is damaged').waitFor()
  await keepPicture(page, 'import-check-failed')
  expect(await page.getByText('行已进入').count()).toBe(0)
  expect(await page.getByRole('button', { name: /^(继续)?导入/ }).count()).toBe(0)
  expect(await button(page, '试运行').isEnabled()).toBe(true)
  expect(await people()).toEqual([])
  expect(
    await app.db.row(
      sql`select state, counts->>'accepted' as accepted, forecast from import_run where file_name = '下载不全.csv.gz'`,
    ),
  ).toMatchObject({ state: 'uploaded', accepted: '0', forecast: null })
})

test('a file of another kind is refused in one sentence', async () => {
  await visit(page, app, '/import')
  await page.setInputFiles('input[type=file]', {
    name: 'picture.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0]),
  })
  await page.getByText('没有上传成功，文件未被保存').waitFor()
  expect(await app.db.rows(sql`select from import_run where file_name = 'picture.csv'`)).toEqual([])
})
