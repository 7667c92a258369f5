/** The demo brand over open stores, for the commands: they never import it themselves. */
import {
  countDemo,
  DEMO_LEASE,
  removeDemo,
  type Seeded,
  type SeedOptions,
  seedDemo,
  sweepRemoved,
  wantsDemo,
} from './demo/demo.ts'
import { membersDeps } from './joined.ts'
import type { Stores } from './stores.ts'

/** Errors: as `seedDemo`. */
export function writeDemoBrand(
  { db, keyring }: Pick<Stores, 'db' | 'keyring'>,
  options: SeedOptions,
): Promise<Seeded> {
  return seedDemo({ db, members: membersDeps(keyring) }, options)
}

/** Whether a start brings it: the directory is empty. */
export function wantsDemoBrand({ db }: Pick<Stores, 'db'>): Promise<boolean> {
  return wantsDemo(db)
}

/** Answers how many rows went. Errors: as `removeDemo`. */
export function removeDemoBrand(
  stores: Pick<Stores, 'db' | 'clickhouse'>,
  options: { now: Date; onProgress?: (rows: number) => void },
): Promise<number> {
  return removeDemo(stores, { ...options, lease: DEMO_LEASE })
}

/** Rows of the demo brand by table. */
export function countDemoBrand({ db }: Pick<Stores, 'db'>): ReturnType<typeof countDemo> {
  return countDemo(db)
}

export type { Seeded }

/** After a rebuild: archived days still tell of a demo brand that is gone. */
export function sweepDemoBrand({ db, clickhouse }: Pick<Stores, 'db' | 'clickhouse'>): Promise<number> {
  return sweepRemoved({ db, clickhouse })
}
