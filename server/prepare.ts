import { followRenumbering } from './audience/audience.ts'
import { prepareLog } from './events/jobs.ts'
import { nameBrand } from './org/org.ts'
import { migrateClickHouse } from './platform/clickhouse/migrate.ts'
import { refuseOtherKey } from './platform/crypto/key-check.ts'
import { type Migrated, migratePostgres } from './platform/postgres/migrate.ts'
import { systemClock } from './platform/time/clock.ts'
import type { Stores } from './stores.ts'

export type Prepared = { postgres: Migrated; clickhouse: { applied: string[]; total: number } }

/** Brings both stores to the schema of this program and binds them to the master key. Harmless to repeat. */
export async function prepareStores(stores: Stores): Promise<Prepared> {
  const postgres = await migratePostgres(stores.db)
  await refuseOtherKey(stores.db, stores.masterKey)
  const client = await stores.db.connect()
  try {
    // Two processes that start at once must not build the same table.
    await client.query('select pg_advisory_lock(7300002)')
    const clickhouse = await migrateClickHouse(stores.clickhouseOptions)
    await nameBrand(stores.db, { at: systemClock.now() })
    await prepareLog(stores.db, systemClock, [followRenumbering])
    return { postgres, clickhouse }
  } finally {
    // The lock ends with its connection, also when releasing it fails.
    client.release(true)
  }
}
