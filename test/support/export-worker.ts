/** A process that writes the exports that wait and may be killed on the way. Argument: JSON of `ExportOrder`. */
import { exportLoop } from '../../server/insight/export/jobs.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { openKeyring } from '../../server/platform/crypto/master-key.ts'
import { noDisk } from '../../server/platform/disk.ts'
import { withLease } from '../../server/platform/jobs/lease.ts'
import { openDatabase } from '../../server/platform/postgres/database.ts'
import { FixedClock } from '../../server/platform/time/clock.ts'

export type ExportOrder = {
  databaseUrl: string
  /** Hexadecimal. */
  masterKey: string
  folder: string
  at: string
  crashAt: string
}

const order = JSON.parse(process.argv[2] ?? '{}') as ExportOrder
const db = openDatabase(order.databaseUrl, { max: 3, applicationName: 'export-worker' })
const keyring = openKeyring(Buffer.from(order.masterKey, 'hex'))
const clock = new FixedClock(order.at)
armCrashPoint(order.crashAt)
const loop = exportLoop({ db, keyring, clock, folder: order.folder, disk: noDisk })
await withLease(db, 'exports by a process', (held) => loop.work(held))
await db.close()
