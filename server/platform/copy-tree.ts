/** Copying folders file by file, with a checksum of what was written. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chown, lstat, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './engine-account.ts'

const run = promisify(execFile)

/** `path` is relative to the folder, with slashes. */
export type CopiedFile = { path: string; bytes: number; sha256: string }

export type CopyOptions = {
  /** True leaves a file or folder out; asked with the path relative to the folder. */
  skip?(path: string, isFolder: boolean): boolean
  /** Folders that are made but not entered. */
  empty?(path: string): boolean
  owner?: Account
  onFile?(file: CopiedFile): void
}

/** Copies regular files and folders. A file that vanishes meanwhile is left out: PostgreSQL removes files as it works. */
export async function copyTree(from: string, to: string, options: CopyOptions = {}): Promise<CopiedFile[]> {
  const copied: CopiedFile[] = []
  await makeFolder(to, options.owner)
  await walk(from)
  return copied

  async function walk(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const source = join(folder, entry.name)
      const path = relative(from, source).split(sep).join('/')
      if (options.skip?.(path, entry.isDirectory())) continue
      if (entry.isDirectory()) {
        await makeFolder(join(to, path), options.owner)
        if (!options.empty?.(path)) await walk(source)
      } else if (entry.isFile()) {
        const file = await copyFile(source, join(to, path), options.owner)
        if (!file) continue
        copied.push({ path, ...file })
        options.onFile?.({ path, ...file })
      }
    }
  }
}

/** Copies one file. Undefined where it was gone before it could be opened. */
export async function copyFile(
  from: string,
  to: string,
  owner?: Account,
): Promise<{ bytes: number; sha256: string } | undefined> {
  if (!(await lstat(from).catch(() => undefined))) return undefined
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  const target = await open(to, 'w', 0o600)
  let bytes = 0
  try {
    for await (const chunk of createReadStream(from, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      bytes += chunk.length
      await target.write(chunk)
    }
    if (owner) await target.chown(owner.uid, owner.gid)
  } finally {
    await target.close()
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Makes everything that was copied durable, at once: a flush per file takes minutes for thousands of them. */
export async function flushDisk(folder: string): Promise<void> {
  await run('sync', process.platform === 'linux' ? ['-f', folder] : []).catch(() => run('sync'))
}

/** What a file on disk is, to compare it with what was written. */
export async function fingerprint(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

async function makeFolder(path: string, owner: Account): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (owner) await chown(path, owner.uid, owner.gid)
}
