/** One run of the PostgreSQL server program: start until it answers, guard, stop, and what became of a forgotten one. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Account } from '../engine-account.ts'
import { StartRefused } from '../start-refused.ts'

const run = promisify(execFile)
const POLL_MS = 15
const STOP_PATIENCE_MS = 60_000
const HARD_STOP_PATIENCE_MS = 10_000

export type Server = { pid: number; ended: Promise<string>; stop(): Promise<void> }

/** `port`: somebody else has it; `remains`: processes of a killed server are still going; `other`: give up. */
export type Refusal = { failure: 'port' | 'remains' | 'other'; sentence: string }

export type ServerPlace = {
  folder: string
  binaries: string
  account: Account
  environment: NodeJS.ProcessEnv
}

/** Starts the server on `folder/data` and waits until it takes connections (crash recovery included). */
export async function runServer({
  folder,
  binaries,
  account,
  environment,
}: ServerPlace): Promise<Server | Refusal> {
  const data = join(folder, 'data')
  const logs = join(folder, 'log')
  const before = await logSizes(logs)
  // A session of its own: Ctrl-C in a terminal reaches this program, which then stops the server in its order.
  const child = spawn(join(binaries, 'bin', 'postgres'), ['-D', data], {
    ...account,
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000)
  })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`PostgreSQL ended (${signal ?? code})`))
  })
  let over = false
  void ended.then(() => {
    over = true
  })
  while (!over && !(await isReady(data, child.pid))) await sleep(POLL_MS)
  if (over || child.pid === undefined) {
    return refusal(folder, said || (await ended), await logSince(logs, before))
  }
  const guard = standGuard(child.pid, account)
  void ended.then(() => guard.kill('SIGKILL'))
  return { pid: child.pid, ended, stop: () => stopChild(child, ended) }
}

/** postmaster.pid: line 1 the process, line 8 its state. */
async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}

/** Waits on a pipe from this program; when the program is gone, by whatever death, it stops the server. */
function standGuard(pid: number, account: Account): ChildProcess {
  const script = 'trap "" HUP INT TERM; read _; kill -INT "$1"'
  const guard = spawn('/bin/sh', ['-c', script, 'liuliang-guard', String(pid)], {
    ...account,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.on('error', () => undefined)
  guard.stdin?.on('error', () => undefined)
  guard.unref()
  return guard
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGINT')
  if (await within(ended, STOP_PATIENCE_MS)) return
  child.kill('SIGQUIT')
  if (await within(ended, HARD_STOP_PATIENCE_MS)) return
  child.kill('SIGKILL')
  await ended
}

/**
 * Stops the server that a killed start left on `data`, and forgets a postmaster.pid whose number
 * now belongs to another program (small numbers come back at once in a container).
 */
export async function stopOrphan(data: string): Promise<void> {
  const path = join(data, 'postmaster.pid')
  const pid = Number((await readFile(path, 'utf8').catch(() => '')).split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 0 || !(await isAlive(pid))) return
  if (!(await isServerOf(pid, data))) {
    await rm(path, { force: true })
    return
  }
  for (const [signal, patience] of [
    ['SIGINT', STOP_PATIENCE_MS],
    ['SIGQUIT', HARD_STOP_PATIENCE_MS],
  ] as const) {
    process.kill(pid, signal)
    if (await goneWithin(pid, patience)) return
  }
  throw new StartRefused(
    `A PostgreSQL of an earlier start (process ${pid}) does not stop. End it and start again.`,
  )
}

async function isServerOf(pid: number, data: string): Promise<boolean> {
  const command =
    process.platform === 'linux'
      ? (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').join(' ')
      : await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
          ({ stdout }) => stdout,
          () => '',
        )
  return command.includes('postgres') && command.includes(data)
}

/** A dead process that its parent has not yet collected counts as dead: in a container nobody may ever collect it. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3) !== 'Z'
}

async function goneWithin(pid: number, patience: number): Promise<boolean> {
  for (let waited = 0; waited < patience; waited += 50) {
    if (!(await isAlive(pid))) return true
    await sleep(50)
  }
  return false
}

async function refusal(folder: string, said: string, log: string): Promise<Refusal> {
  const text = `${said}\n${log}`
  if (/could not bind|Address already in use/.test(said)) {
    return { failure: 'port', sentence: 'No free port was found for PostgreSQL.' }
  }
  if (/pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(said)) {
    return {
      failure: 'remains',
      sentence: `Processes of an earlier PostgreSQL still hold ${folder}. End them and start again.`,
    }
  }
  if (/No space left on device/.test(text)) {
    return {
      failure: 'other',
      sentence: `The disk that holds ${folder} is full. Free some space and start again.`,
    }
  }
  const fatal = text.match(/(?:FATAL|PANIC):\s+(.*)/g)?.at(-1) ?? said.trim().split('\n').at(-1) ?? ''
  return {
    failure: 'other',
    sentence: `The built-in PostgreSQL could not start: ${fatal.trim()} (log: ${join(folder, 'log')})`,
  }
}

/** Sizes of the log files, so that what is written after this moment can be told from what stood there. */
async function logSizes(folder: string): Promise<Map<string, number>> {
  const names = await readdir(folder).catch(() => [])
  const sizes = names.map(async (name) => [name, (await stat(join(folder, name))).size] as const)
  return new Map(await Promise.all(sizes))
}

async function logSince(folder: string, before: Map<string, number>): Promise<string> {
  const parts = [...(await logSizes(folder)).keys()].map(async (name) => {
    const bytes = await readFile(join(folder, name))
    const start = before.get(name) ?? 0
    return bytes.subarray(start <= bytes.length ? start : 0).toString()
  })
  return (await Promise.all(parts)).join('').slice(-4_000)
}

async function within(promise: Promise<unknown>, patience: number): Promise<boolean> {
  const timer = new AbortController()
  const late = sleep(patience, false, { signal: timer.signal }).catch(() => false)
  const answer = await Promise.race([promise.then(() => true), late])
  timer.abort()
  return answer
}
