/** The real program as a child: started, asked over HTTP as a person would ask, measured, stopped or killed. Linux only. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CSRF_HEADER, IDEMPOTENCY_HEADER } from '../contract/base.ts'

const LAUNCHER = fileURLToPath(new URL('../scripts/liuliang.mjs', import.meta.url))
const MAIN = fileURLToPath(new URL('../server/main.ts', import.meta.url))
export const PASSWORD = 'a-password-of-one-s-own'

export type Program = {
  address: string
  /** Of the first start with an empty directory. */
  firstSignIn: { login: string; oneTimePassword: string } | undefined
  /** Seconds from the command to the first page that was served. */
  seconds: number
  /** Memory in MB as the sum of PSS, by kind of process. */
  memory(): Map<string, number>
  /** Processor seconds since each process began, by kind of process. */
  processor(): Map<string, number>
  stop(): Promise<void>
  /** SIGKILL to the program, the engine and PostgreSQL at once. */
  kill(): Promise<void>
}

/** Runs `start` on a data directory until its first page is served. */
export async function startProgram(data: string, environment: NodeJS.ProcessEnv = {}): Promise<Program> {
  const begun = performance.now()
  const child = spawn(process.execPath, [LAUNCHER, 'start', '--json'], {
    env: { ...process.env, LIULIANG_DATA: data, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let firstSignIn: Program['firstSignIn']
  let address: string | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { firstSignIn?: NonNullable<Program['firstSignIn']>; address?: string }
    firstSignIn = said.firstSignIn ?? firstSignIn
    address = said.address
    if (address !== undefined) break
  }
  if (address === undefined) throw new Error('the program ended before it served a page')
  child.stdout.resume()
  const page = await fetch(`${address}/`)
  if (!page.ok) throw new Error(`the first page answered ${page.status}`)
  await page.text()
  return {
    address,
    firstSignIn,
    seconds: (performance.now() - begun) / 1000,
    memory: () => memoryOf(child.pid ?? 0),
    processor: () => processorOf(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
    async kill() {
      for (const pid of familyOf(child.pid ?? 0)) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // One of PostgreSQL's own that ended by itself meanwhile.
        }
      }
      await ended
    },
  }
}

/** Runs a command of the program to its end. Gives what it wrote with --json, line by line. Errors: its complaint. */
export function runCommand(data: string, parameters: readonly string[]): Promise<unknown[]> {
  const { child, done, complaint } = beginCommand(data, parameters)
  return done.then(({ code, lines }) => {
    if (code !== 0) throw new Error(`${parameters[0]} ended with ${code ?? child.signalCode}: ${complaint()}`)
    return lines
  })
}

type Begun = {
  child: ChildProcess
  done: Promise<{ code: number | null; lines: unknown[] }>
  /** What it wrote last beside its answer. */
  complaint(): string
}

/** Starts a command of the program, to be killed or waited for. */
export function beginCommand(data: string, parameters: readonly string[]): Begun {
  const child = spawn(process.execPath, [LAUNCHER, ...parameters, '--json'], {
    env: { ...process.env, LIULIANG_DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let last = ''
  child.stderr.on('data', (piece: Buffer) => {
    last = (last + piece.toString()).slice(-500)
  })
  let text = ''
  child.stdout.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  return {
    child,
    complaint: () => last.trim(),
    done: new Promise((resolve) => {
      child.once('close', (code) =>
        resolve({
          code,
          lines: text
            .split('\n')
            .filter((line) => line.startsWith('{'))
            .map((line) => JSON.parse(line) as unknown),
        }),
      )
    }),
  }
}

export type Session = (method: string, path: string, body?: unknown) => Promise<unknown>

/** Signs in for the first time, or again, and answers a caller of the API. Errors: any answer but 200. */
export async function signIn({ address, firstSignIn }: Program, login = 'admin'): Promise<Session> {
  let cookie = ''
  let csrf = ''
  const call: Session = async (method, path, body) => {
    const answer = await fetch(`${address}/api${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        cookie,
        [CSRF_HEADER]: csrf,
        [IDEMPOTENCY_HEADER]: randomUUID(),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const cookies = answer.headers.getSetCookie().map((line) => line.split(';')[0])
    if (cookies.length > 0) cookie = cookies.join('; ')
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const enter = async (as: string, password: string): Promise<void> => {
    const { csrf: token } = (await call('POST', '/session', { login: as, password })) as { csrf: string }
    csrf = token
  }
  if (firstSignIn === undefined) await enter(login, PASSWORD)
  else {
    await enter(firstSignIn.login, firstSignIn.oneTimePassword)
    await call('POST', '/session/password', {
      currentPassword: firstSignIn.oneTimePassword,
      newPassword: PASSWORD,
    })
  }
  return call
}

/** MB as the sum of PSS, of a process and its descendants, by kind. */
export function memoryOf(root: number): Map<string, number> {
  return summed(root, (pid) => {
    const [, kilobytes] = /^Pss:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
    return Number(kilobytes ?? 0) / 1024
  })
}

/**
 * Seconds of processor, of a process and its descendants, by kind. The system counts in hundredths of a second: proc(5), utime and stime of /proc/<pid>/stat, and for PostgreSQL cutime and
 * cstime, since its connections are processes that come and go.
 */
export function processorOf(root: number): Map<string, number> {
  return summed(root, (pid, kind) => {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    const counted = kind === 'PostgreSQL' ? [11, 12, 13, 14] : [11, 12]
    return counted.reduce((sum, place) => sum + Number(fields[place]), 0) / 100
  })
}

/** Of the process and its descendants, by kind. */
function summed(root: number, of: (pid: number, kind: string) => number): Map<string, number> {
  const found = new Map<string, number>()
  for (const pid of familyOf(root)) {
    try {
      const kind = kindOf(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
      found.set(kind, (found.get(kind) ?? 0) + of(pid, kind))
    } catch {
      // Gone between the list and the look.
    }
  }
  return found
}

function kindOf(command: string): string {
  if (/postgres/u.test(command) && !/node/u.test(command.split(' ')[0] ?? '')) return 'PostgreSQL'
  if (command.includes('liuliang-clickhouse')) return 'ClickHouse engine'
  if (command.includes(MAIN)) return 'program'
  return 'guards'
}

/** The process and everything that descends from it. */
function familyOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/u.test(name)) continue
    try {
      const status = readFileSync(join('/proc', name, 'stat'), 'utf8')
      const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    } catch {
      // Gone.
    }
  }
  const family = [root]
  for (const pid of family) family.push(...(children.get(pid) ?? []))
  return family
}
