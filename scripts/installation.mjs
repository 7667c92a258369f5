/**
 * Makes the program ready to run on a machine that has only Node 20 or newer and npm: installs what package-lock.json
 * names, finds or fetches Node 24, builds the pages. Plain JavaScript, no package: it runs before any is there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../', import.meta.url))
const MAJOR = 24

/** Installs packages that are missing or of another version than the lock file says. */
export function installPackages({ development }) {
  const wanted = missingPackages(development)
  if (wanted.length === 0) return
  const fresh = !existsSync(join(ROOT, 'node_modules'))
  say(fresh ? 'Installing packages (about a minute, once) …' : `Installing ${wanted.join(', ')} …`)
  const parameters = [
    fresh ? 'ci' : 'install',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--include=dev',
    '--loglevel=error',
  ]
  const { status } = spawnSync('npm', parameters, { cwd: ROOT, stdio: ['ignore', 2, 2] })
  if (status !== 0) fail('The packages could not be installed. Check the network and run npm ci.')
}

/** Path of a Node 24: the one among the packages, else the present one. */
export function node24() {
  const folder = join(ROOT, 'node_modules', 'node')
  const packed = join(folder, 'bin', 'node')
  if (answers(packed)) return packed
  if (Number(process.versions.node.split('.')[0]) >= MAJOR) return process.execPath
  // npm may block the install script that fetches the binary: run that script ourselves.
  say(`Fetching Node ${MAJOR} …`)
  spawnSync(process.execPath, ['installArchSpecificPackage.js'], { cwd: folder, stdio: ['ignore', 2, 2] })
  if (answers(packed)) return packed
  return fail(`Node ${MAJOR} is needed and could not be fetched. Install it and start again.`)
}

/**
 * Builds the pages when they are missing or older than their sources; false when that fails.
 * Where the builder is not installed, the built ones serve.
 */
export function buildPages(node) {
  const config = join(ROOT, 'web', 'vite.config.ts')
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js')
  if (!existsSync(config) || !existsSync(vite)) return true
  const stamp = join(ROOT, 'web', 'dist', '.built')
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0
  if (built > newest(join(ROOT, 'web')) && built > newest(join(ROOT, 'contract'))) return true
  say('Building the pages …')
  const { status } = spawnSync(node, [vite, 'build', '--config', config, '--logLevel', 'warn'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) return false
  writeFileSync(stamp, '')
  return true
}

export function say(line) {
  process.stderr.write(`${line}\n`)
}

export function fail(line) {
  say(line)
  process.exit(1)
}

function missingPackages(development) {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const named = { ...packages[''].dependencies, ...(development ? packages[''].devDependencies : {}) }
  return Object.keys(named).filter((name) => {
    const file = join(ROOT, 'node_modules', name, 'package.json')
    if (!existsSync(file)) return true
    return JSON.parse(readFileSync(file, 'utf8')).version !== packages[`node_modules/${name}`].version
  })
}

function answers(program) {
  if (!existsSync(program)) return false
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return String(stdout).startsWith(`v${MAJOR}.`)
}

function newest(folder) {
  let latest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'dist') continue
    const path = join(folder, entry.name)
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return latest
}
