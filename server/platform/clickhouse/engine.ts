/**
 * Owns the engine process: chDB in a child of its own that answers ClickHouse's HTTP interface on loopback.
 * Promises: it is started again when it dies, on the same port and with the same password, and it never outlives
 * its parent. Never does: read or write a table, or use a data directory that another process holds.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultMemoryBytes } from './engine/config-file.ts'
import type { FromEngine, ToEngine } from './engine/engine-process.ts'
import { sessionCount } from './engine/sessions.ts'

export type EngineLog = { info(entry: object): void; warn(entry: object): void; error(entry: object): void }

export type EngineOptions = {
  /** Folder of its own; made if missing. */
  dataDir: string
  /** The only folder that BACKUP may write to; `<dataDir>/backup` unless told. */
  backupDir?: string | undefined
  /** 0 or nothing: a free one. It stays the same over restarts. */
  port?: number | undefined
  /** Of an earlier life, so that whoever knew it gets in again; made anew unless told. */
  password?: string | undefined
  /** Bound of all queries together; the smaller of 4 GiB and 30 % of the machine unless told. */
  memoryBytes?: number | undefined
  /** The engine gives up root for this user after loading its program. */
  uid?: number | undefined
  gid?: number | undefined
  log: EngineLog
}

export type Engine = {
  readonly url: string
  readonly user: string
  readonly password: string
  /** ClickHouse's own, such as 26.7.2.1. */
  readonly version: string
  /** Of the child that runs now; undefined between two lives. */
  readonly pid: number | undefined
  /** Called after the engine has died and answers again. */
  onRestart(listener: () => void): void
  /** Ends the child in order (at most 20 s, then by force). Idempotent. */
  stop(): Promise<void>
}

/** The engine cannot start; the message is one sentence for people. */
export class EngineRefused extends Error {
  override name = 'EngineRefused'
}

const START_MS = 60_000
/** How long the engine of a parent that was killed may take to end: a little more than it gives itself. */
const ORPHAN_MS = 15_000
const ORPHAN_TRY_MS = 250
const IN_USE = /^Another process uses/
const STOP_MS = 20_000
const HEALTHY_MS = 60_000
const BACKOFF_MS = [100, 500, 1_000, 2_000, 5_000, 10_000]
const KEPT_OUTPUT = 8_192
const FILE = fileURLToPath(
  new URL(`./engine/engine-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

/** One sentence where the built-in engine cannot run here, otherwise undefined. */
export function checkPlatform(
  machine: { platform: string; arch: string; glibc: boolean } = thisMachine(),
): string | undefined {
  const elsewhere = 'Set CLICKHOUSE_URL to a ClickHouse server'
  if (machine.platform === 'win32') {
    return `The built-in ClickHouse does not run on Windows. ${elsewhere}, or use WSL2.`
  }
  if (machine.platform !== 'linux' && machine.platform !== 'darwin') {
    return `The built-in ClickHouse does not run on ${machine.platform}. ${elsewhere}.`
  }
  if (machine.arch !== 'x64' && machine.arch !== 'arm64') {
    return `The built-in ClickHouse does not run on ${machine.arch} processors. ${elsewhere}.`
  }
  if (machine.platform === 'linux' && !machine.glibc) {
    return `The built-in ClickHouse needs glibc; Alpine and other musl systems have none. ${elsewhere}, or use a Debian image.`
  }
  return undefined
}

function thisMachine(): { platform: string; arch: string; glibc: boolean } {
  if (process.platform !== 'linux') return { platform: process.platform, arch: process.arch, glibc: false }
  const reporter: { excludeNetwork?: boolean; getReport(): object } = process.report
  reporter.excludeNetwork = true
  const report: { header?: { glibcVersionRuntime?: string } } = reporter.getReport()
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: report.header?.glibcVersionRuntime !== undefined,
  }
}

/** Starts the engine and waits until it answers; an engine that was orphaned a moment ago ends first. Errors: EngineRefused. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const unsupported = checkPlatform()
  if (unsupported !== undefined) throw new EngineRefused(unsupported)
  const dataDir = prepareFolder(options)
  const user = 'liuliang'
  const password = options.password ?? randomBytes(24).toString('base64url')
  const listeners: (() => void)[] = []
  let stopping: Promise<void> | undefined
  let retry: NodeJS.Timeout | undefined
  let life = await afterOrphan(() => begin(options.port ?? 0))
  const { port, version } = life
  watch(life, 0)

  function begin(onPort: number): Promise<Life> {
    return startLife({ ...options, dataDir, port: onPort }, { user, password })
  }

  function watch(current: Life, failures: number): void {
    const born = performance.now()
    current.child.once('exit', (code, signal) => {
      if (stopping !== undefined) return
      const before = performance.now() - born > HEALTHY_MS ? 0 : failures
      options.log.error({ event: 'clickhouse.died', code, signal, output: current.output() })
      again(before)
    })
  }

  function again(failures: number): void {
    const wait = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 0
    retry = setTimeout(() => {
      begin(port).then(
        (next) => {
          life = next
          if (stopping !== undefined) return void endLife(next)
          watch(next, failures + 1)
          options.log.warn({ event: 'clickhouse.restarted', pid: next.child.pid })
          for (const listener of listeners) listener()
        },
        (error: Error) => {
          options.log.error({ event: 'clickhouse.restart_failed', reason: error.message })
          if (stopping === undefined) again(failures + 1)
        },
      )
    }, wait)
  }

  options.log.info({ event: 'clickhouse.started', pid: life.child.pid, port, version })
  return {
    url: `http://127.0.0.1:${port}`,
    user,
    password,
    version,
    get pid() {
      return life.child.exitCode === null && life.child.signalCode === null ? life.child.pid : undefined
    },
    onRestart: (listener) => void listeners.push(listener),
    stop() {
      clearTimeout(retry)
      stopping ??= endLife(life)
      return stopping
    },
  }
}

