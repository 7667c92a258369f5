/** The loops of the log: reacting, projecting, keeping house. Each runs in one process at a time. */
import type { ClickHouse } from '../platform/clickhouse/clickhouse.ts'
import type { Loop } from '../platform/jobs/loop.ts'
import type { Database } from '../platform/postgres/database.ts'
import type { Clock } from '../platform/time/clock.ts'
import { adoptLog, type Renumbered } from './adopt-log.ts'
import { turnSeen } from './append.ts'
import { archiveDays, dropArchivedDays } from './archive.ts'
import { registerConsumers } from './consumers.ts'
import { retryDue } from './dead-letters.ts'
import type { Handler } from './handler.ts'
import { lanes } from './log.ts'
import { moveMisplaced } from './move-rows.ts'
import { makePartitionsAhead } from './partitions.ts'
import { PROJECT, projectOnce } from './project.ts'
import { forgetPulse } from './pulse.ts'
import { REACT, reactOnce } from './react.ts'
import { isRebuilding, type Rebuilding, rebuildClickHouse } from './rebuild.ts'

export type EventLoops = {
  db: Database
  clickhouse: ClickHouse
  clock: Clock
  handlers: readonly Handler[]
  /** Folder of the archive. */
  archive: string
  /** As a rebuild needs it. */
  sweep: Rebuilding['sweep']
}

const LIVE_REST_MS = 100
/** Events that come in a stream are reacted to, and projected, four times a second, or sooner when 500 were waiting. */
const PACE = { ms: 250, full: 500 }
const BULK_REST_MS = 250
const HOUSE_REST_MS = 60_000

/** To be called once before the loops run: adopts a restored log, makes the partitions and the consumers' positions. */
export async function prepareLog(
  db: Database,
  clock: Clock,
  renumbered: readonly Renumbered[] = [],
): Promise<void> {
  await adoptLog(db, clock.now(), renumbered)
  await makePartitionsAhead(db, clock.now())
  await registerConsumers(db, [REACT, PROJECT])
}

/** The loops, for `keepWorking`. */
export function eventLoops({ db, clickhouse, clock, handlers, archive, sweep }: EventLoops): Loop[] {
  const react = lanes.map(
    (lane): Loop => ({
      name: `${REACT}.${lane}`,
      restMs: lane === 'live' ? LIVE_REST_MS : BULK_REST_MS,
      pace: PACE,
      work: (token) => reactOnce(db, handlers, { lane, token, now: clock.now() }),
    }),
  )
  const project: Loop = {
    name: PROJECT,
    restMs: LIVE_REST_MS,
    pace: PACE,
    async work(token) {
      // One that was broken off, or is due after a restore, is begun again; nothing can be projected before.
      if (await isRebuilding(db)) {
        const { events } = await rebuildClickHouse(db, clickhouse, {
          folder: archive,
          token,
          now: clock.now(),
          sweep,
          signal: token.signal,
        })
        return events + 1
      }
      // Live first: a bulk batch is taken only when no live event waits.
      const live = await projectOnce(db, clickhouse, { lane: 'live', token, now: clock.now() })
      if (live > 0) return live
      const bulk = await projectOnce(db, clickhouse, { lane: 'bulk', token, now: clock.now() })
      if (bulk > 0) return bulk
      return moveMisplaced(db, clickhouse, { token })
    },
  }
  const letters: Loop = {
    name: 'dead-letters',
    restMs: 1000,
    work: (token) => retryDue(db, handlers, { token, now: clock.now() }),
  }
  const house: Loop = {
    name: 'log-house',
    restMs: HOUSE_REST_MS,
    async work() {
      const now = clock.now()
      await makePartitionsAhead(db, now)
      await turnSeen(db, now)
      await archiveDays(db, { folder: archive, now })
      await dropArchivedDays(db, { folder: archive, now })
      await forgetPulse(db, now)
      return 0
    },
  }
  return [...react, project, letters, house]
}
