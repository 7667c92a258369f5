/** Breaks each rule of the house once, in a small repository of its own, and expects the finding. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const rules = new URL('../scripts/house-rules.mjs', import.meta.url).href
const { houseRuleFindings } = (await import(rules)) as { houseRuleFindings: (root: string) => string[] }

const DOOR = '// Owns tasks.\n// Promises order.\n// Never sends.\nexport const tasks = 1\n'
const places: string[] = []

function findings(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'liuliang-house-'))
  places.push(root)
  execFileSync('git', ['init', '-q'], { cwd: root })
  const all = { 'ranks.json': '{"ranks":["platform","tasks"],"leaves":[]}', ...files }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return houseRuleFindings(root)
}

afterAll(() => {
  for (const place of places) rmSync(place, { recursive: true, force: true })
})

test('what keeps the rules is not complained about', () => {
  expect(
    findings({
      'server/tasks/tasks.ts': DOOR,
      'server/tasks/due.ts':
        'export const due = (at: Date) => new Date(at)\nexport const clock = { now() { return 1 } }\nclock.now()',
      'server/tasks/due.test.ts': 'new Date()',
      'server/platform/time/clock.ts': 'export const now = () => new Date()',
      'server/platform/jobs/lease.ts': 'const text = `update lease set until = now() + $1`',
      'database/postgres/0001-platform.sql':
        'create table a (\n  inserted_at timestamptz default now()\n); -- now()\n',
      'web/ui/clock.ts': 'new Date()',
    }),
  ).toEqual([])
})

test.each([
  ['server/tasks/utils.ts', '', 'utils'],
  ['server/tasks/task-service.ts', '', 'task-service'],
  ['server/tasks/rule-v2.ts', '', 'rule-v2'],
  ['web/common/list.tsx', '', 'common'],
  ['server/tasks/due.ts', 'const at = new Date()', 'only server/platform asks the clock'],
  ['server/tasks/due.ts', 'const at = Date.now()', 'only server/platform asks the clock'],
  ['contract/due.ts', 'const at = Date.now()', 'only server/platform asks the clock'],
  ['server/tasks/store.ts', 'sql`select id from task where due_at < now()`', 'business time is a parameter'],
  ['server/tasks/store.ts', 'sql`select current_date`', 'business time is a parameter'],
  ['database/postgres/0002-tasks.sql', 'made_at timestamptz default now()', 'business time is a parameter'],
  [
    'database/clickhouse/0001-a.sql',
    "at DateTime64(3) default now64(3, 'UTC')",
    'business time is a parameter',
  ],
])('%s: %s', (path, text, finding) => {
  const found = findings({ 'server/tasks/tasks.ts': DOOR, [path]: text })
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(path)
  expect(found[0]).toContain(finding)
})

test('a capability without a door, and a door that does not say what it owns', () => {
  expect(findings({ 'server/tasks/due.ts': '' })).toEqual([
    'server/tasks: the door server/tasks/tasks.ts is missing',
  ])
  expect(findings({ 'server/tasks/tasks.ts': 'export const tasks = 1' })[0]).toContain(
    'opens with three lines',
  )
})
