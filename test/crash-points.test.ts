/** A crash point that no test hits proves nothing. */
import { glob, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** This test finds its points by reading the folder that it stands in, names that are put together included. */
const READS_ITS_FOLDER = 'server/events/crash.itest.ts'
const OF_EVENTS = /^server\/events\/[^/]+$/

async function textsOf(pattern: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for await (const path of glob(pattern, { cwd: ROOT }))
    texts.set(path, await readFile(`${ROOT}/${path}`, 'utf8'))
  return texts
}

test('every crash point of the program is named by a test that is killed there', async () => {
  const sources = await textsOf('server/**/*.ts')
  const tests = [...sources].filter(([path]) => path.endsWith('.itest.ts'))
  expect(sources.get(READS_ITS_FOLDER)).toContain('matchAll(/crashPoint')
  const points: string[] = []
  const unhit: string[] = []
  for (const [path, text] of sources) {
    if (path.includes('test.ts') || path === 'server/platform/crash.ts') continue
    for (const [, , name = ''] of text.matchAll(/crashPoint\((['`])(.+?)\1\)/g)) {
      points.push(name)
      // 'name', or 'name:n' for its n-th passing.
      const isNamed = tests.some(([, of]) => of.includes(`'${name}'`) || of.includes(`'${name}:`))
      if (!isNamed && !OF_EVENTS.test(path)) unhit.push(`${path}: ${name}`)
    }
  }
  expect(unhit).toEqual([])
  expect(points.length).toBeGreaterThan(50)
})
