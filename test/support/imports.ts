/** Imports over a test database, and processes that import and are killed. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { Database } from '../../server/platform/postgres/database.ts'
import { sql } from '../../server/platform/postgres/sql.ts'
import type { ImportTask } from './import-process.ts'
import { type ImportWorld, worldIn } from './import-world.ts'

/** Parts over `db` with a brand and a folder of their own, removed after the file. */
export async function importWorld(
  db: Database,
  { at = '2026-03-01T02:00:00Z', zone = 'Asia/Shanghai' } = {},
): Promise<ImportWorld> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'liuliang-import-'))
  afterAll(() => rm(dataFolder, { recursive: true, force: true }))
  const world = worldIn(dataFolder, db, at, randomBytes(32))
  await db.run(sql`
    insert into brand (name, zone, currency, created_at) values ('测试', ${zone}, 'CNY', ${world.clock.now()})
    on conflict (id) do update set zone = excluded.zone`)
  return world
}

/** Writes a file of the world and answers its path. */
export async function fileOf(
  world: ImportWorld,
  name: string,
  content: string | Uint8Array,
): Promise<string> {
  const path = join(world.dataFolder, name)
  await writeFile(path, content)
  return path
}

/** Empties what imports write. */
export async function emptyImports(db: Database): Promise<void> {
  await db.run(sql`
    truncate document, event_log, person, profile, identifier, relation, merge, verdict, review, profile_layer, profile_home,
      merge_carried, import_run, import_chunk, import_place, import_mapping, lease, store, staff cascade`)
}

/** Runs an import, or with `undo` takes one back, in a process of its own; `killAfterMs` kills it by SIGKILL. Answers its last state, or 'killed'. */
export function importInProcess(
  world: ImportWorld,
  given: {
    file: string
    source: string
    undo?: string
    crashAt?: string
    killAfterMs?: number
    /** Of Node; for instance how large its young generation may grow, which depends on the machine otherwise. */
    nodeFlags?: readonly string[]
    /** Told the peak of the process's memory in MB, again and again. Linux only. */
    onPeakMegabytes?: (megabytes: number) => void
  },
): Promise<string> {
  const task: ImportTask = {
    postgres: world.db.url,
    dataFolder: world.dataFolder,
    key: world.key.toString('hex'),
    at: world.clock.now().toISOString(),
    file: given.file,
    source: given.source,
    undo: given.undo ?? null,
    crashAt: given.crashAt ?? '',
  }
  const script = fileURLToPath(new URL('./import-process.ts', import.meta.url))
  const child = spawn(process.execPath, [...(given.nodeFlags ?? []), script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let complaints = ''
  child.stdout.on('data', (piece: Buffer) => {
    out += piece.toString()
  })
  child.stderr.on('data', (piece: Buffer) => {
    complaints += piece.toString()
  })
  if (given.killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), given.killAfterMs).unref()
  const watching = setInterval(() => {
    const peak = peakOf(child.pid ?? 0)
    if (peak !== undefined) given.onPeakMegabytes?.(peak)
  }, 100)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearInterval(watching)
      if (signal === 'SIGKILL') resolve('killed')
      else if (code === 0) resolve(out.trim())
      else reject(new Error(complaints))
    })
  })
}

function peakOf(pid: number): number | undefined {
  try {
    const found = /VmHWM:\s+(\d+) kB/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return found ? Number(found[1]) / 1024 : undefined
  } catch {
    return undefined
  }
}
