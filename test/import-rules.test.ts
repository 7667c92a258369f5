/** Plants one forbidden import against each rule of the house in a small tree of its own, and expects that rule to fire. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const CONFIG = join(ROOT, '.dependency-cruiser.cjs')
const { ranks, leaves } = JSON.parse(readFileSync(join(ROOT, 'ranks.json'), 'utf8')) as {
  ranks: string[]
  leaves: string[]
}
const { forbidden } = createRequire(import.meta.url)(CONFIG) as { forbidden: { name: string }[] }

type Plant = { rule: string; file: string; imports: string }

/** A tree in which every folder holds its door and every import is allowed. */
const clean: Record<string, string> = {
  'server/main.ts': `import './app.ts'\nimport './config.ts'\nimport './commands/backup.ts'`,
  'server/config.ts': 'export const port = 1',
  'server/app.ts': [...ranks.slice(1), 'connectors', 'demo']
    .flatMap((name) => [`import './${name}/${name}.ts'`, `import './${name}/routes.ts'`])
    .join('\n'),
  'server/platform/platform.ts': `import pg from 'pg'\nexport const pool = pg`,
  'server/platform/clickhouse/engine/session.ts': `import 'chdb'`,
  'server/commands/backup.ts': `import '../app.ts'\nimport '../config.ts'`,
  'server/commands/commands.ts': '',
  'contract/ids.ts': `import { z } from 'zod'\nexport const id = z.uuid()`,
  'contract/ids.test.ts': `import { test } from 'vitest'\nimport './ids.ts'\ntest`,
  'wecom/wire.ts': 'export type Wire = string',
  'wecom/client.ts': `import type { Wire } from './wire.ts'\nexport type Client = Wire`,
  'sandbox/wecom/server.ts': `import type { Wire } from '../../wecom/wire.ts'\nexport type Told = Wire`,
  'sandbox/sms/server.ts': 'export const sms = 1',
  'web/ui/chart.tsx': 'export const chart = 1',
  'web/console/app/app.tsx': `import '../features/tags/list.tsx'\nimport '../../ui/chart.tsx'`,
  'web/console/features/tags/list.tsx': `import '../../../../contract/ids.ts'`,
  'web/console/features/sops/list.tsx': '',
  'web/workbench/app/app.tsx': '',
  'bench/bench.ts': `import '../server/app.ts'`,
  'test/support/world.ts': `import '../../server/tasks/tasks.ts'`,
  'server/events/import.itest.ts': `import '../../test/support/world.ts'\nimport '../members/members.ts'`,
  ...Object.fromEntries(
    [...ranks.slice(1), 'connectors', 'demo'].flatMap((name) => [
      [
        `server/${name}/${name}.ts`,
        `import './store.ts'\nimport '../platform/platform.ts'\nimport '../../contract/ids.ts'`,
      ],
      [`server/${name}/store.ts`, ''],
      [`server/${name}/routes.ts`, `import './${name}.ts'`],
    ]),
  ),
}

