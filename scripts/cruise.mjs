/** The import graph of the repository, as dependency-cruiser sees it. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { node24, ROOT } from './installation.mjs'

const FOLDERS = ['server', 'contract', 'web', 'wecom', 'sandbox', 'bench', 'test', 'scripts']

/**
 * The report, and its violations as lines. A run that saw too few modules is itself a violation: with a TypeScript
 * that lacks the old programming interface the tool sees none and calls everything fine. It runs on Node 24 whatever
 * started this: it takes the list of built-in modules (`node:sqlite`) from the Node that it runs on.
 */
export async function cruise() {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const folders = FOLDERS.filter((folder) => existsSync(join(ROOT, folder)))
  const { stdout } = await promisify(execFile)(
    node24(),
    [program, '--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', ...folders],
    { cwd: ROOT, maxBuffer: 256 * 1024 * 1024 },
  )
  const report = JSON.parse(stdout)
  const own = report.modules.filter(({ source }) => /^(server|contract)\/.*[.]ts$/.test(source))
  const edges = own.flatMap(({ dependencies }) => dependencies)
  const violations = report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
  if (own.length < 10 || edges.length < 10) {
    violations.push(`the cruise saw ${own.length} modules of ours and ${edges.length} imports: it is blind`)
  }
  return { report, violations }
}
