/**
 * Under which account and in which folder an engine runs.
 *
 * Always true: an ordinary user runs engines as himself, inside the data directory. Root never runs PostgreSQL:
 * a folder that already belongs to someone keeps its owner, a new one goes to the user `liuliang`. Where that user
 * cannot reach the data directory (a parent such as /root is closed), the engine lives in /var/lib/liuliang/<hash>
 * and a file `<engine>.location` in the data directory says so for ever: the place never depends on today's modes.
 */
import { execFile, spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { chmod, chown, mkdir, readFile, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { writeWhole } from './files.ts'
import { StartRefused } from './start-refused.ts'

const run = promisify(execFile)
const USER = 'liuliang'
const OPEN_PLACE = '/var/lib/liuliang'

/** Numeric user and group for `spawn`; undefined means: as the present user. */
export type Account = { uid: number; gid: number } | undefined

export type EnginePlace = { folder: string; account: Account; notice: string | undefined }

/**
 * The folder of one engine, made with owner-only permissions, and the account that owns it.
 * `notice` is a sentence for the operator when the engine lives outside the data directory.
 */
export async function placeEngine(dataDirectory: string, engine: string): Promise<EnginePlace> {
  const inside = join(dataDirectory, engine)
  if (process.getuid?.() !== 0) {
    await mkdir(inside, { recursive: true, mode: 0o700 })
    return { folder: inside, account: undefined, notice: undefined }
  }
  const pointer = join(dataDirectory, `${engine}.location`)
  const written = await readFile(pointer, 'utf8').catch(() => undefined)
  if (written !== undefined) return placeOutside(written.trim(), pointer, dataDirectory)

  const existed = await stat(inside).catch(() => undefined)
  const account =
    existed && existed.uid !== 0 ? { uid: existed.uid, gid: existed.gid } : await liuliangAccount()
  if (!existed || existed.uid === 0) await make(inside, account)
  if (reaches(account, inside)) return { folder: inside, account, notice: undefined }
  if (existed && existed.uid !== 0) {
    throw new StartRefused(
      `The account that runs ${engine} can no longer enter ${inside}. Open its parent folders with chmod o+x, or start Liuliang as the owner of that folder.`,
    )
  }
  await rmdir(inside)
  // Not the path alone: a data directory that was deleted and made again must not find the old database.
  const outside = join(OPEN_PLACE, digest(`${dataDirectory} ${randomUUID()}`), engine)
  await mkdir(dirname(outside), { recursive: true, mode: 0o755 })
  await make(outside, account)
  await writeWhole(pointer, `${outside}\n`)
  return placeOutside(outside, pointer, dataDirectory)
}

/** True when `account` can enter `folder` and read it; the present user always can, or fails by itself later. */
export function reaches(account: Account, folder: string): boolean {
  if (account === undefined) return true
  const { status } = spawnSync('/bin/sh', ['-c', 'cd -- "$1" && test -r . && test -x .', 'sh', folder], {
    ...account,
    cwd: '/',
    stdio: 'ignore',
  })
  return status === 0
}

/** A folder that every account can reach, for what cannot stay where it is. */
export function openPlace(name: string): string {
  return join(OPEN_PLACE, name)
}

async function placeOutside(folder: string, pointer: string, dataDirectory: string): Promise<EnginePlace> {
  const found = await stat(folder).catch(() => undefined)
  if (!found) {
    throw new StartRefused(
      `${pointer} says that the database lives in ${folder}, but that folder is missing. Bring it back or restore a backup.`,
    )
  }
  return {
    folder,
    account: { uid: found.uid, gid: found.gid },
    notice: `Started as root and ${dataDirectory} is closed to other users, so PostgreSQL keeps its files in ${folder}.`,
  }
}

async function make(folder: string, account: Account): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (account) await chown(folder, account.uid, account.gid)
  await chmod(folder, 0o700)
}

async function liuliangAccount(): Promise<NonNullable<Account>> {
  const known = await lookUp()
  if (known) return known
  const attempts: [string, string[]][] = [
    ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', USER]],
    ['adduser', ['-S', '-D', '-H', USER]],
  ]
  for (const [command, parameters] of attempts) {
    // Two starts at once may both try; whoever is second finds the user there.
    await run(command, parameters).catch(() => undefined)
    const made = await lookUp()
    if (made) return made
  }
  throw new StartRefused(
    `PostgreSQL does not run as root, and the user ${USER} could not be created. Run "useradd --system ${USER}", or start Liuliang as an ordinary user.`,
  )
}

async function lookUp(): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', USER]), run('id', ['-g', USER])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