const plants: Plant[] = [
  ...ranks.map((name, rank) => {
    const later = ranks[rank + 1] ?? 'demo'
    return {
      rule: `${name}-looks-down-only`,
      file: `server/${name}/planted-rank.ts`,
      imports: `../${later}/${later}.ts`,
    }
  }),
  ...leaves.map((name) => {
    const other = leaves.find((leaf) => leaf !== name) ?? ''
    return {
      rule: `${name}-imports-no-leaf`,
      file: `server/${name}/planted-leaf.ts`,
      imports: `../${other}/${other}.ts`,
    }
  }),
  { rule: 'no-unresolvable', file: 'contract/planted-missing.ts', imports: './nowhere.ts' },
  { rule: 'through-the-door', file: 'server/tasks/planted-store.ts', imports: '../members/store.ts' },
  { rule: 'adapters-are-leaves', file: 'server/tasks/planted-routes.ts', imports: './routes.ts' },
  { rule: 'app-takes-doors-routes-and-jobs', file: 'server/planted-deep.ts', imports: './members/store.ts' },
  { rule: 'root-is-for-the-root', file: 'server/tasks/planted-config.ts', imports: '../config.ts' },
  {
    rule: 'engine-is-loaded-in-its-process',
    file: 'server/platform/planted-engine.ts',
    imports: './clickhouse/engine/session.ts',
  },
  { rule: 'contract-is-pure', file: 'contract/planted-pg.ts', imports: 'pino' },
  { rule: 'contract-runs-anywhere', file: 'contract/planted-node.ts', imports: 'node:fs' },
  {
    rule: 'web-sees-contract-only',
    file: 'web/console/planted-server.ts',
    imports: '../../server/tasks/tasks.ts',
  },
  { rule: 'web-runs-in-a-browser', file: 'web/console/planted-node.ts', imports: 'node:fs' },
  { rule: 'web-apps-stand-alone', file: 'web/console/planted-app.ts', imports: '../workbench/app/app.tsx' },
  { rule: 'web-ui-knows-no-app', file: 'web/ui/planted-app.ts', imports: '../console/app/app.tsx' },
  {
    rule: 'features-stand-alone',
    file: 'web/console/features/tags/planted-feature.ts',
    imports: '../sops/list.tsx',
  },
  {
    rule: 'features-know-no-app',
    file: 'web/console/features/tags/planted-app.ts',
    imports: '../../app/app.tsx',
  },
  { rule: 'wecom-stands-alone', file: 'wecom/planted-contract.ts', imports: '../contract/ids.ts' },
  {
    rule: 'sandbox-knows-wire-types-only',
    file: 'sandbox/wecom/planted-client.ts',
    imports: '../../wecom/client.ts',
  },
  { rule: 'providers-stand-alone', file: 'sandbox/wecom/planted-sms.ts', imports: '../sms/server.ts' },
  {
    rule: 'program-runs-without-the-sandbox',
    file: 'server/reach/planted-sandbox.ts',
    imports: '../../sandbox/sms/server.ts',
  },
  { rule: 'drivers-in-platform-only', file: 'server/members/planted-driver.ts', imports: 'pg' },
  {
    rule: 'no-test-in-production',
    file: 'server/members/planted-test.ts',
    imports: '../../test/support/world.ts',
  },
  {
    rule: 'no-bench-in-production',
    file: 'server/members/planted-bench.ts',
    imports: '../../bench/bench.ts',
  },
  { rule: 'no-dev-dependency-in-production', file: 'server/members/planted-dev.ts', imports: 'fast-check' },
]

type Report = {
  modules: unknown[]
  summary: { violations: { from: string; rule: { name: string } }[] }
}

const trees: string[] = []

function cruise(files: Record<string, string>): Report {
  const tree = mkdtempSync(join(tmpdir(), 'liuliang-imports-'))
  trees.push(tree)
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
  for (const name of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, name), join(tree, name))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const parameters = ['--config', CONFIG, '--output-type', 'json', 'server', 'contract', 'web', 'wecom']
  const text = execFileSync(process.execPath, [program, ...parameters, 'sandbox', 'bench', 'test'], {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(text) as Report
}

function firedIn(report: Report): string[] {
  return report.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`)
}

let planted: Report

beforeAll(() => {
  const files = { ...clean }
  for (const { file, imports } of plants) files[file] = `import '${imports}'`
  files['contract/planted-cycle-a.ts'] = `import type { B } from './planted-cycle-b.ts'\nexport type A = B`
  files['contract/planted-cycle-b.ts'] =
    `import type { A } from './planted-cycle-a.ts'\nexport type B = A | 1`
  planted = cruise(files)
})

afterAll(() => {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true })
})

test('a tree that keeps the rules is clean, and its modules were seen', () => {
  const report = cruise(clean)
  expect(firedIn(report)).toEqual([])
  expect(report.modules.length).toBeGreaterThanOrEqual(Object.keys(clean).length)
})

describe('each rule fires on the import planted against it', () => {
  test.each(plants)('$rule', ({ rule, file }) => {
    expect(firedIn(planted)).toContain(`${rule}: ${file}`)
  })

  test('no-cycles, also through types alone', () => {
    expect(firedIn(planted)).toContain('no-cycles: contract/planted-cycle-a.ts')
  })
})

test('no rule stands without a plant', () => {
  const tried = new Set([...plants.map(({ rule }) => rule), 'no-cycles'])
  expect(forbidden.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([])
})
