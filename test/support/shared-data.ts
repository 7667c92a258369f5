/**
 * Real data sets that are not part of the repository: the folder beside it, or LIULIANG_SHARED_DATA.
 * Tests that need one skip with a message where it is absent.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER =
  process.env['LIULIANG_SHARED_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))

/** The path of a data set ('cdnow', 'online_retail', …), or undefined where it is absent. */
export function sharedData(name: string): string | undefined {
  const path = `${FOLDER}/${name}`
  return existsSync(path) ? path : undefined
}

/** For `test.skipIf(…)`: true, with a line that says so, where the data set is absent. */
export function isAbsent(name: string): boolean {
  if (sharedData(name) !== undefined) return false
  process.stderr.write(`skipped: the data set ${name} is absent (LIULIANG_SHARED_DATA)\n`)
  return true
}

/** Whether tests that take a part of a data set, to be quick, take all of it: LIULIANG_WHOLE_DATA=1. */
export function wantsWholeData(): boolean {
  return process.env['LIULIANG_WHOLE_DATA'] === '1'
}
