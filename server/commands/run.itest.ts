import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { emptyDatabase } from '../../test/support/database.ts'
import { readConfig } from '../config.ts'
import { openLog } from '../platform/logging/log.ts'
import { openStores } from '../stores.ts'

const run = promisify(execFile)
const log = openLog({ level: 'silent' })
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

let folder: string
let first: Started

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'liuliang-run-'))
  await chmod(folder, 0o755)
  first = await start('start', { LIULIANG_DATA: join(folder, 'data') })
})
afterAll(async () => {
  first.child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

test('a start prints its address and a sign-in that works', async () => {
  const { oneTimePassword, login } = first.told('firstSignIn') as { oneTimePassword: string; login: string }
  expect((await fetch(`${first.address}/readyz`)).status).toBe(200)
  const signedIn = await post(`${first.address}/api/session`, { login, password: oneTimePassword })
  expect(signedIn.status).toBe(200)
  expect(await signedIn.json()).toMatchObject({ me: { mustChangePassword: true } })
})

test('neither the password nor the key stands in a file that others could read, or in the log', async () => {
  const { oneTimePassword } = first.told('firstSignIn') as { oneTimePassword: string }
  const log = await readFile(join(folder, 'data', 'logs', 'liuliang.ndjson'), 'utf8')
  expect(log).toContain('program.started')
  expect(log).not.toContain(oneTimePassword)
})

test('a second start with the same directory says where the first one runs', async () => {
  const refused = await ends('start', { LIULIANG_DATA: join(folder, 'data') })
  expect(refused).toMatchObject({ code: 1, lines: 1 })
  expect(refused.text).toContain('already running')
  expect(refused.text).toContain(first.address)
})

test('a port that is taken is told at once, before anything is started', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  const refused = await ends('start', { LIULIANG_DATA: join(folder, 'never'), PORT: String(port) })
  other.close()
  expect(refused).toMatchObject({ code: 1, lines: 1 })
  expect(refused.text).toContain(`Port ${port} is taken`)
  await expect(readFile(join(folder, 'never', 'liuliang.json'))).rejects.toThrow()
})

test('a wrong DATABASE_URL is one clear sentence without its password', async () => {
  const url = 'postgres://nobody:secret-word@127.0.0.1:9/none'
  const refused = await ends('start', { LIULIANG_DATA: join(folder, 'wrong'), DATABASE_URL: url })
  expect(refused).toMatchObject({ code: 1, lines: 1 })
  expect(refused.text).toContain('no PostgreSQL answers')
  expect(refused.text).not.toContain('secret-word')
})

test('a DATABASE_URL with a wrong scheme, host, database or password says which', async () => {
  const opening = async (url: string) =>
    openStores(readConfig({ LIULIANG_DATA: join(folder, 'wrong'), DATABASE_URL: url }), log, 'own')
  await expect(opening('mysql://nobody:secret-word@127.0.0.1/none')).rejects.toThrow(
    'DATABASE_URL cannot be used',
  )
  await expect(opening('postgres://nobody:x@no-such-host.invalid/none')).rejects.toThrow(
    'host name is not known',
  )
  const address = new URL(inject('postgres').url)
  address.pathname = '/no_such_database'
  await expect(opening(address.href)).rejects.toThrow('that database does not exist')
  address.password = 'wrong'
  await expect(opening(address.href)).rejects.toThrow('user or password is wrong')
})

test('doctor and reset-owner join the running program', async () => {
  const environment = { LIULIANG_DATA: join(folder, 'data') }
  const { findings, healthy } = JSON.parse((await ends('doctor', environment, '--json')).text) as {
    healthy: boolean
    findings: { check: string; state: string; found: string }[]
  }
  expect(findings.filter(({ state }) => state === 'bad')).toEqual([])
  expect(healthy).toBe(true)
  expect(findings.find(({ check }) => check === 'stores')?.found).toContain('a running Liuliang answers')

  const reset = JSON.parse((await ends('reset-owner', environment, '--json')).text) as {
    login: string
    oneTimePassword: string
  }
  expect(
    (await post(`${first.address}/api/session`, { login: reset.login, password: reset.oneTimePassword }))
      .status,
  ).toBe(200)
})

test('every command explains itself', async () => {
  const { stdout } = await run(process.execPath, [MAIN, '--help'], { env: { PATH: '/usr/bin:/bin' } })
  const commands = [...stdout.matchAll(/^ {2}([a-z-]+)[ [<]/gm)].map(([, name]) => name ?? '')
  expect(commands).toEqual(
    expect.arrayContaining([
      'start',
      'serve',
      'work',
      'migrate',
      'import',
      'export',
      'demo',
      'rebuild',
      'backup',
      'restore',
      'doctor',
      'reset-owner',
    ]),
  )
  for (const name of commands.slice(0, 3)) {
    const help = await run(process.execPath, [MAIN, name, '--help'], { env: { PATH: '/usr/bin:/bin' } })
    expect(help.stdout).toContain(`liuliang ${name}`)
  }
})

test('Ctrl-C stops everything in order and leaves no process', async () => {
  const children = await childrenOf(first.child.pid)
  expect(children.length).toBeGreaterThanOrEqual(2)
  const begun = performance.now()
  expect(await stop(first.child)).toEqual({ code: 0, signal: null })
  expect(performance.now() - begun).toBeLessThan(20_000)
  // The guard of PostgreSQL sees that its parent is gone and ends a moment later.
  await expect.poll(() => children.filter(isAlive), { timeout: 120_000 }).toEqual([])
  expect(first.errors()).toBe('')
})

test('serve and work run apart over one PostgreSQL of your own, and a work that stops is replaced', async () => {
  const db = await emptyDatabase()
  const environment = { LIULIANG_DATA: join(folder, 'apart'), DATABASE_URL: db.url }
  const serving = await start('serve', environment)
  const working = await start('work', environment)
  expect((await fetch(`${serving.address}/readyz`)).status).toBe(200)
  expect(await stop(working.child)).toEqual({ code: 0, signal: null })
  expect(await stop(serving.child)).toEqual({ code: 0, signal: null })
})

type Started = { child: ChildProcess; address: string; told(name: string): unknown; errors(): string }

/** Starts a long-running command and waits until it says that it runs. */
async function start(command: string, environment: Record<string, string>): Promise<Started> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, command, '--json'], {
    env: { PORT: '0', LIULIANG_DEMO: 'off', PATH: '/usr/bin:/bin:/usr/sbin:/sbin', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const told = () =>
    Object.assign(
      {},
      ...text
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    ) as Record<string, unknown>
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('"address"') || text.includes('"working"')) resolve()
    })
    child.on('exit', () => reject(new Error(`${command} ended: ${errors}`)))
  })
  return { child, address: String(told()['address']), told: (name) => told()[name], errors: () => errors }
}

/** Runs a command that ends by itself. */
async function ends(command: string, environment: Record<string, string>, ...more: string[]) {
  const parameters = ['--disable-warning=ExperimentalWarning', MAIN, command, ...more]
  try {
    const { stdout } = await run(process.execPath, parameters, {
      env: { PORT: '0', LIULIANG_DEMO: 'off', PATH: '/usr/bin:/bin:/usr/sbin:/sbin', ...environment },
    })
    return { code: 0, text: stdout, lines: 0 }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, text: stdout + stderr, lines: stderr.trim().split('\n').length }
  }
}

function stop(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
    child.kill('SIGINT')
  })
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Children of children too. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid='])
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const found: number[] = []
  const walk = (parent: number | undefined) => {
    for (const [child = 0, of] of pairs) {
      if (of !== parent) continue
      found.push(child)
      walk(child)
    }
  }
  walk(pid)
  return found
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
