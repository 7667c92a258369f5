/**
 * A process that evaluates, recomputes, or takes segments, until nothing is left to do, to be killed in the middle.
 * Argument: JSON of `AudienceRound`. Everything it does may be done again by the next round.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { evaluateOnce, recompute, takeOnce } from '../../server/audience/audience.ts'
import { type ClickHouseOptions, openClickHouse } from '../../server/platform/clickhouse/clickhouse.ts'
import { armCrashPoint } from '../../server/platform/crash.ts'
import { type LeaseToken, takeLease } from '../../server/platform/jobs/lease.ts'
import { type Database, openDatabase } from '../../server/platform/postgres/database.ts'
import type { Zone } from '../../server/platform/time/zone.ts'

export type AudienceRound = {
  postgres: string
  clickhouse: ClickHouseOptions
  /** Business time. */
  now: string
  zone: Zone
  crashAt: string
  does: 'evaluate' | 'recompute' | 'take'
}

// Nobody else wants it: the next round need not wait for the lease of a process that was killed.
const LEASE_MS = 1
/** Persons in one transaction, so that a round has several. */
const BATCH = 3

const round = JSON.parse(process.argv[2] ?? '') as AudienceRound
const db = openDatabase(round.postgres, { max: 4 })
const clickhouse = openClickHouse(round.clickhouse)
const token = await lease(db, round.does)
const now = new Date(round.now)
armCrashPoint(round.crashAt)
if (round.does === 'evaluate') {
  while (
    (await evaluateOnce(db, clickhouse, { token, now, zone: round.zone, batch: BATCH, atOnce: 2 })).persons >
    0
  );
} else if (round.does === 'take') {
  while ((await takeOnce(db, clickhouse, { token, now, zone: round.zone })) > 0);
} else {
  await recompute(db, clickhouse, { token, now: () => now, zone: round.zone })
}
await clickhouse.close()
await db.close()

async function lease(of: Database, name: string): Promise<LeaseToken> {
  for (;;) {
    const held = await takeLease(of, name, LEASE_MS)
    if (held) return held
    await sleep(20)
  }
}
