/**
 * A copy of the files of a running cluster (PostgreSQL 18, 25.3.4 "Making a Base Backup Using the Low Level API").
 *
 * Between pg_backup_start and pg_backup_stop the files may be copied while they change; the WAL of that stretch, held
 * back by a temporary slot, makes them whole again when the copy is started. Both functions belong to one session: if
 * it ends, the server forgets the backup and the slot, and nothing was changed.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type CopiedFile, type CopyOptions, copyFile, copyTree, fingerprint } from '../copy-tree.ts'
import { writeWhole } from '../files.ts'
import type { Database } from './database.ts'

/** Made anew by the server; their contents are of no use in a copy. */
const EMPTY = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
])
const LEFT_OUT =
  /(^|\/)(postmaster\.(pid|opts)|current_logfiles|pg_internal\.init.*|pgsql_tmp.*|backup_label.*|backup_manifest.*)$/
const SEGMENT = /^[0-9A-F]{24}$/

/** Copies the cluster whose files are in `data` into `to`. Gives the files that were written. */
export async function copyCluster(
  db: Database,
  data: string,
  to: string,
  onFile?: CopyOptions['onFile'],
): Promise<CopiedFile[]> {
  const client = await db.connect()
  try {
    await client.query(`select pg_create_physical_replication_slot('liuliang_backup', true, true)`)
    const begun = await client.query<{ segment: string }>(
      `select pg_walfile_name(pg_backup_start('liuliang', true)) as segment`,
    )
    const first = begun.rows[0]?.segment ?? ''
    const files = await copyTree(data, to, {
      skip: (path) => LEFT_OUT.test(path),
      empty: (path) => EMPTY.has(path),
      ...(onFile ? { onFile } : {}),
    })
    const ended = await client.query<{ segment: string; label: string; spaces: string }>(
      'select pg_walfile_name(lsn) as segment, labelfile as label, spcmapfile as spaces from pg_backup_stop(false)',
    )
    const { segment: last = '', label = '', spaces = '' } = ended.rows[0] ?? {}
    files.push(...(await copyWal(data, to, first, last)))
    files.push(await written(to, 'backup_label', label))
    if (spaces.trim() !== '') files.push(await written(to, 'tablespace_map', spaces))
    return files
  } finally {
    // The slot, and a backup that was broken off, end with their session.
    client.release(true)
  }
}

async function copyWal(data: string, to: string, first: string, last: string): Promise<CopiedFile[]> {
  const names = (await readdir(join(data, 'pg_wal'))).filter(
    (name) => SEGMENT.test(name) && name >= first && name <= last,
  )
  if (!names.includes(first) || !names.includes(last))
    throw new Error('the WAL of this backup is not complete')
  const files: CopiedFile[] = []
  for (const name of names.sort()) {
    const file = await copyFile(join(data, 'pg_wal', name), join(to, 'pg_wal', name))
    if (file) files.push({ path: `pg_wal/${name}`, ...file })
  }
  return files
}

async function written(to: string, name: string, text: string): Promise<CopiedFile> {
  await writeWhole(join(to, name), text)
  return { path: name, ...(await fingerprint(join(to, name))) }
}
