/**
 * What a thread of this process needs to work on the stores that the process has opened: plain values, since nothing
 * that is open passes from one thread to another.
 */
import type { Config } from './config.ts'
import type { QueueState } from './events/events.ts'
import { type ClickHouse, type ClickHouseOptions, openClickHouse } from './platform/clickhouse/clickhouse.ts'
import { openKeyring } from './platform/crypto/master-key.ts'
import { type Disk, noDisk, watchDisk } from './platform/disk.ts'
import type { Log, LogOptions } from './platform/logging/log.ts'
import { openDatabase } from './platform/postgres/database.ts'
import type { Heaps } from './platform/spare-memory.ts'
import type { Folders, Stores } from './stores.ts'

export type WorkPlace = {
  databaseUrl: string
  databasePool: number
  clickhouse: ClickHouseOptions
  masterKey: Uint8Array
  folders: Folders
  disk: Pick<Disk, 'folders' | 'least'>
  log: Pick<LogOptions, 'level' | 'file'>
  crashPoint: string | undefined
  /** How it stands at the doors, in memory that both threads see. */
  doors: QueueState
  /** The heaps of both threads, that of the work in the second place. */
  heaps: Heaps
}

export function placeOf(
  stores: Stores,
  { databasePool, crashPoint }: Config,
  { log, doors, heaps }: Pick<WorkPlace, 'log' | 'doors' | 'heaps'>,
): WorkPlace {
  const { db, clickhouseOptions, masterKey, folders, disk } = stores
  const { path, clickhouse, archive, files, keys, logs } = folders
  return {
    databaseUrl: db.url,
    databasePool,
    clickhouse: clickhouseOptions,
    masterKey,
    folders: { path, clickhouse, archive, files, keys, logs },
    disk: { folders: disk.folders, least: disk.least },
    log,
    crashPoint,
    doors,
    heaps,
  }
}

export type PlaceStores = Pick<Stores, 'db' | 'clickhouse' | 'folders' | 'keyring' | 'disk' | 'close'>

/** Connections of this thread's own. Nothing is contacted before the first statement. */
export async function openPlace(place: WorkPlace, log: Log): Promise<PlaceStores> {
  let closing = false
  const db = openDatabase(place.databaseUrl, {
    max: place.databasePool,
    applicationName: 'liuliang work',
    onIdleError(error) {
      if (!closing) log.warn({ event: 'postgres.connection_lost', err: error })
    },
  })
  const clickhouse: ClickHouse = openClickHouse(place.clickhouse)
  const { folders, least } = place.disk
  const disk = folders.length === 0 ? noDisk : await watchDisk(folders, { least })
  return {
    db,
    clickhouse,
    folders: place.folders,
    keyring: openKeyring(Buffer.from(place.masterKey)),
    disk,
    async close() {
      closing = true
      disk.stop()
      await clickhouse.close()
      await db.close()
    },
  }
}
