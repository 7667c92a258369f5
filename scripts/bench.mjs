#!/usr/bin/env node
/**
 * Every benchmark, one after the other, then one table: figure, limit and ratio with the size of the data. The table is
 * kept in docs/benchmarks.md when all ran. `npm run bench -- import start` runs some. A timing never fails anything.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { buildPages, fail, installPackages, node24, ROOT, say } from './installation.mjs'

const PAGE = join(ROOT, 'docs', 'benchmarks.md')
const BEGIN = '<!-- figures: begin (npm run bench) -->'
const END = '<!-- figures: end -->'
const NAMES = readdirSync(join(ROOT, 'bench'))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !NAMES.includes(name))
if (unknown !== undefined) fail(`There is no benchmark ${unknown}. There are: ${NAMES.join(', ')}.`)

installPackages({ development: true })
const node = node24()
if (!buildPages(node)) fail('The pages could not be built.')

const folder = mkdtempSync(join(tmpdir(), 'liuliang-figures-'))
const file = join(folder, 'figures.ndjson')
const load = loadavg()[0].toFixed(1)
const broken = []
for (const name of wanted.length > 0 ? wanted : NAMES) {
  say(`${name} …`)
  const { status } = spawnSync(
    node,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'bench', `${name}.bench.ts`)],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, BENCH_FIGURES: file } },
  )
  if (status !== 0) broken.push(name)
}
const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
const figures = text
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
rmSync(folder, { recursive: true, force: true })

process.stdout.write(`\n${table(figures)}\n`)
if (broken.length > 0) fail(`These broke: ${broken.join(', ')}.`)
if (wanted.length === 0) keep(figures)

function table(rows) {
  const cells = (row) => [row.what, row.data, row.ours, row.limit, row.ratio?.toFixed(2), row.wanted]
  const line = (parts) => `| ${parts.map((part) => part ?? '').join(' | ')} |`
  return [
    line(['what', 'data', 'ours', 'limit in the same run', 'ratio', 'wanted']),
    line(Array.from({ length: 6 }, () => '---')),
    ...rows.map((row) => line(cells(row))),
  ].join('\n')
}

function keep(rows) {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (before < 0 || rest < before) fail('docs/benchmarks.md has lost the markers of its figures.')
  const day = new Date().toISOString().slice(0, 10)
  const gigabytes = Math.round(totalmem() / 1024 ** 3)
  const machine = `Taken on ${day} with \`npm run bench\` on ${availableParallelism()} cores and ${gigabytes} GB, ${process.platform} ${process.arch}; load when it began ${load}.`
  writeFileSync(
    PAGE,
    `${page.slice(0, before + BEGIN.length)}\n\n${machine}\n\n${table(rows)}\n\n${page.slice(rest)}`,
  )
}
