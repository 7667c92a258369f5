/**
 * The child process that holds chDB: ClickHouse's HTTP interface on loopback.
 * Started by engine.ts with `UV_THREADPOOL_SIZE` set and an IPC channel, over which it gets its orders (`start`,
 * `stop`) and reports (`listening`, `refused`). When the channel closes, its parent is gone and it ends too.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire, flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { configFile, sessionArguments } from './config-file.ts'
import { front } from './front.ts'
import { type Lanes, startLanes } from './lanes.ts'

export type EngineOrder = {
  dataDir: string
  backupDir: string
  port: number
  user: string
  password: string
  memoryBytes: number
  uid: number | undefined
  gid: number | undefined
}
export type ToEngine = { start: EngineOrder } | { stop: true }
export type FromEngine = { listening: { port: number; version: string } } | { refused: string }

/** How long running statements may still finish when an orderly stop is asked for. */
const GRACE_MS = 2_000
const KILL_MS = 5_000
const MAX_STOP_MS = 12_000
const FAULT = 70

const WRITTEN_BY = 'written-by'
const OWN_VERSION: string = createRequire(import.meta.url)('chdb/package.json').version

process.title = 'liuliang-clickhouse'
let stop: () => Promise<void> = async () => undefined
let stopping = false
let grace = 0

process.on('message', (message: ToEngine) => {
  if ('start' in message) void start(message.start)
  else void end(GRACE_MS)
})
process.on('disconnect', () => void end(0))
process.on('SIGTERM', () => void end(GRACE_MS))
process.on('SIGINT', () => void end(GRACE_MS))
// The pipes to a parent that is gone.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

async function start(order: EngineOrder): Promise<void> {
  try {
    const threads = await startLanes(fault)
    // As the user who may write there, and now: this process may end by a signal.
    flushCompileCache()
    takeUser(order)
    const settings = prepared(order)
    refuseNewer(order.dataDir)
    const lanes = await threads.open(settings)
    writeFileSync(join(order.dataDir, WRITTEN_BY), `${OWN_VERSION}\n`, { mode: 0o600 })
    const port = await listen(order, lanes)
    tell({ listening: { port, version: lanes.version } })
  } catch (error) {
    tell({ refused: error instanceof Error ? error.message : String(error) })
    process.exitCode = 1
    setImmediate(() => process.exit(1))
  }
}

/** After everything is loaded (the program may lie where the user cannot read) and before the directory is opened. */
function takeUser({ uid, gid }: EngineOrder): void {
  if (gid !== undefined) {
    process.setgroups?.([gid])
    process.setgid?.(gid)
  }
  if (uid !== undefined) process.setuid?.(uid)
}

function prepared({ dataDir, backupDir, memoryBytes }: EngineOrder) {
  const folders = { store: join(dataDir, 'store'), temporary: join(dataDir, 'tmp'), backup: backupDir }
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const config = join(dataDir, 'config.xml')
  writeFileSync(config, configFile(folders, memoryBytes), { mode: 0o600 })
  return { path: folders.store, arguments: sessionArguments(memoryBytes, config) }
}

/** ClickHouse reads what older versions wrote, not what newer ones did. */
function refuseNewer(dataDir: string): void {
  let written: string
  try {
    written = readFileSync(join(dataDir, WRITTEN_BY), 'utf8').trim()
  } catch {
    return
  }
  if (comparable(written) > comparable(OWN_VERSION))
    throw new Error(`written by a newer engine (chdb ${written})`)
}

function comparable(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number)
  return (major * 1_000 + minor) * 1_000 + patch
}

function listen(order: EngineOrder, lanes: Lanes): Promise<number> {
  const server = front(lanes, { user: order.user, password: order.password })
  stop = async () => {
    server.close()
    server.closeIdleConnections()
    await idle(lanes, grace)
    server.closeAllConnections()
    await idle(lanes, KILL_MS)
    if (lanes.load === 0) await lanes.close()
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(order.port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : order.port)
    })
  })
}

async function idle(lanes: Lanes, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (lanes.load > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20))
}

async function end(graceMs: number): Promise<void> {
  if (stopping) return
  stopping = true
  grace = graceMs
  setTimeout(() => process.exit(FAULT), MAX_STOP_MS).unref()
  await stop().catch(() => undefined)
  process.exit(0)
}

/** The engine cannot go on: end now, the supervisor starts it again. */
function fault(reason: string): void {
  if (stopping) return
  process.stderr.write(`engine ends: ${reason}\n`)
  process.exit(FAULT)
}

function tell(message: FromEngine): void {
  if (process.connected) process.send?.(message)
}
