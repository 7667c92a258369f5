#!/usr/bin/env node
/** The fast loop: types, lint, import rules, unused code, rules of the house, unit tests. `--no-tests` leaves the last out. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cruise } from './cruise.mjs'
import { houseRuleFindings } from './house-rules.mjs'
import { installPackages, node24, ROOT } from './installation.mjs'
import { isMapCurrent } from './map.mjs'

const AT_ONCE = 2

/** Runs every check and prints a line for each. Returns how many passed and failed. */
export async function check({ tests }) {
  installPackages({ development: true })
  const node = node24()
  const tool = (path) => join(ROOT, 'node_modules', path)
  const compile = (project) => () => run(node, [tool('ts7/bin/tsc'), '-p', project, '--noEmit'])
  const steps = [
    ['types', compile('.')],
    ['types of the pages', compile('web')],
    ['types of the browser tests', compile('test/browser')],
    [
      'lint and format',
      () => run(node, [tool('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']),
    ],
    ['import rules and map', importRules],
    ['rules of the house', async () => outcome(houseRuleFindings())],
    ['unused code', () => run(node, [tool('knip/bin/knip.js'), '--no-progress'])],
    ...(tests
      ? [['unit tests', () => run(node, [tool('vitest/vitest.mjs'), 'run', '--project', 'unit'])]]
      : []),
  ]

  let failed = 0
  const queue = [...steps]
  const work = async () => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      const [name, perform] = step
      const start = performance.now()
      const { ok, text } = await perform()
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      process.stdout.write(
        `${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n${ok ? '' : `${text.trim()}\n`}`,
      )
      if (!ok) failed += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return { passed: steps.length - failed, failed }
}

async function importRules() {
  const { report, violations } = await cruise()
  if (!isMapCurrent(report)) violations.push('the map in ARCHITECTURE.md is not the present one: npm run map')
  return outcome(violations)
}

function outcome(findings) {
  return { ok: findings.length === 0, text: findings.join('\n') }
}

function run(program, parameters) {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
    child.on('error', (error) => resolve({ ok: false, text: error.message }))
    child.on('exit', (code) => resolve({ ok: code === 0, text }))
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { failed } = await check({ tests: !process.argv.includes('--no-tests') })
  process.exit(failed === 0 ? 0 : 1)
}
