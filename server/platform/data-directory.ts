/**
 * The data directory of one running Liuliang.
 *
 * Always true: one process at a time holds it, by an open lock on the file `lock` that the system drops with the
 * process, however it dies (SQLite's exclusive transaction: Node has no lock of its own, and a process number in a
 * file says nothing after a crash or in a container). Nobody else opens that file: closing it would drop the lock.
 * `liuliang.json` is written before anything else, so a folder that holds files without it is not ours.
 *
 *   liuliang.json  format and id        postgres/ or postgres.location   clickhouse/   archive/   files/
 *   lock           running.json         keys/ (owner only)               logs/
 */
import { randomUUID } from 'node:crypto'
import {
  access,
  chmod,
  constants,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  statfs,
} from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { writeWhole } from './files.ts'
import { StartRefused } from './start-refused.ts'

const FORMAT = 1
const SQLITE_BUSY = 5
const LEAST_FREE_BYTES = 512 * 1024 ** 2
const NOT_OURS_TO_MIND = new Set([
  'lock',
  'lock-journal',
  'running.json',
  '.DS_Store',
  'lost+found',
  '.gitkeep',
])

export type DataDirectory = {
  /** Absolute, links resolved. */
  path: string
  /** Stays the same for the life of the directory. */
  id: string
  /** True when this start made it. */
  fresh: boolean
  clickhouse: string
  archive: string
  files: string
  keys: string
  logs: string
  /** Where the pages are served, for the sentence that a second start says. */
  announce(address: string): Promise<void>
  /** Gives the directory free. The last thing a stop does. */
  release(): Promise<void>
}

/** Makes or opens the directory and locks it. Errors: `StartRefused` with one sentence, before anything is changed. */
export async function openDataDirectory(
  wished: string,
  { leastFreeBytes = LEAST_FREE_BYTES }: { leastFreeBytes?: number } = {},
): Promise<DataDirectory> {
  const path = await makeFolder(resolve(wished))
  await refuseFullDisk(path, leastFreeBytes)
  const unlock = await lock(path)
  try {
    const { id, fresh } = await readOrWriteFormat(path)
    const folders = {
      clickhouse: join(path, 'clickhouse'),
      archive: join(path, 'archive'),
      files: join(path, 'files'),
      keys: join(path, 'keys'),
      logs: join(path, 'logs'),
    }
    for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 })
    const running = join(path, 'running.json')
    await writeWhole(running, JSON.stringify({ process: process.pid }), 0o644)
    return {
      path,
      id,
      fresh,
      ...folders,
      announce: (address) => writeWhole(running, JSON.stringify({ process: process.pid, address }), 0o644),
      release: async () => {
        await rm(running, { force: true })
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw isDiskFull(error)
      ? new StartRefused(`The disk that holds ${path} is full. Free some space and start again.`)
      : error
  }
}

/** The address of the Liuliang that runs on `path` at this moment; undefined when none does. */
export async function runningAddress(path: string): Promise<string | undefined> {
  if (!(await stat(join(path, 'lock')).catch(() => undefined))) return undefined
  const release = tryLock(path)
  if (release) {
    release()
    return undefined
  }
  return (await whoRuns(path)).address ?? ''
}

/** Bytes that an ordinary user may still write, and their share of the disk, 0…1. */
export type Space = { free: number; share: number }

/** What the disk that holds `path` has left. */
export async function spaceOf(path: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(path)
  return { free: bavail * bsize, share: blocks === 0 ? 0 : bavail / blocks }
}

/** True for "no space left", from Node as well as in the words of an engine. */
export function isDiskFull(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: string; message?: string }
  return (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    code === '53100' ||
    /No space left on device/.test(message ?? '')
  )
}

async function makeFolder(path: string): Promise<string> {
  try {
    const made = await mkdir(path, { recursive: true, mode: 0o700 })
    // Root hands the engines to another user, who must be able to pass through.
    if (made !== undefined && process.getuid?.() === 0) await chmod(path, 0o711)
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return await realpath(path)
  } catch (error) {
    throw new StartRefused(
      `The data directory ${path} cannot be used: ${reason(error)} Set LIULIANG_DATA to another folder.`,
    )
  }
}

function reason(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
      return 'this user may not write there.'
    case 'EEXIST':
    case 'ENOTDIR':
      return 'it is a file, not a folder.'
    case 'EROFS':
      return 'the disk is read-only.'
    case 'ENOSPC':
      return 'the disk is full.'
    default:
      return `${error instanceof Error ? error.message : String(error)}.`
  }
}

async function refuseFullDisk(path: string, least: number): Promise<void> {
  const { free } = await spaceOf(path)
  if (free >= least) return
  const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MB`
  throw new StartRefused(
    `Only ${mebibytes(free)} are free on the disk that holds ${path}; Liuliang needs ${mebibytes(least)} to start. Free some space, or set LIULIANG_DATA to a folder on another disk.`,
  )
}

async function lock(path: string): Promise<() => void> {
  const unlock = tryLock(path)
  if (unlock) return unlock
  const { process: holder, address } = await whoRuns(path)
  const who = [holder === undefined ? undefined : `process ${holder}`, address].filter(Boolean).join(', ')
  throw new StartRefused(
    `Liuliang is already running with the data directory ${path}${who === '' ? '' : ` (${who})`}. Stop it first, or set LIULIANG_DATA to another folder.`,
  )
}

function tryLock(path: string): (() => void) | undefined {
  const file = join(path, 'lock')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 0 })
    database.exec('begin exclusive')
    const held = database
    return () => held.close()
  } catch (error) {
    database?.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined
    throw new StartRefused(
      `The file ${file} cannot be locked: ${error instanceof Error ? error.message : String(error)}.`,
    )
  }
}

async function whoRuns(path: string): Promise<{ process?: number; address?: string }> {
  const text = await readFile(join(path, 'running.json'), 'utf8').catch(() => '{}')
  try {
    return JSON.parse(text) as { process?: number; address?: string }
  } catch {
    return {}
  }
}

async function readOrWriteFormat(path: string): Promise<{ id: string; fresh: boolean }> {
  const file = join(path, 'liuliang.json')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text !== undefined) return { id: idOf(file, text), fresh: false }
  const others = (await readdir(path)).filter((name) => !NOT_OURS_TO_MIND.has(name) && !name.endsWith('.tmp'))
  if (others.length > 0) {
    throw new StartRefused(
      `${path} holds files but no liuliang.json: it is not a data directory of Liuliang, or a damaged one. Set LIULIANG_DATA to an empty folder, or restore a backup.`,
    )
  }
  const id = randomUUID()
  await writeWhole(file, `${JSON.stringify({ format: FORMAT, id })}\n`)
  return { id, fresh: true }
}

function idOf(file: string, text: string): string {
  let known: { format?: unknown; id?: unknown } = {}
  try {
    known = JSON.parse(text) as typeof known
  } catch {
    // Told below: a file that cannot be read has no format.
  }
  if (typeof known?.format !== 'number' || typeof known.id !== 'string') {
    throw new StartRefused(`${file} is damaged. Bring it back from a backup of the data directory.`)
  }
  if (known.format > FORMAT) {
    throw new StartRefused(
      `${file} was written by a newer Liuliang (format ${known.format}, this one reads ${FORMAT}). Start the newer version.`,
    )
  }
  return known.id
}