/** Tries again while the engine of an earlier parent still holds the folder. */
async function afterOrphan(begin: () => Promise<Life>): Promise<Life> {
  const until = performance.now() + ORPHAN_MS
  for (;;) {
    try {
      return await begin()
    } catch (error) {
      const held = error instanceof EngineRefused && IN_USE.test(error.message)
      if (!held || performance.now() > until) throw error
      await new Promise((done) => setTimeout(done, ORPHAN_TRY_MS))
    }
  }
}

function prepareFolder({ dataDir, uid, gid }: EngineOptions): string {
  const folder = resolve(dataDir)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (uid !== undefined) chownSync(folder, uid, gid ?? uid)
  } catch (error) {
    throw new EngineRefused(
      `The folder ${folder} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  return folder
}

/** The engine's own JavaScript passes bytes on, in five heaps. */
const SMALL_HEAPS = ['--max-semi-space-size=2', '--optimize-for-size']
/**
 * Few arenas that give back soon what a query left: 100 to 130 MB less after the first hour of the demo brand, and the same
 * processor time for inserts and reads (3 M rows).
 */
const ALLOCATORS = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_CONF: 'background_thread:true,narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0',
}

type Life = { child: ChildProcess; port: number; version: string; output(): string }

/** One child, from its start to its first answer. */
function startLife(
  options: EngineOptions & { port: number },
  login: { user: string; password: string },
): Promise<Life> {
  const compiled = getCompileCacheDir()
  const child = spawn(process.execPath, [...SMALL_HEAPS, FILE], {
    // A process group of its own: Ctrl-C reaches the parent alone, which stops everything in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // chDB's queries run on libuv's pool, which file access needs too.
    env: {
      UV_THREADPOOL_SIZE: String(sessionCount + 4),
      TZ: 'UTC',
      HOME: options.dataDir,
      ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: dirname(compiled) }),
      ...ALLOCATORS,
    },
  })
  let kept = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      kept = (kept + chunk.toString('utf8')).slice(-KEPT_OUTPUT)
    })
  }
  const order: ToEngine = {
    start: {
      dataDir: options.dataDir,
      backupDir: options.backupDir ?? join(options.dataDir, 'backup'),
      port: options.port,
      ...login,
      memoryBytes: options.memoryBytes ?? defaultMemoryBytes(),
      uid: options.uid,
      gid: options.gid,
    },
  }
  return new Promise((done, refuse) => {
    const timer = setTimeout(() => give(`it did not answer within ${START_MS / 1000} s`), START_MS)
    function give(reason: string): void {
      clearTimeout(timer)
      child.kill('SIGKILL')
      refuse(new EngineRefused(explain(reason, kept, options)))
    }
    child.once('error', (error) => give(error.message))
    // When it has ended and all that it wrote is here.
    let refused: string | undefined
    child.once('close', (code, signal) => give(refused ?? `it ended with ${signal ?? code}`))
    child.once('message', (message: FromEngine) => {
      if ('refused' in message) {
        refused = message.refused
        return
      }
      clearTimeout(timer)
      child.removeAllListeners('close')
      done({ child, ...message.listening, output: () => kept.trim() })
    })
    child.send(order)
  })
}

/** One sentence about what chDB, the file system or the network said. */
function explain(reason: string, output: string, { dataDir, port }: EngineOptions): string {
  const said = `${reason}\n${output}`
  if (/Cannot lock file/.test(said))
    return `Another process uses the ClickHouse data in ${dataDir}. Stop it first.`
  if (/EADDRINUSE/.test(said)) return `Port ${port} is taken. Choose another one.`
  if (/No space left|ENOSPC/.test(said)) return `The disk of ${dataDir} is full.`
  if (/EACCES|EPERM|Permission denied/.test(said))
    return `The user that runs this may not write to ${dataDir}.`
  if (/^written by /.test(reason))
    return `The ClickHouse data in ${dataDir} was ${reason}. Start that version, or restore an older backup.`
  const first = /DB::Exception: ([^\n]*)/.exec(said)?.[1] ?? reason.split('\n')[0]
  return `The built-in ClickHouse could not open ${dataDir}: ${first}`
}

async function endLife({ child }: Life): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  if (child.connected) child.send({ stop: true } satisfies ToEngine)
  else child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}
