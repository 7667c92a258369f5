#!/usr/bin/env node
/**
 * Completes package-lock.json after `npm install`. Packages with machine code come as one optional package per platform;
 * a registry that carries only some platforms leaves the others out of the lock, and `npm ci` then refuses the lock
 * everywhere. Each missing one is added by the version that its parent names, with the platform that its name names,
 * so that other machines skip it and that platform fetches it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './installation.mjs'

const SYSTEMS = [
  'linux',
  'darwin',
  'win32',
  'freebsd',
  'netbsd',
  'openbsd',
  'android',
  'openharmony',
  'aix',
  'sunos',
]
const PROCESSORS = [
  'x64',
  'arm64',
  'ia32',
  'arm',
  'ppc64',
  'riscv64',
  's390x',
  'loong64',
  'mips64el',
  'wasm32',
]

const file = join(ROOT, 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const added = []
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isKnown(path, name)) continue
    if (!/^\d+[.]\d+[.]\d+(-[\w.]+)?$/.test(range)) {
      process.stderr.write(`${name}: ${range} of ${path} names no single version; left out\n`)
      continue
    }
    lock.packages[`node_modules/${name}`] = describe(name, range, entry.dev === true)
    added.push(`${name}@${range}`)
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
lock.packages = Object.fromEntries(sorted)
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`${added.length} added${added.map((one) => `\n  ${one}`).join('')}\n`)

/** Looks where Node would: beside the parent, then further up. */
function isKnown(parent, name) {
  for (let place = parent; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    if (lock.packages[place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`]) return true
    if (place === '') return false
    if (!place.includes('/node_modules/')) return Boolean(lock.packages[`node_modules/${name}`])
  }
}

function describe(name, version, dev) {
  const words = name.split(/[-/]/)
  const system = words.find((word) => SYSTEMS.includes(word))
  const processor = words.map((word) => PROCESSORS.find((known) => word === known)).find(Boolean)
  return {
    version,
    ...(processor ? { cpu: [processor] } : {}),
    ...(dev ? { dev: true } : {}),
    ...(words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {}),
    ...(words.some((word) => word.startsWith('gnu')) ? { libc: ['glibc'] } : {}),
    optional: true,
    ...(system ? { os: [system] } : {}),
  }
}
