import { hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Db } from '../postgres/database.ts'
import { sql } from '../postgres/sql.ts'
import { StartRefused } from '../start-refused.ts'

/**
 * Binds the database to its master key on the first start, and refuses another key ever after: what was encrypted
 * under one cannot be read or found again under the other. Errors: `StartRefused`.
 */
export async function refuseOtherKey(db: Db, key: Buffer): Promise<void> {
  const fingerprint = Buffer.from(hkdfSync('sha256', key, 'liuliang', 'fingerprint', 16))
  await db.run(
    sql`insert into master_key_check (fingerprint) values (${fingerprint}) on conflict (id) do nothing`,
  )
  const kept = await db.row<{ fingerprint: Buffer }>(sql`select fingerprint from master_key_check`)
  if (timingSafeEqual(kept.fingerprint, fingerprint)) return
  throw new StartRefused(
    'This is not the master key that the database was encrypted with. Set LIULIANG_MASTER_KEY to the one that was printed at the first start, or bring back keys/master.key.',
  )
}
