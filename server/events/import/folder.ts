/** Where the files of imports live: one folder a run, readable by its owner only. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

export type RunFiles = {
  folder: string
  /** The file as it was uploaded. */
  upload: string
  /** Rows sorted by what they belong to, while the run is under way. */
  buckets: string
  /** Rejected rows, sealed. */
  rejects: string
}

export function filesOf(root: string, id: string): RunFiles {
  const folder = join(root, id)
  return {
    folder,
    upload: join(folder, 'upload'),
    buckets: join(folder, 'buckets'),
    rejects: join(folder, 'rejects'),
  }
}

export async function makeFolder(files: RunFiles): Promise<void> {
  await mkdir(files.folder, { recursive: true, mode: 0o700 })
}

/** Removes what a finished run does not need: the upload and the sorted rows. The rejected rows stay. */
export async function removeSource(files: RunFiles): Promise<void> {
  await rm(files.upload, { force: true })
  await rm(files.buckets, { recursive: true, force: true })
}

export async function removeAll(files: RunFiles): Promise<void> {
  await rm(files.folder, { recursive: true, force: true })
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** SHA-256 and size of a file. */
export async function digestFile(path: string): Promise<{ digest: Buffer; bytes: number }> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 64 * 1024 })) hash.update(piece as Buffer)
  return { digest: hash.digest(), bytes: (await stat(path)).size }
}
