/** The program as others run it: by its command line, in processes of its own that are kept running, killed and started again. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
const FLAGS = ['--disable-warning=ExperimentalWarning', MAIN]
const COMMON = { PORT: '0', LIULIANG_DEMO: 'off', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' }
const TRY_AGAIN_MS = 200

export type Environment = Readonly<Record<string, string>>
export type Ended = { code: number | null; signal: string | null; out: string; error: string }

/** Runs a command that ends by itself. */
export function runOnce(
  command: string,
  environment: Environment,
  parameters: readonly string[] = [],
  onStart?: (child: ChildProcess) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = begin(command, environment, parameters)
    onStart?.(child)
    let out = ''
    let error = ''
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (error += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, out, error }))
  })
}

/** As a supervisor of the system does: whenever the process ends it is started again, until `stop`. */
export class Kept {
  readonly #command: string
  readonly #environment: Environment
  #child: ChildProcess | undefined
  #told: Record<string, unknown> = {}
  #error = ''
  #over = false
  starts = 0

  constructor(command: 'start' | 'serve' | 'work', environment: Environment) {
    this.#command = command
    this.#environment = environment
    this.#start()
  }

  #start(): void {
    this.starts += 1
    this.#told = {}
    const child = begin(this.#command, this.#environment, ['--json'])
    this.#child = child
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines.filter(Boolean)) Object.assign(this.#told, readLine(line))
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#error = (this.#error + chunk.toString()).slice(-2000)
    })
    child.on('exit', () => {
      this.#told = {}
      if (!this.#over) setTimeout(() => this.#over || this.#start(), TRY_AGAIN_MS)
    })
  }

  get pid(): number | undefined {
    const child = this.#child
    return child && child.exitCode === null && child.signalCode === null ? child.pid : undefined
  }

  /** What the present process has told so far: `address`, `firstSignIn`, … */
  get told(): Readonly<Record<string, unknown>> {
    return this.#told
  }

  /** Waits until `name` is told. Errors: what the process said last, after `mostMs`. */
  async tells(name: string, mostMs = 300_000): Promise<unknown> {
    const until = performance.now() + mostMs
    while (this.#told[name] === undefined) {
      if (performance.now() > until) throw new Error(`${this.#command} does not tell ${name}: ${this.#error}`)
      await sleep(20)
    }
    return this.#told[name]
  }

  /** Ends it by SIGKILL, and for good. */
  fall(): void {
    this.#over = true
    killHard(this.pid)
  }

  /** Ends it in order, and for good. */
  async stop(): Promise<void> {
    this.#over = true
    const child = this.#child
    if (!child || this.pid === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }
}

/** SIGKILL. False where the process has ended by itself. */
export function killHard(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

/** The children of a process, and theirs, with their command lines. */
export async function descendantsOf(pid: number): Promise<{ pid: number; args: string }[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
  const all = stdout.split('\n').flatMap((line) => {
    const [, own, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return own === undefined ? [] : [{ pid: Number(own), parent: Number(parent), args }]
  })
  const below = (of: number): typeof all =>
    all.filter(({ parent }) => parent === of).flatMap((child) => [child, ...below(child.pid)])
  return below(pid)
}

function begin(command: string, environment: Environment, parameters: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...FLAGS, command, ...parameters], {
    env: { ...COMMON, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function readLine(line: string): object {
  try {
    return JSON.parse(line) as object
  } catch {
    return {}
  }
}
