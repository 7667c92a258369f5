#!/usr/bin/env node
/**
 * Everything: the checks, unit tests, integration tests on real engines, the pages built, browser tests.
 * The last line is plain: "N passed, N failed", counting each check and each test.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildPages, installPackages, node24, ROOT } from './installation.mjs'

installPackages({ development: true })
const { check } = await import('./check.mjs')
const node = node24()
const folder = mkdtempSync(join(tmpdir(), 'liuliang-results-'))
let { passed, failed } = await check({ tests: false })
let skipped = 0
/** Tests that are not to be trusted: they failed before they passed. */
const tookASecondTry = []

for (const project of ['unit', 'integration', 'browser']) {
  if (project === 'browser' && !buildPages(node)) failed += 1
  count(project)
}
rmSync(folder, { recursive: true, force: true })
for (const name of tookASecondTry) process.stdout.write(`passed at the second try: ${name}\n`)
if (skipped > 0) process.stdout.write(`${skipped} skipped\n`)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)

function count(project) {
  const file = join(folder, `${project}.json`)
  const { status } = spawnSync(
    node,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      ...['run', '--project', project, '--passWithNoTests'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    ],
    // Node 24 first in the path: tests that start the program by name get the same one.
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` } },
  )
  if (!existsSync(file)) {
    failed += 1
    return
  }
  const results = JSON.parse(readFileSync(file, 'utf8'))
  // A file that breaks before its first test counts as one failure.
  const broken = results.testResults.filter(
    ({ status: state, assertionResults }) =>
      state === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
  ).length
  for (const one of results.testResults.flatMap(({ assertionResults }) => assertionResults))
    if (one.status === 'passed' && one.failureMessages.length > 0) tookASecondTry.push(one.fullName)
  passed += results.numPassedTests
  skipped += results.numPendingTests + results.numTodoTests
  failed += results.numFailedTests + broken
  // A run that ends badly without a failed test (an error between tests) is a failure too.
  if (status !== 0 && results.numFailedTests + broken === 0) failed += 1
}
