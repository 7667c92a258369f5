/** Pages of a running program for the browser tests: signed in, of a size, in a language; their complaints fail the test. */
import type { Locator, Page, Request } from 'playwright-core'
import { afterEach, expect } from 'vitest'
import { CSRF_COOKIE } from '../../contract/base.ts'
import { openSession } from '../../server/org/org.ts'
import type { TestApp } from '../support/app.ts'
import { keepPicture, testBrowser } from '../support/browser.ts'

/** A desk and a phone, in CSS pixels. */
export const screens = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const
export type Look = { screen?: keyof typeof screens; lang?: 'zh' | 'en'; dark?: boolean }

const complaints: string[] = []
const open = new Set<Page>()
const underWay = new WeakMap<Page, Set<Request>>()

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    for (const page of open) await keepPicture(page, `failed ${task.name}`.slice(0, 80))
  expect(complaints.splice(0), 'what pages threw').toEqual([])
})

/** A page nobody is signed in on, in a context of its own. */
export async function openPage({ screen = 'desk', lang = 'zh', dark = false }: Look = {}): Promise<Page> {
  const browser = await testBrowser()
  const context = await browser.newContext({
    viewport: screens[screen],
    locale: 'zh-CN',
    reducedMotion: 'reduce',
    hasTouch: screen === 'phone',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  await context.addInitScript(
    ([language, shade]) => {
      if (localStorage.getItem('liuliang.language') === null)
        localStorage.setItem('liuliang.language', language ?? 'zh')
      if (localStorage.getItem('liuliang.dark') === null) localStorage.setItem('liuliang.dark', shade ?? 'no')
    },
    [lang, dark ? 'yes' : 'no'],
  )
  const page = await context.newPage()
  open.add(page)
  page.on('close', () => open.delete(page))
  page.setDefaultTimeout(15_000)
  const requests = new Set<Request>()
  underWay.set(page, requests)
  page.on('request', (request) => requests.add(request))
  page.on('requestfinished', (request) => requests.delete(request))
  page.on('requestfailed', (request) => requests.delete(request))
  page.on('pageerror', (error) => complaints.push(`${new URL(page.url()).pathname}: ${error.message}`))
  return page
}

/** A page on which this member of staff is signed in. */
export async function pageOf(app: TestApp, staffId: string, look: Look = {}): Promise<Page> {
  const page = await openPage(look)
  const { token, csrf } = await openSession(app.db, staffId as never, { now: app.clock.now() })
  await page.context().addCookies([
    { name: 'liuliang_session', value: token, url: app.address, httpOnly: true },
    { name: CSRF_COOKIE, value: csrf, url: app.address },
  ])
  return page
}

/** Opens a page of the program and waits until nothing on it is still being fetched. */
export async function visit(page: Page, app: TestApp, path: string): Promise<void> {
  await page.goto(`${app.address}${path}`)
  await settled(page)
}

/** Goes to another page of the console without loading the program anew. */
export async function goTo(page: Page, path: string): Promise<void> {
  await page.evaluate((goal) => {
    // The old page is marked: the new one is there when the mark is gone.
    const here = window.location.pathname
    const shown = document.querySelector('.ant-layout-content')?.firstElementChild
    if (here !== new URL(goal, window.location.origin).pathname) shown?.setAttribute('data-old', '')
    window.history.pushState(null, '', goal)
    window.dispatchEvent(new PopStateEvent('popstate'))
  }, path)
  await page.waitForFunction(() => document.querySelector('[data-old]') === null)
  await settled(page)
}

/** Waits until the page has its head, no skeleton or spinner, and nothing more to fetch. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1, h2, h3, h4, form').first().waitFor()
  for (let quiet = 0; quiet < 2; ) {
    await page.waitForFunction(
      () =>
        document.querySelector('.ant-skeleton-active, .ant-spin-spinning, .adm-skeleton-animated') === null,
    )
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    quiet = (underWay.get(page)?.size ?? 0) === 0 ? quiet + 1 : 0
  }
}

/** A button by its whole text; two signs are drawn with a gap between them. */
export function button(within: Page | Locator, text: string): Locator {
  const pattern = [...text].map((sign) => sign.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s?')
  return within.getByRole('button', { name: new RegExp(`^(\\S+ )?${pattern}$`) })
}

/** Chooses an entry of a list that opens at a field; a long list is searched. */
export async function choose(page: Page, field: Locator, entry: string): Promise<void> {
  await field.click()
  if (await field.isEditable()) await field.fill(entry)
  await page
    .locator('.ant-select-dropdown:visible .ant-select-item-option')
    .filter({ hasText: entry })
    .first()
    .click()
}

/** Says yes in the small window that asks whether it is meant. */
export async function confirm(page: Page): Promise<void> {
  await button(page.locator('.ant-popover:visible'), '确定').click()
}

/** Asks again and again until the answer is as expected: what a page starts may end after it has said so. */
export function soon<T>(ask: () => Promise<T>) {
  return expect.poll(ask, { timeout: 20_000, interval: 100 })
}
