/** Rules of the house that neither the compiler nor the linter knows: names, clocks, doors. Each finding is one line. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ROOT } from './installation.mjs'

const BANNED_NAME =
  /^(utils?|helpers?|common|misc|managers?|services?)$|[-.](utils?|helpers?|manager|service|v\d+)$/
const TEST = /[.](test|itest|btest)[.]tsx?$|^test\//

/** @returns {string[]} */
export function houseRuleFindings(root = ROOT) {
  const files = listFiles(root)
  return [
    ...files.flatMap(bannedNames),
    ...files.flatMap((file) => clocks(root, file)),
    ...files.flatMap((file) => sqlClocks(root, file)),
    ...files.flatMap((file) => seeds(root, file)),
    ...doors(root, files),
  ]
}

function listFiles(root) {
  const text = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  return [...new Set(text.split('\n'))].filter((file) => file !== '' && existsSync(join(root, file)))
}

function bannedNames(file) {
  const parts = file.split('/')
  const stem = basename(file).replace(/[.].*$/, '')
  const bad = [...parts.slice(0, -1), stem].find((part) => BANNED_NAME.test(part))
  return bad === undefined ? [] : [`${file}: "${bad}" says nothing; name the file after the thing it holds`]
}

function clocks(root, file) {
  if (!/^(server|contract|wecom)\/.*[.]tsx?$/.test(file) || TEST.test(file)) return []
  if (file.startsWith('server/platform/')) return []
  return linesOf(
    root,
    file,
    /new Date\(\)|\bDate\.now\(/,
    'the time is a parameter; only server/platform asks the clock',
  )
}

function sqlClocks(root, file) {
  const inSql = /^database\/.*[.]sql$/.test(file)
  const inCode = /^server\/.*[.]ts$/.test(file) && !file.startsWith('server/platform/') && !TEST.test(file)
  if (!inSql && !inCode) return []
  const asks =
    /(?<![.\w])(now\(\)|now64\(|clock_timestamp\(|current_timestamp\b|current_date\b|localtimestamp\b)/i
  return linesOf(root, file, asks, 'business time is a parameter of the statement').filter(
    (finding) => !(inSql && /inserted_at/.test(finding)),
  )
}

function seeds(root, file) {
  if (!/[.]tsx?$/.test(file) || file === 'test/support/fast-check.ts') return []
  return linesOf(root, file, /from 'fast-check'/, 'chance has one seed: import test/support/fast-check.ts')
}

function linesOf(root, file, pattern, why) {
  const comment = file.endsWith('.sql') ? /--.*$/ : /^\s*(\/\/|\*|\/\*).*$/
  // `now() {` and `now():` declare a function of ours.
  const declaration = /\bnow\(\)\s*[{:]/
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  return lines.flatMap((line, index) => {
    const code = line.replace(comment, '').replace(declaration, '')
    return pattern.test(code) ? [`${file}:${index + 1}: ${why}: ${line.trim().slice(0, 100)}`] : []
  })
}

/** A capability opens with its door, and the door with what it owns, what it promises and what it never does. */
function doors(root, files) {
  const { ranks } = JSON.parse(readFileSync(join(root, 'ranks.json'), 'utf8'))
  return ranks.slice(1).flatMap((name) => {
    const door = `server/${name}/${name}.ts`
    if (!files.some((file) => file.startsWith(`server/${name}/`) && file.endsWith('.ts'))) return []
    if (!files.includes(door)) return [`server/${name}: the door ${door} is missing`]
    const comment = readFileSync(join(root, door), 'utf8')
      .split('\n')
      .slice(0, 8)
      .filter((line) => /^\s*(\/\/|\/?\*+)\s+\S/.test(line))
    return comment.length >= 3
      ? []
      : [`${door}: opens with three lines: what it owns, what it promises, what it never does`]
  })
}
