/** Every page of the console and the workbench opened once in a real browser, and what the program's processes then hold. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { openBrowser } from '../test/support/chromium.ts'
import { figure } from './figures.ts'
import { PASSWORD, type Program } from './program.ts'

const ROUTES = fileURLToPath(new URL('../web/console/app/routes.tsx', import.meta.url))
/** Where the API lists what the pages below these show. */
const LISTS: Readonly<Record<string, string>> = {
  '/members': '/members',
  '/segments': '/segments',
  '/journeys': '/journeys',
  '/import': '/imports',
}

/** A page that is not at rest after this long is broken, and is named. */
const PATIENCE_MS = 120_000

/** How long a page took until everything on it was there, in milliseconds. */
export type Opened = { path: string; ms: number }

/** Signs in with the password of the benches and opens each page. Gives them, the slowest first. */
export async function openEveryPage(address: string, login = 'admin'): Promise<Opened[]> {
  const browser = await openBrowser()
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })
    await page.goto(`${address}/sign-in`)
    await page.fill('#login', login)
    await page.fill('#password', PASSWORD)
    await page.click('button[type=submit]')
    await page.waitForURL(`${address}/`)
    const paths = await pathsOf(page)
    const opened: Opened[] = []
    for (const path of paths) {
      const ms = await open(page, `${address}${path}`).catch((error: unknown) => {
        throw new Error(`${path} did not come to rest`, { cause: error })
      })
      opened.push({ path, ms })
    }
    return opened.sort((left, right) => right.ms - left.ms)
  } finally {
    await browser.close()
  }
}

async function open(page: Page, address: string): Promise<number> {
  const begun = performance.now()
  await page.goto(address)
  await page.waitForLoadState('load')
  // Something stands on it, and nothing is shown in its place until it comes.
  await page.locator('main, .workbench, #root > *').first().waitFor({ timeout: PATIENCE_MS })
  await page
    .locator('.ant-skeleton, .ant-spin-spinning')
    .first()
    .waitFor({ state: 'detached', timeout: PATIENCE_MS })
  return performance.now() - begun
}

/** The three slowest of all pages. */
export function pagesFigure(opened: readonly Opened[], data: string): void {
  const slowest = opened.slice(0, 3).map(({ path, ms }) => `${path} ${Math.round(ms)} ms`)
  figure({
    what: `The slowest of ${opened.length} pages, opened in a browser`,
    data,
    ours: slowest.join(', '),
  })
}

/** Memory as the sum of PSS of every process, stated for each. */
export function memoryFigure(program: Program, data: string, wanted: string): void {
  const memory = program.memory()
  const all = [...memory.values()].reduce((sum, one) => sum + one, 0)
  const each = [...memory].map(([name, megabytes]) => `${name} ${Math.round(megabytes)}`).join(', ')
  figure({
    what: 'Memory after every page was opened (PSS)',
    data,
    ours: `${Math.round(all)} MB (${each})`,
    wanted,
  })
}

/** The addresses of the console as its routes name them, the first of each kind where one shows a thing, and the workbench. */
async function pathsOf(page: Page): Promise<string[]> {
  const text = await readFile(ROUTES, 'utf8')
  const paths: string[] = ['/workbench/']
  for (const [, path = ''] of text.matchAll(/\['(\/[^']*)'/gu)) {
    const [, list] = /^(.*)\/:id$/u.exec(path) ?? []
    const id = list === undefined ? undefined : await firstOf(page, LISTS[list])
    if (list === undefined) paths.push(path)
    else if (id !== undefined) paths.push(`${list}/${id}`)
  }
  return paths
}

/** The id of the first thing of a list; undefined where it is empty. */
async function firstOf(page: Page, list: string | undefined): Promise<string | undefined> {
  if (list === undefined) throw new Error('a page shows things of a list that is not known here')
  const answer = await page.request.get(new URL(`/api${list}`, page.url()).href)
  if (!answer.ok()) throw new Error(`${list} answered ${answer.status()}`)
  const { items } = (await answer.json()) as { items: { id: string | number }[] }
  return items[0] === undefined ? undefined : String(items[0].id)
}
