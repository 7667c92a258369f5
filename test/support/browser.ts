/** The browser of a test file, and pictures of what it shows. */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll } from 'vitest'
import { openBrowser } from './chromium.ts'

let running: Promise<Browser> | undefined

/** One browser for a test file; open a context of your own in it. Closed when the file is done. */
export function testBrowser(): Promise<Browser> {
  running ??= openBrowser()
  return running
}

/** Keeps a picture of the page for a person to look at, where LIULIANG_SCREENSHOTS names a folder. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env['LIULIANG_SCREENSHOTS']
  if (folder !== undefined && folder !== '') await page.screenshot({ path: join(folder, `${name}.png`) })
}

afterAll(async () => {
  await (await running)?.close()
})
