/** What works without being asked, as loops; a line each. Order and pace matter to nobody: every loop has its lease. */
import { sandboxCredentials } from '../sandbox/credentials.ts'
import { BulkTurns, evaluateOnce, publishCutPoints, recompute, takeOnce } from './audience/audience.ts'
import { openChannels } from './connectors/connectors.ts'
import { demoLife } from './demo/demo.ts'
import { sweepDemoBrand } from './demo-brand.ts'
import { importLoop } from './events/import/jobs.ts'
import { eventLoops } from './events/jobs.ts'
import { exportLoop } from './insight/export/jobs.ts'
import { exportParts, handlers, importParts, membersDeps, reachPorts } from './joined.ts'
import { stepOnce, takeInPresent, withdrawOnce } from './journeys/journeys.ts'
import type { Loop } from './loop.ts'
import { type BusinessClock, brand, setting } from './org/org.ts'
import type { Database } from './platform/postgres/database.ts'
import type { Zone } from './platform/time/zone.ts'
import { arbitrateOnce, type Channel, deliverOnce } from './reach/reach.ts'
import type { Stores } from './stores.ts'
import { markLate } from './tasks/tasks.ts'

export type LoopSources = {
  stores: Pick<Stores, 'db' | 'clickhouse' | 'folders' | 'keyring' | 'disk'>
  clock: BusinessClock
  channels?: readonly Channel[]
}

const OFTEN_MS = 250
const SECONDS_MS = 2000
const MINUTE_MS = 60_000
/** Ranges of one round of a recompute, so that stopping does not wait for the whole base. */
const RANGES = 50

export function loopsOf({ stores, clock, channels = [] }: LoopSources): readonly Loop[] {
  const { db, clickhouse, folders, keyring } = stores
  const ports = reachPorts(keyring)
  const zone = zoneOf(db)
  const bulk = new BulkTurns()
  const opened = openChannels({ sandbox: sandboxCredentials, cipher: keyring.cipher, clock })
  return [
    ...eventLoops({
      db,
      clickhouse,
      clock,
      handlers,
      archive: folders.archive,
      sweep: () => sweepDemoBrand({ db, clickhouse }),
    }),
    {
      name: 'evaluate',
      restMs: OFTEN_MS,
      async work(token) {
        const { eventHours } = await setting(db, 'freshness')
        const how = { token, now: clock.now(), zone: await zone(), freshHours: eventHours, bulk }
        return (await evaluateOnce(db, clickhouse, how)).persons
      },
    },
    {
      name: 'recompute',
      restMs: SECONDS_MS,
      async work(token) {
        const { eventHours } = await setting(db, 'freshness')
        const how = {
          token,
          now: () => clock.now(),
          zone: await zone(),
          ranges: RANGES,
          freshHours: eventHours,
        }
        return (await recompute(db, clickhouse, { ...how, signal: token.signal }))?.persons ?? 0
      },
    },
    {
      name: 'cut-points',
      restMs: MINUTE_MS,
      async work(token) {
        await publishCutPoints(db, { token, now: clock.now(), zone: await zone() })
        return 0
      },
    },
    {
      name: 'journeys',
      restMs: OFTEN_MS,
      acts: true,
      work: async (token) => stepOnce(db, { token, now: clock.now(), zone: await zone() }),
    },
    {
      name: 'arbiter',
      restMs: OFTEN_MS,
      acts: true,
      work: async (token) =>
        (await arbitrateOnce(db, ports.people, { token, now: clock.now(), zone: await zone() })).persons,
    },
    {
      name: 'deliver',
      restMs: OFTEN_MS,
      acts: true,
      async work(token) {
        const open = [...channels, ...(await opened(db))]
        const done = await deliverOnce(db, open, ports, { token, now: clock.now(), zone: await zone() })
        return Object.values(done).reduce((sum, count) => sum + count, 0)
      },
    },
    importLoop(importParts(stores, clock)),
    exportLoop({ ...exportParts(stores, clock), disk: stores.disk }),
    {
      name: 'takes',
      restMs: SECONDS_MS,
      work: async (held) =>
        takeOnce(db, clickhouse, { token: held, now: clock.now(), zone: await zone(), signal: held.signal }),
    },
    {
      name: 'journeys-present',
      restMs: SECONDS_MS,
      acts: true,
      work: (token) => takeInPresent(db, { token, now: clock.now() }),
    },
    {
      name: 'journeys-withdraw',
      restMs: SECONDS_MS,
      work: (token) => withdrawOnce(db, { token, now: clock.now() }),
    },
    demoLife({ db, clickhouse, clock, members: membersDeps(keyring) }),
    { name: 'tasks-late', restMs: SECONDS_MS, work: () => markLate(db, clock.now()) },
  ]
}

const ZONE_KEPT_MS = 5000

/** The zone of the brand, asked again every few seconds. */
function zoneOf(db: Database): () => Promise<Zone> {
  let known: { zone: Zone; at: number } | undefined
  return async () => {
    if (!known || performance.now() - known.at > ZONE_KEPT_MS) {
      known = { zone: (await brand(db)).zone, at: performance.now() }
    }
    return known.zone
  }
}
