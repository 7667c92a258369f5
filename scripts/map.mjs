/**
 * The map in ARCHITECTURE.md, drawn from the imports as they are.
 * `node scripts/map.mjs` writes it; `npm run check` fails when it differs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cruise } from './cruise.mjs'
import { ROOT } from './installation.mjs'

const FILE = join(ROOT, 'ARCHITECTURE.md')
const BEGIN = '<!-- map: begin (npm run map) -->'
const END = '<!-- map: end -->'
const TEST = /[.](test|itest|btest)[.]tsx?$|^test\/|^bench\/|^scripts\//
/** Imported by nearly everyone: drawn as boxes, without their many arrows. */
const GROUND = new Set(['platform', 'contract'])

/** The mermaid text for a report of dependency-cruiser. */
export function drawMap(report) {
  const { ranks, leaves } = JSON.parse(readFileSync(join(ROOT, 'ranks.json'), 'utf8'))
  const folders = new Set()
  const arrows = new Set()
  for (const { source, dependencies } of report.modules) {
    const from = folderOf(source)
    if (from === undefined) continue
    folders.add(from)
    for (const { resolved } of dependencies) {
      const to = folderOf(resolved)
      if (to !== undefined && to !== from && !GROUND.has(to)) arrows.add(`  ${id(from)} --> ${id(to)}`)
    }
  }
  const present = (names) => names.filter((name) => folders.has(name))
  const box = (title, names) =>
    names.length === 0
      ? []
      : [`  subgraph ${title}`, ...names.map((name) => `    ${id(name)}["${name}"]`), '  end']
  return [
    '```mermaid',
    'flowchart LR',
    ...box('pages', [...folders].filter((name) => name.startsWith('web/')).sort()),
    ...box('program', present(['app'])),
    ...box('leaves', present(leaves)),
    ...box('capabilities', present(ranks.slice(1)).reverse()),
    ...box('outside', present(['wecom', 'sandbox'])),
    ...box('ground', present(['platform', 'contract'])),
    ...[...arrows].filter((arrow) => !arrow.startsWith('  app ')).sort(),
    '```',
  ].join('\n')
}

/** True when the committed map is the one of the present imports. */
export function isMapCurrent(report) {
  return readFileSync(FILE, 'utf8') === withMap(readFileSync(FILE, 'utf8'), drawMap(report))
}

function withMap(text, map) {
  const [before, rest] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (before < 0 || rest < before) throw new Error('ARCHITECTURE.md has lost the markers of its map')
  return `${text.slice(0, before + BEGIN.length)}\n\n${map}\n\n${text.slice(rest)}`
}

function folderOf(path) {
  if (TEST.test(path)) return undefined
  const [, server] = path.match(/^server\/([^/]+)\//) ?? []
  if (server !== undefined) return server
  if (/^server\/[^/]+[.]ts$/.test(path)) return 'app'
  const [, page] = path.match(/^(web\/[^/.]+)\//) ?? []
  if (page !== undefined) return page
  const [, other] = path.match(/^(contract|wecom|sandbox)\//) ?? []
  return other
}

function id(name) {
  return name.replace(/\W/g, '_')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { report } = await cruise()
  writeFileSync(FILE, withMap(readFileSync(FILE, 'utf8'), drawMap(report)))
}
