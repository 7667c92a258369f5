/** Imports over a test database, joined with the members as app.ts joins them. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { ImportParts } from '../../server/events/import/work.ts'
import { resolve } from '../../server/members/resolve.ts'
import { undoImport } from '../../server/members/undo-import.ts'
import { type Keyring, openKeyring } from '../../server/platform/crypto/master-key.ts'
import type { Database } from '../../server/platform/postgres/database.ts'
import { FixedClock } from '../../server/platform/time/clock.ts'

export type ImportWorld = ImportParts & { clock: FixedClock; keys: Keyring; dataFolder: string }

/** Parts over `db` with a folder of their own, removed after the file. */
export async function importWorld(
  db: Database,
  at = '2026-03-01T02:00:00Z',
  key = randomBytes(32),
): Promise<ImportWorld> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'liuliang-import-'))
  afterAll(() => rm(dataFolder, { recursive: true, force: true }))
  return worldIn(dataFolder, db, at, key)
}

export function worldIn(dataFolder: string, db: Database, at: string, key: Buffer): ImportWorld {
  const keys = openKeyring(key)
  const members = { keys, followers: [] }
  return {
    db,
    keys,
    dataFolder,
    cipher: keys.cipher,
    clock: new FixedClock(at),
    folder: join(dataFolder, 'imports'),
    resolve: (tx, rows, how) => resolve(members, tx, rows, how),
    undoPeople: (tx, importId, undoAt, how) => undoImport(members, tx, importId, undoAt, how),
  }
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
