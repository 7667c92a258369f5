/** Imports over a database, joined with the members as app.ts joins them; for tests and for the processes they start. */
import { join } from 'node:path'
import type { ImportParts } from '../../server/events/import/work.ts'
import { placesInUse } from '../../server/members/places-in-use.ts'
import { profilesThere } from '../../server/members/profiles-there.ts'
import { resolve } from '../../server/members/resolve.ts'
import { undoImport } from '../../server/members/undo-import.ts'
import { type Keyring, openKeyring } from '../../server/platform/crypto/master-key.ts'
import { noDisk } from '../../server/platform/disk.ts'
import type { Database } from '../../server/platform/postgres/database.ts'
import { FixedClock } from '../../server/platform/time/clock.ts'

export type ImportWorld = ImportParts & { clock: FixedClock; keys: Keyring; dataFolder: string; key: Buffer }

export function worldIn(dataFolder: string, db: Database, at: string, key: Buffer): ImportWorld {
  const keys = openKeyring(key)
  const members = { keys, followers: [] }
  return {
    db,
    key,
    keys,
    dataFolder,
    cipher: keys.cipher,
    clock: new FixedClock(at),
    folder: join(dataFolder, 'imports'),
    disk: noDisk,
    resolve: (tx, rows, how) => resolve(members, tx, rows, how),
    undoPeople: (tx, importId, undoAt, how) => undoImport(members, tx, importId, undoAt, how),
    placesInUse,
    profilesThere,
  }
}
